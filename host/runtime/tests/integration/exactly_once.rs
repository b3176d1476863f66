//! Whole jobs of every shape: their output is right without faults, and with restarts at many
//! points.

use std::collections::BTreeSet;
use std::time::Duration;

use tidegate_checkpoint::Partitioning::{Broadcast, Forward, Hash, Rebalance};
use tidegate_random::Random;
use tidegate_runtime::Outcome;
use tidegate_runtime::observe::JobStatus;

use crate::support::faults::{Call, Faults, How};
use crate::support::jobs::{JobBuilder, start};
use crate::support::operators::Kind;
use crate::support::oracle::assert_counted;
use crate::support::sinks::Output;
use crate::support::sources::Numbers;

/// A job and its expected output: the number of times that each source's numbers arrive.
struct Shape {
    name: &'static str,
    job: fn(&Faults, &Output) -> JobBuilder,
    expected: &'static [(&'static str, u64, usize)],
}

const SHAPES: &[Shape] = &[
    Shape {
        name: "a single chain",
        job: |faults, output| {
            JobBuilder::new(faults)
                .source(&Numbers::slow("a", 400, faults), 1)
                .operator("pass", Kind::Pass, 1, &[("a", Forward)])
                .operator("count", Kind::Count, 1, &[("pass", Forward)])
                .sink("out", output, 1, &[("count", Forward)])
        },
        expected: &[("a", 400, 1)],
    },
    Shape {
        name: "hash from two to three",
        job: |faults, output| {
            JobBuilder::new(faults)
                .source(&Numbers::slow("a", 600, faults), 2)
                .operator("count", Kind::Count, 3, &[("a", Hash)])
                .sink("out", output, 2, &[("count", Rebalance)])
        },
        expected: &[("a", 600, 1)],
    },
    Shape {
        name: "a diamond",
        job: |faults, output| {
            JobBuilder::new(faults)
                .source(&Numbers::slow("a", 400, faults), 1)
                .operator("left", Kind::Pass, 1, &[("a", Forward)])
                .operator("right", Kind::Pass, 2, &[("a", Rebalance)])
                .operator("count", Kind::Count, 2, &[("left", Hash), ("right", Hash)])
                .sink("out", output, 2, &[("count", Forward)])
        },
        expected: &[("a", 400, 2)],
    },
    Shape {
        name: "two sources into one, the first ends early",
        job: |faults, output| {
            JobBuilder::new(faults)
                .source(&Numbers::new("a", 60, faults), 1)
                .source(&Numbers::slow("b", 600, faults), 2)
                .source(&Numbers::new("empty", 0, faults), 2)
                .operator(
                    "count",
                    Kind::Count,
                    2,
                    &[("a", Hash), ("b", Hash), ("empty", Hash)],
                )
                .sink("out", output, 1, &[("count", Rebalance)])
        },
        expected: &[("a", 60, 1), ("b", 600, 1)],
    },
    Shape {
        name: "two ports and two sinks",
        job: |faults, output| {
            JobBuilder::new(faults)
                .source(&Numbers::slow("a", 400, faults), 1)
                .operator("split", Kind::Split, 1, &[("a", Forward)])
                .operator("even", Kind::Count, 2, &[("split:0", Hash)])
                .operator("all", Kind::Count, 2, &[("even", Hash), ("split:1", Hash)])
                .sink("out", output, 1, &[("all", Rebalance)])
                .sink("unread", &Output::new(faults), 1, &[("split:1", Forward)])
        },
        // Each even number leaves through `even` with one count, and through `all` with another.
        expected: &[("a", 400, 1)],
    },
];

/// A limit at which waiting batches and watermarks are joined: their number depends on the load.
const JOINED: u32 = 1024;
/// A limit at which they stay apart, so that the call of a planned fault comes.
const APART: u32 = 1;

