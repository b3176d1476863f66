//! The places of records in a source's input, which name a record and let a source read record by
//! record while the job isolates those that a guest fails on. Pure.

use std::fmt;

/// A stretch of one split's input. The connector defines the unit of its numbers: bytes of a file,
/// integers of a generator.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourcePlace {
    /// The name of the split for people, the same in every attempt and at every position.
    pub split: String,
    /// The beginning of the first record.
    pub from: u64,
    /// The end of the last record, exclusive.
    pub to: u64,
}

impl fmt::Display for SourcePlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}..{}", self.split, self.from, self.to)
    }
}

/// A switch: a source reads record by record while the job isolates those that a guest fails on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Isolation {
    /// A batch has any number of records.
    #[default]
    Off,
    /// A batch has one record.
    On,
}

impl Isolation {
    /// Returns the distance from a batch's start within which its records must begin: 1, so that
    /// there is one, or `None` for no limit.
    #[must_use]
    pub fn reach(self) -> Option<u64> {
        match self {
            Self::Off => None,
            Self::On => Some(1),
        }
    }
}
