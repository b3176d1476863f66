//! Records that a component can't process, in the real binary: one letter for each of them, and all
//! others exactly once, even if the process is killed while it isolates a record. With the policy
//! "fail", the error names the record.
//!
//! The component counts by key and corrupts its count before it fails, so the counts would show a
//! fault that left a trace.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use tidegate_random::TestSeed;
use tidegate_tests::{JobDirectory, guest, published_lines};

const KEYS: u64 = 7;

/// The settings of a case.
struct Case {
    records: u64,
    /// The config of the operator.
    config: &'static str,
    /// Lines of the operator's table.
    policies: &'static str,
    parallelism: u32,
    /// More tables.
    tables: &'static str,
    /// Records per second.
    rate: &'static str,
}

/// Returns a job that sends integers under 7 keys through one operator into another that can't
/// process some.
fn job(case: &Case) -> String {
    let Case {
        records,
        config,
        policies,
        parallelism,
        tables,
        rate,
    } = case;
    let letters = match policies.contains("dead-letter") {
        true => {
            "[sink.letters]\nconnector = \"file\"\ndirectory = \"letters\"\nformat = \"tsv\"\n\
             inputs = [{ from = \"picky:dead-letter\" }]\n"
        }
        false => "",
    };
    // Only an endless call comes near its timeout, however busy the machine is.
    let call_timeout = match config.contains("hangs") {
        true => "1s",
        false => "5m",
    };
    format!(
        r#"
version = 1
name = "poison"
[checkpoint]
directory = "state"
interval = "50ms"
[defaults]
parallelism = {parallelism}
[source.integers]
connector = "generator"
to = {records}
keys = {KEYS}
batch = 500
{rate}
[operator.before]
component = "{}"
inputs = [{{ from = "integers", partition = "rebalance" }}]
config = {{ behaviour = "echo" }}
[operator.picky]
component = "{}"
inputs = [{{ from = "before", partition = "hash" }}]
config = {{ {config} }}
limits = {{ call-timeout = "{call_timeout}" }}
{policies}
[sink.out]
connector = "file"
inputs = [{{ from = "picky" }}]
directory = "output"
format = "tsv"
{letters}
{tables}
"#,
        guest("tests/guests/hostile").display(),
        guest("tests/guests/picky").display()
    )
}

/// Asserts that all integers up to `records` except `poison` are there once, and for every key the
/// counts 1 to n.
fn assert_exact(job: &JobDirectory, records: u64, poison: &[u64], seed: &str) {
    let mut integers = BTreeSet::new();
    let mut counts: BTreeMap<String, Vec<u64>> = BTreeMap::new();
    let lines = published_lines(&job.path().join("output"));
    for line in &lines {
        let (key, value) = line.split_once('\t').expect("a line has key and value");
        let (integer, count) = value.split_once('#').expect("a value has a count");
        let integer: u64 = integer.parse().expect("it is an integer");
        assert!(integers.insert(integer), "{seed}: {integer} came twice");
        let of_key = counts.entry(key.to_owned()).or_default();
        of_key.push(count.parse().expect("a count is an integer"));
    }
    let expected: BTreeSet<u64> = (1..=records).filter(|i| !poison.contains(i)).collect();
    assert_eq!(integers, expected, "{seed}");
    for (key, mut counts) in counts {
        counts.sort_unstable();
        let expected: Vec<u64> = (1..=counts.len() as u64).collect();
        assert_eq!(counts, expected, "{seed}: key {key}");
    }
    let mut letters: Vec<u64> = published_lines(&job.path().join("letters"))
        .iter()
        .map(|line| {
            letter(line)["value"]
                .as_str()
                .expect("it is text")
                .to_owned()
        })
        .map(|value| value.parse().expect("it is an integer"))
        .collect();
    letters.sort_unstable();
    assert_eq!(letters, poison, "{seed}: letters");
}

/// Parses the JSON of a line with a key before it.
fn letter(line: &str) -> serde_json::Value {
    let (_, json) = line.split_once('\t').expect("a line has key and value");
    // `tsv` doubles the backslashes of the JSON.
    let json = json.replace("\\\\", "\\");
    serde_json::from_str(&json).expect("a letter is JSON")
}

const NO_RESTARTS: &str = "[restart]\nstrategy = \"none\"";

#[test]
fn of_10_000_records_one_that_traps_is_a_letter_and_9_999_come_out() {
    let job = JobDirectory::new(&job(&Case {
        records: 10_000,
        config: "panics = [\"7777\"]",
        policies: "on-trap = \"dead-letter\"",
        parallelism: 1,
        tables: NO_RESTARTS,
        rate: "",
    }));
    let finished = job.tidegate(&["run", "job.toml"]);
    let said = &finished.assert_succeeds().stderr;
    assert_eq!(said.matches("isolating a record").count(), 1, "{said}");
    assert!(said.contains("0 restart(s), 1 dead letter(s)"), "{said}");
    assert_exact(&job, 10_000, &[7777], "");
    let lines = published_lines(&job.path().join("letters"));
    assert!(
        lines[0].starts_with("0\t{"),
        "the key of 7777 is 0: {lines:?}"
    );
    let letter = letter(&lines[0]);
    let error = letter["error"].as_str().expect("it is text");
    assert!(error.starts_with("`process` trapped: "), "{error}");
    assert!(error.contains("7777 is poison"), "{error}");
    assert_eq!(
        letter["source"],
        serde_json::json!({
            "name": "integers", "subtask": 0, "split": "integers", "from": 7777, "to": 7778,
        })
    );
}

