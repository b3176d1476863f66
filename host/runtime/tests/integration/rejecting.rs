//! Input that a source rejects: sent to the dead-letter port of the source exactly once, through
//! the same barriers as its records, or the end of the job.

use std::time::Duration;

use tidegate_checkpoint::Partitioning::{Forward, Hash, Rebalance};
use tidegate_runtime::Outcome;
use tidegate_runtime::config::RestartSettings;
use tidegate_runtime::observe::InvalidRecords;

use crate::support::faults::{Call, Faults};
use crate::support::jobs::{JobBuilder, start};
use crate::support::operators::Kind;
use crate::support::oracle::{assert_healthy, letters};
use crate::support::poison::{How, Poison};
use crate::support::sinks::Output;
use crate::support::sources::Numbers;

const COUNT: u64 = 1000;
const EVERY: u64 = 7;

/// Returns the numbers that the source rejects, as text, sorted.
fn rejected() -> Vec<String> {
    let multiples = (0..COUNT).step_by(7);
    let mut rejected: Vec<String> = multiples.map(|number| format!("a:{number}")).collect();
    rejected.sort();
    rejected
}

fn numbers(faults: &Faults) -> Numbers {
    let mut numbers = Numbers::slow("a", COUNT, faults);
    numbers.rejects = Some(EVERY);
    numbers
}

/// Counts by key what two subtasks of the source do not reject.
fn counting(numbers: &Numbers, faults: &Faults, output: &Output, dead: &Output) -> JobBuilder {
    JobBuilder::new(faults)
        .source(numbers, 2)
        .operator("count", Kind::Count, 2, &[("a", Hash)])
        .sink("out", output, 2, &[("count", Forward)])
        .sink("dead", dead, 1, &[("a:dead-letter", Rebalance)])
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rejected_input_reaches_the_dead_letter_port_once_and_costs_no_restart() {
    let faults = Faults::none();
    let (output, dead) = (Output::new(&faults), Output::new(&faults));
    let directory = tempfile::tempdir().unwrap();
    let job = counting(&numbers(&faults), &faults, &output, &dead);
    let running = start(&job, directory.path());
    let handle = running.handle.clone();
    assert_eq!(running.end().await.unwrap(), Outcome::Finished);
    let rejected = rejected();
    assert_eq!(letters(&dead), rejected);
    let except: Vec<&str> = rejected.iter().map(String::as_str).collect();
    assert_healthy(&output, "a", COUNT, &except);
    let status = handle.status();
    assert_eq!((status.restarts, status.isolation_restarts), (0, 0));
    let counted = InvalidRecords {
        failed: 0,
        dead_letters: rejected.len() as u64,
    };
    assert_eq!(status.invalid_records, counted);
    assert!(
        dead.published().contains(
            &"={\"version\":1,\"error\":\"21 is a multiple of 7\",\
              \"source\":{\"name\":\"a\",\"subtask\":1,\"split\":\"a\",\"from\":21,\"to\":22},\
              \"value\":\"a:21\"}"
                .to_owned()
        )
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn failures_neither_lose_nor_repeat_a_rejected_record_nor_its_count() {
    for at in [3, 17, 40, 90] {
        let faults = Faults::at(&[(Call::Poll, at)]);
        let (output, dead) = (Output::new(&faults), Output::new(&faults));
        let directory = tempfile::tempdir().unwrap();
        let job = counting(&numbers(&faults), &faults, &output, &dead);
        let running = start(&job, directory.path());
        let handle = running.handle.clone();
        assert_eq!(running.end().await.unwrap(), Outcome::Finished, "{at}");
        let rejected = rejected();
        assert_eq!(letters(&dead), rejected, "{at}");
        let except: Vec<&str> = rejected.iter().map(String::as_str).collect();
        assert_healthy(&output, "a", COUNT, &except);
        let status = handle.status();
        assert_eq!(status.restarts, 1, "{at}");
        let letters = status.invalid_records.dead_letters;
        assert_eq!(letters, rejected.len() as u64, "{at}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rejected_input_and_records_that_trap_are_isolated_together() {
    let faults = Faults::none();
    let (output, dead) = (Output::new(&faults), Output::new(&faults));
    let directory = tempfile::tempdir().unwrap();
    let traps = ["a:101", "a:500"];
    let job = JobBuilder::new(&faults)
        .source(&numbers(&faults), 1)
        .poisoned(Poison::of(How::Trap, &traps))
        .operator("count", Kind::Count, 1, &[("a", Hash)])
        .sink("out", &output, 1, &[("count", Forward)])
        .sink(
            "dead",
            &dead,
            1,
            &[
                ("a:dead-letter", Rebalance),
                ("count:dead-letter", Rebalance),
            ],
        );
    let running = start(&job, directory.path());
    assert_eq!(running.end().await.unwrap(), Outcome::Finished);
    let mut expected = rejected();
    expected.extend(traps.map(str::to_owned));
    expected.sort();
    assert_eq!(letters(&dead), expected);
    let except: Vec<&str> = expected.iter().map(String::as_str).collect();
    assert_healthy(&output, "a", COUNT, &except);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_a_reader_of_the_port_rejected_input_fails_the_job_and_is_named() {
    let faults = Faults::none();
    let output = Output::new(&faults);
    let directory = tempfile::tempdir().unwrap();
    let mut numbers = Numbers::new("a", COUNT, &faults);
    numbers.rejects = Some(EVERY);
    let job = JobBuilder::new(&faults)
        .settings(|settings| settings.restart = RestartSettings::None)
        .settings(|settings| settings.checkpoint.interval = Duration::from_secs(3600))
        .source(&numbers, 1)
        .sink("out", &output, 1, &[("a", Forward)]);
    let running = start(&job, directory.path());
    let handle = running.handle.clone();
    let error = running.end().await.unwrap_err().to_string();
    let expected = "a[0]: a 0..1: 0 is a multiple of 7";
    assert!(error.contains(expected), "{error}");
    assert_eq!(handle.status().invalid_records.failed, 1);
}
