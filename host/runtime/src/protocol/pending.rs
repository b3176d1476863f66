//! A checkpoint that is being taken. Pure.
//!
//! It has no manifest: the manifest is made only when no chain is missing.

use std::collections::BTreeSet;
use std::time::Duration;

use tidegate_checkpoint::SubtaskSnapshot;

use super::Acknowledgement;
use crate::{ChainId, CheckpointId};

/// The end of a job that does not fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum JobEnd {
    /// All sources ended: nothing is left to run.
    Finished,
    /// The job was asked to stop and can continue later.
    Stopped,
}

/// A checkpoint between its trigger and its last acknowledgement.
#[derive(Clone, Debug)]
pub(crate) struct PendingCheckpoint {
    pub(crate) checkpoint: CheckpointId,
    pub(crate) triggered_at: Duration,
    /// True if sources return nothing after its barrier.
    pub(crate) suspends: bool,
    missing: BTreeSet<ChainId>,
    snapshots: Vec<SubtaskSnapshot>,
    longest_pause: Duration,
}

/// A checkpoint that every chain has acknowledged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct AcknowledgedCheckpoint {
    pub(crate) checkpoint: CheckpointId,
    pub(crate) triggered_at: Duration,
    /// The end of the job with this checkpoint, if it ends.
    pub(crate) end: Option<JobEnd>,
    /// One snapshot for each subtask of the job.
    pub(crate) snapshots: Vec<SubtaskSnapshot>,
    pub(crate) longest_pause: Duration,
}

impl PendingCheckpoint {
    pub(crate) fn new(
        checkpoint: CheckpointId,
        triggered_at: Duration,
        suspends: bool,
        chains: BTreeSet<ChainId>,
    ) -> Self {
        Self {
            checkpoint,
            triggered_at,
            suspends,
            missing: chains,
            snapshots: Vec::new(),
            longest_pause: Duration::ZERO,
        }
    }

    /// Returns true if the chain has not acknowledged yet.
    pub(crate) fn misses(&self, chain: ChainId) -> bool {
        self.missing.contains(&chain)
    }

    /// Returns the chains that have not acknowledged yet.
    pub(crate) fn missing(&self) -> impl Iterator<Item = ChainId> {
        self.missing.iter().copied()
    }

    /// Ticks a chain off. Returns true if it was the last one.
    ///
    /// # Panics
    ///
    /// If the chain acknowledged before: each takes part once.
    pub(crate) fn acknowledge(&mut self, acknowledgement: Acknowledgement) -> bool {
        let chain = acknowledgement.chain;
        let was_missing = self.missing.remove(&chain);
        assert!(
            was_missing,
            "{chain} acknowledged {} twice",
            self.checkpoint
        );
        self.snapshots.extend(acknowledgement.snapshots);
        self.longest_pause = self.longest_pause.max(acknowledgement.pause);
        self.missing.is_empty()
    }

    /// # Panics
    ///
    /// If a chain is missing.
    pub(crate) fn into_acknowledged(mut self) -> AcknowledgedCheckpoint {
        assert!(self.missing.is_empty(), "no chain is missing at commit");
        self.snapshots.sort_by(|a, b| a.subtask.cmp(&b.subtask));
        // The acknowledgements decide, not the state at the trigger: the last source may have ended
        // between the two.
        let end = if self.snapshots.iter().all(|snapshot| snapshot.has_ended) {
            Some(JobEnd::Finished)
        } else {
            self.suspends.then_some(JobEnd::Stopped)
        };
        AcknowledgedCheckpoint {
            checkpoint: self.checkpoint,
            triggered_at: self.triggered_at,
            end,
            snapshots: self.snapshots,
            longest_pause: self.longest_pause,
        }
    }
}
