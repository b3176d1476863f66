//! The scenarios that a path refers to.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use thiserror::Error;
use tidegate_operator::shown;

use crate::language::Language;

/// The scenarios at a path.
#[derive(Debug)]
pub enum Place {
    /// A project that can be built, with its scenarios.
    Project {
        /// Its folder.
        directory: PathBuf,
        /// `tests/*.toml`, sorted. At least one.
        scenarios: Vec<PathBuf>,
    },
    /// Scenarios of any components, sorted. At least one.
    Scenarios(Vec<PathBuf>),
}

/// No scenario was found at a path.
#[derive(Debug, Error)]
pub enum NothingToTest {
    /// The folder has no scenario.
    #[error("no scenario was found: there is no {looked_for}")]
    NoScenario {
        /// The place that was searched.
        looked_for: String,
    },
    /// The path can't be read.
    #[error("`{path}` can't be read", path = shown(path))]
    Unreadable {
        /// The path.
        path: PathBuf,
        /// The error of the system.
        source: io::Error,
    },
}

/// Looks for scenarios at a path: a project's folder, a scenario, or a folder of them.
///
/// # Errors
///
/// A [`NothingToTest`] with the missing part.
pub fn find(path: &Path) -> Result<Place, NothingToTest> {
    let unreadable = |source| NothingToTest::Unreadable {
        path: path.to_owned(),
        source,
    };
    let directory = if Language::of_manifest(path).is_some() {
        path.parent().unwrap_or(Path::new(""))
    } else {
        path
    };
    let directory = if directory == Path::new("") {
        Path::new(".")
    } else {
        directory
    };
    if !fs::metadata(directory).map_err(unreadable)?.is_dir() {
        return Ok(Place::Scenarios(vec![path.to_owned()]));
    }
    let mut languages = Language::ALL.iter();
    if !languages.any(|language| directory.join(language.manifest()).is_file()) {
        let scenarios = scenarios_in(directory).map_err(unreadable)?;
        return if scenarios.is_empty() {
            Err(NothingToTest::NoScenario {
                looked_for: format!(
                    "`{}`, and no manifest ({}) that makes the folder a project with \
                     `tests/*.toml`",
                    shown(&directory.join("*.toml")),
                    Language::manifests()
                ),
            })
        } else {
            Ok(Place::Scenarios(scenarios))
        };
    }
    let tests = directory.join("tests");
    let scenarios = if tests.is_dir() {
        scenarios_in(&tests).map_err(unreadable)?
    } else {
        Vec::new()
    };
    if scenarios.is_empty() {
        let looked_for = format!("`{}`", shown(&tests.join("*.toml")));
        return Err(NothingToTest::NoScenario { looked_for });
    }
    Ok(Place::Project {
        directory: directory.to_owned(),
        scenarios,
    })
}

fn scenarios_in(directory: &Path) -> io::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(directory)? {
        let path = entry?.path();
        if path
            .extension()
            .is_some_and(|extension| extension == "toml")
            && path.is_file()
        {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}
