//! The parts between the operators: the aligner by itself, and router and channels in a job that
//! only has a source and a sink.
//!
//! The job runs as users' jobs do, over a real checkpoint directory, so that these figures need no
//! private parts. A measurement begins with the request for the first batch and ends with the write
//! of the last record; it includes the source's clone of each batch.

#[path = "support/records.rs"]
mod records;

use std::collections::BTreeMap;
use std::hint::black_box;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use tidegate_checkpoint::{Edge, JobGraph, Node, NodeKind, Partitioning};
use tidegate_connector::sink::{PreCommit, Sink, SinkConnector};
use tidegate_connector::source::{
    BoxFuture, Source, SourceConnector, SourceOutput, SourceSplit, SplitEnumerator,
};
use tidegate_connector::{CheckpointId, ConnectorError, Lineage, SubtaskId};
use tidegate_operator::Batch;
use tidegate_runtime::config::{CheckpointSettings, JobSettings};
use tidegate_runtime::protocol::{Aligner, Alignment};
use tidegate_runtime::{ChannelIndex, Job, JobHandle, RunOptions, prepare, run};

const KEYS: u64 = 1_000;

fn aligner(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("aligner");
    for channels in [2, 64] {
        let mut aligner = Aligner::new(channels as usize);
        let mut checkpoint = 0;
        group.bench_function(BenchmarkId::new("all barriers", channels), |bencher| {
            bencher.iter(|| {
                checkpoint += 1;
                for channel in 0..channels {
                    let channel = ChannelIndex(black_box(channel));
                    match aligner.on_barrier(channel, CheckpointId(checkpoint)) {
                        Alignment::Park(_) => {}
                        Alignment::Complete(complete) => drop(black_box(complete)),
                    }
                }
            });
        });
    }
    group.finish();
}

fn exchange(criterion: &mut Criterion) {
    let directory = tempfile::TempDir::new_in(env!("CARGO_TARGET_TMPDIR"));
    let directory = directory.expect("the target directory can be written");
    let mut number = 0;
    for (name, partitioning, sinks) in [
        ("channel hop", Partitioning::Rebalance, 1),
        ("hash to 2", Partitioning::Hash, 2),
        ("hash to 64", Partitioning::Hash, 64),
    ] {
        let mut group = criterion.benchmark_group(name);
        group.sample_size(10);
        for records in [64, 1_024, 8_192] {
            let batch = records::batch(0..records, KEYS);
            group.throughput(Throughput::Elements(records));
            group.bench_function(BenchmarkId::from_parameter(records), |bencher| {
                bencher.iter_custom(|batches| {
                    number += 1;
                    let state = directory.path().join(number.to_string());
                    let progress = Arc::new(Progress::new(batches * records));
                    let job = job(&batch, batches, (partitioning, sinks), &progress);
                    run_job(job, &state);
                    progress.elapsed()
                });
            });
        }
        group.finish();
    }
}

fn run_job(job: Job, state: &std::path::Path) {
    let options = RunOptions::default();
    let store = prepare(&job, state, &options).expect("the directory is new");
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build();
    let (handle, control) = JobHandle::new("bench");
    let ended = runtime.expect("threads can be started").block_on(run(
        job,
        Arc::new(store),
        options,
        control,
    ));
    ended.expect("nothing in the job fails");
    drop(handle);
}

/// The times of the first request for a batch and of the last write.
struct Progress {
    records_left: AtomicU64,
    first_and_last: Mutex<(Option<Instant>, Option<Instant>)>,
}

impl Progress {
    fn new(records: u64) -> Self {
        Self {
            records_left: AtomicU64::new(records),
            first_and_last: Mutex::default(),
        }
    }

    fn begin(&self) {
        let mut times = self.times();
        times.0.get_or_insert_with(Instant::now);
    }

    fn written(&self, records: u64) {
        if self.records_left.fetch_sub(records, Ordering::Relaxed) == records {
            self.times().1 = Some(Instant::now());
        }
    }

    fn elapsed(&self) -> Duration {
        match *self.times() {
            (Some(first), Some(last)) => last - first,
            (None, _) | (_, None) => panic!("records got lost"),
        }
    }

