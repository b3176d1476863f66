//! What surrounds a connector when it is connected.

use std::path::{Path, PathBuf};

/// The surroundings of a job file in which a connector is connected. Its fields are private, so
/// that more can be added to it, such as secrets, without a change to any connector.
#[derive(Clone, Debug)]
pub struct ConnectContext<'a> {
    directory: &'a Path,
}

impl<'a> ConnectContext<'a> {
    /// The context of a job file in `directory`, an absolute path.
    #[must_use]
    pub const fn new(directory: &'a Path) -> Self {
        Self { directory }
    }

    /// The absolute path of the job file's directory.
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
