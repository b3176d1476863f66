//! The languages that an operator can be written in, and the manifest that identifies each.

use std::path::Path;

use clap::ValueEnum;
use serde::Serialize;

use crate::kit::{self, LanguageKit};

/// The language of an operator.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Language {
    /// Rust, compiled by cargo.
    Rust,
    /// C or C++, compiled by clang through CMake.
    C,
    /// Python, put into a component with its interpreter by componentize-py.
    Python,
    /// Go, compiled by the official compiler.
    Go,
    /// JavaScript or TypeScript, put into a component with an interpreter.
    #[value(name = "javascript")]
    JavaScript,
}

impl Language {
    /// All languages.
    pub const ALL: [Self; 5] = [
        Self::Rust,
        Self::C,
        Self::Python,
        Self::Go,
        Self::JavaScript,
    ];

    /// Returns the name on the command line.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Rust => "rust",
            Self::C => "c",
            Self::Python => "python",
            Self::Go => "go",
            Self::JavaScript => "javascript",
        }
    }

    /// Returns the name of the file that makes a folder a project of the language.
    pub fn manifest(self) -> &'static str {
        self.kit().manifest
    }

    /// Returns the kit of the language.
    pub(crate) fn kit(self) -> &'static LanguageKit {
        match self {
            Self::Rust => &kit::rust::KIT,
            Self::C => &kit::c::KIT,
            Self::Python => &kit::python::KIT,
            Self::Go => &kit::go::KIT,
            Self::JavaScript => &kit::javascript::KIT,
        }
    }

    /// Returns the language of the project with this manifest.
    pub fn of_manifest(path: &Path) -> Option<Self> {
        let name = path.file_name()?;
        let mut languages = Self::ALL.into_iter();
        languages.find(|language| name == language.manifest())
    }

    /// Returns the names of the manifests of all languages, for people.
    pub fn manifests() -> String {
        Self::ALL.map(Self::manifest).join(", ")
    }
}
