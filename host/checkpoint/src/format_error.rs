//! What can be wrong with the bytes of a manifest or state file. Pure.

use std::path::PathBuf;

use thiserror::Error;

use super::StoreError;
use super::manifest::InconsistentManifest;

/// Why bytes are not a manifest or state file that can be used. Says nothing about which file:
/// the reader of the file adds that.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum FormatError {
    /// It starts with something else.
    #[error("it is not a {expected}")]
    WrongMagic {
        /// What it should be.
        expected: &'static str,
    },
    /// A newer version of Tidegate wrote it.
    #[error("format version {found} of a {what}; this version of tidegate reads up to {supported}")]
    NewerVersion {
        /// The part that has the version.
        what: &'static str,
        /// Its version.
        found: u32,
        /// The newest that is known here.
        supported: u32,
    },
    /// No version of Tidegate wrote it.
    #[error("there is no format version {found} of a {what}")]
    UnknownVersion {
        /// The part that has the version.
        what: &'static str,
        /// Its version.
        found: u32,
    },
    /// It ends too early.
    #[error("it ends in the middle: {what} needs {needed} bytes and there are {left}")]
    Truncated {
        /// The part that is cut off.
        what: &'static str,
        /// How long that part is.
        needed: u64,
        /// How much of it is there.
        left: u64,
    },
    /// It is longer than what it says it holds.
    #[error("{count} bytes follow its end")]
    TrailingBytes {
        /// How many.
        count: u64,
    },
    /// It is larger than anything of its kind.
    #[error("it has {length} bytes, more than the limit of {limit}")]
    TooLarge {
        /// Its length.
        length: u64,
        /// The limit.
        limit: u64,
    },
    /// A byte changed.
    #[error("its contents do not have the digest {expected}; they changed after they were written")]
    WrongDigest {
        /// The digest that was stored, in hexadecimal.
        expected: String,
    },
    /// The digest holds and the body can't be decoded.
    #[error("its body can't be decoded: {reason}")]
    Undecodable {
        /// What postcard says.
        reason: postcard::Error,
    },
    /// A text is not UTF-8.
    #[error("{what} is not UTF-8")]
    NotUtf8 {
        /// Which one.
        what: &'static str,
    },
    /// No graph has a key group of that number.
    #[error("key group {key_group} is not below {limit}")]
    KeyGroup {
        /// The key group.
        key_group: u32,
        /// The largest possible number of key groups.
        limit: u32,
    },
    /// It is whole but belongs elsewhere.
    #[error("it is of {field} {found}, not {expected}")]
    WrongIdentity {
        /// What differs.
        field: &'static str,
        /// What the file says.
        found: String,
        /// What it should be.
        expected: String,
    },
    /// It contradicts itself.
    #[error(transparent)]
    Inconsistent(#[from] InconsistentManifest),
}

impl FormatError {
    /// Adds which file it is.
    pub(super) fn of_file(self, file: PathBuf) -> StoreError {
        if let Self::NewerVersion {
            found, supported, ..
        } = self
        {
            return StoreError::NewerFormat {
                file,
                found,
                supported,
            };
        }
        let reason = self.to_string();
        StoreError::Corrupt { file, reason }
    }
}
