//! Instances that are replaced because of their memory: nothing else may observe it.

use std::time::Duration;

use tidegate_checkpoint::Partitioning::{Forward, Hash};
use tidegate_runtime::Outcome;
use tidegate_runtime::config::RecycleAt;
use tidegate_runtime::observe::JobStatus;

use crate::support::faults::{Call, Faults};
use crate::support::jobs::{JobBuilder, start};
use crate::support::leak::Leak;
use crate::support::operators::Kind;
use crate::support::oracle::assert_counted;
use crate::support::sinks::Output;
use crate::support::sources::Numbers;

/// Longer than any test: checkpoints are taken only on request.
const NEVER: Duration = Duration::from_secs(3600);

fn counting(numbers: &Numbers, output: &Output, faults: &Faults, leak: &Leak) -> JobBuilder {
    JobBuilder::new(faults)
        .leaking(leak)
        .source(numbers, 1)
        .operator("count", Kind::Count, 2, &[("a", Hash)])
        .sink("out", output, 2, &[("count", Forward)])
}

fn recycles(status: &JobStatus) -> Vec<u64> {
    let guests = status.nodes.iter().flat_map(|node| &node.guests);
    guests.map(|guest| guest.recycles).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn memory_stays_level_and_the_output_is_exact_without_waiting_for_the_interval() {
    let (directory, faults) = (tempfile::tempdir().unwrap(), Faults::none());
    let (output, leak) = (Output::new(&faults), Leak::of(400));
    let (numbers, allow) = Numbers::held("a", &faults);
    let job = counting(&numbers, &output, &faults, &leak).settings(|settings| {
        settings.checkpoint.interval = NEVER;
        // Each batch of the source makes one batch for each of the two.
        settings.joined_records = 1;
    });
    let running = start(&job, directory.path());
    for times in 1..=5 {
        allow.give(times * 300 * numbers.batch);
        let all_recycled = |status: &JobStatus| recycles(status) == [times, times];
        running.wait_until(all_recycled).await;
    }
    running.finish_at(&allow, 15_000).await;
    assert_counted(&output, &faults, [("a", 15_000, 1)]);
    assert_eq!([0, 1].map(|subtask| leak.opened_of(subtask)), [6, 6]);
    assert_eq!(leak.largest(), 300);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn event_time_goes_on_in_the_new_instance() {
    let (directory, faults) = (tempfile::tempdir().unwrap(), Faults::none());
    let (plain, recycled) = (Output::new(&faults), Output::new(&faults));
    let leak = Leak::of(20);
    for (output, leak) in [(&plain, &Leak::default()), (&recycled, &leak)] {
        let numbers = Numbers::slow("a", 3_000, &faults);
        let job = JobBuilder::new(&faults)
            .leaking(leak)
            .source(&numbers, 1)
            .operator("windows", Kind::Windows, 1, &[("a", Hash)])
            .sink("out", output, 1, &[("windows", Forward)]);
        let name = if leak.limit.is_some() {
            "recycled"
        } else {
            "plain"
        };
        let running = start(&job, &directory.path().join(name));
        assert_eq!(running.end().await.unwrap(), Outcome::Finished);
    }
    assert_eq!(recycled.published(), plain.published());
    assert!(leak.opened_of(0) > 1, "{}", leak.opened_of(0));
    assert_eq!(faults.violations(), [""; 0]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_instance_that_can_not_be_restored_costs_the_attempt_and_nothing_else() {
    let (directory, faults) = (
        tempfile::tempdir().unwrap(),
        // The first attempt starts afresh: the first `restore` is a replacement's.
        Faults::at(&[(Call::Restore, 1)]),
    );
    let (output, leak) = (Output::new(&faults), Leak::of(40));
    let numbers = Numbers::slow("a", 5_000, &faults);
    let running = start(
        &counting(&numbers, &output, &faults, &leak),
        directory.path(),
    );
    let handle = running.handle.clone();
    assert_eq!(running.end().await.unwrap(), Outcome::Finished);
    assert_eq!(faults.fired(), [(Call::Restore, 1)]);
    let failure = handle.status().last_failure.unwrap();
    assert!(
        failure.starts_with("could not recycle, at checkpoint "),
        "{failure}"
    );
    assert!(failure.contains("operator `count`, subtask "), "{failure}");
    assert!(failure.contains("`restore` trapped"), "{failure}");
    assert_counted(&output, &faults, [("a", 5_000, 1)]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn state_that_is_large_is_not_restored_at_every_barrier() {
    let (directory, faults) = (tempfile::tempdir().unwrap(), Faults::none());
    let output = Output::new(&faults);
    let mut leak = Leak::of(1_000_000);
    leak.begins_with = 800_000;
    let numbers = Numbers::slow("a", 2_000, &faults);
    let job = counting(&numbers, &output, &faults, &leak);
    let running = start(&job, directory.path());
    let handle = running.handle.clone();
    assert_eq!(running.end().await.unwrap(), Outcome::Finished);
    assert!(handle.status().checkpoints.completed > 2);
    assert_eq!(recycles(&handle.status()), [1, 1]);
    assert_counted(&output, &faults, [("a", 2_000, 1)]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_replaced_where_the_job_says_never() {
    let (directory, faults) = (tempfile::tempdir().unwrap(), Faults::none());
    let output = Output::new(&faults);
    let mut leak = Leak::of(40);
    leak.recycle_at = RecycleAt::Never;
    let numbers = Numbers::slow("a", 2_000, &faults);
    let job = counting(&numbers, &output, &faults, &leak);
    let running = start(&job, directory.path());
    assert_eq!(running.end().await.unwrap(), Outcome::Finished);
    assert_eq!([0, 1].map(|subtask| leak.opened_of(subtask)), [1, 1]);
    assert_counted(&output, &faults, [("a", 2_000, 1)]);
}
