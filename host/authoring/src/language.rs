//! The languages that an operator can be written in, and how a project of each is known.

use std::path::Path;

use clap::ValueEnum;
use serde::Serialize;

use crate::kit::{self, LanguageKit};

/// What an operator is written in.
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
    /// All of them.
    pub const ALL: [Self; 5] = [
        Self::Rust,
        Self::C,
        Self::Python,
        Self::Go,
        Self::JavaScript,
    ];

    /// The file that makes a folder a project of the language.
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

    /// The language of the project with this manifest.
    pub fn of_manifest(path: &Path) -> Option<Self> {
        let name = path.file_name()?;
        let mut languages = Self::ALL.into_iter();
        languages.find(|language| name == language.manifest())
    }

    /// The manifests of all languages, for people.
    pub fn manifests() -> String {
        Self::ALL.map(Self::manifest).join(", ")
    }
}
