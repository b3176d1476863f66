//! The files that were read, remembered by digests of their paths. Pure.
//!
//! A file that was read to its end has no position left, but with `discover` it must not be taken
//! for a new file, and bytes that are added to it later must be found. A digest takes 16 bytes,
//! however long the path is. It depends on the root, so the root is remembered too: below another
//! one, every file would look new.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use tidegate_connector::ConnectorError;

use super::path_glob::Glob;

/// The largest number of files that one source can remember.
pub(super) const MOST_FILES: usize = 1_000_000;

/// The first bytes of BLAKE3 of a file's path below the root.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(super) struct FileDigest([u8; 16]);

impl FileDigest {
    /// Makes the digest of a file's path relative to the root.
    pub(super) fn of(relative: &str) -> Self {
        let mut digest = [0; 16];
        let mut hasher = blake3::Hasher::new();
        hasher.update(relative.as_bytes());
        hasher.finalize_xof().fill(&mut digest);
        Self(digest)
    }
}

/// The end of a file that was read to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct ReadEnd {
    /// The length that the file had.
    pub(super) length: u64,
    /// The first bytes of BLAKE3 of the digests of its first and of its last bytes.
    pub(super) contents: [u8; 16],
}

/// Files that were read, each with its end; `None` for a file of which another split had the end.
pub(super) type ReadEnds = BTreeMap<FileDigest, Option<ReadEnd>>;

/// Adds a file that was read. Of two ends, the further one counts.
pub(super) fn insert(ends: &mut ReadEnds, digest: FileDigest, end: Option<ReadEnd>) {
    let known = ends.entry(digest).or_default();
    let length = |end: Option<ReadEnd>| end.map(|end| end.length);
    if length(end) >= length(*known) {
        *known = end;
    }
}

/// The files that were read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct ReadFiles {
    /// The root of the glob that found them.
    pub(super) root: String,
    pub(super) files: ReadEnds,
}

impl ReadFiles {
    /// Remembers files that `glob` found.
    pub(super) fn of(glob: &Glob, files: ReadEnds) -> Self {
        Self {
            root: glob.root().to_owned(),
            files,
        }
    }

    /// Checks that `glob` has the root below which the files were found.
    pub(super) fn check_root(&self, glob: &Glob) -> Result<(), ConnectorError> {
        if self.files.is_empty() || self.root == glob.root() {
            return Ok(());
        }
        Err(ConnectorError::StateRefused {
            reason: format!(
                "the checkpoint remembers {} file(s) that were read below {}, and `path` = \"{}\" \
                 now finds files below {}, where they would be read again. Write the directory in \
                 `path` as before, add `--move-input FROM=TO` if the files were moved, or start \
                 the job afresh",
                self.files.len(),
                shown_root(&self.root),
                glob.text(),
                shown_root(glob.root())
            ),
        })
    }
}

/// Returns a root for a message.
fn shown_root(root: &str) -> String {
    match root {
        "" => "the directory of the job file".to_owned(),
        root => format!("\"{root}\""),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_digest_is_that_of_the_whole_path() {
        let names = ["a", "b", "a/b", "", "aa"];
        let digests: std::collections::BTreeSet<FileDigest> =
            names.into_iter().map(FileDigest::of).collect();
        assert_eq!(digests.len(), names.len());
        assert_eq!(FileDigest::of("a/b"), FileDigest::of("a/b"));
    }
}
