//! Between a failed attempt and the next: the requests that are possible then, and their answers.

use std::time::Duration;

use tidegate_checkpoint::Partitioning::{Forward, Hash};
use tidegate_runtime::config::{FixedDelay, RestartSettings};
use tidegate_runtime::observe::JobState;
use tidegate_runtime::{JobCommand, JobErrorKind, Outcome};
use tokio::sync::oneshot;

use crate::support::faults::{Call, Faults, How};
use crate::support::jobs::{JobBuilder, Running, start, start_from};
use crate::support::operators::Kind;
use crate::support::oracle::assert_counted;
use crate::support::sinks::Output;
use crate::support::sources::Numbers;

/// Longer than any test: the next attempt never starts.
const NEVER: Duration = Duration::from_secs(3600);

fn counting(numbers: &Numbers, output: &Output, faults: &Faults, delay: Duration) -> JobBuilder {
    JobBuilder::new(faults)
        .source(numbers, 1)
        .operator("count", Kind::Count, 1, &[("a", Hash)])
        .sink("out", output, 1, &[("count", Forward)])
        .settings(|settings| {
            settings.checkpoint.interval = NEVER;
            settings.restart = RestartSettings::FixedDelay(FixedDelay { delay, attempts: 2 });
        })
}

/// Returns a job that has failed at its first publication and waits to be restarted.
async fn waiting_after_a_failed_publication(
    directory: &std::path::Path,
    output: &Output,
    faults: &Faults,
) -> Running {
    let (numbers, allow) = Numbers::held("a", faults);
    let running = start(&counting(&numbers, output, faults, NEVER), directory);
    allow.give(40);
    running
        .wait_until(|status| status.source_records == 40)
        .await;
    // Nobody waits for the answer, so that the command does not wait for the next attempt.
    let (reply, _) = oneshot::channel();
    let checkpoint = JobCommand::Checkpoint { reply };
    running.handle.send(checkpoint).await.unwrap();
    running
        .wait_until(|status| status.state == JobState::Restarting)
        .await;
    assert_eq!(faults.fired(), [(Call::Commit, 1)]);
    assert_eq!(output.published(), [""; 0]);
    running
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stop_while_waiting_to_restart_publishes_what_the_last_checkpoint_covers() {
    let (directory, faults) = (
        tempfile::tempdir().unwrap(),
        Faults::at(&[(Call::Commit, 1)]),
    );
    let output = Output::new(&faults);
    let running = waiting_after_a_failed_publication(directory.path(), &output, &faults).await;
    assert_eq!(running.stop().await, Ok(None));
    assert!(matches!(
        running.end().await.unwrap(),
        Outcome::Stopped { .. }
    ));
    assert_counted(&output, &faults, [("a", 40, 1)]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stop_that_can_not_publish_waits_for_the_next_attempt_or_stop() {
    let faults = Faults::at(&[(Call::Commit, 1), (Call::Recover, 2)]);
    let directory = tempfile::tempdir().unwrap();
    let output = Output::new(&faults);
    let running = waiting_after_a_failed_publication(directory.path(), &output, &faults).await;
    let (first, second) = tokio::join!(running.stop(), running.stop());
    assert_eq!((first, second), (Ok(None), Ok(None)));
    let fired = [(Call::Commit, 1), (Call::Recover, 2)];
    assert_eq!(faults.fired(), fired);
    assert!(matches!(
        running.end().await.unwrap(),
        Outcome::Stopped { .. }
    ));
    assert_counted(&output, &faults, [("a", 40, 1)]);
}

/// The attempt fails in the checkpoint of the request, so that the next attempt carries it out.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn requests_wait_out_a_restart() {
    for call in [Call::Snapshot, Call::PreCommit] {
        let (directory, faults) = (tempfile::tempdir().unwrap(), Faults::none());
        let savepoints = tempfile::tempdir().unwrap();
        let output = Output::new(&faults);
        let (numbers, allow) = Numbers::held("a", &faults);
        let soon = Duration::from_millis(1);
        let job = counting(&numbers, &output, &faults, soon);
        let running = start(&job, directory.path());
        allow.give(40);
        running
            .wait_until(|status| status.source_records == 40)
            .await;
        faults.add(call, 1, How::Panics);
        let savepoint = running.savepoint(savepoints.path()).await.unwrap();
        assert_eq!(faults.fired(), [(call, 1)]);
        let next = faults.calls(call) + 1;
        faults.add(call, next, How::Panics);
        assert_eq!(running.drain().await, Ok(None));
        assert_eq!(faults.fired(), [(call, 1), (call, next)]);
        assert_eq!(running.end().await.unwrap(), Outcome::Finished);
        assert_counted(&output, &faults, [("a", 40, 1)]);

        let afresh = tempfile::tempdir().unwrap();
        let output = Output::new(&faults);
        let job = counting(&numbers, &output, &faults, soon);
        let running = start_from(&job, afresh.path(), &savepoint);
        assert_eq!(running.drain().await, Ok(None));
        assert_eq!(running.end().await.unwrap(), Outcome::Finished);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_job_whose_last_publication_is_repeated_has_finished_now_and_not_before() {
    let (directory, faults) = (
        tempfile::tempdir().unwrap(),
        Faults::at(&[(Call::Commit, 1)]),
    );
    let output = Output::new(&faults);
    let numbers = Numbers::new("a", 40, &faults);
    let soon = Duration::from_millis(1);
    let running = start(
        &counting(&numbers, &output, &faults, soon),
        directory.path(),
    );
    assert_eq!(running.end().await.unwrap(), Outcome::Finished);
    assert_eq!(faults.fired(), [(Call::Commit, 1)]);
    assert_counted(&output, &faults, [("a", 40, 1)]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_panic_while_restoring_costs_the_attempt_and_not_the_process() {
    let (directory, faults) = (tempfile::tempdir().unwrap(), Faults::none());
    for nth in 1..=3 {
        faults.add(Call::Recover, nth, How::Panics);
    }
    let output = Output::new(&faults);
    let numbers = Numbers::new("a", 40, &faults);
    let soon = Duration::from_millis(1);
    let running = start(
        &counting(&numbers, &output, &faults, soon),
        directory.path(),
    );
    let failure = running.end().await.unwrap_err();
    assert_eq!(failure.kind(), JobErrorKind::Failed);
    let message = failure.to_string();
    assert!(message.contains("gave up after 2 restart(s)"), "{message}");
    assert!(message.contains("panicked"), "{message}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_restart_does_not_need_the_checkpoint_that_the_run_was_started_from() {
    let (directory, faults) = (tempfile::tempdir().unwrap(), Faults::none());
    let output = Output::new(&faults);
    let (numbers, allow) = Numbers::held("a", &faults);
    let job = counting(&numbers, &output, &faults, Duration::from_millis(1));
    start(&job, directory.path())
        .stop_after(&allow, 50, 50)
        .await;
    let origin = directory.path().join("checkpoints/1");
    assert!(origin.exists());
    let running = start_from(&job, directory.path(), &origin);
    for _ in 0..4 {
        running.checkpoint().await.unwrap();
    }
    assert!(!origin.exists(), "retention has removed it");
    let next = faults.calls(Call::Process) + 1;
    faults.add(Call::Process, next, How::Fails);
    running.finish_at(&allow, 100).await;
    assert_eq!(faults.fired(), [(Call::Process, next)]);
    assert_counted(&output, &faults, [("a", 100, 1)]);
}
