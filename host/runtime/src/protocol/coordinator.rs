//! Barrier path: **coordinator** → chain loop → … → acknowledgement → **coordinator** →
//! manifest.
//!
//! Decides when a checkpoint starts, when it is complete, when it is abandoned and when the job is
//! done. Pure: events and time come in, actions go out; the driver performs them. Invariants:
//! - at most one checkpoint is in flight, from its trigger to its publication;
//! - a checkpoint is committed only when every chain has acknowledged it, and once;
//! - nothing is published and no one is notified before the commit;
//! - ids only grow.
//!
//! It deliberately does not let a newer checkpoint replace a slow one: the slow one is abandoned
//! at its timeout, and the barriers of both stay in order in every channel.

use std::collections::BTreeSet;
use std::time::Duration;

use super::pending::{AcknowledgedCheckpoint, JobEnd, PendingCheckpoint};
use super::wishes::Wishes;
use crate::config::CheckpointSettings;
use crate::config::limits::RETRY_WHEN_ENDING;
use crate::protocol::Acknowledgement;
use crate::protocol::Urgency;
use crate::{ChainId, CheckpointId};

#[cfg(test)]
mod chain_model;
#[cfg(test)]
mod exploration;
#[cfg(test)]
mod model;
#[cfg(test)]
mod moves;
#[cfg(test)]
mod walks;

/// The driver's next step.
#[must_use]
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Action {
    /// Make these chains take their snapshots now.
    Trigger {
        checkpoint: CheckpointId,
        chains: Vec<ChainId>,
        /// True if sources return no record after the barrier.
        suspend: bool,
    },
    /// End all sources.
    EndSources,
    /// Make the manifest durable, then call [`Coordinator::on_committed`].
    Commit(AcknowledgedCheckpoint),
    /// Notify all chains that the checkpoint is complete, let sinks publish, remove old
    /// checkpoints, then call [`Coordinator::on_published`].
    Publish(CheckpointId),
    /// The checkpoint failed; the callers that wait for it are notified.
    Abandon {
        checkpoint: CheckpointId,
        reason: String,
    },
    /// Too many checkpoints in a row failed: the attempt is over.
    GiveUp {
        failures: u32,
        checkpoint: CheckpointId,
        reason: String,
    },
    /// Everything is published: the job is done.
    Done {
        checkpoint: CheckpointId,
        end: JobEnd,
    },
}

/// The state of the coordinator.
#[derive(Clone, Debug)]
enum Phase {
    Idle,
    Pending(PendingCheckpoint),
    Committing {
        checkpoint: CheckpointId,
        end: Option<JobEnd>,
    },
    Publishing {
        checkpoint: CheckpointId,
        end: Option<JobEnd>,
    },
}

/// The way in which the job is to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ending {
    /// When all sources end.
    WithItsInput,
    /// At the next checkpoint, whose barrier is the last element of each source.
    AtNextCheckpoint,
}

/// The protocol of checkpoints, for one attempt.
#[derive(Clone, Debug)]
pub(crate) struct Coordinator {
    settings: CheckpointSettings,
    /// The names of the chains, for messages; empty in most tests.
    names: Vec<String>,
    chains: BTreeSet<ChainId>,
    sources: BTreeSet<ChainId>,
    /// Chains whose inputs have all ended. They are triggered directly.
    ended: BTreeSet<ChainId>,
    phase: Phase,
    ending: Ending,
    /// The newest id, of this attempt or an earlier one.
    last_checkpoint: CheckpointId,
    /// The time at which the timer's next checkpoint is due.
    due_at: Duration,
    /// True if a checkpoint was requested and has not been triggered.
    is_requested: bool,
    /// The wishes of guests, which may have to wait.
    wishes: Wishes,
    failures_in_a_row: u32,
}

impl Coordinator {
    /// Creates the coordinator of an attempt that starts at `now`. All ids will be larger than
    /// `last_checkpoint`.
    pub(crate) fn new(
        settings: CheckpointSettings,
        chains: impl IntoIterator<Item = ChainId>,
        sources: impl IntoIterator<Item = ChainId>,
        last_checkpoint: CheckpointId,
        now: Duration,
    ) -> Self {
        let due_at = now + settings.interval;
        Self {
            wishes: Wishes::new(settings.interval),
            settings,
            names: Vec::new(),
            chains: chains.into_iter().collect(),
            sources: sources.into_iter().collect(),
            ended: BTreeSet::new(),
            phase: Phase::Idle,
            ending: Ending::WithItsInput,
            last_checkpoint,
            due_at,
            is_requested: false,
            failures_in_a_row: 0,
        }
    }

