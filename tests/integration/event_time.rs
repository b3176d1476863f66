//! Results of event time, in the real binary: a late record is late whatever happens, and a window
//! is published once. A generator makes some records 500 s late; a guest counts in windows of 1 s
//! and emits late records on a separate port.
//!
//! Records and watermarks come in the same order in every run, so at parallelism 1 a job that was
//! killed again and again publishes the same bytes as an undisturbed one. The tests kill 102 times:
//! 50 plain kills, 25 kills of runs whose guests are replaced at barriers, and 3 x 9 between
//! savepoints from which the job continues at another parallelism. If snapshots had no watermark,
//! about every second kill would let a late record through.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::Value;
use tidegate_random::{Random, TestSeed};
use tidegate_tests::{
    JobDirectory, JobText, Running, guest, published_lines, published_parts, wait_until_it_runs,
};

/// Enough records that kills on a slow machine do not reach the end.
const RECORDS: u64 = 2_000_000;
const KEYS: u64 = 5;
const WINDOW_MS: i64 = 1_000;
/// Integers that this number divides are late.
const LATE_EVERY: u64 = 97;
/// Later than sources can be apart, so that the same records are late at any parallelism.
const LATE_BY_MS: i64 = 500_000;
/// Records per second while there are kills: they can't reach the end.
const RATE: u64 = 10_000;
/// The pace of the run that finishes the job.
const FAST: u64 = 100_000_000;

/// The job to run.
#[derive(Clone, Debug)]
struct Windows {
    rate: u64,
    /// The bytes that the guest leaks with each record.
    leak_bytes: u64,
    recycle_at: &'static str,
}

impl Windows {
    fn at(rate: u64) -> Self {
        Self {
            rate,
            leak_bytes: 0,
            recycle_at: "75%",
        }
    }

    fn job(&self) -> String {
        let Self {
            rate,
            leak_bytes,
            recycle_at,
        } = self;
        let source = format!(
            "to = {RECORDS}\nkeys = {KEYS}\nrate = {rate}\ntimestamps = \"value\"\n\
             late = {{ every = {LATE_EVERY}, by-ms = {LATE_BY_MS} }}"
        );
        let windows = format!(
            "outputs = [\"counts\", \"late\"]\n\
             config = {{ window-ms = {WINDOW_MS}, leak-bytes = {leak_bytes} }}\n\
             recycle-at = \"{recycle_at}\"\nlimits = {{ memory = \"64MiB\" }}"
        );
        let component = guest("tests/guests/tumbling");
        JobText::new("windows", "interval = \"30ms\"")
            .generator("integers", &source)
            .operator("windows", component, &[("integers", "hash")], &windows)
            .files("counts", "windows:counts", "counts", "tsv")
            .files("late", "windows:late", "late", "tsv")
            .text()
    }
}

/// The published lines of each sink, each once.
#[derive(Debug, PartialEq, Eq)]
struct Published {
    counts: Vec<String>,
    late: Vec<String>,
}

impl Published {
    /// Computes the lines from the input alone.
    fn expected() -> Self {
        let mut windows = BTreeMap::<(i64, u64), u64>::new();
        let mut late = Vec::new();
        for integer in 1..=RECORDS {
            let timestamp = i64::try_from(integer).expect("a small number");
            // The last multiple of 256; `None` before the first.
            let watermark = Some(timestamp - timestamp % 256).filter(|watermark| *watermark > 0);
            let is_late = integer.is_multiple_of(LATE_EVERY);
            let timestamp = timestamp - if is_late { LATE_BY_MS } else { 0 };
            let start = timestamp - timestamp.rem_euclid(WINDOW_MS);
            if watermark.is_some_and(|watermark| start + WINDOW_MS <= watermark) {
                late.push(format!("{}\t{integer}", integer % KEYS));
            } else {
                *windows.entry((start, integer % KEYS)).or_default() += 1;
            }
        }
        let line = |((start, key), count): ((i64, u64), u64)| format!("{key}\t{start} {count}");
        Self {
            counts: windows.into_iter().map(line).collect(),
            late,
        }
    }

    fn of(job: &JobDirectory) -> Self {
        let lines = |sink| published_lines(&job.path().join(sink));
        Self {
            counts: lines("counts"),
            late: lines("late"),
        }
    }

    fn sorted(mut self) -> Self {
        self.counts.sort();
        self.late.sort();
        self
    }
}

/// Returns all published bytes of a job, in the order of publication.
fn published_bytes(job: &JobDirectory) -> [Vec<u8>; 2] {
    ["counts", "late"].map(|sink| {
        let parts = published_parts(&job.path().join(sink)).into_iter();
        let bytes = parts.map(|part| std::fs::read(part).expect("a published file can be read"));
        bytes.flatten().collect()
    })
}

/// Returns the output of an undisturbed run.
fn undisturbed_bytes() -> [Vec<u8>; 2] {
    let job = JobDirectory::new(&Windows::at(FAST).job());
    job.tidegate(&["run", "job.toml"]).assert_succeeds();
    let published = Published::of(&job);
    let expected = Published::expected();
    assert_eq!(published.late, expected.late);
    assert_eq!(published.counts, expected.counts);
    published_bytes(&job)
}

