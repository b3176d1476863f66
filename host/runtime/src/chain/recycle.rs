//! Barrier path: snapshot → router → **recycling** → next element.
//!
//! Replaces guests at a barrier, both those whose memory has grown too large and those whose
//! records are being isolated: after the persister has the snapshot and the barrier was sent,
//! before any other element is processed. Whether the checkpoint completes does not matter, since
//! the new instance has the state of the old one.

use std::time::Instant;

use tidegate_operator::StateChunk;

use super::{Chain, Link, Role};
use crate::chain::guest::Recycled;
use crate::chain::recycle_policy::Need;
use crate::protocol::Urgency;
use crate::{CheckpointId, JobError};

/// A guest that is to be replaced, and the snapshot that it has just returned.
pub(crate) struct DueGuest {
    /// Its link.
    at: usize,
    state: Vec<StateChunk>,
    /// True if its memory has grown too large; otherwise its log is to begin at the barrier.
    is_recycled: bool,
}

impl Chain {
    /// Returns, once after a guest's memory has passed its threshold, how soon a barrier is needed.
    pub(crate) fn takes_wish_for_checkpoint(&mut self) -> Option<Urgency> {
        self.wants_checkpoint.take()
    }

    /// Called after a batch. Fails if it is useless to replace the operator's instance again.
    pub(super) fn look_at_memory(&mut self, at: usize) -> Result<(), JobError> {
        let link = &mut self.links[at];
        let Role::Operator(guest) = &mut link.role else {
            unreachable!("only guests have a memory");
        };
        match guest.need() {
            Need::Nothing => Ok(()),
            Need::Checkpoint(urgency) => {
                self.wants_checkpoint = self.wants_checkpoint.max(Some(urgency));
                Ok(())
            }
            Need::InVain { replacements } => Err(JobError::RecycledInVain {
                subtask: link.subtask.id.clone(),
                replacements,
                memory: guest.memory_bytes(),
            }),
        }
    }

    /// Returns the guests to replace, among all that have returned their state now, by link.
    pub(super) fn due_guests(&mut self, states: &[Option<Vec<StateChunk>>]) -> Vec<DueGuest> {
        let mut due = Vec::new();
        for (at, state) in states.iter().enumerate() {
            let isolates = self.isolates(at);
            let link = &mut self.links[at];
            let (Role::Operator(guest), Some(state)) = (&mut link.role, state) else {
                continue;
            };
            guest.show_memory(&link.subtask.metrics);
            // After `finish` no record arrives that could make it grow.
            let is_recycled = guest.is_due();
            if (is_recycled || isolates) && !link.subtask.has_ended {
                due.push(DueGuest {
                    at,
                    state: state.clone(),
                    is_recycled,
                });
            }
        }
        due
    }

    /// Replaces one guest's instance. Nothing was processed since the barrier of `checkpoint`.
    pub(crate) fn recycle(
        &mut self,
        checkpoint: CheckpointId,
        due: DueGuest,
    ) -> Result<(), JobError> {
        self.begin(None);
        let started = Instant::now();
        let DueGuest {
            at,
            state,
            is_recycled,
        } = due;
        let logged = self.isolates(at).then(|| state.clone());
        let Link { subtask, role } = &mut self.links[at];
        let Role::Operator(guest) = role else {
            unreachable!("only guests are due");
        };
        let before = guest.memory_bytes();
        let recycled = guest.recycle(checkpoint, state, subtask.watermark.last());
        let Recycled {
            emissions,
            state_is_large,
        } = recycled.map_err(|fault| JobError::NotRecycled {
            checkpoint,
            memory: before,
            fault: Box::new(fault),
        })?;
        let after = guest.memory_bytes();
        guest.show_memory(&subtask.metrics);
        if is_recycled {
            subtask.metrics.count_recycled(started.elapsed());
            tracing::info!(
                subtask = %subtask.id, %checkpoint, memory_before = before, memory_after = after,
                "recycled in {:?}: a new instance continues from the snapshot of this checkpoint",
                started.elapsed()
            );
        }
        if state_is_large {
            tracing::warn!(
                subtask = %subtask.id, memory = after,
                "the instance is above `recycle-at` although it was just recycled, since its state \
                 is that large; raise `limits.memory`, or the operator's parallelism"
            );
        }
        if let Some(state) = logged {
            self.start_log_at(checkpoint, at, state);
        }
        self.emit_all(at, emissions);
        Ok(())
    }
}
