//! Where records stand in a source's input: to name one of them, and to read record by record while
//! the job isolates the records that a guest fails on. Pure.

use std::fmt;

/// A stretch of one split's input. What its numbers count is the connector's: bytes of a file, the
/// integers of a generator.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourcePlace {
    /// The split, by the name that people know: the same in every attempt, however far it is read.
    pub split: String,
    /// Where the first record begins.
    pub from: u64,
    /// Behind the last record.
    pub to: u64,
}

impl fmt::Display for SourcePlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}..{}", self.split, self.from, self.to)
    }
}

/// Whether the job isolates records that a guest fails on, so that a source reads record by record.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Isolation {
    /// A batch has any number of records.
    #[default]
    Off,
    /// A batch has one record.
    On,
}

impl Isolation {
    /// Returns how far a batch may reach: by 1 into one further record, or, with none, anywhere.
    #[must_use]
    pub fn reach(self) -> Option<u64> {
        match self {
            Self::Off => None,
            Self::On => Some(1),
        }
    }
}
