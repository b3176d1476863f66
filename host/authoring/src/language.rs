//! The languages that an operator can be written in, and the manifests that identify them.

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
    /// C, compiled by clang through CMake.
    C,
    /// C++, compiled like C.
    Cpp,
    /// Python, put into a component with its interpreter by componentize-py.
    Python,
    /// Go, compiled by the official compiler.
    Go,
    /// JavaScript, put into a component with an interpreter.
    #[value(name = "javascript")]
    JavaScript,
    /// TypeScript, built like JavaScript.
    #[value(name = "typescript")]
    TypeScript,
}

impl Language {
    /// All languages.
    pub const ALL: [Self; 7] = [
        Self::Rust,
        Self::C,
        Self::Cpp,
        Self::Python,
        Self::Go,
        Self::JavaScript,
        Self::TypeScript,
    ];

    /// Returns the name on the command line.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Rust => "rust",
            Self::C => "c",
            Self::Cpp => "cpp",
            Self::Python => "python",
            Self::Go => "go",
            Self::JavaScript => "javascript",
            Self::TypeScript => "typescript",
        }
    }

    /// Returns the language whose tools also build this one.
    #[must_use]
    pub fn with_same_tools(self) -> Self {
        match self {
            Self::C | Self::Cpp => Self::C,
            Self::JavaScript | Self::TypeScript => Self::JavaScript,
            Self::Rust | Self::Python | Self::Go => self,
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
            Self::Cpp => &kit::c::CPP,
            Self::Python => &kit::python::KIT,
            Self::Go => &kit::go::KIT,
            Self::JavaScript => &kit::javascript::KIT,
            Self::TypeScript => &kit::javascript::TYPESCRIPT,
        }
    }

    /// Returns the language of the project with this manifest. C stands for C++, too, and
    /// JavaScript for TypeScript: the build distinguishes them by the operator's sources.
    pub fn of_manifest(path: &Path) -> Option<Self> {
        let name = path.file_name()?;
        let mut languages = Self::ALL.into_iter();
        languages.find(|language| name == language.manifest())
    }

    /// Returns the names of the manifests of all languages, for people.
    pub fn manifests() -> String {
        let mut names = Self::ALL.map(Self::manifest).to_vec();
        names.dedup();
        names.join(", ")
    }
}
