//! The restore drill with operators in Rust: equal, changed and lost state, and drills beside a
//! running job.

use std::path::Path;
use std::sync::{Arc, Condvar, Mutex};

use tidegate_checkpoint::CheckpointDirectory;
use tidegate_checkpoint::Partitioning::{Forward, Hash, Rebalance};
use tidegate_connector::CheckpointId;
use tidegate_operator::{Batch, Emission, GuestFault, OperatorContext, StateChunk};
use tidegate_runtime::chain::{OperatorFactory, OperatorInstance};
use tidegate_runtime::drill::{ChunkChange, DrillReport, Verdict, drill};
use tidegate_runtime::{AllowedChanges, Job, JobErrorKind, RunOptions};

use crate::support::faults::Faults;
use crate::support::jobs::{JobBuilder, Running, start, start_built};
use crate::support::operators::{Kind, Native};
use crate::support::oracle::assert_counted;
use crate::support::sinks::Output;
use crate::support::sources::{Allowance, Numbers};

/// Returns a job with keyed state in `count` and operator state in `join`.
fn job(faults: &Faults, parallelism: u32) -> (JobBuilder, Allowance, Output) {
    let output = Output::new(faults);
    let (numbers, allow) = Numbers::held("a", faults);
    let job = JobBuilder::new(faults)
        .source(&numbers, 1)
        .operator("count", Kind::Count, parallelism, &[("a", Hash)])
        .operator(
            "join",
            Kind::Join,
            parallelism,
            &[("count", Rebalance), ("a", Rebalance)],
        )
        .sink("out", &output, parallelism, &[("join", Rebalance)]);
    (job, allow, output)
}

/// Runs the job until its source has emitted 200 records, and stops it.
async fn stopped(directory: &Path, parallelism: u32) {
    let faults = Faults::none();
    let (job, allow, _) = job(&faults, parallelism);
    start(&job, directory).stop_after(&allow, 200, 200).await;
    assert_eq!(faults.violations(), [""; 0]);
}

fn drilled(job: &Job, directory: &Path) -> DrillReport {
    let directory = CheckpointDirectory::open(directory).unwrap();
    drill(
        job,
        &directory,
        directory.newest().unwrap(),
        &AllowedChanges::default(),
    )
    .unwrap()
}

