//! Records that an operator can't process: isolated, sent to the dead-letter port once, and named;
//! all others exactly once, in output and in state.

use std::collections::BTreeMap;
use std::time::Duration;

use tidegate_checkpoint::Partitioning::{Broadcast, Forward, Hash, Rebalance};
use tidegate_random::Random;
use tidegate_runtime::config::{FixedDelay, IsolationSettings, RecordPolicies, RestartSettings};
use tidegate_runtime::observe::InvalidRecords;
use tidegate_runtime::{JobError, Outcome};

use crate::support::faults::{Call, Faults};
use crate::support::jobs::{JobBuilder, start, start_from};
use crate::support::operators::Kind;
use crate::support::oracle::{assert_healthy, letters};
use crate::support::poison::{How, Poison};
use crate::support::sinks::Output;
use crate::support::sources::Numbers;

/// Longer than any test: checkpoints are taken only on request.
const NEVER: Duration = Duration::from_secs(3600);

/// Returns a job that counts `a:0` to `a:count-1` by key; the counting operator can't process some.
fn counting(count: u64, poison: &Poison, output: &Output, dead: &Output) -> JobBuilder {
    let faults = Faults::none();
    JobBuilder::new(&faults)
        .source(&Numbers::new("a", count, &faults), 1)
        .poisoned(poison.clone())
        .operator("count", Kind::Count, 1, &[("a", Hash)])
        .sink("out", output, 1, &[("count", Forward)])
        .sink("dead", dead, 1, &[("count:dead-letter", Forward)])
}

async fn run(
    job: &JobBuilder,
) -> (
    Result<Outcome, JobError>,
    tidegate_runtime::observe::JobStatus,
) {
    let directory = tempfile::tempdir().unwrap();
    let running = start(job, directory.path());
    let handle = running.handle.clone();
    let end = running.end().await;
    (end, handle.status())
}

