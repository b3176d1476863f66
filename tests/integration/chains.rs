//! In the real binary: chained operators that turn little input into very much output, and
//! connectors that do not return. Memory stays within the limits, and a user who wants the job to
//! end gets an answer.

use std::io::{PipeReader, Read as _};
use std::thread;
use std::time::Duration;

use rustix::process::Signal;
use tidegate_tests::{JobDirectory, Running, WatGuest, tidegate_command};

/// More time than a busy machine needs, and far less than an unlimited fan-out takes.
const LONG: Duration = Duration::from_secs(120);
/// Emissions of one record each. One call makes far more than any test could await.
const ENDLESS: u32 = 100_000;

/// Returns a body that emits `emissions` batches of one record.
fn many(emissions: u32) -> String {
    format!(
        "(local $i i32) (local $at i32)
        (i64.store (i32.const 2048) (i64.const 0))
        (i32.store (i32.const 2056) (i32.const 0))
        (i32.store (i32.const 2060) (i32.const 1))
        (i32.store8 (i32.const 2064) (i32.const 97))
        (local.set $at (i32.const 131072))
        (loop $next
            (i32.store (local.get $at) (i32.const 0))
            (call $pair (i32.add (local.get $at) (i32.const 4)) (i32.const 2048) (i32.const 1))
            (call $pair (i32.add (local.get $at) (i32.const 12)) (i32.const 2056) (i32.const 2))
            (call $pair (i32.add (local.get $at) (i32.const 20)) (i32.const 2064) (i32.const 1))
            (call $pair (i32.add (local.get $at) (i32.const 28)) (i32.const 2056) (i32.const 2))
            (call $pair (i32.add (local.get $at) (i32.const 36)) (i32.const 2064) (i32.const 1))
            (local.set $at (i32.add (local.get $at) (i32.const 44)))
            (local.set $i (i32.add (local.get $i) (i32.const 1)))
            (br_if $next (i32.lt_u (local.get $i) (i32.const {emissions}))))
        (i32.store (i32.const 1024) (i32.const 0))
        (i32.store (i32.const 1028) (i32.const 131072))
        (i32.store (i32.const 1032) (i32.const {emissions}))
        (i32.const 1024)"
    )
}

/// Returns a guest that emits `emissions` batches in a call of `export`.
fn fan_out(export: &str, emissions: u32) -> WatGuest {
    let pages = (131_072 + emissions * 44) / 65_536 + 2;
    let guest = WatGuest::idle().pages(pages);
    guest.export(export, &many(emissions))
}

/// Returns a guest that makes a record of 60 MiB of every batch.
fn big() -> WatGuest {
    let bytes = 60 << 20;
    WatGuest::idle().pages(1000).export(
        "process",
        &format!(
            "(global.set $next (i32.const 65536))
            (i64.store (i32.const 2048) (i64.const 0))
            (i32.store (i32.const 2056) (i32.const 0))
            (i32.store (i32.const 2060) (i32.const 1))
            (i32.store (i32.const 2064) (i32.const 0))
            (i32.store (i32.const 2068) (i32.const {bytes}))
            (i32.store (i32.const 1100) (i32.const 0))
            (call $pair (i32.const 1104) (i32.const 2048) (i32.const 1))
            (call $pair (i32.const 1112) (i32.const 2056) (i32.const 2))
            (call $pair (i32.const 1120) (i32.const 2048) (i32.const 1))
            (call $pair (i32.const 1128) (i32.const 2064) (i32.const 2))
            (call $pair (i32.const 1136) (i32.const 65536) (i32.const {bytes}))
            (call $one_emission)"
        ),
    )
}

/// Returns a guest that computes for some hundredths of a second with each batch, and emits
/// nothing.
fn burn() -> WatGuest {
    WatGuest::idle().export(
        "process",
        "(local $n i64)
        (global.set $next (i32.const 65536))
        (loop $more
            (local.set $n (i64.add (local.get $n) (i64.const 1)))
            (br_if $more (i64.lt_u (local.get $n) (i64.const 20000000))))
        (call $done)",
    )
}

/// Few records, in one or two batches.
const FEW: &str = "to = 3";
/// More records than any test waits for, most of them alone in a batch.
const UNENDING: &str = "to = 1_000_000_000\nrate = 100\nbatch = 1";