#[test]
fn an_invalid_record_and_one_that_never_ends_are_letters_at_parallelism_2() {
    let job = JobDirectory::new(&job(&Case {
        records: 10_000,
        config: "invalid = [\"1\", \"5000\", \"5001\"], hangs = [\"9999\"]",
        policies: "on-invalid-record = \"dead-letter\"\non-trap = \"dead-letter\"",
        parallelism: 2,
        tables: NO_RESTARTS,
        rate: "",
    }));
    job.tidegate(&["run", "job.toml"]).assert_succeeds();
    assert_exact(&job, 10_000, &[1, 5000, 5001, 9999], "");
}

#[test]
fn with_the_policy_fail_the_third_restart_is_the_last_and_the_record_is_named() {
    let job = JobDirectory::new(&job(&Case {
        records: 10_000,
        config: "panics = [\"7777\"]",
        policies: "",
        parallelism: 2,
        tables: "[restart]\nstrategy = \"fixed-delay\"\ndelay = \"10ms\"\nattempts = 3",
        rate: "",
    }));
    let failed = job.tidegate(&["run", "job.toml"]);
    failed.assert_fails(
        1,
        &[
            "gave up after 3 restart(s): operator `picky`, subtask ",
            "`process` trapped: ",
            "7777 is poison",
            "record: key `0`, value of 4 bytes, on input 0, from source integers[",
            "] at integers 7777..7778",
            "restart 3: ",
        ],
    );
    assert!(!failed.stderr.contains("restart 4: "), "{failed:#?}");
}

#[test]
fn a_policy_of_one_kind_does_not_hold_for_the_other() {
    let job = JobDirectory::new(&job(&Case {
        records: 10_000,
        config: "panics = [\"7777\"]",
        policies: "on-invalid-record = \"dead-letter\"",
        parallelism: 1,
        tables: NO_RESTARTS,
        rate: "",
    }));
    let failed = job.tidegate(&["run", "job.toml"]);
    failed.assert_fails(1, &["7777 is poison", "record: one of "]);
}

#[test]
fn a_component_that_fails_on_everything_ends_the_job_and_says_how_to_go_on() {
    let job = JobDirectory::new(&job(&Case {
        records: 10_000,
        config: "panics_always = true",
        policies: "on-trap = \"dead-letter\"",
        parallelism: 1,
        tables: "[isolation]\nin-a-row = 6",
        rate: "",
    }));
    let failed = job.tidegate(&["run", "job.toml"]);
    let expected = [
        "gave up isolating records after 6 dead letters in a row: operator `picky`",
        "raise `in-a-row` in [isolation]",
    ];
    failed.assert_fails(1, &expected);
    assert_eq!(published_lines(&job.path().join("output")), [""; 0]);
}

/// Runs a job that can't process every hundredth of 100,000 records, with a job's default settings.
fn a_dirty_feed(kind: &'static str, policies: &'static str, parallelism: u32) {
    let job = JobDirectory::new(&job(&Case {
        records: 100_000,
        config: kind,
        policies,
        parallelism,
        tables: NO_RESTARTS,
        rate: "",
    }));
    let finished = job.tidegate(&["run", "job.toml"]);
    let said = &finished.assert_succeeds().stderr;
    assert_eq!(said.matches("isolating a record").count(), 1, "{said}");
    assert!(
        said.contains("0 restart(s), 1,000 dead letter(s)"),
        "{said}"
    );
    let poison: Vec<u64> = (1..=1_000).map(|nth| nth * 100).collect();
    assert_exact(&job, 100_000, &poison, "");
}

#[test]
fn one_percent_of_100_000_records_that_are_invalid_cost_one_restart() {
    let policies = "on-invalid-record = \"dead-letter\"";
    a_dirty_feed("invalid_every = 100", policies, 1);
}

#[test]
fn one_percent_of_100_000_records_that_trap_cost_one_restart_at_parallelism_2() {
    a_dirty_feed("panics_every = 100", "on-trap = \"dead-letter\"", 2);
}

/// The number of kills of each case; each must have ended a running job.
const KILLS: u64 = 10;
/// The number of kills that must have come after the process had begun to isolate a record.
const KILLS_WHILE_ISOLATING: u64 = 3;

fn kill_while_isolating(parallelism: u32) {
    let job = JobDirectory::new(&job(&Case {
        records: 10_000,
        config: "panics = [\"300\", \"600\", \"601\", \"1500\"], invalid = [\"900\", \"3000\"]",
        policies: "on-invalid-record = \"dead-letter\"\non-trap = \"dead-letter\"",
        parallelism,
        tables: "",
        rate: "rate = 1_000",
    }));
    let seed = TestSeed::of_run();
    let mut random = seed.random();
    let seed = format!("seed {seed}");
    let (mut kills, mut isolating) = (0, 0);
    while kills < KILLS || isolating < KILLS_WHILE_ISOLATING {
        // Kills come later and later if none meets the isolation of a record: machines differ.
        let most = 500 + 50 * (kills - isolating);
        let moment = Duration::from_millis(random.in_range(30..most));
        let mut running = job.start(&["run", "job.toml"]);
        std::thread::sleep(moment);
        assert!(
            running.is_running(),
            "{seed}: the job ended after {kills} kills, {isolating} of them while isolating"
        );
        running.signal(rustix::process::Signal::KILL);
        let killed = running.wait();
        kills += u64::from(killed.code.is_none());
        isolating += u64::from(killed.stderr.contains("isolating a record"));
    }
    job.tidegate(&["run", "job.toml"]).assert_succeeds();
    assert_exact(&job, 10_000, &[300, 600, 601, 900, 1500, 3000], &seed);
}

#[test]
fn kills_while_records_are_isolated_change_nothing_at_parallelism_1() {
    kill_while_isolating(1);
}

#[test]
fn kills_while_records_are_isolated_change_nothing_at_parallelism_2() {
    kill_while_isolating(2);
}
