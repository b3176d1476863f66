//! Snapshot and restore of a million keys, and the writes that make them durable: a state file, a
//! manifest.

mod support;

use std::time::{Duration, Instant};

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use tempfile::TempDir;
use tidegate_checkpoint::{
    CheckpointKind, CheckpointStore as _, DirStore, Manifest, SnapshotContents, StateIdentity,
    SubtaskSnapshot,
};
use tidegate_checkpoint::{Edge, JobGraph, Node, NodeKind, Partitioning};
use tidegate_connector::{CheckpointId, Lineage, SubtaskId};
use tidegate_operator::{Instance, StateChunk};

use support::{SUM, SUM_CONFIG, batch, component, instance};

const KEYS: u64 = 1_000_000;
const BATCH_RECORDS: usize = 8_192;
const LINEAGE: Lineage = Lineage(*b"lineage of bench");

/// Returns an instance that has seen every key once.
fn full_instance() -> Instance {
    let mut instance = instance(&component(SUM), SUM_CONFIG);
    for start in (0..KEYS).step_by(BATCH_RECORDS) {
        let end = KEYS.min(start + BATCH_RECORDS as u64);
        let output = instance.process(0, batch(start..end, KEYS));
        output.expect("the guest is well");
    }
    instance
}

fn state(criterion: &mut Criterion) {
    let component = component(SUM);
    let mut full = full_instance();
    let mut group = criterion.benchmark_group("state of a million keys");
    group.sample_size(10).throughput(Throughput::Elements(KEYS));
    group.bench_function("snapshot", |bencher| {
        bencher.iter_with_large_drop(|| full.snapshot(1).expect("the guest is well"));
    });
    let chunks = full.snapshot(2).expect("the guest is well");
    group.bench_function("restore", |bencher| {
        bencher.iter_batched(
            || (instance(&component, SUM_CONFIG), chunks.clone()),
            |(mut fresh, chunks)| {
                fresh.restore(chunks).expect("the guest is well");
                fresh
            },
            BatchSize::PerIteration,
        );
    });
    group.finish();
    state_file(criterion, &chunks);
}

fn state_file(criterion: &mut Criterion, chunks: &[StateChunk]) {
    let (_directory, store) = store();
    let bytes: usize = chunks.iter().map(|chunk| chunk.bytes.len()).sum();
    let mut group = criterion.benchmark_group("checkpoint store");
    group
        .sample_size(10)
        .throughput(Throughput::Bytes(bytes as u64));
    let mut checkpoint = 0;
    group.bench_function("state file of a million keys", |bencher| {
        bencher.iter(|| {
            checkpoint += 1;
            let identity = StateIdentity {
                job: "bench".to_owned(),
                lineage: LINEAGE,
                attempt: 1,
                checkpoint: CheckpointId(checkpoint),
                subtask: subtask("sum", 0),
            };
            let file = store.put_snapshot(&identity, chunks);
            file.expect("the disk can be written")
        });
    });
    group.finish();
}

/// Measures a commit as after each checkpoint, on a real disk.
fn manifest_commit(criterion: &mut Criterion) {
    let (_directory, store) = store();
    let graph = graph();
    let mut newest = 0;
    criterion.bench_function("checkpoint store/manifest commit", |bencher| {
        bencher.iter_custom(|commits| {
            let mut total = Duration::ZERO;
            for _ in 0..commits {
                newest += 1;
                let manifest = manifest(&graph, newest);
                let started = Instant::now();
                store.complete(&manifest).expect("the disk can be written");
                total += started.elapsed();
                let kept = store.retain(&[CheckpointId(newest)]);
                kept.expect("the disk can be written");
            }
            total
        });
    });
}

fn store() -> (TempDir, DirStore) {
    let directory = TempDir::new_in(env!("CARGO_TARGET_TMPDIR"));
    let directory = directory.expect("the target directory can be written");
    let store = DirStore::open(directory.path()).expect("the directory is new");
    store.next_attempt().expect("the disk can be written");
    (directory, store)
}

fn subtask(operator: &str, index: u32) -> SubtaskId {
    SubtaskId {
        operator: operator.to_owned(),
        index,
    }
}

/// Returns the graph `numbers` (2) -> `sum` (2) -> `sums` (2).
fn graph() -> JobGraph {
    let node = |name: &str, kind, ports: &[&str]| Node {
        name: name.to_owned(),
        kind,
        parallelism: 2,
        implementation: "bench".to_owned(),
        digest: None,
        outputs: ports.iter().map(|&port| port.to_owned()).collect(),
        options: Vec::new(),
    };
    let edge = |from: &str, to: &str, partitioning| Edge {
        from: from.to_owned(),
        port: 0,
        to: to.to_owned(),
        partitioning,
    };
    let nodes = vec![
        node("numbers", NodeKind::Source, &["out"]),
        node("sum", NodeKind::Operator, &["out"]),
        node("sums", NodeKind::Sink, &[]),
    ];
    let edges = vec![
        edge("numbers", "sum", Partitioning::Hash),
        edge("sum", "sums", Partitioning::Forward),
    ];
    JobGraph::new("bench".to_owned(), 128, nodes, edges).expect("the graph is valid")
}

fn manifest(graph: &JobGraph, checkpoint: u64) -> Manifest {
    let contents = |kind| match kind {
        NodeKind::Source => SnapshotContents::Source { splits: Vec::new() },
        NodeKind::Operator => SnapshotContents::Operator { state: None },
        NodeKind::Sink => SnapshotContents::Sink {
            pending: Vec::new(),
        },
    };
    let subtasks = graph.nodes().iter().flat_map(|node| {
        (0..node.parallelism).map(|index| SubtaskSnapshot {
            subtask: subtask(&node.name, index),
            has_ended: false,
            watermark: Some(1_700_000_000_000),
            contents: contents(node.kind),
        })
    });
    let mut subtasks: Vec<_> = subtasks.collect();
    subtasks.sort_by(|a, b| a.subtask.cmp(&b.subtask));
    Manifest {
        checkpoint: CheckpointId(checkpoint),
        lineage: LINEAGE,
        origin: None,
        attempt: 1,
        created_at_ms: 0,
        kind: CheckpointKind::Running,
        graph: graph.clone(),
        subtasks,
    }
}

criterion_group!(benches, state, manifest_commit);
criterion_main!(benches);
