//! The faults in the bytes of a manifest or state file. Pure.

use std::path::PathBuf;

use thiserror::Error;

use super::StoreError;
use super::manifest::InconsistentManifest;

/// The reason why bytes are not a usable manifest or state file. The reader of the file adds its
/// name.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum FormatError {
    /// The bytes do not start with the magic.
    #[error("it is not a {expected}")]
    WrongMagic {
        /// The expected value.
        expected: &'static str,
    },
    /// A newer version of Tidegate wrote it.
    #[error(
        "a {what} has format version {found}; this version of tidegate reads up to {supported}"
    )]
    NewerVersion {
        /// The part that has the version.
        what: &'static str,
        /// Its version.
        found: u32,
        /// The newest version that this version of Tidegate can read.
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
    /// The bytes end too early.
    #[error("it is truncated: {what} needs {needed} bytes, but {left} are left")]
    Truncated {
        /// The part that is cut off.
        what: &'static str,
        /// The length of that part.
        needed: u64,
        /// The number of bytes that are there.
        left: u64,
    },
    /// Bytes follow the last part.
    #[error("{count} bytes follow its end")]
    TrailingBytes {
        /// Their number.
        count: u64,
    },
    /// The length exceeds the limit for a file of this kind.
    #[error("it has {length} bytes, more than the limit of {limit}")]
    TooLarge {
        /// Its length.
        length: u64,
        /// The limit.
        limit: u64,
    },
    /// The digest does not match: a byte has changed.
    #[error("its contents do not have the digest {expected}; they changed after they were written")]
    WrongDigest {
        /// The digest that was stored, in hexadecimal.
        expected: String,
    },
    /// The digest matches, but the body can't be decoded.
    #[error("its body can't be decoded: {reason}")]
    Undecodable {
        /// The message of postcard.
        reason: postcard::Error,
    },
    /// A text is not UTF-8.
    #[error("{what} is not UTF-8")]
    NotUtf8 {
        /// The checkpoint.
        what: &'static str,
    },
    /// The key group is larger than any that exists.
    #[error("key group {key_group} is not below {limit}")]
    KeyGroup {
        /// The key group.
        key_group: u32,
        /// The largest possible number of key groups.
        limit: u32,
    },
    /// The file is whole but belongs elsewhere.
    #[error("it belongs to {field} {found}, not {expected}")]
    WrongIdentity {
        /// The property that differs.
        field: &'static str,
        /// The value in the file.
        found: String,
        /// The expected value.
        expected: String,
    },
    /// The contents contradict each other.
    #[error(transparent)]
    Inconsistent(#[from] InconsistentManifest),
}

impl FormatError {
    /// Adds the name of the file.
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
