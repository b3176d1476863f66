//! Where a new project finds its SDK.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};

use super::error::NewProjectError;
use crate::language::Language;

/// Where a project finds its SDK.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Sdk {
    /// In a folder.
    Folder(PathBuf),
    /// On the registry of the language, in this version.
    Registry(&'static str),
}

impl Sdk {
    /// The one that the user names; else the one beside the sources that hold the running binary or
    /// `directory`; else that of the registry, in the binary's own version.
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

    /// As the manifest of a project in the language says it.
    pub(super) fn dependency(&self, language: Language) -> String {
        let sdk = &language.kit().sdk;
        match self {
            Self::Folder(path) => (sdk.in_folder)(&path.to_string_lossy()),
            Self::Registry(version) => (sdk.in_registry)(version),
        }
    }
}

/// The SDK of the checkout that a path lies in.
fn beside(start: &Path, language: Language) -> Option<PathBuf> {
    let mut places = start
        .ancestors()
        .map(|at| at.join(language.kit().sdk.place));
    places.find_map(|place| folder(&place, language))
}

/// The folder, if it has the SDK.
fn folder(path: &Path, language: Language) -> Option<PathBuf> {
    let manifest = fs::read_to_string(path.join(language.manifest())).ok()?;
    let is_sdk = manifest.contains(language.kit().sdk.mark);
    is_sdk.then(|| fs::canonicalize(path).ok()).flatten()
}
