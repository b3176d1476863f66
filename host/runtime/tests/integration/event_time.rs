//! Event time over a restart: it goes on where it stood, for each subtask and each channel.

use tidegate_checkpoint::Partitioning::{Forward, Hash, Rebalance};
use tidegate_runtime::observe::JobStatus;

use crate::support::faults::Faults;
use crate::support::jobs::{JobBuilder, start};
use crate::support::operators::Kind;
use crate::support::sinks::Output;
use crate::support::sources::Numbers;

/// The watermarks of these nodes.
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
    // Nothing has come yet.
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
    // Of the first hundred numbers of both sources.
    let expected: Vec<String> = (0..5).map(|key| format!("k{key}=w0=40")).collect();
    assert_eq!(output.published(), expected);
    assert_eq!(faults.violations(), [""; 0]);
}
