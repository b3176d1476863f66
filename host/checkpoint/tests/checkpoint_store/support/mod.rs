//! A small job, its checkpoints, and functions that inspect directories.

pub(crate) mod measured;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use tempfile::TempDir;
use tidegate_checkpoint::{
    CheckpointDirectory, CheckpointKind, CheckpointStore, Edge, JobGraph, Manifest, Node, NodeKind,
    Partitioning, SnapshotContents, StateIdentity, StoreError, SubtaskSnapshot,
};
use tidegate_connector::sink::PendingOutput;
use tidegate_connector::source::{FixedOption, SourceSplit};
use tidegate_connector::{CheckpointId, Lineage, SubtaskId};
use tidegate_operator::StateChunk;

pub(crate) const LINEAGE: Lineage = Lineage(*b"lineage of tests");

/// Returns a directory in memory, if the system has such a place, for tests that sync thousands of
/// times.
pub(crate) fn fast_tempdir() -> TempDir {
    tempfile::tempdir_in("/dev/shm")
        .or_else(|_| tempfile::tempdir())
        .expect("a temporary directory can be created")
}

/// Returns the graph `lines` (1) -> `count` (2) -> `total-sum` (1) -> `out` (1).
pub(crate) fn graph() -> JobGraph {
    graph_of_job("word-count")
}

pub(crate) fn graph_of_job(job: &str) -> JobGraph {
    let node = |name: &str, kind, parallelism, outputs: &[&str]| Node {
        name: name.to_owned(),
        kind,
        parallelism,
        implementation: match kind {
            NodeKind::Operator => "component".to_owned(),
            NodeKind::Source | NodeKind::Sink => "file".to_owned(),
        },
        digest: (kind == NodeKind::Operator).then(|| "ab".repeat(32)),
        outputs: outputs.iter().map(|&port| port.to_owned()).collect(),
        options: match kind {
            NodeKind::Source => vec![FixedOption::new("path", "\"input/*\"")],
            NodeKind::Operator | NodeKind::Sink => Vec::new(),
        },
    };
    let edge = |from: &str, to: &str, partitioning| Edge {
        from: from.to_owned(),
        port: 0,
        to: to.to_owned(),
        partitioning,
    };
    let nodes = vec![
        node("lines", NodeKind::Source, 1, &["out"]),
        node("count", NodeKind::Operator, 2, &["counts"]),
        node("total-sum", NodeKind::Operator, 1, &["sum"]),
        node("out", NodeKind::Sink, 1, &[]),
    ];
    let edges = vec![
        edge("lines", "count", Partitioning::Hash),
        edge("count", "total-sum", Partitioning::Rebalance),
        edge("total-sum", "out", Partitioning::Forward),
    ];
    JobGraph::new(job.to_owned(), 128, nodes, edges).expect("the graph is valid")
}

pub(crate) fn subtask(operator: &str, index: u32) -> SubtaskId {
    SubtaskId {
        operator: operator.to_owned(),
        index,
    }
}

/// Returns the subtasks that have state.
pub(crate) fn stateful() -> [SubtaskId; 3] {
    [
        subtask("count", 0),
        subtask("count", 1),
        subtask("total-sum", 0),
    ]
}

pub(crate) fn identity(checkpoint: u64, attempt: u64, subtask: &SubtaskId) -> StateIdentity {
    StateIdentity {
        job: "word-count".to_owned(),
        lineage: LINEAGE,
        attempt,
        checkpoint: CheckpointId(checkpoint),
        subtask: subtask.clone(),
    }
}

/// Returns state that is different for every checkpoint and subtask.
pub(crate) fn chunks(checkpoint: u64, subtask: &SubtaskId) -> Vec<StateChunk> {
    let chunk = |name: &str, key_group, bytes: String| StateChunk {
        name: name.to_owned(),
        schema_version: 3,
        key_group,
        bytes: bytes.into_bytes(),
    };
    vec![
        chunk(
            "counts",
            Some(7 + subtask.index * 64),
            format!("{subtask} at {checkpoint}"),
        ),
        chunk("seen", None, String::new()),
    ]
}

/// Returns the entry of a subtask.
pub(crate) fn entry<'a>(
    manifest: &'a mut Manifest,
    operator: &str,
    index: u32,
) -> &'a mut SubtaskSnapshot {
    let wanted = subtask(operator, index);
    let mut entries = manifest.subtasks.iter_mut();
    let entry = entries.find(|entry| entry.subtask == wanted);
    entry.expect("the manifest has an entry of each subtask")
}

