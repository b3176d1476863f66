//! Sources whose splits are discovered while the job runs.

use std::path::Path;
use std::time::Duration;

use tidegate_checkpoint::Partitioning::Rebalance;
use tidegate_runtime::{JobError, JobErrorKind, Outcome, RunOptions, prepare};

use crate::support::faults::{Call, Faults};
use crate::support::jobs::{JobBuilder, Running, start};
use crate::support::operators::Kind;
use crate::support::shelf::{LINES, Mistake, Shelf};
use crate::support::sinks::Output;

fn job(shelf: &Shelf, output: &Output, faults: &Faults, parallelism: u32) -> JobBuilder {
    JobBuilder::new(faults)
        .source_of("shelf", shelf.clone(), parallelism)
        .operator("pass", Kind::Pass, 1, &[("shelf", Rebalance)])
        .sink("out", output, 1, &[("pass", Rebalance)])
}

/// Puts books on the shelf, one after the other, and waits until all are published.
async fn read_more(running: &Running, shelf: &Shelf, output: &Output, books: usize) {
    for _ in 0..books {
        shelf.add();
        tokio::time::sleep(Duration::from_micros(700)).await;
    }
    let all = shelf.lines().len();
    running
        .wait_until(|_| output.published().len() >= all)
        .await;
}

/// Stops a job, as soon as its failures allow it.
async fn stop(running: Running) {
    while running.stop().await.is_err() {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    let outcome = running.end().await.unwrap();
    assert!(matches!(outcome, Outcome::Stopped { .. }), "{outcome:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn splits_that_appear_are_read_once_at_any_parallelism_and_over_restarts() {
    let (directory, faults) = (tempfile::tempdir().unwrap(), Faults::none());
    let (shelf, output) = (Shelf::new(&faults), Output::new(&faults));
    for parallelism in [1, 3, 2, 2] {
        // The book is on the shelf before the job starts again.
        shelf.add();
        let running = start(
            &job(&shelf, &output, &faults, parallelism),
            directory.path(),
        );
        read_more(&running, &shelf, &output, 10).await;
        stop(running).await;
        assert_eq!(output.published(), shelf.lines());
    }
    assert_eq!(faults.violations(), [""; 0]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn failures_between_a_discovery_and_its_checkpoint_lose_and_repeat_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let mut planned = Vec::new();
    for nth in [2, 5, 11, 17, 29, 41, 60, 83] {
        planned.extend([
            (Call::Read, nth),
            (Call::Discover, 3 * nth),
            (Call::PreCommit, 2 * nth),
        ]);
    }
    planned.extend([(Call::Commit, 3), (Call::Commit, 9), (Call::Recover, 2)]);
    let faults = Faults::at(&planned);
    let (shelf, output) = (Shelf::new(&faults), Output::new(&faults));
    let running = start(&job(&shelf, &output, &faults, 2), directory.path());
    read_more(&running, &shelf, &output, 60).await;
    stop(running).await;
    assert_eq!(output.published(), shelf.lines());
    assert_eq!(output.published().len() as u64, 60 * LINES);
    let fired = faults.fired();
    for call in [Call::Read, Call::Discover, Call::PreCommit, Call::Commit] {
        assert!(
            fired.iter().any(|(fired, _)| *fired == call),
            "no {call:?} in {fired:?}"
        );
    }
    assert_eq!(faults.violations(), [""; 0]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_search_that_does_not_return_keeps_no_job_from_being_stopped() {
    let (directory, faults) = (tempfile::tempdir().unwrap(), Faults::none());
    let (shelf, output) = (Shelf::mistaken(Mistake::Waits), Output::new(&faults));
    let job = job(&shelf, &output, &faults, 2)
        .settings(|settings| settings.shut_down_margin = Duration::from_millis(100));
    let running = start(&job, directory.path());
    stop(running).await;
    shelf.add();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn there_is_no_other_attempt_beside_a_search_that_does_not_return() {
    let directory = tempfile::tempdir().unwrap();
    let faults = Faults::at(&[(Call::PreCommit, 2)]);
    let (shelf, output) = (Shelf::mistaken(Mistake::Waits), Output::new(&faults));
    let job = job(&shelf, &output, &faults, 1)
        .settings(|settings| settings.shut_down_margin = Duration::from_millis(100));
    let error = start(&job, directory.path()).end().await.unwrap_err();
    shelf.add();
    assert_eq!(faults.fired(), [(Call::PreCommit, 2)]);
    let message = error.to_string();
    let expected = "the discovery of splits of shelf did not return within";
    assert!(message.starts_with(expected), "{message}");
    assert!(!error.may_restart(), "{message}");
}

/// Returns the failure that ends a job on a shelf with one book.
async fn ended_by(mistake: Mistake, directory: &Path) -> JobError {
    let faults = Faults::none();
    let shelf = Shelf::mistaken(mistake);
    shelf.add();
    let running = start(&job(&shelf, &Output::new(&faults), &faults, 2), directory);
    running.end().await.unwrap_err()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn mistakes_of_a_connector_end_the_job_by_name() {
    for (mistake, kind, message) in [
        (
            Mistake::NoSuchSubtask,
            JobErrorKind::StateUnusable,
            "shelf[0]: the connector has assigned the split `book 0` to subtask 2, which the \
             source does not have: this is a bug in the connector",
        ),
        (
            Mistake::NoNewBooks,
            JobErrorKind::StateUnusable,
            "shelf[0]: the connector has discovered 1 split(s), but its source accepts no splits \
             while it runs: this is a bug in the connector, which must implement `add_splits`",
        ),
        (
            Mistake::NoShelf,
            JobErrorKind::JobRefused,
            "shelf[0]: the shelf is gone",
        ),
    ] {
        let directory = tempfile::tempdir().unwrap();
        let error = ended_by(mistake, directory.path()).await;
        assert_eq!(
            (error.kind(), error.to_string()),
            (kind, message.to_owned())
        );
    }
}

#[test]
fn a_plan_for_another_number_of_subtasks_is_refused_before_anything_is_written() {
    let directory = tempfile::tempdir().unwrap();
    let faults = Faults::none();
    let shelf = Shelf::mistaken(Mistake::OneListTooMany);
    let job = job(&shelf, &Output::new(&faults), &faults, 2).build();
    let state = directory.path().join("state");
    let error = prepare(&job, &state, &RunOptions::default()).err();
    assert_eq!(
        error.map(|error| error.to_string()).as_deref(),
        Some(
            "shelf[0]: the connector has assigned splits to 3 subtask(s), but the source has 2: \
             this is a bug in the connector"
        )
    );
    assert!(!state.exists());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_discovery_that_does_not_return_keeps_no_job_from_being_cancelled() {
    let directory = tempfile::tempdir().unwrap();
    let faults = Faults::none();
    let (shelf, output) = (Shelf::new(&faults), Output::new(&faults));
    let margin = Duration::from_millis(50);
    let job = job(&shelf, &output, &faults, 1).settings(|s| s.shut_down_margin = margin);
    let running = start(&job, directory.path());
    running
        .wait_until(|status| status.checkpoints.completed > 0)
        .await;
    let hold = faults.hold(Call::Discover);
    while !faults.has_reached(Call::Discover) {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    running.cancel().await;
    let outcome = running.end().await.unwrap();
    drop(hold);
    assert_eq!(outcome, Outcome::Cancelled);
}
