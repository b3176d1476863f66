//! The way back: from the newest complete checkpoint to what every subtask starts with.
//!
//! Blocking; runs before anything of the attempt is deployed. The order matters: the checkpoint is
//! read and checked whole before sinks publish what it lists, and only then are files removed that
//! no checkpoint refers to.

use std::collections::HashMap;
use std::sync::Arc;

use tidegate_operator::StateChunk;

use crate::checkpoint::{
    CheckpointKind, CheckpointStore, Manifest, Origin, SnapshotContents, StateFile, StoreError,
    SubtaskSnapshot,
};
use crate::deploy::SubtaskStart;
use crate::error::IncompatibleJob;
use crate::graph::{JobGraph, KeyGroups, Node, NodeKind};
use crate::job::{Job, RunOptions};
use crate::recovery::{ended_subtasks, redistribute};
use crate::sink::{ForkedFrom, PendingOutput, SinkStart};
use crate::start::{node_failed, start_point};
use crate::task::RunIdentity;
use crate::{CheckpointId, JobError, SubtaskId};

/// What an attempt is restored from.
pub(crate) struct Restore {
    pub(crate) job: Arc<Job>,
    pub(crate) store: Arc<dyn CheckpointStore>,
    pub(crate) options: RunOptions,
    pub(crate) is_first_attempt: bool,
}

/// What an attempt starts with.
pub(crate) struct Restored {
    pub(crate) identity: RunIdentity,
    pub(crate) checkpoint: CheckpointId,
    pub(crate) origin: Option<Origin>,
    pub(crate) starts: HashMap<SubtaskId, SubtaskStart>,
}

impl Restore {
    /// None if the job has finished: its output is published, and nothing is left to run.
    pub(crate) fn run(self) -> Result<Option<Restored>, JobError> {
        let (job, store) = (&*self.job, &*self.store);
        let attempt = store.next_attempt()?;
        let before = match store.list() {
            Ok(ids) => Some(ids),
            // Said below where it matters: a fresh start and one from elsewhere need none of them.
            Err(StoreError::NothingValid { .. }) => None,
            Err(error) => return Err(error.into()),
        };
        let manifest = start_point(job, store, &self.options, attempt)?;
        let starts = subtask_starts(job, store, &manifest).and_then(|starts| {
            recover_sinks(job, &manifest, self.is_first_attempt).map(|()| starts)
        });
        let starts = match starts {
            Ok(starts) => starts,
            Err(error) => {
                // A start from elsewhere that is refused leaves the directory as it was. Where all
                // checkpoints are lost it stays: without any, nothing would tell of the loss.
                let is_new = manifest.attempt == attempt;
                if is_new
                    && manifest.kind == CheckpointKind::Imported
                    && let Some(before) = before
                {
                    store.retain(&before)?;
                }
                return Err(error);
            }
        };
        if manifest.kind == CheckpointKind::Final {
            return Ok(None);
        }
        store.retain(&store.list()?)?;
        Ok(Some(Restored {
            starts,
            identity: RunIdentity {
                job: job.graph.job().to_owned(),
                lineage: manifest.lineage,
                attempt,
            },
            checkpoint: manifest.checkpoint,
            origin: manifest.origin,
        }))
    }

    /// Publishes what the newest checkpoint covers, without starting anything. Gives its id.
    pub(crate) fn settle(self) -> Result<CheckpointId, JobError> {
        let attempt = self.store.next_attempt()?;
        let manifest = start_point(&self.job, &*self.store, &self.options, attempt)?;
        recover_sinks(&self.job, &manifest, self.is_first_attempt)?;
        Ok(manifest.checkpoint)
    }
}

/// Makes every sink's output consistent with the checkpoint.
fn recover_sinks(job: &Job, manifest: &Manifest, is_first_attempt: bool) -> Result<(), JobError> {
    for (name, sink) in &job.sinks {
        let start = SinkStart {
            job: job.graph.job().to_owned(),
            sink: name.clone(),
            lineage: manifest.lineage.published(),
            parent: manifest.origin.as_ref().map(|origin| ForkedFrom {
                lineage: origin.lineage.published(),
                checkpoint: origin.checkpoint,
            }),
            checkpoint: manifest.checkpoint,
            is_first_attempt,
            pending: pending_output(manifest, name),
        };
        sink.recover(&start)
            .map_err(|error| node_failed(name, error))?;
    }
    Ok(())
}

/// What a checkpoint lists as pending for one sink, from all of its subtasks.
pub(crate) fn pending_output(manifest: &Manifest, sink: &str) -> Vec<PendingOutput> {
    let snapshots = manifest
        .subtasks
        .iter()
        .filter(|s| s.subtask.operator == sink);
    let pending = snapshots.flat_map(|snapshot| match &snapshot.contents {
        SnapshotContents::Sink { pending } => pending.as_slice(),
        SnapshotContents::Source { .. } | SnapshotContents::Operator { .. } => &[],
    });
    pending.cloned().collect()
}

