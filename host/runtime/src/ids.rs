//! The ids that everything else speaks in.
//!
//! Newtypes, so that an index of one kind can't be taken for another. Nothing here does anything.

use std::fmt;

use serde::{Deserialize, Serialize};

/// One parallel instance of a node of the job graph. Made by the execution graph only.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct SubtaskId {
    /// The node's name, its identity in checkpoints.
    pub operator: String,
    /// Which of the parallel instances, from 0.
    pub index: u32,
}

impl fmt::Display for SubtaskId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}[{}]", self.operator, self.index)
    }
}

/// Number of a checkpoint: monotonic in the life of a checkpoint directory, given out by the
/// coordinator only. Checkpoint 0 is the start of a job, before its first record.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, Default,
)]
#[serde(transparent)]
pub struct CheckpointId(pub u64);

/// The largest number of a checkpoint or an attempt. Nobody counts so far; what is read and claims
/// more is forged, and would wrap soon, which ends the order that keeps older attempts out. So it
/// is refused where it is read.
pub(crate) const LARGEST_NUMBER: u64 = u64::MAX >> 1;

impl CheckpointId {
    /// The id after this one.
    ///
    /// # Panics
    ///
    /// If there is none, which takes an id that no store lists.
    #[must_use]
    pub fn next(self) -> Self {
        let next = self.0.checked_add(1);
        Self(next.expect("every id that is read is far from the largest"))
    }
}

impl fmt::Display for CheckpointId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

/// One deployed chain of subtasks, owned by one thread. Given out by the execution graph, dense
/// from 0, valid for one attempt of a job.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ChainId(pub u32);

impl fmt::Display for ChainId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "chain {}", self.0)
    }
}

/// An input channel of one input gate, dense from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ChannelIndex(pub u32);

impl fmt::Display for ChannelIndex {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "channel {}", self.0)
    }
}

/// Which life of a job its state and output belong to: drawn at a fresh start and at a start from
/// a savepoint, kept by every checkpoint after it. Two jobs started from one savepoint differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Lineage(pub [u8; 16]);

impl fmt::Display for Lineage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}
