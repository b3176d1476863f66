//! The reasons why a job file or scenario can't be used.

use std::fmt;
use std::io;
use std::path::PathBuf;

use thiserror::Error;
use tidegate_operator::{EngineError, SystemRefusal, shown, shown_text};

use super::problem::Problem;

/// The reason why a job file or scenario can't be used. Nothing was created or changed.
#[derive(Debug, Error)]
pub enum ConfigFileError {
    /// The file can't be read.
    #[error("{kind} {} can't be read", shown(path))]
    Unreadable {
        /// The kind of file.
        kind: FileKind,
        /// The file.
        path: PathBuf,
        /// The error of the system.
        source: io::Error,
    },
    /// The file is too large to be a job file or scenario.
    #[error("{kind} {} is larger than {limit} bytes", shown(path))]
    TooLarge {
        /// The kind of file.
        kind: FileKind,
        /// The file.
        path: PathBuf,
        /// The limit in bytes.
        limit: u64,
    },
    /// This machine can't run components.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// The system refused this process a resource for loading a component. The component, and the
    /// file that names it, may be fine.
    #[error(
        "component {} could not be loaded: the system refused this process a resource",
        shown(path)
    )]
    ComponentNotLoaded {
        /// The component.
        path: PathBuf,
        /// The refusal of the system.
        source: SystemRefusal,
    },
    /// The file is wrong in one or more places.
    #[error(transparent)]
    Invalid(Box<InvalidConfigFile>),
}

/// The subject of a file in the format of job files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileKind {
    /// A job.
    Job,
    /// The behaviour of an operator for some records.
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

/// A job file or scenario with its problems. `Display` has every problem in one line; a program
/// that shows the text beside them needs the fields.
#[derive(Debug, Error)]
pub struct InvalidConfigFile {
    /// The kind of file.
    pub kind: FileKind,
    /// The file.
    pub path: PathBuf,
    /// Its text, for showing the places.
    pub text: String,
    /// The first problems, in the order of the file. At least one.
    pub problems: Vec<Problem>,
    /// The number of other problems.
    pub more: usize,
    /// True if the file itself is right, and only components are rejected.
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
