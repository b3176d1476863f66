//! Stopping and continuing: the same job, another parallelism, another graph.

use std::path::Path;
use std::time::Duration;

use tidegate_checkpoint::Partitioning::{Forward, Hash, Rebalance};
use tidegate_runtime::{JobErrorKind, Outcome, RunOptions, StartFrom, prepare};

use crate::support::faults::{Call, Faults};
use crate::support::jobs::{JobBuilder, from_path, start, start_from, start_with};
use crate::support::operators::Kind;
use crate::support::oracle::assert_counted;
use crate::support::sinks::Output;
use crate::support::sources::Numbers;

fn job(numbers: &Numbers, output: &Output, faults: &Faults, parallelism: u32) -> JobBuilder {
    JobBuilder::new(faults)
        .source(numbers, parallelism)
        .operator("count", Kind::Count, parallelism, &[("a", Hash)])
        .sink("out", output, parallelism, &[("count", Forward)])
}

fn refusal(job: &JobBuilder, directory: &Path, options: &RunOptions) -> (JobErrorKind, String) {
    let refused = prepare(&job.build(), directory, options).unwrap_err();
    (refused.kind(), refused.to_string())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stopped_job_goes_on_where_it_was_and_a_finished_one_does_nothing() {
    let (directory, faults) = (tempfile::tempdir().unwrap(), Faults::none());
    let output = Output::new(&faults);
    let (numbers, allow) = Numbers::held("a", &faults);
    let job = job(&numbers, &output, &faults, 2);
    for allowed in [0, 70, 70, 200] {
        allow.give(allowed);
        let running = start(&job, directory.path());
        let before = u64::try_from(output.published().len()).unwrap();
        running
            .wait_until(|status| before + status.source_records == allowed)
            .await;
        running.stop().await.unwrap();
        assert!(matches!(
            running.end().await.unwrap(),
            Outcome::Stopped { .. }
        ));
        assert_counted(&output, &faults, [("a", allowed, 1)]);
    }
    start(&job, directory.path()).finish_at(&allow, 200).await;
    assert_counted(&output, &faults, [("a", 200, 1)]);
    for _ in 0..2 {
        let outcome = start(&job, directory.path()).end().await;
        assert_eq!(outcome.unwrap(), Outcome::AlreadyFinished);
    }
    assert_counted(&output, &faults, [("a", 200, 1)]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sources_give_nothing_after_the_barrier_of_the_last_checkpoint() {
    let (directory, faults) = (tempfile::tempdir().unwrap(), Faults::none());
    let slow = Duration::from_millis(30);
    let output = Output::with_one_slow_pre_commit(&faults, slow);
    let numbers = Numbers::slow("a", u64::MAX, &faults);
    let never = Duration::from_secs(3600);
    let job = job(&numbers, &output, &faults, 2)
        .settings(|settings| settings.checkpoint.interval = never);
    let running = start(&job, directory.path());
    let status = running.handle.watch();
    running
        .wait_until(|status| status.source_records > 50)
        .await;
    running.stop().await.unwrap();
    assert!(matches!(
        running.end().await.unwrap(),
        Outcome::Stopped { .. }
    ));
    let given = status.borrow().source_records;
    assert_eq!(output.published().len() as u64, given);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_drain_ends_event_time_and_operators_finish() {
    let (directory, faults) = (tempfile::tempdir().unwrap(), Faults::none());
    let output = Output::new(&faults);
    let (numbers, allow) = Numbers::held("a", &faults);
    let job = JobBuilder::new(&faults)
        .source(&numbers, 2)
        .operator("windows", Kind::Windows, 2, &[("a", Hash)])
        .operator("totals", Kind::Totals, 2, &[("a", Hash)])
        .sink(
            "out",
            &output,
            1,
            &[("windows", Rebalance), ("totals", Rebalance)],
        );
    let running = start(&job, directory.path());
    allow.give(50);
    running
        .wait_until(|status| status.source_records == 50)
        .await;
    running.drain().await.unwrap();
    assert_eq!(running.end().await.unwrap(), Outcome::Finished);
    // Once from the window that the last watermark closes, once from `finish`.
    let both = |key| [format!("k{key}=w0=10"), format!("k{key}=w0=10")];
    let expected: Vec<String> = (0..5).flat_map(both).collect();
    assert_eq!(output.published(), expected);
    assert_eq!(faults.violations(), [""; 0]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn state_moves_to_another_parallelism_with_its_keys() {
    let (directory, faults) = (tempfile::tempdir().unwrap(), Faults::none());
    let savepoints = tempfile::tempdir().unwrap();
    let output = Output::new(&faults);
    let (mut numbers, allow) = Numbers::held("a", &faults);
    numbers.keys = 97;
    // On the same directory, without a savepoint.
    for (parallelism, allowed) in [(2, 200), (4, 450), (1, 600), (3, 800)] {
        allow.give(allowed);
        let running = start(
            &job(&numbers, &output, &faults, parallelism),
            directory.path(),
        );
        let before = u64::try_from(output.published().len()).unwrap();
        running
            .wait_until(|status| before + status.source_records == allowed)
            .await;
        running.stop().await.unwrap();
        running.end().await.unwrap();
        assert_counted(&output, &faults, [("a", allowed, 1)]);
    }
    // From savepoints, each time into a new directory.
    let mut last = directory;
    for (parallelism, allowed) in [(2, 900), (4, 1000), (1, 1100)] {
        let running = start(&job(&numbers, &output, &faults, 3), last.path());
        let path = running
            .stop_with_savepoint(savepoints.path())
            .await
            .unwrap()
            .unwrap();
        running.end().await.unwrap();
        allow.give(allowed);
        last = tempfile::tempdir().unwrap();
        let job = job(&numbers, &output, &faults, parallelism);
        let running = start_from(&job, last.path(), &path);
        let before = u64::try_from(output.published().len()).unwrap();
        running
            .wait_until(|status| before + status.source_records == allowed)
            .await;
        running.stop().await.unwrap();
        running.end().await.unwrap();
        assert_counted(&output, &faults, [("a", allowed, 1)]);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_start_from_a_savepoint_survives_a_failure_before_its_first_checkpoint() {
    let (directory, faults) = (tempfile::tempdir().unwrap(), Faults::none());
    let savepoints = tempfile::tempdir().unwrap();
    let output = Output::new(&faults);
    let (numbers, allow) = Numbers::held("a", &faults);
    allow.give(100);
    let running = start(&job(&numbers, &output, &faults, 2), directory.path());
    running
        .wait_until(|status| status.source_records == 100)
        .await;
    let path = running
        .stop_with_savepoint(savepoints.path())
        .await
        .unwrap()
        .unwrap();
    running.end().await.unwrap();

    let opened = faults.calls(Call::OpenSource);
    faults.add(
        Call::OpenSource,
        opened + 1,
        crate::support::faults::How::Fails,
    );
    let fresh = tempfile::tempdir().unwrap();
    let more = Output::new(&faults);
    let mut others = numbers.clone();
    others.name = "b".to_owned();
    let with_more = job(&numbers, &output, &faults, 4).source(&others, 1).sink(
        "more",
        &more,
        1,
        &[("b", Forward)],
    );
    let running = start_from(&with_more, fresh.path(), &path);
    running.wait_until(|status| status.restarts == 1).await;
    running.finish_at(&allow, 150).await;
    assert_counted(&output, &faults, [("a", 150, 1)]);
    assert_eq!(more.published().len(), 150);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_changed_graph_is_refused_with_the_difference() {
    let (directory, faults) = (tempfile::tempdir().unwrap(), Faults::none());
    let output = Output::new(&faults);
    let (numbers, allow) = Numbers::held("a", &faults);
    let never = Duration::from_secs(3600);
    let before = job(&numbers, &output, &faults, 2)
        .settings(|settings| settings.checkpoint.interval = never);
    start(&before, directory.path())
        .stop_after(&allow, 20, 20)
        .await;

    let rewired = JobBuilder::new(&faults)
        .source(&numbers, 2)
        .operator("new", Kind::Pass, 2, &[("a", Forward)])
        .operator("count", Kind::Count, 2, &[("new", Hash)])
        .sink("out", &output, 2, &[("count", Forward)]);
    let (kind, message) = refused_at_start(&rewired, directory.path(), RunOptions::default()).await;
    assert_eq!(kind, JobErrorKind::StateUnusable);
    assert_eq!(
        message,
        "checkpoint 1 of job `job` does not fit this job:\n\
         \x20   + operator `new` (test): it is new; stop with a savepoint and start --from it\n\
         \x20   - `count` reads from a:0 (hash)\n\
         \x20   + `count` reads from new:0 (hash): stop with a savepoint and start --from it"
    );

    // The old job still continues.
    start(&before, directory.path()).finish_at(&allow, 40).await;
    assert_counted(&output, &faults, [("a", 40, 1)]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn state_without_a_place_is_dropped_only_by_name() {
    let (directory, faults) = (tempfile::tempdir().unwrap(), Faults::none());
    let savepoints = tempfile::tempdir().unwrap();
    let output = Output::new(&faults);
    let (numbers, allow) = Numbers::held("a", &faults);
    let running = start(&job(&numbers, &output, &faults, 2), directory.path());
    allow.give(20);
    running
        .wait_until(|status| status.source_records == 20)
        .await;
    let path = running
        .stop_with_savepoint(savepoints.path())
        .await
        .unwrap()
        .unwrap();
    running.end().await.unwrap();
    assert_counted(&output, &faults, [("a", 20, 1)]);

    let without = JobBuilder::new(&faults)
        .source(&numbers, 2)
        .operator("pass", Kind::Pass, 2, &[("a", Hash)])
        .sink("out", &output, 2, &[("pass", Forward)]);
    let (fresh, mut options) = (tempfile::tempdir().unwrap(), from_path(&path));
    let (kind, message) = refusal(&without, fresh.path(), &options);
    assert_eq!(kind, JobErrorKind::StateUnusable);
    let expected = "- operator `count` (test): the checkpoint has state of it; to drop it, add \
                    --allow-dropped-state count";
    assert!(message.ends_with(expected), "{message}");

    options.allowed.dropped_state = vec!["count".to_owned()];
    start_with(&without, fresh.path(), options)
        .finish_at(&allow, 30)
        .await;
    assert_eq!(output.published().len(), 30);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_operator_that_has_finished_gets_no_new_input() {
    let (directory, faults) = (tempfile::tempdir().unwrap(), Faults::none());
    let savepoints = tempfile::tempdir().unwrap();
    let output = Output::new(&faults);
    let (held, allow) = Numbers::held("held", &faults);
    let job = |changed: bool| {
        let ended = Numbers::new("a", 40, &faults);
        let mut inputs = vec![("a", Hash)];
        inputs.extend(changed.then_some(("held", Hash)));
        JobBuilder::new(&faults)
            .source(&ended, 1)
            .source(&held, 1)
            .operator("count", Kind::Count, 2, &inputs)
            .sink("out", &output, 1, &[("count", Rebalance)])
            .sink("rest", &Output::new(&faults), 1, &[("held", Forward)])
    };
    let running = start(&job(false), directory.path());
    running
        .wait_until(|status| {
            let mut nodes = status.nodes.iter();
            nodes.any(|node| node.name == "out" && node.ended_subtasks == 1)
        })
        .await;
    let path = running
        .stop_with_savepoint(savepoints.path())
        .await
        .unwrap()
        .unwrap();
    running.end().await.unwrap();

    let fresh = tempfile::tempdir().unwrap();
    let (kind, message) = refusal(&job(true), fresh.path(), &from_path(&path));
    assert_eq!(kind, JobErrorKind::StateUnusable);
    assert!(
        message.contains("+ `count` reads from `held`: the inputs of `count`"),
        "{message}"
    );

    // Unchanged it continues, even if only the rest gets another parallelism.
    let running = start_from(&job(false), fresh.path(), &path);
    running.finish_at(&allow, 25).await;
    assert_counted(&output, &faults, [("a", 40, 1)]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_fresh_start_is_refused_where_there_is_output() {
    let (directory, faults) = (tempfile::tempdir().unwrap(), Faults::none());
    let output = Output::new(&faults);
    let (numbers, allow) = Numbers::held("a", &faults);
    let job = job(&numbers, &output, &faults, 2);
    start(&job, directory.path())
        .stop_after(&allow, 20, 20)
        .await;
    let options = RunOptions {
        start: StartFrom::Fresh,
        ..RunOptions::default()
    };
    let (kind, _) = refusal(&job, directory.path(), &options);
    assert_eq!(kind, JobErrorKind::JobRefused);
    let elsewhere = tempfile::tempdir().unwrap();
    let (kind, _) = refusal(&job, elsewhere.path(), &RunOptions::default());
    assert_eq!(kind, JobErrorKind::JobRefused);
}

/// Cancelled again and again at any moment, the job still counts every record once.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn runs_that_are_cut_off_at_any_moment_lose_and_repeat_nothing() {
    let (directory, faults) = (tempfile::tempdir().unwrap(), Faults::none());
    let output = Output::new(&faults);
    let numbers = Numbers::slow("a", 1500, &faults);
    let mut cuts = 0;
    loop {
        let running = start(
            &job(&numbers, &output, &faults, 1 + cuts % 3),
            directory.path(),
        );
        let cut_after = Duration::from_millis(15 + u64::from(cuts) * 7 % 31);
        let mut status = running.handle.watch();
        let runs = status.wait_for(|status| status.checkpoints.completed > 0);
        drop(tokio::time::timeout(cut_after, runs).await);
        // An error means that the job has ended by itself.
        drop(running.try_cancel().await);
        match running.end().await.unwrap() {
            Outcome::Cancelled => cuts += 1,
            // The run before may have been cancelled between its last checkpoint and its end.
            Outcome::Finished | Outcome::AlreadyFinished => break,
            stopped @ Outcome::Stopped { .. } => panic!("{stopped:?}"),
        }
    }
    assert!(cuts > 5, "it was cut off only {cuts} times");
    assert_counted(&output, &faults, [("a", 1500, 1)]);
}

async fn refused_at_start(
    job: &JobBuilder,
    directory: &Path,
    options: RunOptions,
) -> (JobErrorKind, String) {
    let refused = start_with(job, directory, options).end().await.unwrap_err();
    (refused.kind(), refused.to_string())
}
