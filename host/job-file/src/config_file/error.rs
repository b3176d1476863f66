//! Why a job file can't be used.

use std::fmt;
use std::io;
use std::path::PathBuf;

use thiserror::Error;
use tidegate_operator::{EngineError, SystemRefusal, shown, shown_text};

use super::problem::Problem;

/// Why a job file or scenario can't be used. Nothing was created or changed.
#[derive(Debug, Error)]
pub enum ConfigFileError {
    /// The file can't be read.
    #[error("{kind} {} can't be read", shown(path))]
    Unreadable {
        /// What was to be read.
        kind: FileKind,
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// No such file is that long.
    #[error("{kind} {} is larger than {limit} bytes", shown(path))]
    TooLarge {
        /// What was to be read.
        kind: FileKind,
        /// The file.
        path: PathBuf,
        /// What it may have.
        limit: u64,
    },
    /// This machine can't run components.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// The system refused this process what loading a component takes. The component, and the file
    /// that names it, may be fine.
    #[error(
        "component {} could not be loaded: this process is refused what that takes",
        shown(path)
    )]
    ComponentNotLoaded {
        /// The component.
        path: PathBuf,
        /// What the system says.
        source: SystemRefusal,
    },
    /// The file is wrong in one or more places.
    #[error(transparent)]
    Invalid(Box<InvalidConfigFile>),
}

/// What a file in the format of job files describes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileKind {
    /// A job.
    Job,
    /// What an operator does with some records.
    Scenario,
}

impl fmt::Display for FileKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Job => "job file",
            Self::Scenario => "scenario",
        })
    }
}

/// A job file or scenario with what is wrong with it. `Display` has every problem in one line; a
/// program that shows the text beside them needs the fields.
#[derive(Debug, Error)]
pub struct InvalidConfigFile {
    /// What it describes.
    pub kind: FileKind,
    /// The file.
    pub path: PathBuf,
    /// Its text, for showing where.
    pub text: String,
    /// What is wrong, as far as it is told, in the order of the file. At least one problem.
    pub problems: Vec<Problem>,
    /// How many others there are.
    pub more: usize,
    /// True if the file itself is right, and only components are refused.
    pub is_about_components: bool,
}

impl fmt::Display for InvalidConfigFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} can't be used", self.kind, shown(&self.path))?;
        for (at, problem) in self.problems.iter().enumerate() {
            f.write_str(if at == 0 { ": " } else { "; " })?;
            let problem = problem.locate(&self.text);
            if let (Some(line), Some(column)) = (problem.line, problem.column) {
                write!(f, "line {line}, column {column}: ")?;
            }
            write!(f, "{}", shown_text(&problem.message))?;
            if let Some(help) = &problem.help {
                write!(f, " ({})", shown_text(help))?;
            }
        }
        match self.more {
            0 => Ok(()),
            more => write!(f, "; and {more} more problem(s)"),
        }
    }
}
