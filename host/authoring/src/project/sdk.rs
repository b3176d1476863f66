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
                package: language.sdk_package(),
                place: language.sdk_place(),
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
        // JSON and TOML write such a string the same way.
        let quoted = |text: &str| serde_json::Value::from(text).to_string();
        match (language, self) {
            (Language::Python, Self::Folder(path)) => {
                format!("sdk = {}", quoted(&path.to_string_lossy()))
            }
            (Language::Python, Self::Registry(version)) => {
                format!("# The SDK is the installed package tidegate-sdk {version}.")
            }
            (Language::Go, Self::Folder(path)) => {
                let package = language.sdk_package();
                let path = quoted(&path.to_string_lossy());
                format!("require {package} v0.0.0\n\nreplace {package} => {path}")
            }
            (Language::Go, Self::Registry(version)) => {
                format!("require {} v{version}", language.sdk_package())
            }
            (Language::Rust, Self::Folder(path)) => {
                format!("{{ path = {} }}", quoted(&path.to_string_lossy()))
            }
            (Language::Rust, Self::Registry(version)) => quoted(version),
            // A bracket argument of CMake takes any path as it is.
            (Language::C, Self::Folder(path)) => {
                format!(
                    "REQUIRED PATHS [=[{}/cmake]=] NO_DEFAULT_PATH",
                    path.to_string_lossy()
                )
            }
            // Where CMake finds what is installed.
            (Language::C, Self::Registry(version)) => format!("{version} REQUIRED"),
            (Language::JavaScript, Self::Folder(path)) => {
                quoted(&format!("file:{}", path.to_string_lossy()))
            }
            (Language::JavaScript, Self::Registry(version)) => quoted(version),
        }
    }
}

/// The SDK of the checkout that a path lies in.
fn beside(start: &Path, language: Language) -> Option<PathBuf> {
    let mut places = start.ancestors().map(|at| at.join(language.sdk_place()));
    places.find_map(|place| folder(&place, language))
}

/// The folder, if it has the SDK.
fn folder(path: &Path, language: Language) -> Option<PathBuf> {
    let manifest = fs::read_to_string(path.join(language.manifest())).ok()?;
    let is_sdk = manifest.contains(&language.sdk_mark());
    is_sdk.then(|| fs::canonicalize(path).ok()).flatten()
}