/// Returns the verdicts by subtask, and the number of state chunks.
fn verdicts(report: &DrillReport, operator: &str) -> (Vec<Verdict>, u64) {
    let mut operators = report.operators.iter();
    let found = operators.find(|found| found.operator == operator).unwrap();
    let verdicts = found.subtasks.iter().map(|s| s.verdict.clone());
    let chunks = found.subtasks.iter().map(|s| s.chunks);
    (verdicts.collect(), chunks.sum())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_subtask_gives_back_what_it_was_restored_with() {
    let directory = tempfile::tempdir().unwrap();
    stopped(directory.path(), 2).await;
    let faults = Faults::none();
    let report = drilled(&job(&faults, 2).0.build(), directory.path());
    let (count, chunks) = verdicts(&report, "count");
    assert_eq!(count, [Verdict::Same, Verdict::Same]);
    assert_eq!(chunks, 4, "the 5 keys are in 4 key groups");
    assert_eq!(verdicts(&report, "join").0, [Verdict::Same, Verdict::Same]);
    assert_eq!(faults.violations(), [""; 0]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn at_another_parallelism_keyed_state_is_the_same_and_operator_state_may_be_joined() {
    let directory = tempfile::tempdir().unwrap();
    stopped(directory.path(), 2).await;
    for parallelism in [1, 3, 4] {
        let faults = Faults::none();
        let report = drilled(&job(&faults, parallelism).0.build(), directory.path());
        let (count, chunks) = verdicts(&report, "count");
        let same = vec![Verdict::Same; parallelism as usize];
        assert_eq!((count, chunks), (same, 4), "at {parallelism}");
        let (join, chunks) = verdicts(&report, "join");
        assert_eq!(chunks, 2, "both subtasks counted");
        // One subtask joins two chunks; more have one or none.
        let joined = join.iter().filter(|v| **v == Verdict::Changed).count();
        assert_eq!(joined, usize::from(parallelism == 1), "at {parallelism}");
        assert!(report.is_good(), "{report:#?}");
        assert_eq!(faults.violations(), [""; 0]);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_chunk_that_restoring_loses_is_named() {
    let directory = tempfile::tempdir().unwrap();
    stopped(directory.path(), 1).await;
    for parallelism in [1, 2] {
        let faults = Faults::none();
        let job = with_lens(&job(&faults, parallelism).0, &Lens::Forgetful);
        let report = drilled(&job, directory.path());
        assert!(!report.is_good());
        let (count, _) = verdicts(&report, "count");
        let Verdict::Differs { difference } = &count[0] else {
            panic!("{count:?}");
        };
        assert_eq!(difference.change, ChunkChange::Missing);
        assert_eq!(difference.name, "counts");
        assert!(difference.key_group.is_some(), "{difference}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_checkpoint_that_does_not_fit_the_job_is_no_verdict() {
    let directory = tempfile::tempdir().unwrap();
    stopped(directory.path(), 1).await;
    let faults = Faults::none();
    let output = Output::new(&faults);
    let (numbers, _) = Numbers::held("a", &faults);
    let other = JobBuilder::new(&faults)
        .source(&numbers, 1)
        .operator("another", Kind::Count, 1, &[("a", Hash)])
        .sink("out", &output, 1, &[("another", Forward)])
        .build();
    let read = CheckpointDirectory::open(directory.path()).unwrap();
    let newest = read.newest().unwrap();
    let refused = drill(&other, &read, newest, &AllowedChanges::default()).unwrap_err();
    assert_eq!(refused.kind(), JobErrorKind::StateUnusable);
    let dropped = AllowedChanges {
        dropped_state: vec!["count".to_owned(), "join".to_owned()],
        ..AllowedChanges::default()
    };
    let report = drill(&other, &read, newest, &dropped).unwrap();
    assert_eq!(verdicts(&report, "another"), (vec![Verdict::Same], 0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn drills_beside_the_job_prove_its_checkpoints() {
    let (directory, faults) = (tempfile::tempdir().unwrap(), Faults::none());
    let (job, allow, _) = job(&faults, 2);
    let job = job.settings(|settings| {
        settings.checkpoint.drill_every = Some(2);
        settings.checkpoint.retain = 10_000;
    });
    let running = start(&job, directory.path());
    allow.give(100);
    running
        .wait_until(|status| status.checkpoints.drills.proven >= 3)
        .await;
    running.stop().await.unwrap();
    let status = running.handle.watch();
    running.end().await.unwrap();
    let drills = status.borrow().checkpoints.drills.clone();
    assert_eq!((drills.failed, drills.in_progress), (0, None), "{drills:?}");
    let read = CheckpointDirectory::open(directory.path()).unwrap();
    let proven = |id: &CheckpointId| read.proven_at_ms(*id).unwrap().is_some();
    let marked: Vec<u64> = read
        .ids()
        .unwrap()
        .into_iter()
        .filter(proven)
        .map(|id| id.0)
        .collect();
    assert_eq!(marked.len() as u64, drills.proven);
    assert_eq!(marked.last().copied(), drills.last_proven);
    assert_eq!(faults.violations(), [""; 0]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_failed_drill_is_told_and_the_job_goes_on() {
    let (directory, faults) = (tempfile::tempdir().unwrap(), Faults::none());
    let output = Output::new(&faults);
    let (numbers, allow) = Numbers::held("a", &faults);
    let job = JobBuilder::new(&faults)
        .settings(|settings| settings.checkpoint.drill_every = Some(1))
        .source(&numbers, 1)
        .operator("count", Kind::Count, 1, &[("a", Hash)])
        .sink("out", &output, 1, &[("count", Forward)]);
    let running = start_lens(&job, &Lens::Forgetful, directory.path());
    allow.give(100);
    running
        .wait_until(|status| status.checkpoints.drills.failed >= 2)
        .await;
    let said = running.handle.status().checkpoints.drills.last_failure;
    let said = said.expect("a failure has a reason");
    assert!(
        said.contains("count[0]: chunk ") && said.contains("missing"),
        "{said}"
    );
    running.finish_at(&allow, 200).await;
    assert_counted(&output, &faults, [("a", 200, 1)]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_checkpoint_is_held_while_it_is_drilled_and_other_drills_are_skipped() {
    let (directory, faults) = (tempfile::tempdir().unwrap(), Faults::none());
    let (job, allow, _) = job(&faults, 1);
    let job = job.settings(|settings| {
        settings.checkpoint.drill_every = Some(1);
        settings.checkpoint.retain = 1;
    });
    let gate = Arc::new(Gate::default());
    let running = start_lens(&job, &Lens::Gated(Arc::clone(&gate)), directory.path());
    allow.give(100);
    running
        .wait_until(|status| status.checkpoints.drills.skipped >= 5)
        .await;
    let drilled = running.handle.status().checkpoints.drills.in_progress;
    let drilled = CheckpointId(drilled.expect("the drill waits at the gate"));
    let read = CheckpointDirectory::open(directory.path()).unwrap();
    read.load(drilled).unwrap();
    assert!(read.ids().unwrap().len() <= 3, "only one more is kept");
    gate.open();
    running
        .wait_until(|status| status.checkpoints.drills.proven >= 2)
        .await;
    assert!(!read.ids().unwrap().contains(&drilled), "it is let go");
    running.cancel().await;
    running.end().await.unwrap();
    assert_eq!(faults.violations(), [""; 0]);
}

/// A change of the instances of `count`.
#[derive(Clone)]
enum Lens {
    /// They lose the last chunk that they are restored with.
    Forgetful,
    /// They restore when the gate is open.
    Gated(Arc<Gate>),
}

#[derive(Default)]
struct Gate {
    is_open: Mutex<bool>,
    opened: Condvar,
}

impl Gate {
    fn open(&self) {
        *self.is_open.lock().unwrap() = true;
        self.opened.notify_all();
    }

    fn pass(&self) {
        let is_open = self.is_open.lock().unwrap();
        drop(self.opened.wait_while(is_open, |is_open| !*is_open));
    }
}

fn with_lens(job: &JobBuilder, lens: &Lens) -> Job {
    let mut built = job.build();
    let native = Native {
        kind: Kind::Count,
        faults: job.faults.clone(),
        takes: job.batch_takes,
        poison: job.poison.clone(),
        leak: job.leak.clone(),
    };
    let count = built.operators.get_mut("count").unwrap();
    count.factory = Arc::new(Seen {
        native,
        lens: lens.clone(),
    });
    built
}

fn start_lens(job: &JobBuilder, lens: &Lens, directory: &Path) -> Running {
    start_built(with_lens(job, lens), directory, RunOptions::default())
}

struct Seen {
    native: Native,
    lens: Lens,
}

impl OperatorFactory for Seen {
    fn open(&self, context: &OperatorContext) -> Result<Box<dyn OperatorInstance>, GuestFault> {
        Ok(Box::new(SeenInstance {
            instance: self.native.open(context)?,
            lens: self.lens.clone(),
        }))
    }
}

struct SeenInstance {
    instance: Box<dyn OperatorInstance>,
    lens: Lens,
}

impl OperatorInstance for SeenInstance {
    fn process(&mut self, input: u32, batch: Batch) -> Result<Vec<Emission>, GuestFault> {
        self.instance.process(input, batch)
    }

    fn advance_watermark(&mut self, watermark: i64) -> Result<Vec<Emission>, GuestFault> {
        self.instance.advance_watermark(watermark)
    }

    fn snapshot(&mut self, checkpoint: u64) -> Result<Vec<StateChunk>, GuestFault> {
        self.instance.snapshot(checkpoint)
    }

    fn restore(&mut self, mut chunks: Vec<StateChunk>) -> Result<(), GuestFault> {
        match &self.lens {
            Lens::Forgetful => drop(chunks.pop()),
            Lens::Gated(gate) => gate.pass(),
        }
        self.instance.restore(chunks)
    }

    fn checkpoint_complete(&mut self, checkpoint: u64) -> Result<(), GuestFault> {
        self.instance.checkpoint_complete(checkpoint)
    }

    fn finish(&mut self) -> Result<Vec<Emission>, GuestFault> {
        self.instance.finish()
    }
}