/// Returns the manifest of [`graph`], without state.
pub(crate) fn manifest(checkpoint: u64, attempt: u64) -> Manifest {
    let contents = |node: &Node| match node.kind {
        NodeKind::Source => SnapshotContents::Source {
            splits: vec![SourceSplit {
                name: "input/a.txt".to_owned(),
                position: checkpoint.to_le_bytes().to_vec(),
            }],
        },
        NodeKind::Operator => SnapshotContents::Operator { state: None },
        NodeKind::Sink => SnapshotContents::Sink {
            pending: vec![PendingOutput(format!("part-{checkpoint}").into_bytes())],
        },
    };
    let graph = graph();
    let mut subtasks = Vec::new();
    for node in graph.nodes() {
        subtasks.extend((0..node.parallelism).map(|index| SubtaskSnapshot {
            subtask: subtask(&node.name, index),
            has_ended: false,
            watermark: None,
            contents: contents(node),
        }));
    }
    subtasks.sort_by(|a, b| a.subtask.cmp(&b.subtask));
    Manifest {
        checkpoint: CheckpointId(checkpoint),
        lineage: LINEAGE,
        origin: None,
        attempt,
        created_at_ms: 1_700_000_000_000 + checkpoint,
        kind: CheckpointKind::Running,
        graph,
        subtasks,
    }
}

/// Writes the state of all subtasks, and returns the manifest to commit.
pub(crate) fn put_all(
    store: &dyn CheckpointStore,
    checkpoint: u64,
    attempt: u64,
) -> Result<Manifest, StoreError> {
    let mut manifest = manifest(checkpoint, attempt);
    for snapshot in &mut manifest.subtasks {
        if let SnapshotContents::Operator { state } = &mut snapshot.contents {
            let identity = identity(checkpoint, attempt, &snapshot.subtask);
            let chunks = chunks(checkpoint, &snapshot.subtask);
            *state = Some(store.put_snapshot(&identity, &chunks)?);
        }
    }
    Ok(manifest)
}

/// Takes a whole checkpoint.
pub(crate) fn take(
    store: &dyn CheckpointStore,
    checkpoint: u64,
    attempt: u64,
) -> Result<Manifest, StoreError> {
    let manifest = put_all(store, checkpoint, attempt)?;
    store.complete(&manifest)?;
    Ok(manifest)
}

/// Checks that a checkpoint is whole, with the state of [`take`].
pub(crate) fn assert_restorable(directory: &CheckpointDirectory, checkpoint: CheckpointId) {
    let manifest = directory.load(checkpoint).expect("the checkpoint is whole");
    let mut restored = Vec::new();
    for (subtask, file) in manifest.state_files() {
        let read = directory.read_state(&manifest, subtask, file);
        assert_eq!(
            read.expect("the state is whole"),
            chunks(checkpoint.0, subtask)
        );
        restored.push(subtask.clone());
    }
    assert_eq!(restored, stateful());
}

pub(crate) fn ids(numbers: impl IntoIterator<Item = u64>) -> Vec<CheckpointId> {
    numbers.into_iter().map(CheckpointId).collect()
}

/// A tree of files by relative path.
pub(crate) type Tree = BTreeMap<PathBuf, Vec<u8>>;

/// Returns all files below `root` but `LOCK`.
pub(crate) fn tree(root: &Path) -> Tree {
    let mut files = Tree::new();
    collect(root, root, &mut files);
    files.remove(Path::new("LOCK"));
    files
}

fn collect(root: &Path, directory: &Path, files: &mut Tree) {
    for entry in fs::read_dir(directory).expect("the directory can be listed") {
        let path = entry.expect("the entry can be read").path();
        if path.is_dir() {
            collect(root, &path, files);
        } else {
            let relative = path.strip_prefix(root).expect("it is below the root");
            files.insert(
                relative.to_owned(),
                fs::read(&path).expect("the file can be read"),
            );
        }
    }
}

/// Copies all files below `from`, including `LOCK`, into `to`.
pub(crate) fn copy_tree(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("the directory can be created");
    for entry in fs::read_dir(from).expect("the directory can be listed") {
        let entry = entry.expect("the entry can be read");
        let (source, target) = (entry.path(), to.join(entry.file_name()));
        if source.is_dir() {
            copy_tree(&source, &target);
        } else {
            fs::copy(&source, &target).expect("the file can be copied");
        }
    }
}

/// Returns the reason of a refusal to read.
pub(crate) fn reason_of(error: StoreError) -> String {
    if let StoreError::Corrupt { reason, .. } = error {
        return reason;
    }
    panic!("not a report of a broken file: {error:?}");
}
