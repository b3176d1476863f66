//! Event time after a restart, where each subtask and each channel continues from its watermark,
//! and beside sources without input.

use std::time::Duration;

use tidegate_checkpoint::Partitioning::{Forward, Hash, Rebalance};
use tidegate_runtime::observe::JobStatus;

use crate::support::faults::{Call, Faults};
use crate::support::jobs::{JobBuilder, start};
use crate::support::operators::Kind;
use crate::support::shelf::Shelf;
use crate::support::sinks::Output;
use crate::support::sources::Numbers;

/// Returns the watermarks of these nodes.
fn watermarks<const N: usize>(status: &JobStatus, nodes: [&str; N]) -> [Option<i64>; N] {
    nodes.map(|name| {
        let mut all = status.nodes.iter();
        all.find(|node| node.name == name)
            .and_then(|node| node.watermark)
    })
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_channel_that_is_silent_after_a_restart_holds_nobody_back_more_than_before() {
    let (directory, faults) = (tempfile::tempdir().unwrap(), Faults::none());
    let output = Output::new(&faults);
    let (ahead, allow_ahead) = Numbers::held("ahead", &faults);
    let (behind, allow_behind) = Numbers::held("behind", &faults);
    let job = JobBuilder::new(&faults)
        .source(&ahead, 1)
        .source(&behind, 1)
        .operator(
            "windows",
            Kind::Windows,
            1,
            &[("ahead", Hash), ("behind", Hash)],
        )
        .operator("pass", Kind::Pass, 2, &[("windows", Rebalance)])
        .sink("out", &output, 2, &[("pass", Forward)]);
    allow_ahead.give(250);
    allow_behind.give(50);
    let nodes = ["ahead", "behind", "windows", "pass", "out"];
    let before = [Some(249), Some(49), Some(49), Some(49), Some(49)];

    let running = start(&job, directory.path());
    running
        .wait_until(|status| watermarks(status, nodes) == before)
        .await;
    running.stop().await.unwrap();
    running.end().await.unwrap();
    assert_eq!(output.published(), [""; 0]);

    let running = start(&job, directory.path());
    // No record has come yet.
    running
        .wait_until(|status| watermarks(status, nodes) == before)
        .await;
    allow_behind.give(150);
    let after = [Some(249), Some(149), Some(149), Some(149), Some(149)];
    running
        .wait_until(|status| watermarks(status, nodes) == after)
        .await;
    running.stop().await.unwrap();
    running.end().await.unwrap();
    // From the first hundred numbers of both sources.
    let expected: Vec<String> = (0..5).map(|key| format!("k{key}=w0=40")).collect();
    assert_eq!(output.published(), expected);
    assert_eq!(faults.violations(), [""; 0]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_source_without_input_holds_no_event_time_back_through_chains_and_restarts() {
    let (directory, faults) = (tempfile::tempdir().unwrap(), Faults::none());
    let output = Output::new(&faults);
    let shelf = Shelf::new(&faults);
    let (numbers, allow) = Numbers::held("numbers", &faults);
    let job = JobBuilder::new(&faults)
        .source(&numbers, 1)
        .source_of("shelf", shelf.clone(), 2)
        // In one chain with each subtask of the shelf.
        .operator("books", Kind::Pass, 2, &[("shelf", Forward)])
        .operator(
            "both",
            Kind::Pass,
            2,
            &[("numbers", Rebalance), ("books", Rebalance)],
        )
        .operator("windows", Kind::Windows, 1, &[("both", Hash)])
        .sink("out", &output, 1, &[("windows", Forward)]);
    let nodes = ["books", "both", "windows"];
    for (run, numbers) in [250, 350].into_iter().enumerate() {
        let running = start(&job, directory.path());
        allow.give(numbers);
        let time = Some(i64::try_from(numbers).unwrap() - 1);
        running
            .wait_until(|status| watermarks(status, nodes) == [None, time, time])
            .await;
        running.stop().await.unwrap();
        running.end().await.unwrap();
        let windows = 2 + run;
        assert_eq!(output.published().len(), 5 * windows, "five keys");
    }
    assert_eq!(faults.violations(), [""; 0]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_source_that_has_input_again_holds_event_time_back_until_it_has_none() {
    let (directory, faults) = (tempfile::tempdir().unwrap(), Faults::none());
    let output = Output::new(&faults);
    let shelf = Shelf::new(&faults);
    let (numbers, allow) = Numbers::held("numbers", &faults);
    let job = JobBuilder::new(&faults)
        .source(&numbers, 1)
        .source_of("shelf", shelf.clone(), 1)
        .operator("both", Kind::Pass, 1, &[("numbers", Hash), ("shelf", Hash)])
        .sink("out", &output, 1, &[("both", Hash)]);
    let running = start(&job, directory.path());
    allow.give(250);
    let nodes = ["numbers", "both"];
    let before = [Some(249), Some(249)];
    running
        .wait_until(|status| watermarks(status, nodes) == before)
        .await;
    (0..100).for_each(|_| shelf.add());
    while faults.calls(Call::Read) < 10 {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    // In the middle of the books: the shelf has emitted lines since it was idle.
    let hold = faults.hold(Call::Read);
    while !faults.has_reached(Call::Read) {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    allow.give(350);
    let held = [Some(349), Some(249)];
    running
        .wait_until(|status| watermarks(status, ["numbers"]) == [Some(349)])
        .await;
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert_eq!(watermarks(&running.handle.status(), nodes), held);
    drop(hold);
    let after = [Some(349), Some(349)];
    running
        .wait_until(|status| watermarks(status, nodes) == after)
        .await;
    running.stop().await.unwrap();
    running.end().await.unwrap();
}
