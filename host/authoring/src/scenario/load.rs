//! From a path to a scenario with its component.

use std::path::{Path, PathBuf};

use tidegate_job_file::Components;
use tidegate_job_file::config_file::{ConfigFileError, FileKind, Problems, SourceFile};
use tidegate_operator::Component;

use super::document::Scenario;
use super::parse::parse;

/// A scenario's text and its path.
#[derive(Clone, Debug)]
pub struct ScenarioFile(SourceFile);

/// A scenario that can be run.
pub struct LoadedScenario {
    /// The path, as given or found.
    pub path: PathBuf,
    /// The content.
    pub(super) scenario: Scenario,
    /// Its component.
    pub(super) component: Component,
}

impl ScenarioFile {
    /// Reads a scenario.
    ///
    /// # Errors
    ///
    /// A [`ConfigFileError`] if the file can't be read or is not text.
    pub fn read(path: &Path) -> Result<Self, ConfigFileError> {
        SourceFile::read(FileKind::Scenario, path).map(Self)
    }

    #[cfg(test)]
    pub(super) fn from_text(text: &str) -> Self {
        let bytes = text.as_bytes().to_vec();
        let file = SourceFile::from_bytes(FileKind::Scenario, Path::new("scenario.toml"), bytes);
        Self(file.expect("it is UTF-8"))
    }

    /// Checks the content, without looking at the component.
    ///
    /// # Errors
    ///
    /// A [`ConfigFileError`] with every problem of the file.
    pub fn check(&self) -> Result<(), ConfigFileError> {
        self.parse().map(drop)
    }

    /// Parses the content.
    pub(crate) fn parse(&self) -> Result<Scenario, ConfigFileError> {
        let problems = Problems::default();
        let scenario = parse(self.0.text(), &problems);
        match scenario {
            Some(scenario) if problems.is_empty() => Ok(scenario),
            Some(_) | None => Err(self.0.invalid(problems)),
        }
    }

    /// Loads the scenario with its component, whose path is relative to the file.
    ///
    /// # Errors
    ///
    /// A [`ConfigFileError`] with every problem of the scenario or its component.
    pub fn load(&self, components: &mut Components) -> Result<LoadedScenario, ConfigFileError> {
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
