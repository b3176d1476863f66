//! Barrier path: chain loop → **snapshot** → router, persister.
//!
//! The state of all subtasks of a chain at one barrier, and the barrier behind all their earlier
//! output. Taken only between two elements of the chain's input: pending work is in no snapshot.

use tidegate_connector::source::SourceSplit;
use tidegate_operator::{GuestFault, StateChunk};

use super::persister::{PartContents, SnapshotPart};
use super::recycle::DueGuest;
use super::{Chain, Destination, Exit, Link, Role, Subtask};
use crate::error::connector_failed;
use crate::stream::{CheckpointBarrier, StreamElement};
use crate::{CheckpointId, JobError};

/// The result of a snapshot.
pub(super) enum Snapshot {
    /// Every subtask returned its part.
    Taken {
        /// The parts for the persister.
        parts: Vec<SnapshotPart>,
        /// The guests to replace once the barrier is sent.
        recycling: Vec<DueGuest>,
    },
    /// A guest could not return its state; the job continues.
    Declined(Box<GuestFault>),
}

/// The states by link; `None` for a sink.
type States = Vec<Option<Vec<StateChunk>>>;

impl Chain {
    /// Takes the state of every subtask as of now. `splits` are the source's positions.
    pub(super) fn snapshot(
        &mut self,
        checkpoint: CheckpointId,
        splits: Option<Vec<SourceSplit>>,
    ) -> Result<Snapshot, Exit> {
        self.assert_between_elements();
        self.wants_checkpoint = None;
        // Guests first: a sink must not cut its output for a checkpoint that is declined.
        let states = match self.guest_states(checkpoint)? {
            Ok(states) => states,
            Err(fault) => return Ok(Snapshot::Declined(fault)),
        };
        self.leave_if_cancelled()?;
        let recycling = self.due_guests(&states);
        let mut parts = Vec::new();
        if let Some(source) = &self.source {
            let splits = splits.expect("a chain with a source has its splits");
            parts.push(source.part(PartContents::Splits(splits)));
        }
        for (link, state) in self.links.iter_mut().zip(states) {
            let contents = link.cut(checkpoint, state)?;
            parts.push(link.subtask.part(contents));
        }
        Ok(Snapshot::Taken { parts, recycling })
    }

    /// Takes the states of all guests. The inner error is that of a guest that declines.
    fn guest_states(
        &mut self,
        checkpoint: CheckpointId,
    ) -> Result<Result<States, Box<GuestFault>>, Exit> {
        let mut states = Vec::new();
        for at in 0..self.links.len() {
            self.leave_if_cancelled()?;
            let link = &mut self.links[at];
            let Role::Operator(guest) = &mut link.role else {
                states.push(None);
                continue;
            };
            let taken = guest.instance().snapshot(checkpoint.0);
            guest.show_counts(&link.subtask.metrics);
            match taken {
                Ok(chunks) => states.push(Some(chunks)),
                Err(fault) if fault.instance_is_usable() => return Ok(Err(Box::new(fault))),
                Err(fault) => return Err(JobError::from(Box::new(fault)).into()),
            }
        }
        Ok(Ok(states))
    }

    /// Queues the barrier for every output channel, behind all earlier output.
    pub(super) fn broadcast_barrier(&mut self, checkpoint: CheckpointId) {
        self.broadcast(&StreamElement::Barrier(CheckpointBarrier { checkpoint }));
    }

    /// Queues an element for every output channel, behind all earlier output.
    pub(super) fn broadcast(&mut self, element: &StreamElement) {
        self.assert_between_elements();
        let links = self.links.iter().map(|link| &link.subtask);
        for subtask in self.source.iter().chain(links) {
            for output in subtask.outputs.iter().flatten() {
                if let Destination::Routed(router) = output {
                    router.broadcast(element.clone(), &mut self.outbox);
                }
            }
        }
    }

    /// Notifies every operator that the checkpoint is complete.
    pub(super) fn checkpoint_complete(&mut self, checkpoint: CheckpointId) -> Result<(), Exit> {
        for at in 0..self.links.len() {
            self.leave_if_cancelled()?;
            let link = &mut self.links[at];
            let Role::Operator(guest) = &mut link.role else {
                continue;
            };
            match guest.checkpoint_complete(checkpoint) {
                Ok(()) => {}
                // The notification is a courtesy: the checkpoint is complete whatever the guest
                // returns, and the guest's state is unharmed.
                Err(fault) if fault.instance_is_usable() => {
                    tracing::warn!(subtask = %link.subtask.id, %checkpoint, "{fault}");
                }
                Err(fault) => return Err(JobError::from(Box::new(fault)).into()),
            }
        }
        Ok(())
    }
}

impl Link {
    /// Returns the contents of the link's part of a checkpoint; a sink cuts its output.
    fn cut(
        &mut self,
        checkpoint: CheckpointId,
        state: Option<Vec<StateChunk>>,
    ) -> Result<PartContents, JobError> {
        match &mut self.role {
            Role::Operator(_) => {
                let state = state.expect("every operator has returned its state");
                Ok(PartContents::State(state))
            }
            Role::Sink(sink) => {
                let pre_commit = sink.pre_commit(checkpoint);
                let failed = |error| connector_failed(&self.subtask.id, error);
                pre_commit.map(PartContents::Output).map_err(failed)
            }
        }
    }
}

impl Subtask {
    fn part(&self, contents: PartContents) -> SnapshotPart {
        self.metrics.mark_snapshot();
        SnapshotPart {
            subtask: self.id.clone(),
            has_ended: self.has_ended,
            watermark: self.watermark.last(),
            contents,
        }
    }
}
