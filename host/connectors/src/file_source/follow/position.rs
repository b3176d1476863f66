//! The position of a followed file: the file's identity, and the bytes that were read, by digests.
//!
//! A file keeps its device and inode when it is renamed, and a copy keeps its contents. So both are
//! in a position: the contents decide whether a file continues the one that was read, and the inode
//! helps to find a file that was renamed.

use serde::{Deserialize, Serialize};
use tidegate_connector::ConnectorError;
use tidegate_connector::source::SourceSplit;

use crate::versioned;

/// The number of bytes at the start of a file, and before a position, that are compared.
pub(super) const MARK_BYTES: usize = 4 * 1024;

/// The version of a position of a followed file.
pub(in super::super) const FOLLOW_VERSION: u8 = 3;

/// The bytes of a file that were read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Mark {
    /// The next byte to read, which begins a record.
    pub(super) position: u64,
    /// The digest of the first [`MARK_BYTES`] before `position`; zero at the start of a file.
    pub(super) head: [u8; 16],
    /// The digest of the last [`MARK_BYTES`] before `position`; zero at the start of a file.
    pub(super) history: [u8; 16],
}

impl Mark {
    /// Makes the mark at a position from the bytes that are compared.
    pub(super) fn new(position: u64, head: &[u8], history: &[u8]) -> Self {
        match position {
            0 => Self::default(),
            _ => Self {
                position,
                head: digest(head),
                history: digest(history),
            },
        }
    }

    /// Returns the number of bytes that each digest covers.
    pub(super) fn length(&self) -> usize {
        usize::try_from(self.position).map_or(MARK_BYTES, |position| position.min(MARK_BYTES))
    }
}

/// The contents of a split's position.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct FollowPosition {
    /// The file's name: the root of the glob, and the path below.
    pub(super) file: String,
    /// The name under which the file was found; its copies have names that begin with it.
    pub(super) origin: String,
    /// Device and inode; `None` for a name that no file has been read under.
    pub(super) identity: Option<(u64, u64)>,
    pub(super) mark: Mark,
}

impl FollowPosition {
    /// Returns the position of a name that is new.
    pub(super) fn of_name(file: &str) -> Self {
        Self {
            file: file.to_owned(),
            origin: file.to_owned(),
            identity: None,
            mark: Mark::default(),
        }
    }

    pub(super) fn to_split(&self) -> SourceSplit {
        let name = match self.identity {
            Some(_) => format!("{}@{}..", self.file, self.mark.position),
            None => format!("{}@0..", self.file),
        };
        SourceSplit::new(name, versioned::encode(FOLLOW_VERSION, self))
    }

    pub(super) fn of_split(split: &SourceSplit) -> Result<Self, ConnectorError> {
        versioned::decode(FOLLOW_VERSION, &split.position).map_err(|error| {
            ConnectorError::StateRefused {
                reason: format!(
                    "the position of split `{}` can't be read: {error}. A checkpoint that was \
                     taken without `follow` does not continue with it: leave `follow` out, or \
                     start the job afresh",
                    split.name
                ),
            }
        })
    }
}

/// Returns the first bytes of BLAKE3.
pub(super) fn digest(bytes: &[u8]) -> [u8; 16] {
    let mut digest = [0; 16];
    blake3::Hasher::new()
        .update(bytes)
        .finalize_xof()
        .fill(&mut digest);
    digest
}