/// Runs the rest of the job and compares all of its output.
#[track_caller]
fn assert_bytes_as_undisturbed(job: &JobDirectory, seed: &TestSeed) {
    let published = published_lines(&job.path().join("counts")).len();
    let expected = Published::expected().counts.len();
    assert!(published < expected, "seed {seed}: nothing is left to run");
    job.write("job.toml", Windows::at(FAST).job());
    job.tidegate(&["run", "job.toml"]).assert_succeeds();
    let is_equal = published_bytes(job) == undisturbed_bytes();
    let lines = Published::of(job);
    let numbers = (lines.counts.len(), lines.late.len());
    assert!(
        is_equal,
        "seed {seed}: published {numbers:?} (windows, late records), other than an undisturbed run"
    );
    job.assert_has_finished();
}

/// Kills a running process within 250 ms, at a moment that `random` chooses.
fn kill(running: Running, random: &mut Random, context: &str) {
    let time = Duration::from_millis(random.in_range(0..250));
    assert!(
        running.kill_after(time),
        "{context}: it ended before the kill"
    );
}

/// Returns how often the guest of the running job was replaced; `None` if the job does not answer.
fn recycles(job: &JobDirectory) -> Option<u64> {
    let answer = job.tidegate(&["status", "job.toml", "--json"]);
    let status: Value = serde_json::from_str(&answer.stdout).ok()?;
    let mut nodes = status["nodes"].as_array()?.iter();
    nodes.find(|node| node["name"] == "windows")?["guests"][0]["recycles"].as_u64()
}

#[test]
fn windows_are_those_of_an_undisturbed_run_byte_for_byte_after_50_kills() {
    let seed = TestSeed::of_run();
    let mut random = seed.random();
    let job = JobDirectory::new(&Windows::at(RATE).job());
    for number in 0..50 {
        let mut running = job.start(&["run", "job.toml"]);
        wait_until_it_runs(&job, &mut running);
        kill(running, &mut random, &format!("seed {seed}, kill {number}"));
    }
    assert_bytes_as_undisturbed(&job, &seed);
}

#[test]
fn windows_are_those_of_an_undisturbed_run_byte_for_byte_after_recycles_and_25_kills() {
    let seed = TestSeed::of_run();
    let mut random = seed.random();
    let leaking = Windows {
        leak_bytes: 8_192,
        recycle_at: "10%",
        ..Windows::at(RATE)
    };
    let job = JobDirectory::new(&leaking.job());
    for number in 0..25 {
        let context = format!("seed {seed}, kill {number}");
        let mut running = job.start(&["run", "job.toml"]);
        while recycles(&job).is_none_or(|recycles| recycles == 0) {
            assert!(
                running.is_running(),
                "{context}: it ended before it was recycled"
            );
        }
        kill(running, &mut random, &context);
    }
    assert_bytes_as_undisturbed(&job, &seed);
}

/// Runs the job with `arguments` and kills it 9 times, then stops it with a savepoint. Returns the
/// savepoint.
fn disturbed(job: &JobDirectory, arguments: &[&str], random: &mut Random, context: &str) -> String {
    for _ in 0..9 {
        let mut running = job.start(arguments);
        wait_until_it_runs(job, &mut running);
        kill(running, random, context);
    }
    let running = job.start(arguments);
    // From its first checkpoint on the job has a watermark.
    let published = |sink| published_lines(&job.path().join(sink)).len();
    let before = published("counts");
    let mut stopping = running;
    while published("counts") == before {
        assert!(
            stopping.is_running(),
            "{context}: it ended before it was stopped"
        );
        std::thread::sleep(Duration::from_millis(5));
    }
    let stopped = job.tidegate(&["stop", "job.toml", "--savepoint", "savepoints"]);
    let savepoint = stopped.assert_succeeds().stdout.trim().to_owned();
    assert_eq!(stopping.wait().code, Some(0), "{context}");
    savepoint
}

#[test]
fn each_window_comes_once_from_savepoints_that_go_on_at_2_3_and_1_over_27_kills() {
    let seed = TestSeed::of_run();
    let context = format!("seed {seed}");
    let mut random = seed.random();
    let job = JobDirectory::new(&Windows::at(RATE).job());
    let first = ["run", "job.toml", "--parallelism", "1"];
    let mut savepoint = disturbed(&job, &first, &mut random, &context);
    for parallelism in ["2", "3"] {
        let go_on = [
            "run",
            "job.toml",
            "--from",
            &savepoint,
            "--parallelism",
            parallelism,
        ];
        savepoint = disturbed(&job, &go_on, &mut random, &context);
    }
    job.write("job.toml", Windows::at(FAST).job());
    let last = [
        "run",
        "job.toml",
        "--from",
        &savepoint,
        "--parallelism",
        "1",
    ];
    job.tidegate(&last).assert_succeeds();
    let (published, expected) = (Published::of(&job).sorted(), Published::expected().sorted());
    assert_eq!(published.late, expected.late, "{context}");
    assert_eq!(published.counts, expected.counts, "{context}");
}
