//! Barrier path: the messages of the coordinator to a chain, and the events of a chain.
//!
//! Control messages travel beside the stream and overtake records; a chain reads them before
//! anything else.

use std::time::Duration;

use tidegate_checkpoint::SubtaskSnapshot;
use tidegate_connector::source::SourceSplit;

use crate::{ChainId, CheckpointId, JobError};

/// A message of the coordinator to one chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum ControlMessage {
    /// Take a snapshot now; sent to sources, and to chains whose inputs have all ended. Ignored
    /// for a checkpoint that the chain has already taken part in.
    Trigger {
        checkpoint: CheckpointId,
        /// True if the source is to return nothing after the barrier, because the job stops.
        suspend: bool,
    },
    /// The checkpoint is durable in every subtask.
    Complete(CheckpointId),
    /// Isolation is over: the attempt is an ordinary one from now on.
    EndIsolation,
    /// Read these splits as well; sent to sources. Ignored by a source that has ended.
    AddSplits(Vec<SourceSplit>),
    /// End the source as if its input were over.
    EndSources,
    /// Everything is published: leave.
    Shutdown,
}

/// An event of one chain, for the coordinator.
#[derive(Debug)]
pub(crate) enum ChainEvent {
    /// All subtasks of the chain are open and restored.
    Running,
    /// The chain's part of the checkpoint is durable.
    Acknowledged(Acknowledgement),
    /// The chain could not take part in the checkpoint; the chain continues.
    Declined {
        chain: ChainId,
        checkpoint: CheckpointId,
        reason: String,
    },
    /// A guest's memory has passed the threshold at which it is replaced, at the next barrier.
    WantsCheckpoint(Urgency),
    /// Records were sent to dead-letter ports.
    DeadLetters {
        letters: u64,
        /// The last checkpoint that the chain took part in before them.
        after: CheckpointId,
    },
    /// A source rejected input, which it sent to its dead-letter port.
    Rejected {
        letters: u64,
        /// The last checkpoint that the chain took part in before them.
        after: CheckpointId,
    },
    /// All inputs of the chain have ended, its operators are finished, its output has ended.
    Ended(ChainId),
    /// The chain failed, and the attempt with it.
    Failed(Box<JobError>),
}

/// The urgency of a checkpoint that a guest wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Urgency {
    /// There is room left: the checkpoint may wait while many are requested.
    Patient,
    /// Half of the room that was left below the limit is gone.
    Urgent,
}

/// A chain's durable part of a checkpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Acknowledgement {
    pub(crate) chain: ChainId,
    pub(crate) checkpoint: CheckpointId,
    /// One snapshot for each subtask of the chain.
    pub(crate) snapshots: Vec<SubtaskSnapshot>,
    /// The time for which the chain processed nothing because of the checkpoint.
    pub(crate) pause: Duration,
}
