//! The surroundings of a connector when a job file is loaded.

use std::path::{Path, PathBuf};

/// The surroundings in which the connectors of a job file are connected. The fields are private, so
/// that a later one, such as secrets, changes no connector.
#[derive(Clone, Debug)]
pub struct ConnectContext<'a> {
    directory: &'a Path,
}

impl<'a> ConnectContext<'a> {
    /// Makes the context of a job file in `directory`, an absolute path.
    #[must_use]
    pub const fn new(directory: &'a Path) -> Self {
        Self { directory }
    }

    /// Returns the absolute path of the job file's directory.
    #[must_use]
    pub const fn directory(&self) -> &'a Path {
        self.directory
    }

    /// Resolves a path of the job file, which is relative to its directory.
    #[must_use]
    pub fn resolve(&self, path: impl AsRef<Path>) -> PathBuf {
        self.directory.join(path)
    }
}
