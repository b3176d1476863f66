//! Guests that leak, in the real binary: the host replaces their instances at barriers, so that
//! their memory stays level and the output is exact.
//!
//! A component in any language that counts as `leaky` does (for each record its key and the new
//! count, in decimal) can take its place: see `make recycle-soak`.

use std::time::Duration;

use tidegate_random::TestSeed;
use tidegate_tests::{JobDirectory, JobText, Running, assert_counts, guest, published_lines};

/// The number of records in a batch.
const BATCH: u64 = 500;
const KEYS: u64 = 100;

/// The job to run.
#[derive(Clone, Debug)]
struct Leak {
    /// The component that leaks.
    component: String,
    /// The config that makes the component leak.
    config: String,
    memory: String,
    recycle_at: &'static str,
    batches: u64,
    parallelism: u32,
    /// Records per second.
    rate: u64,
}

impl Leak {
    /// Returns a job of 10,000 batches that leak 500 MB, or the job that the environment describes.
    fn at_parallelism(parallelism: u32) -> Self {
        let leaky = || guest("tests/guests/leaky").display().to_string();
        let given = |name: &str| std::env::var(format!("TIDEGATE_TEST_RECYCLE_{name}")).ok();
        let component = given("COMPONENT");
        // Far below the limit, so that no test fails on a busy disk, for which checkpoints wait.
        let (config, recycle_at) = match component {
            Some(_) => ("", "75%"),
            None => ("leak-bytes = 100", "10%"),
        };
        Self {
            config: config.to_owned(),
            recycle_at,
            component: component.unwrap_or_else(leaky),
            memory: given("MEMORY").unwrap_or_else(|| "256MiB".to_owned()),
            batches: given("BATCHES").map_or(10_000, |n| n.parse().expect("a number of batches")),
            parallelism,
            rate: 100_000_000,
        }
    }

    fn records(&self) -> u64 {
        self.batches * BATCH
    }

    /// Returns the job. It has no restarts: a guest that reaches its limit fails the job. The
    /// interval is the default.
    fn job(&self) -> String {
        let (records, memory, rate) = (self.records(), &self.memory, self.rate);
        let (component, config, parallelism) = (&self.component, &self.config, self.parallelism);
        let recycle_at = self.recycle_at;
        let source = format!("to = {records}\nkeys = {KEYS}\nbatch = {BATCH}\nrate = {rate}");
        let count = format!(
            "parallelism = {parallelism}\nconfig = {{ {config} }}\nrecycle-at = \"{recycle_at}\"\n\
             limits = {{ memory = \"{memory}\", call-timeout = \"5m\" }}"
        );
        JobText::new("leak", "")
            .table("restart", "strategy = \"none\"")
            .generator("integers", &source)
            .operator("count", component, &[("integers", "hash")], &count)
            .files("counts", "count", "output", "tsv")
            .text()
    }

    /// Asserts that every update of every key is there once.
    fn assert_exact(&self, job: &JobDirectory) {
        let lines = published_lines(&job.path().join("output"));
        assert_counts(&lines, self.records(), KEYS, &self.component);
    }
}

/// Returns the recycles and bytes of each guest of the running job; `None` if the job does not
/// answer.
fn guests(job: &JobDirectory) -> Option<Vec<(u64, u64)>> {
    let answer = job.tidegate(&["status", "job.toml", "--json"]);
    let status: serde_json::Value = serde_json::from_str(&answer.stdout).ok()?;
    let nodes = status["nodes"].as_array()?;
    let count = nodes.iter().find(|node| node["name"] == "count")?;
    let number = |guest: &serde_json::Value, key: &str| guest[key].as_u64();
    let guests = count["guests"].as_array()?.iter();
    guests
        .map(|guest| Some((number(guest, "recycles")?, number(guest, "memory_bytes")?)))
        .collect()
}

/// Runs the job to its end. Returns the last figures of its guests, and their peak memory.
fn watched(job: &JobDirectory, mut running: Running) -> (Vec<(u64, u64)>, u64) {
    let (mut last, mut largest) = (Vec::new(), 0);
    while running.is_running() {
        if let Some(seen) = guests(job) {
            largest = seen.iter().map(|guest| guest.1).fold(largest, u64::max);
            last = seen;
        }
    }
    running.wait().assert_succeeds();
    (last, largest)
}

/// Checks a job that leaks, and returns the observed figures, for people.
fn memory_stays_level(parallelism: u32) -> String {
    let leak = Leak::at_parallelism(parallelism);
    let job = JobDirectory::new(&leak.job());
    let (guests, largest) = watched(&job, job.start(&["run", "job.toml"]));
    assert_eq!(guests.len(), parallelism as usize);
    assert!(guests.iter().all(|guest| guest.0 > 1), "{guests:?}");
    leak.assert_exact(&job);
    format!("{guests:?} (recycles, bytes); at most {largest} bytes; {leak:?}")
}

#[test]
fn the_memory_of_a_guest_that_leaks_stays_level_at_parallelism_1() {
    println!("{}", memory_stays_level(1));
}

#[test]
fn the_memory_of_a_guest_that_leaks_stays_level_at_parallelism_2() {
    println!("{}", memory_stays_level(2));
}

#[test]
fn a_job_that_is_killed_while_its_guests_are_replaced_is_exact() {
    let seed = TestSeed::of_run();
    println!("seed {seed}");
    let mut random = seed.random();
    let mut leak = Leak {
        config: "leak-bytes = 8192".to_owned(),
        component: guest("tests/guests/leaky").display().to_string(),
        memory: "256MiB".to_owned(),
        recycle_at: "10%",
        batches: 1_000,
        parallelism: 2,
        rate: 20_000,
    };
    let job = JobDirectory::new(&leak.job());
    for kill in 0..10 {
        let mut running = job.start(&["run", "job.toml"]);
        let all_recycled = |guests: Vec<(u64, u64)>| guests.iter().all(|guest| guest.0 > 0);
        while !guests(&job).is_some_and(all_recycled) {
            assert!(running.is_running(), "it ended before kill {kill}");
        }
        let was_killed = running.kill_after(Duration::from_millis(random.in_range(0..100)));
        assert!(was_killed, "it ended before kill {kill}");
    }
    // As fast as possible, so that far more records wait in channels, and leak before a barrier
    // comes.
    leak.rate = 100_000_000;
    leak.config = "leak-bytes = 10".to_owned();
    job.write("job.toml", leak.job());
    job.tidegate(&["run", "job.toml"]).assert_succeeds();
    leak.assert_exact(&job);
    job.assert_has_finished();
}

#[test]
fn an_instance_that_leaks_too_fast_fails_with_a_hint() {
    let mut leak = Leak::at_parallelism(1);
    leak.component = guest("tests/guests/leaky").display().to_string();
    leak.config = "leak-bytes = 1_000_000".to_owned();
    leak.memory = "16MiB".to_owned();
    let job = JobDirectory::new(&leak.job());
    let hints = [
        "operator `count`, subtask 0: `process` needed more memory than its limit of 16 MiB",
        "raise `memory` in the `limits` of [operator.count]",
        "lower `recycle-at`",
    ];
    job.tidegate(&["run", "job.toml"]).assert_fails(1, &hints);
}
