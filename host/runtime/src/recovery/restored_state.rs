//! The part of a checkpoint that one operator or sink starts with. Reads only through an argument.

use tidegate_checkpoint::{
    CheckpointKind, JobGraph, Manifest, Node, SnapshotContents, StateFile, StoreError,
};
use tidegate_key_groups::{KeyGroups, redistribute};
use tidegate_operator::StateChunk;

use super::compatibility::IncompatibleJob;
use super::resumed_subtasks::ended_subtasks;
use crate::SubtaskId;

/// Returns which subtasks of an operator or sink have ended.
pub(crate) fn ended_now(manifest: &Manifest, node: &Node) -> Result<Vec<bool>, IncompatibleJob> {
    let old = manifest.snapshots_of(&node.name);
    ended_subtasks(old, node.parallelism).ok_or_else(|| IncompatibleJob {
        checkpoint: manifest.checkpoint,
        job: manifest.graph.job().to_owned(),
        differences: vec![format!(
            "`{}` had {} subtasks, and only some of them had finished, so its parallelism can't \
             change now; run it with {} until all of its inputs have ended",
            node.name,
            old.len(),
            old.len()
        )],
    })
}

/// Reads one state file of a manifest.
pub(crate) type ReadState<'a> =
    dyn Fn(&SubtaskId, &StateFile) -> Result<Vec<StateChunk>, StoreError> + 'a;

/// Returns the state that each subtask is restored with; `None` where `restore` is not called.
pub(crate) fn operator_state(
    graph: &JobGraph,
    manifest: &Manifest,
    node: &Node,
    read: &ReadState<'_>,
) -> Result<Vec<Option<Vec<StateChunk>>>, StoreError> {
    let old = manifest.snapshots_of(&node.name);
    let mut chunks = Vec::new();
    for snapshot in old {
        chunks.push(match &snapshot.contents {
            SnapshotContents::Operator { state: Some(file) } => read(&snapshot.subtask, file)?,
            SnapshotContents::Operator { state: None }
            | SnapshotContents::Source { .. }
            | SnapshotContents::Sink { .. } => Vec::new(),
        });
    }
    let key_groups = KeyGroups::new(graph.max_parallelism(), node.parallelism);
    let is_restored = manifest.kind != CheckpointKind::Start && !old.is_empty();
    let chunks = redistribute(chunks, key_groups, |chunk| chunk.key_group);
    let state = chunks.into_iter();
    Ok(state.map(|chunks| is_restored.then_some(chunks)).collect())
}