async fn run_to_its_end(shape: &Shape, faults: &Faults, joined_records: u32) {
    let directory = tempfile::tempdir().unwrap();
    let output = Output::new(faults);
    let job = (shape.job)(faults, &output);
    let job = job.settings(|settings| settings.joined_records = joined_records);
    let outcome = start(&job, directory.path()).end().await.unwrap();
    assert_eq!(
        outcome,
        Outcome::Finished,
        "{}: {:?}",
        shape.name,
        faults.fired()
    );
    assert_eq!(output.staged(), BTreeSet::new(), "{}", shape.name);
    if shape.name.starts_with("two ports") {
        let numbers = output.published().len();
        assert_eq!(
            (numbers, faults.violations()),
            (400, Vec::new()),
            "{:?}",
            faults.fired()
        );
        return;
    }
    assert_counted(&output, faults, shape.expected.iter().copied());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_record_counts_once_in_jobs_of_every_shape() {
    for shape in SHAPES {
        run_to_its_end(shape, &Faults::none(), JOINED).await;
    }
}

/// One fault per run, each at an early, a middle and a late call: 25 in each shape.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_record_counts_once_when_any_call_fails() {
    const CALLS: [(Call, &[u64]); 13] = [
        (Call::OpenSource, &[1]),
        (Call::Poll, &[1, 7, 35]),
        (Call::Process, &[1, 8, 35]),
        (Call::Watermark, &[1, 8, 35]),
        (Call::Snapshot, &[1, 2]),
        (Call::DeclineSnapshot, &[1, 2]),
        (Call::CheckpointComplete, &[1, 2]),
        (Call::Finish, &[1]),
        (Call::Write, &[1, 5, 30]),
        (Call::PreCommit, &[1, 2]),
        (Call::PreCommitDurable, &[1, 2]),
        (Call::Commit, &[1]),
        (Call::Recover, &[1]),
    ];
    for shape in SHAPES {
        // The runs mostly wait, so all faults of one shape run beside each other.
        let mut runs = tokio::task::JoinSet::new();
        for (call, nth) in CALLS.iter().flat_map(|(c, n)| n.iter().map(|n| (*c, *n))) {
            runs.spawn(async move {
                let faults = Faults::at(&[(call, nth)]);
                run_to_its_end(shape, &faults, APART).await;
                assert_eq!(faults.fired(), [(call, nth)], "{}", shape.name);
            });
        }
        assert_eq!(runs.join_all().await.len(), 26);
    }
}

/// Several faults in one run, drawn from a seed that a failure shows.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_record_counts_once_when_calls_fail_again_and_again() {
    let mut fired = 0;
    for ten_seeds in 0..3 {
        let mut runs = tokio::task::JoinSet::new();
        (0..10).for_each(|seed| drop(runs.spawn(run_with_many_faults(ten_seeds * 10 + seed))));
        fired += runs.join_all().await.into_iter().sum::<usize>();
    }
    assert!(fired > 40, "only {fired} planned faults fired");
}

