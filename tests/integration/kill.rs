//! The real binary, killed with SIGKILL at random moments and run again with the same command until
//! it has finished: no record may be lost or come twice.
//!
//! Both jobs publish every update, so each line of output is checked: for every key the counts 1 to
//! n must be there exactly once. 6 cases of 84 kills each make 504 kills; `TIDEGATE_TEST_KILLS`
//! sets another number for each case (`make kill-soak`). Each kill must end a process that has the
//! checkpoint directory and whose output is incomplete.

use std::collections::HashMap;

use tidegate_tests::{Expected, JobDirectory, JobText, Kills, guest, kill_until_finished};

/// The number of kills of each case, unless the environment sets another.
const KILLS: u64 = 84;
/// The kill comes this many milliseconds after the process has taken the checkpoint directory:
/// sometimes while it restores, mostly between two checkpoints.
const KILL_AFTER_MS: std::ops::Range<u64> = 0..250;
/// The records per second of each source while there are kills, so that no run reaches the end of
/// the input, however fast the machine is.
const RATE: u64 = 10_000;

fn kills() -> u64 {
    let given = std::env::var("TIDEGATE_TEST_KILLS").ok();
    given.and_then(|kills| kills.parse().ok()).unwrap_or(KILLS)
}

/// Returns twice the records that all runs of a case read if each is killed as late as possible.
fn records() -> u64 {
    2 * kills() * KILL_AFTER_MS.end * RATE / 1_000
}

/// The pace of the run that finishes the job.
const FAST: u64 = 100_000_000;

fn parity_sum_job(parallelism: u32, rate: u64) -> String {
    let to = records();
    let source = format!("to = {to}\nkeys = 2\nrate = {rate}");
    let sum = guest("examples/parity-sum/operators/sum");
    JobText::new("parity-sum", "interval = \"30ms\"")
        .parallelism(parallelism)
        .generator("left", &source)
        .generator("right", &source)
        .operator("sum", sum, &[("left", "hash"), ("right", "hash")], "")
        .files("sums", "sum", "output", "tsv")
        .text()
}

fn parity_sum_expected() -> Expected {
    let of_parity = |parity: u64| {
        let integers = (1..=records()).filter(|integer| integer % 2 == parity);
        let (count, sum) = integers.fold((0, 0), |(count, sum), i| (count + 1, sum + i));
        // Two sources emit the same integers.
        let (count, sum) = (2 * count, 2 * sum);
        (parity.to_string(), (count, format!("{count} {sum}")))
    };
    [of_parity(0), of_parity(1)].into()
}

fn word_count_job(parallelism: u32, rate: u64) -> String {
    let rate = rate / u64::from(parallelism);
    let lines = format!(
        "connector = \"file\"\npath = \"input/*.txt\"\nformat = \"lines\"\n\
         batch-bytes = \"8KiB\"\nrate-per-subtask = {rate}"
    );
    let operator = |name| guest(&format!("examples/word-count/operators/{name}"));
    JobText::new("word-count", "interval = \"30ms\"")
        .parallelism(parallelism)
        .table("source.lines", &lines)
        .operator("split", operator("split"), &[("lines", "")], "")
        .operator("count", operator("count"), &[("split", "hash")], "")
        .files("counts", "count", "output", "tsv")
        .text()
}

/// Returns the project's licence, repeated: real text that always exists.
fn word_count_text() -> String {
    let licence = tidegate_tests::workspace_root().join("LICENSE");
    let licence = std::fs::read_to_string(licence).expect("the licence is there");
    let lines = licence.lines().count() as u64;
    let repeats = usize::try_from(records() / lines + 1).expect("it fits in memory");
    licence.repeat(repeats)
}

fn word_count_expected(text: &str) -> Expected {
    let mut counts = HashMap::<&str, u64>::new();
    for word in text.split_ascii_whitespace() {
        *counts.entry(word).or_default() += 1;
    }
    let expect = |(word, count): (&str, u64)| (word.to_owned(), (count, count.to_string()));
    counts.into_iter().map(expect).collect()
}

fn usual_kills() -> Kills {
    Kills {
        number: kills(),
        after_ms: KILL_AFTER_MS,
    }
}

fn parity_sum_survives_kills(parallelism: u32) {
    let job = JobDirectory::new(&parity_sum_job(parallelism, RATE));
    let fast = parity_sum_job(parallelism, FAST);
    kill_until_finished(&job, &fast, &parity_sum_expected(), &usual_kills());
}

fn word_count_survives_kills(parallelism: u32) {
    let job = JobDirectory::new(&word_count_job(parallelism, RATE));
    let text = word_count_text();
    std::fs::create_dir(job.path().join("input")).expect("a directory can be made");
    job.write("input/a.txt", &text);
    let fast = word_count_job(parallelism, FAST);
    kill_until_finished(&job, &fast, &word_count_expected(&text), &usual_kills());
}

#[test]
fn parity_sum_is_exact_after_84_kills_at_parallelism_1() {
    parity_sum_survives_kills(1);
}

#[test]
fn parity_sum_is_exact_after_84_kills_at_parallelism_2() {
    parity_sum_survives_kills(2);
}

#[test]
fn parity_sum_is_exact_after_84_kills_at_parallelism_4() {
    parity_sum_survives_kills(4);
}

#[test]
fn word_count_is_exact_after_84_kills_at_parallelism_1() {
    word_count_survives_kills(1);
}

#[test]
fn word_count_is_exact_after_84_kills_at_parallelism_2() {
    word_count_survives_kills(2);
}

#[test]
fn word_count_is_exact_after_84_kills_at_parallelism_4() {
    word_count_survives_kills(4);
}
