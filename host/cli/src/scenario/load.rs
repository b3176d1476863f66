//! From a path to a scenario with its component.

use std::path::{Path, PathBuf};

use tidegate_operator::Component;

use super::document::Scenario;
use super::parse::parse;
use crate::job_file::problem::Problems;
use crate::job_file::{Components, FileKind, JobFileError, SourceFile};

/// A scenario's text and where it came from.
#[derive(Clone, Debug)]
pub(crate) struct ScenarioFile(SourceFile);

/// A scenario that can be run.
pub(crate) struct LoadedScenario {
    /// The file, as it was given or found.
    pub(crate) path: PathBuf,
    /// What it says.
    pub(crate) scenario: Scenario,
    /// Its component.
    pub(crate) component: Component,
}

impl ScenarioFile {
    /// Reads a file's text.
    pub(crate) fn read(path: &Path) -> Result<Self, JobFileError> {
        SourceFile::read(FileKind::Scenario, path).map(Self)
    }

    #[cfg(test)]
    pub(super) fn from_text(text: &str) -> Self {
        let bytes = text.as_bytes().to_vec();
        let file = SourceFile::from_bytes(FileKind::Scenario, Path::new("scenario.toml"), bytes);
        Self(file.expect("it is UTF-8"))
    }

    /// What the file says, without looking at the component.
    pub(crate) fn parse(&self) -> Result<Scenario, JobFileError> {
        let problems = Problems::default();
        let scenario = parse(self.0.text(), &problems);
        match scenario {
            Some(scenario) if problems.is_empty() => Ok(scenario),
            Some(_) | None => Err(self.0.invalid(problems)),
        }
    }

    /// The scenario with its component, which is looked for relative to the file.
    pub(crate) fn load(&self, components: &mut Components) -> Result<LoadedScenario, JobFileError> {
        let scenario = self.parse()?;
        let problems = Problems::default();
        let component = components.load(&self.0.base(), &scenario.component, &problems);
        if let Some(error) = components.take_not_loaded() {
            return Err(error);
        }
        match component {
            Some(component) => Ok(LoadedScenario {
                path: self.0.path().to_owned(),
                scenario,
                component,
            }),
            None => Err(self.0.invalid(problems)),
        }
    }
}