/// What each subtask of the job starts with.
fn subtask_starts(
    job: &Job,
    store: &dyn CheckpointStore,
    manifest: &Manifest,
) -> Result<HashMap<SubtaskId, SubtaskStart>, JobError> {
    let mut starts = HashMap::new();
    for node in job.graph.nodes() {
        let of_node = node_starts(job, store, manifest, node)?;
        for (index, start) in (0u32..).zip(of_node) {
            let operator = node.name.clone();
            starts.insert(SubtaskId { operator, index }, start);
        }
    }
    Ok(starts)
}

fn node_starts(
    job: &Job,
    store: &dyn CheckpointStore,
    manifest: &Manifest,
    node: &Node,
) -> Result<Vec<SubtaskStart>, JobError> {
    if node.kind == NodeKind::Source {
        return source_starts(job, node, &snapshots_of(manifest, &node.name));
    }
    let ended = ended_now(manifest, node)?;
    if node.kind == NodeKind::Sink {
        let start = |has_ended| SubtaskStart::Sink { has_ended };
        return Ok(ended.into_iter().map(start).collect());
    }
    let read = |subtask: &SubtaskId, file: &StateFile| store.read_state(manifest, subtask, file);
    let state = operator_state(&job.graph, manifest, node, &read)?;
    let starts = state
        .into_iter()
        .zip(ended)
        .map(|(state, has_ended)| SubtaskStart::Operator { state, has_ended });
    Ok(starts.collect())
}

/// What a checkpoint has of one node, by subtask.
pub(crate) fn snapshots_of<'m>(manifest: &'m Manifest, node: &str) -> Vec<&'m SubtaskSnapshot> {
    let mut snapshots: Vec<_> = manifest.subtasks.iter().collect();
    snapshots.retain(|snapshot| snapshot.subtask.operator == node);
    snapshots.sort_by_key(|snapshot| snapshot.subtask.index);
    snapshots
}

/// Which subtasks of an operator or sink have ended.
pub(crate) fn ended_now(manifest: &Manifest, node: &Node) -> Result<Vec<bool>, IncompatibleJob> {
    let old = snapshots_of(manifest, &node.name);
    ended_subtasks(&old, node.parallelism).ok_or_else(|| IncompatibleJob {
        checkpoint: manifest.checkpoint,
        job: manifest.graph.job().to_owned(),
        differences: vec![format!(
            "`{}` had {} subtasks, of which some had finished and some had not; it can't be given \
             another parallelism now: run it with {} until all of its inputs have ended",
            node.name,
            old.len(),
            old.len()
        )],
    })
}

/// Reads one state file of a manifest.
pub(crate) type ReadState<'a> =
    dyn Fn(&SubtaskId, &StateFile) -> Result<Vec<StateChunk>, StoreError> + 'a;

/// What each subtask of an operator is restored with; none where `restore` is not called.
pub(crate) fn operator_state(
    graph: &JobGraph,
    manifest: &Manifest,
    node: &Node,
    read: &ReadState<'_>,
) -> Result<Vec<Option<Vec<StateChunk>>>, StoreError> {
    let old = snapshots_of(manifest, &node.name);
    let mut chunks = Vec::new();
    for snapshot in &old {
        chunks.push(match &snapshot.contents {
            SnapshotContents::Operator { state: Some(file) } => read(&snapshot.subtask, file)?,
            SnapshotContents::Operator { state: None }
            | SnapshotContents::Source { .. }
            | SnapshotContents::Sink { .. } => Vec::new(),
        });
    }
    let key_groups = KeyGroups::new(graph.max_parallelism(), node.parallelism);
    let is_restored = manifest.kind != CheckpointKind::Start && !old.is_empty();
    let chunks = redistribute(chunks, key_groups, node.parallelism);
    let state = chunks.into_iter();
    Ok(state.map(|chunks| is_restored.then_some(chunks)).collect())
}

fn source_starts(
    job: &Job,
    node: &Node,
    old: &[&SubtaskSnapshot],
) -> Result<Vec<SubtaskStart>, JobError> {
    let connector = &job.sources[&node.name];
    let failed = |error| node_failed(&node.name, error);
    let splits_of = |snapshot: &SubtaskSnapshot| match &snapshot.contents {
        SnapshotContents::Source { splits } => splits.clone(),
        SnapshotContents::Operator { .. } | SnapshotContents::Sink { .. } => Vec::new(),
    };
    if old.len() == node.parallelism as usize {
        let starts = old.iter().map(|snapshot| SubtaskStart::Source {
            splits: splits_of(snapshot),
            has_ended: snapshot.has_ended,
        });
        return Ok(starts.collect());
    }
    let planned = if old.is_empty() {
        // A source that the checkpoint does not know begins at its beginning.
        connector.plan(node.parallelism).map_err(failed)?
    } else {
        // What has ended is read to its end, or was told to end: nothing of it is left to read.
        let running = old.iter().filter(|snapshot| !snapshot.has_ended);
        let splits = running.flat_map(|snapshot| splits_of(snapshot)).collect();
        connector.replan(splits, node.parallelism).map_err(failed)?
    };
    let all_ended = !old.is_empty() && old.iter().all(|snapshot| snapshot.has_ended);
    let starts = planned.into_iter().map(|splits| SubtaskStart::Source {
        splits,
        has_ended: all_ended,
    });
    Ok(starts.collect())
}
