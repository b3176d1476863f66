//! The reasons why a project or its SDK was not written, each with a remedy.

use std::io;
use std::path::PathBuf;

use thiserror::Error;
use tidegate_operator::shown;

use crate::language::Language;

/// The reason why a project was not written.
#[derive(Debug, Error)]
pub enum NewProjectError {
    /// The name can't be the name of an operator and a package. Nothing was written.
    #[error("`{}` can't be a project's name: {reason}", name.escape_debug())]
    BadName {
        /// The name.
        name: String,
        /// The reason, and the allowed names.
        reason: String,
    },
    /// The folder exists and is not empty. Nothing was written.
    #[error(
        "`{}` already exists and is not an empty folder; choose another name, or remove it",
        shown(path)
    )]
    NotEmpty {
        /// The folder.
        path: PathBuf,
    },
    /// The user named a folder without the SDK. Nothing was written.
    #[error(
        "there is no SDK at `{}`: expected the folder of `{package}`, which is \
         `{place}` in the sources of Tidegate",
        shown(path)
    )]
    NoSdk {
        /// The path.
        path: PathBuf,
        /// The SDK's package.
        package: &'static str,
        /// The SDK's folder in the sources.
        place: &'static str,
    },
    /// A file could not be written. The files before it were.
    #[error("`{}` could not be written", shown(path))]
    Write {
        /// The file.
        path: PathBuf,
        /// The error of the system.
        source: io::Error,
    },
}

/// The reason why the SDK of a project was not updated.
#[derive(Debug, Error)]
pub enum SdkError {
    /// The folder has no manifest of any language. Nothing was changed.
    #[error(
        "`{}` is not the folder of a project: expected one of {} in it",
        shown(path),
        Language::manifests()
    )]
    NoProject {
        /// The folder.
        path: PathBuf,
    },
    /// The project has no copy of the SDK. Nothing was changed.
    #[error(
        "`{}` is not a copy of the SDK that `tidegate new` has written; the project's manifest \
         names the SDK that it uses",
        shown(path)
    )]
    NoCopy {
        /// The folder of the copy.
        path: PathBuf,
    },
    /// A file of the copy differs from the one that `tidegate new` wrote, or a file of the author's
    /// has the path of a new one. Nothing was changed.
    #[error(
        "`{}` was changed, removed or added since the copy was written, and an update would \
         discard that; pass --discard-changes to discard all changes",
        shown(path)
    )]
    Changed {
        /// The file.
        path: PathBuf,
    },
    /// A file of the old copy could not be removed.
    #[error(
        "`{}` could not be removed; the copy may have files of both versions",
        shown(path)
    )]
    Remove {
        /// The file.
        path: PathBuf,
        /// The error of the system.
        source: io::Error,
    },
    /// A file of the new copy could not be written.
    #[error(transparent)]
    Write(#[from] NewProjectError),
}
