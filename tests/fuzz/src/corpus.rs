//! The inputs of a target on disk: one file each, named after its contents.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// A directory of inputs.
#[derive(Debug)]
pub(crate) struct Corpus {
    directory: PathBuf,
}

impl Corpus {
    /// Returns the corpus in `directory`, which need not exist.
    pub(crate) fn new(directory: PathBuf) -> Self {
        Self { directory }
    }

    /// Returns all inputs, in the order of their names.
    pub(crate) fn inputs(&self) -> io::Result<Vec<(PathBuf, Vec<u8>)>> {
        let entries = match fs::read_dir(&self.directory) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(error),
        };
        let paths = entries.map(|entry| entry.map(|entry| entry.path()));
        let mut paths = paths.collect::<io::Result<Vec<_>>>()?;
        paths.sort();
        let read = |path: PathBuf| fs::read(&path).map(|bytes| (path, bytes));
        paths.into_iter().map(read).collect()
    }

    /// Keeps an input. Its name begins with `kind`.
    pub(crate) fn add(&self, kind: &str, input: &[u8]) -> io::Result<PathBuf> {
        fs::create_dir_all(&self.directory)?;
        let path = self
            .directory
            .join(format!("{kind}-{:016x}", digest(input)));
        fs::write(&path, input)?;
        Ok(path)
    }

    /// Removes an input.
    pub(crate) fn remove(&self, path: &Path) -> io::Result<()> {
        assert!(path.starts_with(&self.directory), "it is in this corpus");
        fs::remove_file(path)
    }
}

/// Returns the FNV-1a hash: two inputs of one corpus do not collide by accident.
fn digest(input: &[u8]) -> u64 {
    input.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}
