//! Why a project was not written, and what helps.

use std::io;
use std::path::PathBuf;

use thiserror::Error;
use tidegate_operator::shown;

/// Why a project was not written.
#[derive(Debug, Error)]
pub enum NewProjectError {
    /// The name can't be the name of an operator and a package. Nothing was written.
    #[error("`{}` can't be a project's name: {reason}", name.escape_debug())]
    BadName {
        /// The name.
        name: String,
        /// Why not, and what can be.
        reason: String,
    },
    /// There is something of that name already. Nothing was written.
    #[error(
        "`{}` is there already and is not an empty folder; choose another name, or remove it",
        shown(path)
    )]
    NotEmpty {
        /// The folder.
        path: PathBuf,
    },
    /// There is no SDK where the user says. Nothing was written.
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
        /// Where the sources have it.
        place: &'static str,
    },
    /// A file could not be written. Those before it were.
    #[error("`{}` could not be written", shown(path))]
    Write {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}