    /// Adds the names of the chains, for messages.
    pub(crate) fn named(self, names: Vec<String>) -> Self {
        Self { names, ..self }
    }

    fn name_of(&self, chain: ChainId) -> String {
        let name = self.names.get(chain.0 as usize);
        name.map_or_else(|| chain.to_string(), Clone::clone)
    }

    /// Returns the checkpoint in flight.
    pub(crate) fn in_progress(&self) -> Option<CheckpointId> {
        match &self.phase {
            Phase::Idle => None,
            Phase::Pending(pending) => Some(pending.checkpoint),
            Phase::Committing { checkpoint, .. } | Phase::Publishing { checkpoint, .. } => {
                Some(*checkpoint)
            }
        }
    }

    /// Returns true once the job was asked to stop.
    pub(crate) fn is_stopping(&self) -> bool {
        self.ending == Ending::AtNextCheckpoint
    }

    /// Returns the time at which [`Self::on_tick`] is due; `None` while waiting for the disk.
    pub(crate) fn next_tick(&self) -> Option<Duration> {
        match &self.phase {
            Phase::Idle => Some(self.next_due_at()),
            Phase::Pending(pending) => Some(pending.triggered_at + self.settings.timeout),
            Phase::Committing { .. } | Phase::Publishing { .. } => None,
        }
    }

    /// Called when time has passed.
    pub(crate) fn on_tick(&mut self, now: Duration) -> Vec<Action> {
        match &self.phase {
            Phase::Idle => self.trigger_if_due(now),
            Phase::Pending(pending) if now >= pending.triggered_at + self.settings.timeout => {
                let missing = pending.missing().map(|chain| self.name_of(chain));
                let missing: Vec<String> = missing.collect();
                let timeout = self.settings.timeout;
                let reason = format!(
                    "not complete within {timeout:?}: no acknowledgement from {}",
                    missing.join(", ")
                );
                self.abandon(pending.checkpoint, reason, now)
            }
            Phase::Pending(_) | Phase::Committing { .. } | Phase::Publishing { .. } => Vec::new(),
        }
    }

    /// Requests a checkpoint, which is triggered now, or when the checkpoint in flight is over.
    pub(crate) fn on_request(&mut self, now: Duration) -> Vec<Action> {
        self.is_requested = true;
        self.trigger_if_due(now)
    }

    /// Called when a guest wants a checkpoint because of its memory. [`Self::next_tick`] returns
    /// when it is triggered.
    pub(crate) fn on_wish(&mut self, urgency: Urgency, now: Duration) {
        self.wishes.on_wish(urgency, now);
    }

    /// Called when the user asks the job to stop.
    pub(crate) fn on_stop(&mut self, drain: bool, now: Duration) -> Vec<Action> {
        if drain {
            return vec![Action::EndSources];
        }
        self.ending = Ending::AtNextCheckpoint;
        self.trigger_if_due(now)
    }

    /// Called when a chain's part is durable.
    pub(crate) fn on_acknowledged(&mut self, acknowledgement: Acknowledgement) -> Vec<Action> {
        let Phase::Pending(pending) = &mut self.phase else {
            return Vec::new();
        };
        // An acknowledgement may come after the timeout; the snapshot is then an orphan, which
        // retention removes.
        if pending.checkpoint != acknowledgement.checkpoint {
            return Vec::new();
        }
        if !pending.acknowledge(acknowledgement) {
            return Vec::new();
        }
        let acknowledged = pending.clone().into_acknowledged();
        self.phase = Phase::Committing {
            checkpoint: acknowledged.checkpoint,
            end: acknowledged.end,
        };
        vec![Action::Commit(acknowledged)]
    }

    /// Called when a chain could not take part.
    pub(crate) fn on_declined(
        &mut self,
        checkpoint: CheckpointId,
        reason: String,
        now: Duration,
    ) -> Vec<Action> {
        match &self.phase {
            Phase::Pending(pending) if pending.checkpoint == checkpoint => {
                self.abandon(checkpoint, reason, now)
            }
            Phase::Pending(_)
            | Phase::Idle
            | Phase::Committing { .. }
            | Phase::Publishing { .. } => Vec::new(),
        }
    }