/// Returns a job in which `first` is chained to `second` if `partition` is `forward`, and feeds it
/// through a channel if `partition` is `hash`.
fn job(records: &str, first: &WatGuest, second: &WatGuest, partition: &str) -> JobDirectory {
    let job = JobDirectory::new(&format!(
        r#"
version = 1
name = "chains"
[checkpoint]
directory = "state"
interval = "1h"
timeout = "2s"
tolerable-failures = 1
[restart]
strategy = "none"
[defaults]
parallelism = 1
[source.integers]
connector = "generator"
{records}
[operator.first]
component = "first.wasm"
inputs = [{{ from = "integers", partition = "hash" }}]
limits = {{ call-timeout = "1m" }}
[operator.second]
component = "second.wasm"
inputs = [{{ from = "first", partition = "{partition}" }}]
limits = {{ call-timeout = "1m" }}
[sink.out]
connector = "discard"
inputs = [{{ from = "second", partition = "hash" }}]
"#
    ));
    job.write("first.wasm", first.component());
    job.write("second.wasm", second.component());
    job
}

/// Far less than 40 times 60 MiB. The result of a call, the outbox, the channel and the sink hold
/// 60 MiB each, and the sink makes up to 128 MiB of text from its record.
const MOST_MIB: u64 = 560;

/// Another source that keeps the job and its process running.
const ANOTHER: &str = r#"
[source.another]
connector = "generator"
to = 1_000_000_000
rate = 100
[sink.idle]
connector = "discard"
inputs = [{ from = "another" }]
"#;

/// Starts the same job with a sink that waits for its reader.
fn start_writing(job: &JobDirectory) -> (Running, PipeReader) {
    let text = std::fs::read_to_string(job.path().join("job.toml")).expect("there is a job file");
    let text = text.replace("\"discard\"", "\"stdout\"\nformat = \"lines\"");
    job.write("job.toml", text + ANOTHER);
    let (reader, writer) = std::io::pipe().expect("a pipe can be made");
    let mut command = tidegate_command(&[], job.path(), &["run", "job.toml"]);
    command.stdout(writer);
    (Running::spawn(command), reader)
}

/// Asserts that memory stays bounded while no one reads the sink's output until the chain before it
/// stops. The test samples the peak while the process still runs, after all of the fan-out has
/// arrived.
#[track_caller]
fn assert_amplification_is_bounded(export: &str) {
    let job = job(FEW, &fan_out(export, 40), &big(), "forward");
    let (mut running, mut reader) = start_writing(&job);
    wait_until_still(&job, &mut running, "second");
    let read = thread::spawn(move || std::io::copy(&mut reader, &mut std::io::sink()));
    while records_in(&job, "out").unwrap_or_default() < 40 {
        assert!(running.is_running(), "it ended before all had arrived");
    }
    let peak = running.peak_mib().expect("the process is there");
    job.tidegate(&["cancel", "job.toml"]).assert_succeeds();
    running.wait_within(LONG).assert_succeeds();
    let bytes = read.join().expect("reading does not panic");
    // The last one may not have been written.
    assert!(bytes.expect("a pipe can be read") >= 39 * (60 << 20));
    assert!(peak < MOST_MIB, "{peak} MiB");
}

#[test]
fn forty_times_60_mib_that_process_leads_to_need_no_more_memory_than_a_few() {
    assert_amplification_is_bounded("process");
}

#[test]
fn forty_times_60_mib_that_advance_watermark_leads_to_need_no_more_memory_than_a_few() {
    assert_amplification_is_bounded("advance-watermark");
}

#[test]
fn forty_times_60_mib_that_finish_leads_to_need_no_more_memory_than_a_few() {
    assert_amplification_is_bounded("finish");
}

/// Returns the number of records that an operator of the running job has got; `None` if the job
/// does not answer.
fn records_in(job: &JobDirectory, operator: &str) -> Option<u64> {
    let answer = job.tidegate(&["status", "job.toml", "--json"]);
    let status: serde_json::Value = serde_json::from_str(&answer.stdout).ok()?;
    let mut nodes = status["nodes"].as_array()?.iter();
    let node = nodes.find(|node| node["name"] == operator)?;
    node["records_in"].as_u64()
}

/// Waits until an operator of the running job has got records, and gets no more.
#[track_caller]
fn wait_until_still(job: &JobDirectory, running: &mut Running, operator: &str) {
    let mut before = None;
    loop {
        let now = records_in(job, operator).filter(|records| *records > 0);
        assert!(running.is_running(), "it ended by itself");
        if now.is_some() && now == before {
            return;
        }
        before = now;
        thread::sleep(Duration::from_millis(1_500));
    }
}

/// Starts the job and waits until the burning operator has got records.
fn start_burning(job: &JobDirectory) -> Running {
    let mut running = job.start(&["run", "job.toml"]);
    while records_in(job, "second").unwrap_or_default() == 0 {
        assert!(running.is_running(), "it ended before it burned");
    }
    running
}

