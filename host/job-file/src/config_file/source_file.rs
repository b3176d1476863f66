//! The text of a job file or scenario, and its path.

use std::io::Read;
use std::path::{Path, PathBuf};

use super::error::{ConfigFileError, FileKind, InvalidConfigFile};
use super::problem::{FoundProblems, Problem, Problems};
use super::regular_file;

/// The largest file, in bytes.
const LARGEST: u64 = 1 << 20;

/// A file's text and its path.
#[derive(Clone, Debug)]
pub struct SourceFile {
    kind: FileKind,
    path: PathBuf,
    text: String,
}

impl SourceFile {
    /// Reads a file.
    ///
    /// # Errors
    ///
    /// A [`ConfigFileError`] if the file can't be read, is too large, or is not text.
    pub fn read(kind: FileKind, path: &Path) -> Result<Self, ConfigFileError> {
        let unreadable = |source| ConfigFileError::Unreadable {
            kind,
            path: path.to_owned(),
            source,
        };
        let mut bytes = Vec::new();
        let file = regular_file::open(path).map_err(unreadable)?;
        file.take(LARGEST + 1)
            .read_to_end(&mut bytes)
            .map_err(unreadable)?;
        if bytes.len() as u64 > LARGEST {
            return Err(ConfigFileError::TooLarge {
                kind,
                path: path.to_owned(),
                limit: LARGEST,
            });
        }
        Self::from_bytes(kind, path, bytes)
    }

    /// Uses `bytes` as the content of the file at `path`.
    ///
    /// # Errors
    ///
    /// [`ConfigFileError::Invalid`] if they are not text.
    pub fn from_bytes(
        kind: FileKind,
        path: &Path,
        bytes: Vec<u8>,
    ) -> Result<Self, ConfigFileError> {
        let path = path.to_owned();
        match String::from_utf8(bytes) {
            Ok(text) => Ok(Self { kind, path, text }),
            Err(error) => {
                // Replacements are longer than the bytes they replace, so only the valid part is
                // kept.
                let valid = error.utf8_error().valid_up_to();
                let text = String::from_utf8_lossy(&error.as_bytes()[..valid]).into_owned();
                let problem = Problem::at(valid..valid, "not UTF-8 text from here on");
                Err(Self { kind, path, text }.invalid(Problems::of(problem)))
            }
        }
    }

    /// Returns the path as given.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Returns the text.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Returns the folder that paths in the file are relative to.
    pub fn base(&self) -> PathBuf {
        match self.path.parent() {
            Some(parent) if parent != Path::new("") => parent.to_owned(),
            Some(_) | None => PathBuf::from("."),
        }
    }

    /// Returns the error for the file with its problems, at least one.
    pub fn invalid(&self, problems: Problems) -> ConfigFileError {
        assert!(!problems.is_empty(), "a refused file has a problem");
        let FoundProblems {
            told,
            more,
            is_about_components,
        } = problems.into_found();
        ConfigFileError::Invalid(Box::new(InvalidConfigFile {
            kind: self.kind,
            path: self.path.clone(),
            text: self.text.clone(),
            problems: told,
            more,
            is_about_components,
        }))
    }
}