    /// Called when all inputs of a chain have ended. No barrier reaches the chain any more, so it
    /// is triggered directly, also for the checkpoint in flight.
    pub(crate) fn on_ended(&mut self, chain: ChainId, now: Duration) -> Vec<Action> {
        let is_new = self.ended.insert(chain);
        assert!(is_new, "{chain} ended twice");
        match &self.phase {
            Phase::Pending(pending) if pending.misses(chain) => vec![Action::Trigger {
                checkpoint: pending.checkpoint,
                chains: vec![chain],
                suspend: false,
            }],
            Phase::Pending(_) | Phase::Committing { .. } | Phase::Publishing { .. } => Vec::new(),
            Phase::Idle => self.trigger_if_due(now),
        }
    }

    /// Called when the commit is over: the manifest is durable, or does not exist for this reason.
    pub(crate) fn on_committed(
        &mut self,
        result: Result<(), String>,
        now: Duration,
    ) -> Vec<Action> {
        let Phase::Committing { checkpoint, end } = self.phase else {
            unreachable!("a commit ends only while committing");
        };
        match result {
            Ok(()) => {
                self.failures_in_a_row = 0;
                self.phase = Phase::Publishing { checkpoint, end };
                vec![Action::Publish(checkpoint)]
            }
            Err(reason) => self.abandon(checkpoint, reason, now),
        }
    }

    /// Called when everything that the checkpoint covers is published.
    pub(crate) fn on_published(&mut self, now: Duration) -> Vec<Action> {
        let Phase::Publishing { checkpoint, end } = self.phase else {
            unreachable!("publication ends only while publishing");
        };
        self.phase = Phase::Idle;
        self.wishes.on_over(now);
        if let Some(end) = end {
            return vec![Action::Done { checkpoint, end }];
        }
        self.due_at = self.due_at.max(now + self.settings.min_pause);
        self.trigger_if_due(now)
    }

    fn all_ended(&self) -> bool {
        self.ended == self.chains
    }

    /// Returns true if nothing but a last checkpoint is left to do.
    fn is_ending(&self) -> bool {
        self.all_ended() || self.is_stopping()
    }

    /// Returns the time at which a checkpoint is due that no user waits for.
    fn next_due_at(&self) -> Duration {
        let wished = self.wishes.due_at();
        wished.map_or(self.due_at, |wished| wished.min(self.due_at))
    }

    fn trigger_if_due(&mut self, now: Duration) -> Vec<Action> {
        let is_due = self.is_ending() || self.is_requested || now >= self.next_due_at();
        match self.phase {
            Phase::Idle if is_due => vec![self.trigger(now)],
            Phase::Idle
            | Phase::Pending(_)
            | Phase::Committing { .. }
            | Phase::Publishing { .. } => Vec::new(),
        }
    }

    fn trigger(&mut self, now: Duration) -> Action {
        let checkpoint = self.last_checkpoint.next();
        self.last_checkpoint = checkpoint;
        self.is_requested = false;
        self.wishes.on_triggered();
        self.due_at = now + self.settings.interval;
        let suspend = self.is_stopping();
        let chains = self.chains.clone();
        let pending = PendingCheckpoint::new(checkpoint, now, suspend, chains);
        self.phase = Phase::Pending(pending);
        Action::Trigger {
            checkpoint,
            chains: self.sources.union(&self.ended).copied().collect(),
            suspend,
        }
    }

    fn abandon(&mut self, checkpoint: CheckpointId, reason: String, now: Duration) -> Vec<Action> {
        self.phase = Phase::Idle;
        self.wishes.on_over(now);
        self.failures_in_a_row += 1;
        let failures = self.failures_in_a_row;
        let mut actions = vec![Action::Abandon {
            checkpoint,
            reason: reason.clone(),
        }];
        if failures > self.settings.tolerable_failures {
            actions.push(Action::GiveUp {
                failures,
                checkpoint,
                reason,
            });
            return actions;
        }
        self.due_at = self.due_at.max(now + self.settings.min_pause);
        if self.is_ending() {
            // Nothing else is left to do, so the next try need not wait for the timer; but the same
            // failure would return at once.
            self.due_at = self.due_at.min(now + RETRY_WHEN_ENDING);
        } else {
            actions.extend(self.trigger_if_due(now));
        }
        actions
    }
}
