//! The ids of running parts. Newtypes, so that an index of one kind can't be taken for another.

use std::fmt;

use tidegate_connector::Lineage;

/// The owner of snapshots and output: one attempt of one life of a job.
#[derive(Clone, Debug)]
pub(crate) struct RunIdentity {
    pub(crate) job: String,
    pub(crate) lineage: Lineage,
    pub(crate) attempt: u64,
}

/// One deployed chain of subtasks, owned by one thread. The execution graph assigns it, dense
/// from 0 and valid for one attempt of a job.
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
