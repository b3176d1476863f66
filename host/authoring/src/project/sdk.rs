//! The SDK of a new project.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};

use super::error::NewProjectError;
use crate::language::Language;

/// The source of a project's SDK.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Sdk {
    /// A folder.
    Folder(PathBuf),
    /// The registry of the language, with the version.
    Registry(&'static str),
}

impl Sdk {
    /// Returns the SDK that the user names; else the one beside the sources that hold the running
    /// binary or `directory`. Without either, returns the registry with the binary's own version.
    pub(super) fn find(
        named: Option<&Path>,
        language: Language,
        directory: &Path,
    ) -> Result<Self, NewProjectError> {
        if let Some(named) = named {
            let path = directory.join(named);
            let found = folder(&path, language);
            return found.map(Self::Folder).ok_or(NewProjectError::NoSdk {
                path,
                package: language.kit().sdk.package,
                place: language.kit().sdk.place,
            });
        }
        let binary = env::current_exe().ok();
        let directory = fs::canonicalize(directory).ok();
        let starts = [binary, directory].into_iter().flatten();
        let found = starts.flat_map(|start| beside(&start, language)).next();
        Ok(found.map_or(Self::Registry(env!("CARGO_PKG_VERSION")), Self::Folder))
    }

    /// Returns the dependency as a manifest in the language declares it.
    pub(super) fn dependency(&self, language: Language) -> String {
        let sdk = &language.kit().sdk;
        match self {
            Self::Folder(path) => (sdk.in_folder)(&path.to_string_lossy()),
            Self::Registry(version) => (sdk.in_registry)(version),
        }
    }
}

/// Returns the SDK of the checkout that contains a path.
fn beside(start: &Path, language: Language) -> Option<PathBuf> {
    let mut places = start
        .ancestors()
        .map(|at| at.join(language.kit().sdk.place));
    places.find_map(|place| folder(&place, language))
}

/// Returns the folder, if it has the SDK.
fn folder(path: &Path, language: Language) -> Option<PathBuf> {
    let manifest = fs::read_to_string(path.join(language.manifest())).ok()?;
    let is_sdk = manifest.contains(language.kit().sdk.mark);
    is_sdk.then(|| fs::canonicalize(path).ok()).flatten()
}
