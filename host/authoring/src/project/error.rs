//! The reasons why a project was not written, each with a remedy.

use std::io;
use std::path::PathBuf;

use thiserror::Error;
use tidegate_operator::shown;

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
