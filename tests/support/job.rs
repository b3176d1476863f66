//! A job in a directory of its own.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use crate::process::{Finished, Running, tidegate};

/// A temporary directory with a job file, removed with everything in it at the end.
#[derive(Debug)]
pub struct JobDirectory {
    directory: TempDir,
}

impl JobDirectory {
    /// A directory with `job.toml`. `{sum}` and the like, in the text, stand for nothing here:
    /// use [`crate::guest`] to name components.
    ///
    /// # Panics
    ///
    /// If the disk can't be written.
    #[must_use]
    pub fn new(job: &str) -> Self {
        let directory = tempfile::tempdir().expect("a temporary directory can be made");
        let this = Self { directory };
        this.write("job.toml", job);
        this
    }

    /// Its path.
    #[must_use]
    pub fn path(&self) -> &Path {
        self.directory.path()
    }

    /// Writes a file into it.
    ///
    /// # Panics
    ///
    /// If the disk can't be written.
    pub fn write(&self, name: &str, contents: impl AsRef<[u8]>) {
        let path = self.path().join(name);
        std::fs::write(path, contents).expect("a temporary file can be written");
    }

    /// Runs `tidegate` in it.
    #[must_use]
    pub fn tidegate(&self, arguments: &[&str]) -> Finished {
        tidegate(self.path(), arguments)
    }

    /// Starts `tidegate` in it.
    #[must_use]
    pub fn start(&self, arguments: &[&str]) -> Running {
        Running::start(self.path(), arguments)
    }

    /// Every file and directory in it, with its length, sorted: to show that nothing was written.
    ///
    /// # Panics
    ///
    /// If it can't be read.
    #[must_use]
    pub fn listing(&self) -> String {
        let mut paths = Vec::new();
        walk(self.path(), &mut paths);
        paths.sort();
        paths.iter().fold(String::new(), |mut text, path| {
            let length = path
                .metadata()
                .map_or(0, |m| if m.is_dir() { 0 } else { m.len() });
            let name = path.strip_prefix(self.path()).unwrap_or(path);
            writeln!(text, "{} {length}", name.display()).expect("a string can be written");
            text
        })
    }
}

fn walk(directory: &Path, paths: &mut Vec<PathBuf>) {
    let entries = std::fs::read_dir(directory).expect("a temporary directory can be read");
    for entry in entries {
        let path = entry.expect("a directory entry can be read").path();
        if path.is_dir() {
            walk(&path, paths);
        }
        paths.push(path);
    }
}
