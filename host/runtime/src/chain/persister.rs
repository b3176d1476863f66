//! Barrier path: snapshot → **persister** → acknowledgement.
//!
//! Makes the snapshots of one chain durable beside its processing, one checkpoint after the other,
//! and acknowledges them. Remembers output that was pre-committed for a checkpoint that never
//! completed: the next checkpoint lists it again, so that an abandoned checkpoint loses no output.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use tidegate_checkpoint::{
    CheckpointStore, SnapshotContents, StateIdentity, StoreError, SubtaskSnapshot,
};
use tidegate_connector::sink::{PendingOutput, PreCommit};
use tidegate_connector::source::SourceSplit;
use tidegate_operator::StateChunk;
use tokio::sync::mpsc;

use crate::error::connector_failed;
use crate::executor::{Executor, blocking};
use crate::ids::RunIdentity;
use crate::protocol::{Acknowledgement, ChainEvent};
use crate::{ChainId, CheckpointId, JobError, SubtaskId};

/// One subtask's part of a checkpoint, before it is durable as a [`SubtaskSnapshot`].
pub(crate) struct SnapshotPart {
    pub(crate) subtask: SubtaskId,
    pub(crate) has_ended: bool,
    pub(crate) watermark: Option<i64>,
    pub(crate) contents: PartContents,
}

/// The contents of a part that must become durable.
pub(crate) enum PartContents {
    /// The positions of a source, which need no file.
    Splits(Vec<SourceSplit>),
    /// The state of an operator.
    State(Vec<StateChunk>),
    /// The output of a sink.
    Output(PreCommit),
}

/// A message of a chain to its persister.
pub(crate) enum PersistMessage {
    /// A snapshot to make durable and acknowledge.
    Snapshot {
        checkpoint: CheckpointId,
        parts: Vec<SnapshotPart>,
        /// The time for which the snapshot paused the chain.
        pause: Duration,
    },
    /// The checkpoint is complete: its output is no longer pending.
    Complete(CheckpointId),
}

/// Output by subtask that no complete checkpoint covers yet.
type Unconfirmed = BTreeMap<SubtaskId, Vec<(CheckpointId, PendingOutput)>>;

/// Persists the snapshots of one chain.
pub(crate) struct Persister {
    pub(crate) chain: ChainId,
    pub(crate) identity: RunIdentity,
    pub(crate) store: Arc<dyn CheckpointStore>,
    pub(crate) events: mpsc::Sender<ChainEvent>,
    pub(crate) executor: Arc<dyn Executor>,
}

/// The reason why a chain's part of a checkpoint is not durable.
enum NotDurable {
    /// State could not be written: this checkpoint fails, and the next one writes all state again.
    Declined(StoreError),
    /// Output could not be made durable: it is lost from memory, so the attempt fails.
    Failed(JobError),
}

impl Persister {
    /// Works until the chain is gone. Handles one message at a time, so that acknowledgements keep
    /// the order of checkpoints.
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
                reason: tidegate_operator::with_causes(&error),
            },
            Err(NotDurable::Failed(error)) => ChainEvent::Failed(Box::new(error)),
        }
    }

    async fn persist(
        &self,
        checkpoint: CheckpointId,
        parts: Vec<SnapshotPart>,
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
        match blocking(&*self.executor, write).await {
            Ok((carried, snapshots)) => {
                *unconfirmed = carried;
                snapshots
            }
            // The carried output is lost with it.
            Err(not_done) => {
                let whose = format!("the persister of {}", self.chain);
                Err(NotDurable::Failed(not_done.into_failure(whose)))
            }
        }
    }
}

/// Puts output before state: a failed state file must not keep output from being remembered.
fn output_first(mut parts: Vec<SnapshotPart>) -> Vec<SnapshotPart> {
    parts.sort_by_key(|part| match part.contents {
        PartContents::Output(_) => 0,
        PartContents::Splits(_) | PartContents::State(_) => 1,
    });
    parts
}

fn write_part(
    store: &dyn CheckpointStore,
    identity: &RunIdentity,
    checkpoint: CheckpointId,
    part: SnapshotPart,
    carried: &mut Unconfirmed,
) -> Result<SubtaskSnapshot, NotDurable> {
    let subtask = part.subtask;
    let contents = match part.contents {
        PartContents::Splits(splits) => SnapshotContents::Source { splits },
        PartContents::State(chunks) => {
            let identity = StateIdentity {
                job: identity.job.clone(),
                lineage: identity.lineage,
                attempt: identity.attempt,
                checkpoint,
                subtask: subtask.clone(),
            };
            let write = |chunks: &[StateChunk]| store.put_snapshot(&identity, chunks);
            let state = (!chunks.is_empty()).then(|| write(&chunks)).transpose();
            let state = state.map_err(NotDurable::Declined)?;
            SnapshotContents::Operator { state }
        }
        PartContents::Output(pre_commit) => {
            let pending = pre_commit()
                .map_err(|error| NotDurable::Failed(connector_failed(&subtask, error)))?;
            let outputs = carried.entry(subtask.clone()).or_default();
            outputs.extend(pending.into_iter().map(|output| (checkpoint, output)));
            let pending = outputs.iter().map(|(_, output)| output.clone()).collect();
            SnapshotContents::Sink { pending }
        }
    };
    Ok(SubtaskSnapshot {
        subtask,
        has_ended: part.has_ended,
        watermark: part.watermark,
        contents,
    })
}

#[cfg(test)]
mod tests;