    fn times(&self) -> std::sync::MutexGuard<'_, (Option<Instant>, Option<Instant>)> {
        self.first_and_last
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

/// Returns a job of a source of `batches` batches and a sink with `edge.1` subtasks.
fn job(batch: &Batch, batches: u64, edge: (Partitioning, u32), progress: &Arc<Progress>) -> Job {
    let node = |name: &str, kind, parallelism, ports: &[&str]| Node {
        name: name.to_owned(),
        kind,
        parallelism,
        implementation: "bench".to_owned(),
        digest: None,
        outputs: ports.iter().map(|&port| port.to_owned()).collect(),
        options: Vec::new(),
    };
    let (partitioning, sinks) = edge;
    let nodes = vec![
        node("source", NodeKind::Source, 1, &["out"]),
        node("sink", NodeKind::Sink, sinks, &[]),
    ];
    let edges = vec![Edge {
        from: "source".to_owned(),
        port: 0,
        to: "sink".to_owned(),
        partitioning,
    }];
    let source: Arc<dyn SourceConnector> = Arc::new(Batches {
        batch: batch.clone(),
        batches,
        progress: Arc::clone(progress),
    });
    let sink: Arc<dyn SinkConnector> = Arc::new(Counter(Arc::clone(progress)));
    Job {
        graph: JobGraph::new("bench".to_owned(), 128, nodes, edges).expect("the graph is valid"),
        sources: BTreeMap::from([("source".to_owned(), source)]),
        operators: BTreeMap::new(),
        sinks: BTreeMap::from([("sink".to_owned(), sink)]),
        settings: JobSettings {
            checkpoint: CheckpointSettings {
                interval: Duration::from_secs(3_600),
                ..CheckpointSettings::default()
            },
            ..JobSettings::default()
        },
    }
}

/// A source that emits the same batch again and again.
#[derive(Clone)]
struct Batches {
    batch: Batch,
    batches: u64,
    progress: Arc<Progress>,
}

impl SplitEnumerator for Batches {
    fn plan(&mut self, _parallelism: u32) -> Result<Vec<Vec<SourceSplit>>, ConnectorError> {
        Ok(vec![Vec::new()])
    }

    fn redistribute(
        &mut self,
        splits: Vec<SourceSplit>,
        _parallelism: u32,
    ) -> Result<Vec<Vec<SourceSplit>>, ConnectorError> {
        Ok(vec![splits])
    }
}

impl SourceConnector for Batches {
    fn connector(&self) -> &'static str {
        "bench"
    }

    fn enumerator(&self) -> Box<dyn SplitEnumerator> {
        Box::new(self.clone())
    }

    fn open(
        &self,
        _subtask: &SubtaskId,
        _splits: Vec<SourceSplit>,
    ) -> Result<Box<dyn Source>, ConnectorError> {
        Ok(Box::new(self.clone()))
    }
}

impl Source for Batches {
    fn poll(&mut self) -> BoxFuture<'_, Result<SourceOutput, ConnectorError>> {
        Box::pin(async {
            self.progress.begin();
            let Some(left) = self.batches.checked_sub(1) else {
                return Ok(SourceOutput::Ended);
            };
            self.batches = left;
            Ok(SourceOutput::Batch(self.batch.clone()))
        })
    }

    fn splits(&self) -> Vec<SourceSplit> {
        Vec::new()
    }
}

/// A sink that counts records.
struct Counter(Arc<Progress>);

impl SinkConnector for Counter {
    fn connector(&self) -> &'static str {
        "bench"
    }

    fn is_exactly_once(&self) -> bool {
        true
    }

    fn open(
        &self,
        _subtask: &SubtaskId,
        _lineage: Lineage,
        _attempt: u64,
    ) -> Result<Box<dyn Sink>, ConnectorError> {
        Ok(Box::new(Self(Arc::clone(&self.0))))
    }
}

impl Sink for Counter {
    fn write(&mut self, batch: &Batch) -> Result<(), ConnectorError> {
        self.0.written(batch.len() as u64);
        Ok(())
    }

    fn pre_commit(&mut self, _checkpoint: CheckpointId) -> Result<PreCommit, ConnectorError> {
        Ok(Box::new(|| Ok(Vec::new())))
    }
}

criterion_group!(benches, aligner, exchange);
criterion_main!(benches);
