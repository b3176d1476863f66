//! Failures around checkpoints, and requests to a running job.

use std::collections::BTreeSet;
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tidegate_checkpoint::Partitioning::{Forward, Hash, Rebalance};
use tidegate_checkpoint::{DirStore, DiskStep};
use tidegate_runtime::config::{FixedDelay, RestartSettings};
use tidegate_runtime::observe::JobState;
use tidegate_runtime::{
    CommandError, JobCommand, JobError, JobHandle, Outcome, RunOptions, prepare, run,
};
use tokio::sync::oneshot;

use crate::support::faults::{Call, Faults, How};
use crate::support::jobs::{JobBuilder, Running, start};
use crate::support::operators::Kind;
use crate::support::oracle::assert_counted;
use crate::support::sinks::Output;
use crate::support::sources::Numbers;

/// Longer than any test: checkpoints are taken only on request.
const NEVER: Duration = Duration::from_secs(3600);

/// `a` → `count` → `out`, two of each.
fn counting_job(numbers: &Numbers, output: &Output, faults: &Faults) -> JobBuilder {
    JobBuilder::new(faults)
        .source(numbers, 2)
        .operator("count", Kind::Count, 2, &[("a", Hash)])
        .sink("out", output, 2, &[("count", Forward)])
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_checkpoint_that_is_too_slow_is_abandoned_and_its_output_comes_with_the_next() {
    let (directory, faults) = (tempfile::tempdir().unwrap(), Faults::none());
    let slow_once = Duration::from_millis(400);
    let output = Output::with_one_slow_pre_commit(&faults, slow_once);
    let (numbers, allow) = Numbers::held("a", &faults);
    let job = counting_job(&numbers, &output, &faults).settings(|settings| {
        settings.checkpoint.interval = NEVER;
        settings.checkpoint.timeout = Duration::from_millis(100);
        settings.checkpoint.tolerable_failures = 1000;
    });
    let running = start(&job, directory.path());
    allow.give(100);
    running
        .wait_until(|status| status.source_records == 100)
        .await;
    let refused = running.checkpoint().await.unwrap_err();
    let CommandError::CheckpointFailed { checkpoint, reason } = refused else {
        panic!("{refused}");
    };
    assert_eq!(checkpoint.0, 1);
    assert!(
        reason.starts_with("not complete within 100ms: no acknowledgement from "),
        "{reason}"
    );
    assert_eq!(output.published(), [""; 0]);

    // The next one may meet the slow one's persister; the one after that does not.
    while running.checkpoint().await.is_err() {}
    running
        .wait_until(|status| status.checkpoints.completed > 0)
        .await;
    assert_counted(&output, &faults, [("a", 100, 1)]);
    running.finish_at(&allow, 150).await;
    assert_counted(&output, &faults, [("a", 150, 1)]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn too_many_failed_checkpoints_restart_the_job() {
    let (directory, faults) = (tempfile::tempdir().unwrap(), Faults::none());
    (1..=4).for_each(|nth| faults.add(Call::DeclineSnapshot, nth, How::Fails));
    let output = Output::new(&faults);
    let (numbers, allow) = Numbers::held("a", &faults);
    let job = counting_job(&numbers, &output, &faults)
        .settings(|settings| settings.checkpoint.tolerable_failures = 1);
    let running = start(&job, directory.path());
    allow.give(100);
    running.wait_until(|status| status.restarts > 0).await;
    running
        .wait_until(|status| status.state == JobState::Running)
        .await;
    let status = running.handle.status();
    let failure = status.last_failure.unwrap();
    assert!(
        failure.starts_with("2 checkpoints in a row failed, the last one (2): "),
        "{failure}"
    );
    assert!(
        failure.ends_with("`snapshot` failed: a planned refusal"),
        "{failure}"
    );
    running.finish_at(&allow, 150).await;
    assert_counted(&output, &faults, [("a", 150, 1)]);
    assert_eq!(faults.fired().len(), 4);
}

/// The disk is full for state files, and then for the manifest only.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_disk_costs_a_checkpoint_and_nothing_else() {
    for full in ["/state/", "/checkpoints/"] {
        let (directory, faults) = (tempfile::tempdir().unwrap(), Faults::none());
        let output = Output::new(&faults);
        let (numbers, allow) = Numbers::held("a", &faults);
        let job = counting_job(&numbers, &output, &faults)
            .settings(|settings| settings.checkpoint.interval = NEVER);
        let is_full = Arc::new(AtomicBool::new(false));
        let disk = Arc::clone(&is_full);
        let hook = move |step, path: &Path| {
            let is_there = path.to_string_lossy().contains(full);
            if step == DiskStep::WriteFile && is_there && disk.load(Ordering::SeqCst) {
                return Err(io::Error::other("no space left"));
            }
            Ok(())
        };
        let store = DirStore::open_with_hook(directory.path(), Arc::new(hook));
        let (handle, control) = JobHandle::new("job");
        let store = Arc::new(store.unwrap());
        let task = tokio::spawn(run(job.build(), store, RunOptions::default(), control));
        let running = Running { handle, task };

        allow.give(100);
        running
            .wait_until(|status| status.source_records == 100)
            .await;
        is_full.store(true, Ordering::SeqCst);
        let refused = running.checkpoint().await.unwrap_err();
        assert!(refused.to_string().ends_with("no space left"), "{refused}");
        assert_eq!(output.published(), [""; 0]);
        is_full.store(false, Ordering::SeqCst);
        running.checkpoint().await.unwrap();
        assert_counted(&output, &faults, [("a", 100, 1)]);
        assert_eq!(running.handle.status().restarts, 0);
        running.finish_at(&allow, 150).await;
        assert_counted(&output, &faults, [("a", 150, 1)]);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_job_is_cancelled_while_a_chain_waits_for_room() {
    let (directory, faults) = (tempfile::tempdir().unwrap(), Faults::none());
    let output = Output::new(&faults);
    let job = |takes| {
        let mut job = JobBuilder::new(&faults).settings(|settings| settings.channel_capacity = 1);
        job.batch_takes = takes;
        job.source(&Numbers::new("a", 200, &faults), 2)
            .operator("count", Kind::Count, 2, &[("a", Hash)])
            .sink("out", &output, 1, &[("count", Rebalance)])
    };
    let running = start(&job(Duration::from_millis(50)), directory.path());
    // Both sources wait: they could have emitted all records meanwhile.
    running
        .wait_until(|status| status.source_records >= 40)
        .await;
    running.cancel().await;
    assert_eq!(running.end().await.unwrap(), Outcome::Cancelled);

    let outcome = start(&job(Duration::ZERO), directory.path()).end().await;
    assert_eq!(outcome.unwrap(), Outcome::Finished);
    assert_counted(&output, &faults, [("a", 200, 1)]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_panic_anywhere_is_reported_and_restarts_the_job() {
    let calls = [Call::Process, Call::Snapshot, Call::Write, Call::PreCommit];
    let beside = [Call::PreCommitDurable, Call::Commit];
    for call in calls.into_iter().chain(beside) {
        for is_restarted in [false, true] {
            let (directory, faults) = (tempfile::tempdir().unwrap(), Faults::none());
            faults.add(call, 1, How::Panics);
            let output = Output::new(&faults);
            let numbers = Numbers::slow("a", 200, &faults);
            let job = counting_job(&numbers, &output, &faults).settings(|settings| {
                if !is_restarted {
                    settings.restart = RestartSettings::None;
                }
            });
            let end = start(&job, directory.path()).end().await;
            assert_eq!(faults.fired(), [(call, 1)]);
            if is_restarted {
                assert_eq!(end.unwrap(), Outcome::Finished, "{call:?}");
                assert_counted(&output, &faults, [("a", 200, 1)]);
                continue;
            }
            let Err(JobError::Panicked { message, .. }) = end else {
                panic!("{call:?}: {end:?}");
            };
            let expected = format!("a planned panic in {call:?}");
            assert!(message.contains(&expected), "{call:?}: {message}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_failure_without_restarts_ends_the_job_with_its_cause() {
    let (directory, faults) = (
        tempfile::tempdir().unwrap(),
        Faults::at(&[(Call::Process, 5)]),
    );
    let output = Output::new(&faults);
    let job = counting_job(&Numbers::slow("a", 200, &faults), &output, &faults)
        .settings(|settings| settings.restart = RestartSettings::None);
    let running = start(&job, directory.path());
    let status = running.handle.watch();
    let end = running.end().await;
    assert!(matches!(end, Err(JobError::Record(_))), "{end:?}");
    let last = status.borrow().clone();
    assert_eq!(
        (last.state, last.checkpoints.in_progress),
        (JobState::Failed, None)
    );
    // The next run of the same command continues.
    let outcome = start(&job, directory.path()).end().await;
    assert_eq!(outcome.unwrap(), Outcome::Finished);
    assert_counted(&output, &faults, [("a", 200, 1)]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn restarts_are_counted_and_end() {
    let (directory, faults) = (tempfile::tempdir().unwrap(), Faults::none());
    (1..=4).for_each(|nth| faults.add(Call::OpenSource, nth, How::Fails));
    let output = Output::new(&faults);
    let numbers = Numbers::new("a", 200, &faults);
    let job = JobBuilder::new(&faults)
        .settings(|settings| {
            let delay = Duration::from_millis(1);
            settings.restart = RestartSettings::FixedDelay(FixedDelay { delay, attempts: 2 });
        })
        .source(&numbers, 1)
        .sink("out", &output, 1, &[("a", Forward)]);
    let end = start(&job, directory.path()).end().await;
    let Err(JobError::RestartsExhausted { restarts, last }) = end else {
        panic!("{end:?}");
    };
    let expected = "a[0]: open: a planned failure".to_owned();
    assert_eq!((restarts, last.to_string()), (2, expected));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn commands_that_came_too_early_are_answered_when_the_start_fails() {
    let (directory, faults) = (
        tempfile::tempdir().unwrap(),
        Faults::at(&[(Call::OpenSource, 1)]),
    );
    let open = faults.hold(Call::OpenSource);
    let output = Output::new(&faults);
    let (numbers, _allow) = Numbers::held("a", &faults);
    let job = JobBuilder::new(&faults)
        .settings(|settings| settings.restart = RestartSettings::None)
        .source(&numbers, 1)
        .sink("out", &output, 1, &[("a", Forward)]);
    let running = start(&job, directory.path());
    let (reply, answer) = oneshot::channel();
    running
        .handle
        .send(JobCommand::Checkpoint { reply })
        .await
        .unwrap();
    running.take_commands().await;
    drop(open);
    let refused = answer
        .await
        .expect("every command is answered")
        .unwrap_err();
    assert!(
        matches!(refused, CommandError::NotRunning { .. }),
        "{refused}"
    );
    assert!(running.end().await.is_err());
}

/// The savepoint comes when the last checkpoint is already being published.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_savepoint_that_comes_too_late_is_not_said_to_be_written() {
    let (directory, faults) = (tempfile::tempdir().unwrap(), Faults::none());
    let savepoints = tempfile::tempdir().unwrap();
    let output = Output::new(&faults);
    let (numbers, allow) = Numbers::held("a", &faults);
    let job = counting_job(&numbers, &output, &faults)
        .settings(|settings| settings.checkpoint.interval = NEVER);
    let running = start(&job, directory.path());
    allow.give(10);
    running
        .wait_until(|status| status.source_records == 10)
        .await;
    let publication = faults.hold(Call::Commit);
    let late = async {
        running
            .wait_until(|_| faults.has_reached(Call::Commit))
            .await;
        let (reply, answer) = oneshot::channel();
        let (drain, savepoint) = (false, Some(savepoints.path().to_owned()));
        let stop = JobCommand::Stop {
            drain,
            savepoint,
            reply,
        };
        running.handle.send(stop).await.unwrap();
        running.take_commands().await;
        drop(publication);
        answer.await.expect("every command is answered")
    };
    let (stopped, late) = tokio::join!(running.stop(), late);
    assert_eq!(stopped, Ok(None));
    assert!(
        matches!(late, Err(CommandError::NotRunning { .. })),
        "{late:?}"
    );
    assert!(matches!(
        running.end().await.unwrap(),
        Outcome::Stopped { .. }
    ));
    assert_counted(&output, &faults, [("a", 10, 1)]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_second_run_on_the_same_directory_is_refused() {
    let (directory, faults) = (tempfile::tempdir().unwrap(), Faults::none());
    let output = Output::new(&faults);
    let (numbers, allow) = Numbers::held("a", &faults);
    let job = counting_job(&numbers, &output, &faults);
    let running = start(&job, directory.path());
    running
        .wait_until(|status| status.state == JobState::Running)
        .await;
    let refused = prepare(&job.build(), directory.path(), &RunOptions::default());
    let kind = refused.unwrap_err().kind();
    assert_eq!(kind, tidegate_runtime::JobErrorKind::InUse);
    running.finish_at(&allow, 10).await;
    assert_counted(&output, &faults, [("a", 10, 1)]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn requests_that_come_together_share_a_checkpoint_or_get_the_next() {
    let (directory, faults) = (tempfile::tempdir().unwrap(), Faults::none());
    let output = Output::new(&faults);
    let (numbers, allow) = Numbers::held("a", &faults);
    let job = counting_job(&numbers, &output, &faults);
    let running = start(&job, directory.path());
    allow.give(30);
    running
        .wait_until(|status| status.source_records == 30)
        .await;
    let savepoints = tempfile::tempdir().unwrap();
    let (first, second, third, path) = tokio::join!(
        running.checkpoint(),
        running.checkpoint(),
        running.savepoint(savepoints.path()),
        running.stop_with_savepoint(savepoints.path()),
    );
    let ids = BTreeSet::from([first.unwrap(), second.unwrap()]);
    assert!(ids.len() <= 2);
    assert!(third.unwrap().starts_with(savepoints.path()));
    assert!(path.unwrap().unwrap().starts_with(savepoints.path()));
    assert!(matches!(
        running.end().await.unwrap(),
        Outcome::Stopped { .. }
    ));
    assert_counted(&output, &faults, [("a", 30, 1)]);
}