/// Returns how many of its four faults fired.
async fn run_with_many_faults(seed: u64) -> usize {
    const CALLS: [Call; 9] = [
        Call::Poll,
        Call::Process,
        Call::Snapshot,
        Call::DeclineSnapshot,
        Call::Write,
        Call::PreCommitDurable,
        Call::Commit,
        Call::Restore,
        Call::CheckpointComplete,
    ];
    let mut random = Random::new(seed);
    let planned: [(Call, u64); 4] =
        std::array::from_fn(|_| (CALLS[random.index(9)], 1 + random.index(40) as u64));
    println!("seed={seed} planned={planned:?}");
    let faults = Faults::at(&planned);
    let joined_records = [JOINED, APART][random.index(2)];
    let shape = &SHAPES[random.index(SHAPES.len())];
    run_to_its_end(shape, &faults, joined_records).await;
    faults.fired().len()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_channel_of_one_byte_only_makes_a_job_slow() {
    let (directory, faults) = (tempfile::tempdir().unwrap(), Faults::none());
    let output = Output::new(&faults);
    let job = JobBuilder::new(&faults)
        .settings(|settings| settings.channel_capacity = 1)
        .source(&Numbers::new("a", 2000, &faults), 2)
        .operator("left", Kind::Pass, 2, &[("a", Forward)])
        .operator("right", Kind::Pass, 3, &[("a", Broadcast)])
        .operator("count", Kind::Count, 2, &[("left", Hash), ("right", Hash)])
        .sink("out", &output, 1, &[("count", Rebalance)]);
    let outcome = start(&job, directory.path()).end().await;
    assert_eq!(outcome.unwrap(), Outcome::Finished);
    // Once through `left`, and from each of the three subtasks of `right`.
    assert_counted(&output, &faults, [("a", 2000, 4)]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sixty_four_subtasks_share_one_job() {
    let (directory, faults) = (
        tempfile::tempdir().unwrap(),
        Faults::at(&[(Call::Process, 90)]),
    );
    let output = Output::new(&faults);
    let mut numbers = Numbers::slow("a", 3000, &faults);
    numbers.keys = 300;
    let job = JobBuilder::new(&faults)
        .source(&numbers, 8)
        .operator("count", Kind::Count, 48, &[("a", Hash)])
        .sink("out", &output, 8, &[("count", Rebalance)]);
    let outcome = start(&job, directory.path()).end().await;
    assert_eq!(outcome.unwrap(), Outcome::Finished);
    assert_eq!(faults.fired(), [(Call::Process, 90)]);
    assert_counted(&output, &faults, [("a", 3000, 1)]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_broadcast_input_reaches_every_subtask_once() {
    let (directory, faults) = (
        tempfile::tempdir().unwrap(),
        Faults::at(&[(Call::Process, 40)]),
    );
    let output = Output::new(&faults);
    let job = JobBuilder::new(&faults)
        .source(&Numbers::slow("records", 300, &faults), 1)
        .source(&Numbers::slow("rules", 70, &faults), 2)
        .operator(
            "join",
            Kind::Join,
            3,
            &[("records", Hash), ("rules", Broadcast)],
        )
        .sink("out", &output, 1, &[("join", Rebalance)]);
    let outcome = start(&job, directory.path()).end().await;
    assert_eq!(outcome.unwrap(), Outcome::Finished);
    assert_eq!(faults.fired(), [(Call::Process, 40)]);
    let mut expected: Vec<String> = (0..300)
        .map(|n| format!("k{}=records:{n}", n % 5))
        .collect();
    expected.extend((0..3).map(|subtask| format!("others@{subtask}=70")));
    expected.sort();
    assert_eq!(output.published(), expected);
    assert_eq!(faults.violations(), [""; 0]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_an_operator_gives_at_its_end_is_published_once() {
    for nth in 1..=4 {
        let faults = Faults::at(&[(Call::Finish, nth)]);
        let directory = tempfile::tempdir().unwrap();
        let output = Output::new(&faults);
        let job = JobBuilder::new(&faults)
            .source(&Numbers::slow("a", 200, &faults), 2)
            .operator("totals", Kind::Totals, 2, &[("a", Hash)])
            .operator("pass", Kind::Pass, 2, &[("totals", Forward)])
            .sink("out", &output, 2, &[("pass", Forward)]);
        let outcome = start(&job, directory.path()).end().await;
        assert_eq!(outcome.unwrap(), Outcome::Finished);
        assert_eq!(faults.fired(), [(Call::Finish, nth)]);
        let expected: Vec<String> = (0..5).map(|key| format!("k{key}=w0=40")).collect();
        assert_eq!(output.published(), expected);
        assert_eq!(faults.violations(), [""; 0]);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_end_of_a_source_fires_the_windows_of_its_own_chain() {
    let (directory, faults) = (tempfile::tempdir().unwrap(), Faults::none());
    let output = Output::new(&faults);
    let job = JobBuilder::new(&faults)
        .source(&Numbers::new("a", 120, &faults), 1)
        .operator("windows", Kind::Windows, 1, &[("a", Forward)])
        .sink("out", &output, 1, &[("windows", Forward)]);
    let outcome = start(&job, directory.path()).end().await;
    assert_eq!(outcome.unwrap(), Outcome::Finished);
    let both = |key| [format!("k{key}=w0=20"), format!("k{key}=w100=4")];
    let expected: Vec<String> = (0..5).flat_map(both).collect();
    assert_eq!(output.published(), expected);
    assert_eq!(faults.violations(), [""; 0]);
}

/// It ends beside a source that continues; then attempts and runs follow that start after its end.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_operator_that_has_finished_does_not_finish_again_after_a_restart() {
    let (directory, faults) = (tempfile::tempdir().unwrap(), Faults::none());
    let (output, rest) = (Output::new(&faults), Output::new(&faults));
    let (held, allow) = Numbers::held("held", &faults);
    let job = JobBuilder::new(&faults)
        .source(&Numbers::new("a", 40, &faults), 2)
        .source(&held, 1)
        .operator("join", Kind::Join, 2, &[("a", Hash), ("a", Broadcast)])
        .sink("out", &output, 1, &[("join", Rebalance)])
        .sink("rest", &rest, 1, &[("held", Forward)]);
    let running = start(&job, directory.path());
    let out_has_ended = |status: &JobStatus| {
        let mut nodes = status.nodes.iter();
        nodes.any(|node| node.name == "out" && node.ended_subtasks == 1)
    };
    running.wait_until(out_has_ended).await;
    running.checkpoint().await.unwrap();
    faults.add(Call::Poll, faults.calls(Call::Poll) + 1, How::Fails);
    allow.give(10);
    running
        .wait_until(|status| status.restarts == 1 && out_has_ended(status))
        .await;
    running.stop().await.unwrap();
    assert!(matches!(
        running.end().await.unwrap(),
        Outcome::Stopped { .. }
    ));
    start(&job, directory.path()).finish_at(&allow, 30).await;

    let mut expected: Vec<String> = (0..40).map(|n| format!("k{}=a:{n}", n % 5)).collect();
    expected.extend((0..2).map(|subtask| format!("others@{subtask}=40")));
    expected.sort();
    assert_eq!(output.published(), expected);
    assert_eq!(rest.published().len(), 30);
    assert_eq!(faults.violations(), [""; 0]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn windows_fire_once_when_the_slowest_source_has_passed_them() {
    // The smallest of the three watermarks rises by at most 20 at a time, since `fast` has a batch
    // for every 20 numbers of a subtask. So both subtasks together get 30 watermarks below 300 or
    // more, however the sources are read.
    let planned = |nth| (vec![(Call::Watermark, nth)], APART);
    for (planned, joined_records) in [planned(3), planned(12), planned(30), (vec![], JOINED)] {
        let faults = Faults::at(&planned);
        let directory = tempfile::tempdir().unwrap();
        let output = Output::new(&faults);
        let fast = Numbers::new("fast", 500, &faults);
        let slow = Numbers::slow("slow", 300, &faults);
        let job = JobBuilder::new(&faults)
            .settings(|settings| settings.joined_records = joined_records)
            .source(&fast, 2)
            .source(&slow, 1)
            .operator(
                "windows",
                Kind::Windows,
                2,
                &[("fast", Hash), ("slow", Hash)],
            )
            .sink("out", &output, 1, &[("windows", Rebalance)]);
        let outcome = start(&job, directory.path()).end().await;
        assert_eq!(outcome.unwrap(), Outcome::Finished);
        assert_eq!(faults.fired(), planned);
        let count = |window: u64| if window < 300 { 40 } else { 20 };
        let windows = (0..5).map(|window| window * 100);
        let keyed = windows.flat_map(|window| (0..5).map(move |key| (key, window)));
        let mut expected: Vec<String> = keyed
            .map(|(key, window)| format!("k{key}=w{window}={}", count(window)))
            .collect();
        expected.sort();
        assert_eq!(output.published(), expected);
        assert_eq!(faults.violations(), [""; 0]);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_source_that_ends_early_does_not_block_the_checkpoints_of_the_others() {
    let (directory, faults) = (tempfile::tempdir().unwrap(), Faults::none());
    let output = Output::new(&faults);
    let (held, allow) = Numbers::held("held", &faults);
    let job = JobBuilder::new(&faults)
        .settings(|settings| settings.checkpoint.interval = Duration::from_secs(3600))
        .source(&Numbers::new("a", 100, &faults), 2)
        .source(&held, 1)
        .operator("count", Kind::Count, 2, &[("a", Hash), ("held", Hash)])
        .operator("alone", Kind::Count, 2, &[("a", Hash)])
        .sink("out", &output, 1, &[("count", Rebalance)])
        .sink("other", &Output::new(&faults), 1, &[("alone", Rebalance)]);
    let running = start(&job, directory.path());
    // `alone` and its sink end with `a`.
    let has_ended = |name: &'static str, subtasks| {
        running.wait_until(move |status| {
            let mut nodes = status.nodes.iter();
            nodes.any(|node| node.name == name && node.ended_subtasks == subtasks)
        })
    };
    has_ended("a", 2).await;
    has_ended("alone", 2).await;
    running.checkpoint().await.unwrap();
    running.checkpoint().await.unwrap();
    allow.give(50);
    running
        .wait_until(|status| status.source_records == 150)
        .await;
    running.stop().await.unwrap();
    assert!(matches!(
        running.end().await.unwrap(),
        Outcome::Stopped { .. }
    ));
    assert_counted(&output, &faults, [("a", 100, 1), ("held", 50, 1)]);
}
