//! Barrier path: snapshot → [persister] → acknowledgement.
//!
//! Makes the snapshots of one chain durable beside its processing, one checkpoint after the other,
//! and acknowledges them. Remembers output that was pre-committed for a checkpoint that never
//! completed: the next checkpoint lists it again, so that an abandoned checkpoint loses nothing.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use tidegate_operator::StateChunk;
use tokio::sync::mpsc;

use super::control::{Acknowledgement, ChainEvent};
use super::operator_chain::connector_failed;
use crate::checkpoint::{
    CheckpointStore, SnapshotContents, StateIdentity, StoreError, SubtaskSnapshot,
};
use crate::sink::{PendingOutput, PreCommit};
use crate::{ChainId, CheckpointId, JobError, Lineage, SubtaskId};

/// One subtask's part of a checkpoint, before it is durable.
pub(crate) enum Part {
    /// Needs no file.
    Ready(SubtaskSnapshot),
    /// The state of an operator.
    State {
        subtask: SubtaskId,
        has_ended: bool,
        chunks: Vec<StateChunk>,
    },
    /// The output of a sink.
    Output {
        subtask: SubtaskId,
        has_ended: bool,
        pre_commit: PreCommit,
    },
}

/// What a chain tells its persister.
pub(crate) enum PersistMessage {
    /// Make this durable and acknowledge it.
    Snapshot {
        checkpoint: CheckpointId,
        parts: Vec<Part>,
        /// How long taking it paused the chain.
        pause: Duration,
    },
    /// This checkpoint is complete: its output is no longer pending.
    Complete(CheckpointId),
}

/// Whose snapshots they are.
#[derive(Clone, Debug)]
pub(crate) struct RunIdentity {
    pub(crate) job: String,
    pub(crate) lineage: Lineage,
    pub(crate) attempt: u64,
}

/// Output by subtask that no complete checkpoint covers yet.
type Unconfirmed = BTreeMap<SubtaskId, Vec<(CheckpointId, PendingOutput)>>;

/// Persists the snapshots of one chain.
pub(crate) struct Persister {
    pub(crate) chain: ChainId,
    pub(crate) identity: RunIdentity,
    pub(crate) store: Arc<dyn CheckpointStore>,
    pub(crate) events: mpsc::Sender<ChainEvent>,
}

/// Why a chain's part of a checkpoint is not durable.
enum NotDurable {
    /// State could not be written: this checkpoint fails, the next one writes anew.
    Declined(StoreError),
    /// Output could not be made durable: it is lost from memory, so the attempt fails.
    Failed(JobError),
}

impl Persister {
    /// Works until the chain is gone. One message at a time, so that acknowledgements keep the
    /// order of checkpoints.
    pub(crate) async fn run(self, mut messages: mpsc::Receiver<PersistMessage>) {
        let mut unconfirmed = Unconfirmed::new();
        while let Some(message) = messages.recv().await {
            match message {
                PersistMessage::Complete(checkpoint) => {
                    for outputs in unconfirmed.values_mut() {
                        outputs.retain(|(of, _)| *of > checkpoint);
                    }
                }
                PersistMessage::Snapshot {
                    checkpoint,
                    parts,
                    pause,
                } => {
                    let result = self.persist(checkpoint, parts, &mut unconfirmed).await;
                    let event = self.event(checkpoint, pause, result);
                    if self.events.send(event).await.is_err() {
                        return;
                    }
                }
            }
        }
    }

    fn event(
        &self,
        checkpoint: CheckpointId,
        pause: Duration,
        result: Result<Vec<SubtaskSnapshot>, NotDurable>,
    ) -> ChainEvent {
        match result {
            Ok(snapshots) => ChainEvent::Acknowledged(Acknowledgement {
                chain: self.chain,
                checkpoint,
                snapshots,
                pause,
            }),
            Err(NotDurable::Declined(error)) => ChainEvent::Declined {
                chain: self.chain,
                checkpoint,
                reason: crate::error::with_causes(&error),
            },
            Err(NotDurable::Failed(error)) => ChainEvent::Failed(Box::new(error)),
        }
    }

    async fn persist(
        &self,
        checkpoint: CheckpointId,
        parts: Vec<Part>,
        unconfirmed: &mut Unconfirmed,
    ) -> Result<Vec<SubtaskSnapshot>, NotDurable> {
        let store = Arc::clone(&self.store);
        let identity = self.identity.clone();
        let mut carried = std::mem::take(unconfirmed);
        let write = move || {
            let parts = output_first(parts);
            let snapshots: Result<Vec<_>, _> = parts
                .into_iter()
                .map(|part| write_part(&*store, &identity, checkpoint, part, &mut carried))
                .collect();
            (carried, snapshots)
        };
        let (carried, snapshots) = tokio::task::spawn_blocking(write)
            .await
            .expect("writing a snapshot does not panic and is never aborted");
        *unconfirmed = carried;
        snapshots
    }
}

/// Output before state: a failed state file must not keep output from being remembered.
fn output_first(mut parts: Vec<Part>) -> Vec<Part> {
    parts.sort_by_key(|part| match part {
        Part::Output { .. } => 0,
        Part::Ready(_) | Part::State { .. } => 1,
    });
    parts
}

fn write_part(
    store: &dyn CheckpointStore,
    identity: &RunIdentity,
    checkpoint: CheckpointId,
    part: Part,
    carried: &mut Unconfirmed,
) -> Result<SubtaskSnapshot, NotDurable> {
    match part {
        Part::Ready(snapshot) => Ok(snapshot),
        Part::State {
            subtask,
            has_ended,
            chunks,
        } => {
            let identity = StateIdentity {
                job: identity.job.clone(),
                lineage: identity.lineage,
                attempt: identity.attempt,
                checkpoint,
                subtask: subtask.clone(),
            };
            let write = |chunks: &[StateChunk]| store.put_snapshot(&identity, chunks);
            let state = (!chunks.is_empty()).then(|| write(&chunks)).transpose();
            Ok(SubtaskSnapshot {
                subtask,
                has_ended,
                contents: SnapshotContents::Operator {
                    state: state.map_err(NotDurable::Declined)?,
                },
            })
        }
        Part::Output {
            subtask,
            has_ended,
            pre_commit,
        } => {
            let pending = pre_commit()
                .map_err(|error| NotDurable::Failed(connector_failed(&subtask, error)))?;
            let outputs = carried.entry(subtask.clone()).or_default();
            outputs.extend(pending.into_iter().map(|output| (checkpoint, output)));
            Ok(SubtaskSnapshot {
                subtask,
                has_ended,
                contents: SnapshotContents::Sink {
                    pending: outputs.iter().map(|(_, output)| output.clone()).collect(),
                },
            })
        }
    }
}