fn outputs() -> (Output, Output) {
    let faults = Faults::none();
    (Output::new(&faults), Output::new(&faults))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_record_that_traps_becomes_a_letter_that_says_why_and_where_it_came_from() {
    let (output, dead) = outputs();
    let poison = Poison::of(How::Trap, &["a:777"]);
    let (end, status) = run(&counting(1000, &poison, &output, &dead)).await;
    assert_eq!(end.unwrap(), Outcome::Finished);
    assert_eq!(
        dead.published(),
        [
            "k2={\"version\":1,\"operator\":\"count\",\"subtask\":0,\"input\":0,\
          \"error\":\"`process` trapped: a planned trap\",\
          \"source\":{\"name\":\"a\",\"subtask\":0,\"split\":\"a\",\"from\":777,\"to\":778},\
          \"value\":\"a:777\"}"
        ]
    );
    assert_healthy(&output, "a", 1000, &["a:777"]);
    assert_eq!(poison.met(), BTreeMap::from([("a:777".to_owned(), 3)]));
    assert_eq!((status.restarts, status.isolation_restarts), (0, 1));
    let counted = InvalidRecords {
        failed: 0,
        dead_letters: 1,
    };
    assert_eq!(status.invalid_records, counted);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_record_that_is_invalid_or_takes_too_long_becomes_a_letter_too() {
    for how in [How::Invalid, How::Timeout] {
        let (output, dead) = outputs();
        let poison = Poison::of(how, &["a:31"]);
        let (end, status) = run(&counting(500, &poison, &output, &dead)).await;
        assert_eq!(end.unwrap(), Outcome::Finished, "{how:?}");
        assert_eq!(letters(&dead), ["a:31"], "{how:?}");
        assert_healthy(&output, "a", 500, &["a:31"]);
        assert_eq!(status.restarts, 0, "{how:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn all_of_one_interval_take_one_restart_together() {
    let (output, dead) = outputs();
    let faults = Faults::none();
    let values = ["a:13", "a:14", "a:15", "a:400", "a:401", "a:777"];
    // All in one batch, so that the source emits all before the first fault.
    let mut numbers = Numbers::new("a", 1000, &faults);
    numbers.batch = 1000;
    let job = JobBuilder::new(&faults)
        .settings(|settings| settings.checkpoint.interval = NEVER)
        .source(&numbers, 1)
        .poisoned(Poison::of(How::Trap, &values))
        .operator("count", Kind::Count, 1, &[("a", Hash)])
        .sink("out", &output, 1, &[("count", Forward)])
        .sink("dead", &dead, 1, &[("count:dead-letter", Forward)]);
    let (end, status) = run(&job).await;
    assert_eq!(end.unwrap(), Outcome::Finished);
    assert_eq!(letters(&dead), values);
    assert_healthy(&output, "a", 1000, &values);
    assert_eq!((status.restarts, status.isolation_restarts), (0, 1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_keyed_operator_behind_another_one_goes_on_exactly_at_parallelism_2() {
    let faults = Faults::none();
    let (output, dead) = outputs();
    let values = ["a:99", "a:100", "a:555"];
    let job = JobBuilder::new(&faults)
        .source(&Numbers::slow("a", 600, &faults), 2)
        .operator("pass", Kind::Pass, 2, &[("a", Rebalance)])
        .poisoned(Poison::of(How::Trap, &values))
        .operator("count", Kind::Count, 2, &[("pass", Hash)])
        .sink("out", &output, 2, &[("count", Forward)])
        .sink("dead", &dead, 1, &[("count:dead-letter", Rebalance)]);
    let (end, status) = run(&job).await;
    assert_eq!(end.unwrap(), Outcome::Finished);
    assert_eq!(letters(&dead), ["a:100", "a:555", "a:99"]);
    assert_healthy(&output, "a", 600, &values);
    assert_eq!(status.restarts, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_equal_records_only_the_one_that_fails_becomes_a_dead_letter() {
    let faults = Faults::none();
    let (output, dead) = outputs();
    let poison = Poison::nth(How::Trap, "a:50", 2);
    let job = JobBuilder::new(&faults)
        .source(&Numbers::new("a", 100, &faults), 1)
        .operator("twice", Kind::Twice, 1, &[("a", Rebalance)])
        .poisoned(poison)
        .operator("pass", Kind::Pass, 1, &[("twice", Hash)])
        .sink("out", &output, 1, &[("pass", Forward)])
        .sink("dead", &dead, 1, &[("pass:dead-letter", Forward)])
        .settings(|settings| settings.checkpoint.interval = NEVER);
    let (end, _) = run(&job).await;
    assert_eq!(end.unwrap(), Outcome::Finished);
    assert_eq!(letters(&dead), ["a:50"]);
    assert_eq!(output.published().len(), 199);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_copy_of_a_record_is_one_of_its_own() {
    let faults = Faults::none();
    let (output, dead) = outputs();
    let job = JobBuilder::new(&faults)
        .source(&Numbers::new("a", 300, &faults), 1)
        .poisoned(Poison::of(How::Invalid, &["a:120"]))
        .operator("pass", Kind::Pass, 3, &[("a", Broadcast)])
        .sink("out", &output, 3, &[("pass", Forward)])
        .sink("dead", &dead, 1, &[("pass:dead-letter", Rebalance)]);
    let (end, _) = run(&job).await;
    assert_eq!(end.unwrap(), Outcome::Finished);
    assert_eq!(letters(&dead), ["a:120"; 3]);
    assert_eq!(output.published().len(), 3 * 299);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_record_that_no_source_gave_is_found_by_what_is_in_it() {
    let faults = Faults::none();
    let (output, dead) = outputs();
    let windows = |output: &Output, poison: &Poison| {
        JobBuilder::new(&faults)
            .source(&Numbers::new("a", 1000, &faults), 1)
            .operator("windows", Kind::Windows, 1, &[("a", Hash)])
            .poisoned(poison.clone())
            .operator("pass", Kind::Pass, 1, &[("windows", Hash)])
            .sink("out", output, 1, &[("pass", Forward)])
            .sink("dead", &dead, 1, &[("pass:dead-letter", Forward)])
    };
    let (end, _) = run(&windows(&output, &Poison::of(How::Trap, &["w300=20"]))).await;
    assert_eq!(end.unwrap(), Outcome::Finished);
    // Each of five keys has that window.
    assert_eq!(letters(&dead), ["w300=20"; 5]);
    assert!(dead.published()[0].contains("\"source\":null"));
    assert_eq!(output.published().len(), 45);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn with_the_policy_fail_the_job_ends_with_its_restarts_and_names_the_record() {
    let poison = Poison::of(How::Trap, &["a:777"]);
    let faults = Faults::none();
    let output = Output::new(&faults);
    let job = JobBuilder::new(&faults)
        .settings(|settings| {
            let delay = Duration::from_millis(1);
            settings.restart = RestartSettings::FixedDelay(FixedDelay { delay, attempts: 3 });
        })
        .source(&Numbers::new("a", 1000, &faults), 1)
        .poisoned_with(poison.clone(), RecordPolicies::default())
        .operator("count", Kind::Count, 1, &[("a", Hash)])
        .sink("out", &output, 1, &[("count", Forward)]);
    let (end, status) = run(&job).await;
    assert_eq!(
        end.unwrap_err().to_string(),
        "gave up after 3 restart(s): operator `count`, subtask 0: `process` trapped: a planned \
         trap\n    record: key `k2`, value of 5 bytes, on input 0, from source a[0] at a 777..778"
    );
    assert_eq!(poison.met(), BTreeMap::from([("a:777".to_owned(), 4)]));
    assert_eq!((status.restarts, status.isolation_restarts), (3, 0));
    assert_eq!(status.invalid_records.failed, 4);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_percent_of_all_records_take_one_restart_with_the_default_settings() {
    let (output, dead) = outputs();
    let faults = Faults::none();
    let values: Vec<String> = (0..200)
        .map(|nth| format!("a:{}", nth * 100 + 17))
        .collect();
    let values: Vec<&str> = values.iter().map(String::as_str).collect();
    // A watermark follows each batch, and a checkpoint comes every 10 ms.
    let job = JobBuilder::new(&faults)
        .settings(|settings| settings.isolation = IsolationSettings::default())
        .source(&Numbers::new("a", 20_000, &faults), 1)
        .poisoned(Poison::of(How::Trap, &values))
        .operator("count", Kind::Count, 2, &[("a", Hash)])
        .sink("out", &output, 2, &[("count", Forward)])
        .sink("dead", &dead, 1, &[("count:dead-letter", Rebalance)]);
    let (end, status) = run(&job).await;
    assert_eq!(end.unwrap(), Outcome::Finished);
    let mut expected = values.clone();
    expected.sort_unstable();
    assert_eq!(letters(&dead), expected);
    assert_healthy(&output, "a", 20_000, &values);
    assert_eq!((status.restarts, status.isolation_restarts), (0, 1));
    assert_eq!(status.invalid_records.dead_letters, 200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_operator_that_fails_on_everything_ends_the_job_after_so_many_letters_in_a_row() {
    let (output, dead) = outputs();
    let poison = Poison::everything(How::Trap);
    let job = counting(1000, &poison, &output, &dead).settings(|settings| {
        settings.checkpoint.interval = NEVER;
        settings.isolation.in_a_row = 7;
    });
    let (end, status) = run(&job).await;
    let error = end.unwrap_err();
    let message = error.to_string();
    assert!(message.starts_with("gave up isolating records after 7 dead letters in a row: "));
    let JobError::OnlyDeadLetters { last, .. } = error else {
        panic!("{message}")
    };
    let JobError::Record(fault) = *last else {
        panic!("{message}")
    };
    assert!(
        fault.record.is_some() && fault.origin.is_some(),
        "{message}"
    );
    assert_eq!((status.restarts, status.isolation_restarts), (0, 1));
    assert_eq!(output.published(), [""; 0]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_restarts_to_isolate_the_first_record_ends_the_job() {
    let (output, dead) = outputs();
    let poison = Poison::of(How::Trap, &["a:7"]);
    let job =
        counting(100, &poison, &output, &dead).settings(|settings| settings.isolation.restarts = 0);
    let (end, status) = run(&job).await;
    let message = end.unwrap_err().to_string();
    assert!(message.starts_with("gave up isolating records after 0 restart(s) within 600 s: "));
    assert_eq!((status.restarts, status.isolation_restarts), (0, 0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_fault_during_isolation_that_does_not_come_again_costs_no_record_and_no_restart() {
    let (output, dead) = outputs();
    // The second fault comes at the tenth replayed record.
    let faults = Faults::at(&[(Call::Process, 20), (Call::Process, 30)]);
    let job = JobBuilder::new(&faults)
        .source(&Numbers::slow("a", 600, &faults), 1)
        .poisoned(Poison::default())
        .operator("count", Kind::Count, 1, &[("a", Hash)])
        .sink("out", &output, 1, &[("count", Forward)])
        .sink("dead", &dead, 1, &[("count:dead-letter", Forward)]);
    let (end, status) = run(&job).await;
    assert_eq!(end.unwrap(), Outcome::Finished);
    assert_eq!(faults.fired().len(), 2);
    assert_eq!(dead.published(), [""; 0]);
    assert_healthy(&output, "a", 600, &[]);
    assert_eq!((status.restarts, status.isolation_restarts), (0, 1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_fault_that_does_not_come_again_costs_no_record() {
    let (output, dead) = outputs();
    let faults = Faults::at(&[(Call::Process, 20)]);
    let job = JobBuilder::new(&faults)
        .source(&Numbers::slow("a", 600, &faults), 1)
        .poisoned(Poison::default())
        .operator("count", Kind::Count, 1, &[("a", Hash)])
        .sink("out", &output, 1, &[("count", Forward)])
        .sink("dead", &dead, 1, &[("count:dead-letter", Forward)]);
    let (end, status) = run(&job).await;
    assert_eq!(end.unwrap(), Outcome::Finished);
    assert_eq!(faults.fired(), [(Call::Process, 20)]);
    assert_eq!(dead.published(), [""; 0]);
    assert_healthy(&output, "a", 600, &[]);
    assert_eq!((status.restarts, status.isolation_restarts), (0, 1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_trap_outside_of_process_is_no_record_s() {
    for call in [Call::Snapshot, Call::Watermark, Call::Finish] {
        let (output, dead) = outputs();
        let faults = Faults::at(&[(call, 1)]);
        let job = JobBuilder::new(&faults)
            .source(&Numbers::slow("a", 200, &faults), 1)
            .poisoned(Poison::default())
            .operator("count", Kind::Count, 1, &[("a", Hash)])
            .sink("out", &output, 1, &[("count", Forward)])
            .sink("dead", &dead, 1, &[("count:dead-letter", Forward)]);
        let (end, status) = run(&job).await;
        assert_eq!(end.unwrap(), Outcome::Finished, "{call:?}");
        assert_eq!(faults.fired(), [(call, 1)]);
        assert_eq!((status.restarts, status.isolation_restarts), (1, 0));
        assert_eq!(dead.published(), [""; 0]);
        assert_healthy(&output, "a", 200, &[]);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_a_reader_of_its_letters_an_operator_fails() {
    let faults = Faults::none();
    let output = Output::new(&faults);
    let job = JobBuilder::new(&faults)
        .source(&Numbers::new("a", 100, &faults), 1)
        .poisoned(Poison::of(How::Invalid, &["a:5"]))
        .operator("count", Kind::Count, 1, &[("a", Hash)])
        .sink("out", &output, 1, &[("count", Forward)])
        .settings(|settings| settings.restart = RestartSettings::None);
    let (end, _) = run(&job).await;
    assert!(matches!(end, Err(JobError::Record(_))), "{end:?}");
    assert_eq!(output.published(), [""; 0]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_job_with_state_can_be_given_a_dead_letter_port_as_any_other_edge() {
    let (directory, faults) = (tempfile::tempdir().unwrap(), Faults::none());
    let (output, dead) = outputs();
    let (numbers, allow) = Numbers::held("a", &faults);
    let before = JobBuilder::new(&faults)
        .settings(|settings| settings.checkpoint.interval = NEVER)
        .source(&numbers, 1);
    let poison = Poison::of(How::Trap, &["a:60"]);
    let after = before.clone().poisoned(poison);
    let count = |job: JobBuilder| {
        job.operator("count", Kind::Count, 1, &[("a", Hash)]).sink(
            "out",
            &output,
            1,
            &[("count", Forward)],
        )
    };
    let after = count(after).sink("dead", &dead, 1, &[("count:dead-letter", Forward)]);
    start(&count(before), directory.path())
        .stop_after(&allow, 50, 50)
        .await;
    let refused = start(&after, directory.path()).end().await.unwrap_err();
    assert!(refused.to_string().contains("+ sink `dead`"), "{refused}");
    let origin = directory.path().join("checkpoints/1");
    start_from(&after, directory.path(), &origin)
        .finish_at(&allow, 100)
        .await;
    assert_eq!(letters(&dead), ["a:60"]);
    assert_healthy(&output, "a", 100, &["a:60"]);
}

/// Cancels the job at random moments, again and again: each run starts without knowledge of the bad
/// records.
async fn killed_while_isolating(seed: u64) -> u32 {
    println!("seed={seed}");
    let mut random = Random::new(seed);
    let faults = Faults::none();
    let (output, dead) = outputs();
    let values: Vec<String> = (0..3).map(|_| format!("a:{}", random.index(400))).collect();
    let poison = values.iter().fold(Poison::default(), |poison, value| {
        poison.and([How::Trap, How::Invalid][random.index(2)], value.clone(), 0)
    });
    let job = JobBuilder::new(&faults)
        .source(&Numbers::slow("a", 400, &faults), 2)
        .operator("pass", Kind::Pass, 2, &[("a", Rebalance)])
        .poisoned(poison.clone())
        .operator("count", Kind::Count, 2, &[("pass", Hash)])
        .sink("out", &output, 2, &[("count", Forward)])
        .sink("dead", &dead, 2, &[("count:dead-letter", Forward)]);
    let directory = tempfile::tempdir().unwrap();
    let mut kills_while_isolating = 0;
    for _ in 0..6 {
        let running = start(&job, directory.path());
        let faults_before: u64 = poison.met().values().sum();
        let wanted = faults_before + random.index(4) as u64;
        let mut watch = running.handle.watch();
        // Until the job has met the poison that often, or is over.
        while poison.met().values().sum::<u64>() < wanted {
            let change = tokio::time::timeout(Duration::from_millis(2), watch.changed()).await;
            if running.task.is_finished() || change.is_ok_and(|changed| changed.is_err()) {
                break;
            }
        }
        kills_while_isolating += u32::from(running.handle.status().isolation_restarts > 0);
        if running.try_cancel().await.is_err() {
            break;
        }
        running.end().await.unwrap();
    }
    let running = start(&job, directory.path());
    let end = running.end().await.unwrap();
    assert!(matches!(end, Outcome::Finished | Outcome::AlreadyFinished));
    let mut expected = values.clone();
    expected.sort();
    expected.dedup();
    assert_eq!(letters(&dead), expected, "seed={seed}");
    let excluded: Vec<&str> = expected.iter().map(String::as_str).collect();
    assert_healthy(&output, "a", 400, &excluded);
    kills_while_isolating
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_process_that_is_killed_while_it_isolates_finds_the_record_again() {
    let mut kills = 0;
    for seed in 0..20 {
        kills += killed_while_isolating(seed).await;
    }
    assert!(
        kills > 10,
        "only {kills} came while a record was being isolated"
    );
}
