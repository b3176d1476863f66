//! The files that were read, remembered by digests of their names. Pure.
//!
//! A file that was read to its end has no position left, but with `discover` it must not be taken
//! for a new file. A digest takes 16 bytes, however long the name is.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

/// The largest number of files that one source can remember.
pub(super) const MOST_FILES: usize = 1_000_000;

/// The first bytes of BLAKE3 of a file's name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(super) struct FileDigest([u8; 16]);

impl FileDigest {
    /// Makes the digest of a file's name, in the form of positions.
    pub(super) fn of(name: &str) -> Self {
        let mut digest = [0; 16];
        let mut hasher = blake3::Hasher::new();
        hasher.update(name.as_bytes());
        hasher.finalize_xof().fill(&mut digest);
        Self(digest)
    }
}

/// The files that were read.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct ReadFiles(pub(super) BTreeSet<FileDigest>);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_digest_is_that_of_the_whole_name() {
        let names = ["a", "b", "a/b", "", "aa"];
        let digests: BTreeSet<FileDigest> = names.into_iter().map(FileDigest::of).collect();
        assert_eq!(digests.len(), names.len());
        assert_eq!(FileDigest::of("a/b"), FileDigest::of("a/b"));
    }
}