/// Returns a job with an endless fan-out within a chain, and one in which the fan-out's chain waits
/// for a burning one downstream.
fn endless() -> [JobDirectory; 2] {
    ["forward", "hash"].map(|partition| {
        let first = fan_out("process", ENDLESS);
        job(UNENDING, &first, &burn(), partition)
    })
}

#[test]
fn cancel_is_answered_while_a_fan_out_runs_and_while_downstream_burns() {
    for job in endless() {
        let running = start_burning(&job);
        job.tidegate(&["cancel", "job.toml"]).assert_succeeds();
        let finished = running.wait_within(LONG);
        finished.assert_succeeds();
        assert!(finished.stderr.contains("cancelled"), "{finished:#?}");
    }
}

#[test]
fn a_savepoint_behind_a_fan_out_without_end_is_refused_with_the_chain_that_is_busy() {
    let [job, _] = endless();
    let running = start_burning(&job);
    let refused = job.tidegate(&["savepoint", "job.toml", "savepoints"]);
    let fragments = [
        "not complete within 2s",
        "no acknowledgement from first[0] -> second[0]",
    ];
    refused.assert_fails(1, &fragments);
    job.tidegate(&["cancel", "job.toml"]).assert_succeeds();
    running.wait_within(LONG).assert_succeeds();
}

#[test]
fn a_savepoint_comes_behind_what_one_element_leads_to() {
    let job = job(UNENDING, &fan_out("process", 20), &burn(), "forward");
    let text = std::fs::read_to_string(job.path().join("job.toml")).expect("there is a job file");
    job.write(
        "job.toml",
        text.replace("\ntimeout = \"2s\"", "\ntimeout = \"1h\""),
    );
    let running = start_burning(&job);
    let taken = job.tidegate(&["savepoint", "job.toml", "savepoints"]);
    taken.assert_succeeds();
    job.tidegate(&["stop", "job.toml"]).assert_succeeds();
    running.wait_within(LONG).assert_succeeds();
}

#[test]
fn stop_behind_a_fan_out_without_end_fails_the_job_by_name_once_its_checkpoints_time_out() {
    let [job, _] = endless();
    let running = start_burning(&job);
    let stop = job.tidegate(&["stop", "job.toml"]);
    assert_ne!(stop.code, Some(0), "{stop:#?}");
    let reason = ["2 checkpoints in a row failed", "first[0]"];
    running.wait_within(LONG).assert_fails(1, &reason);
}

#[test]
fn sigterm_is_answered_while_a_fan_out_runs_and_a_second_one_ends_the_process() {
    let [job, _] = endless();
    let running = start_burning(&job);
    running.signal(Signal::TERM);
    let reason = ["2 checkpoints in a row failed", "first[0]"];
    running.wait_within(LONG).assert_fails(1, &reason);
    let running = start_burning(&job);
    running.signal(Signal::TERM);
    // The same signal again within half a second counts as the same request.
    thread::sleep(Duration::from_secs(1));
    running.signal(Signal::TERM);
    let finished = running.wait_within(LONG);
    assert!(matches!(finished.code, Some(143 | 1)), "{finished:#?}");
}

/// Returns a job whose sink blocks, since no one reads its output.
fn blocked_sink() -> (JobDirectory, Running, PipeReader) {
    let job = JobDirectory::new(
        r#"
version = 1
name = "blocked"
[checkpoint]
directory = "state"
interval = "1h"
[source.integers]
connector = "generator"
[operator.echo]
component = "echo.wasm"
inputs = [{ from = "integers" }]
limits = { call-timeout = "1s" }
[sink.out]
connector = "stdout"
inputs = [{ from = "echo" }]
format = "lines"
"#,
    );
    job.write("echo.wasm", WatGuest::echo().component());
    let (reader, writer) = std::io::pipe().expect("a pipe can be made");
    let mut command = tidegate_command(&[], job.path(), &["run", "job.toml"]);
    command.stdout(writer);
    (job, Running::spawn(command), reader)
}

#[test]
fn a_sink_that_does_not_return_ends_the_process_by_name_once_its_job_is_cancelled() {
    let (job, mut running, mut reader) = blocked_sink();
    let mut first = [0];
    reader.read_exact(&mut first).expect("something is written");
    // It writes until the pipe is full; then it blocks.
    wait_until_still(&job, &mut running, "out");
    drop(job.tidegate(&["cancel", "job.toml"]));
    let expected = ["out[0] did not return within 34 s after the attempt ended"];
    running.wait_within(LONG).assert_fails(1, &expected);
}
