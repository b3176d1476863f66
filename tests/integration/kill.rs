//! The real binary, killed with SIGKILL at random moments and run again with the same command,
//! until it has finished: nothing may be lost and nothing may come twice.
//!
//! Both jobs publish every update, so each line of output is checked: for every key the counts 1
//! to n must be there exactly once. 6 cases of 84 kills each are 504 kills; `TIDEGATE_TEST_KILLS`
//! sets another number for each case (`make kill-soak`). Each must end a process
//! that has the checkpoint directory and whose output is incomplete.

use std::collections::HashMap;
use std::time::Duration;

use tidegate_tests::{JobDirectory, Random, Running, guest, published_line_count, published_lines};

/// Kills of each case, unless the environment says otherwise.
const KILLS: u64 = 84;
/// The kill comes this many milliseconds after the process has taken the checkpoint directory: some
/// while it restores, most between two checkpoints.
const KILL_AFTER_MS: std::ops::Range<u64> = 0..250;
/// Records that each source gives a second while there are kills, so that they can't reach the end
/// of the input, however fast the machine is.
const RATE: u64 = 10_000;

fn kills() -> u64 {
    let given = std::env::var("TIDEGATE_TEST_KILLS").ok();
    given.and_then(|kills| kills.parse().ok()).unwrap_or(KILLS)
}

/// Twice of what all runs of a case read if each is killed as late as can be.
fn records() -> u64 {
    2 * kills() * KILL_AFTER_MS.end * RATE / 1_000
}

/// Waits until the running process has the checkpoint directory.
pub(crate) fn wait_until_it_runs(job: &JobDirectory, running: &mut Running) {
    let holder = format!("pid {}\n", running.id());
    let lock = job.path().join("state/LOCK");
    while !std::fs::read_to_string(&lock).is_ok_and(|lock| lock.starts_with(&holder)) {
        assert!(running.is_running(), "it ended before it ran");
        std::thread::sleep(Duration::from_millis(1));
    }
}

/// The pace of the run that finishes the job.
const FAST: u64 = 100_000_000;

/// How often each key must have been seen, and what its last update must say.
pub(crate) type Expected = HashMap<String, (u64, String)>;

fn parity_sum_job(parallelism: u32, rate: u64) -> String {
    let to = records();
    format!(
        r#"
version = 1
name = "parity-sum"
[checkpoint]
directory = "state"
interval = "30ms"
[defaults]
parallelism = {parallelism}
[source.left]
connector = "generator"
to = {to}
keys = 2
rate = {rate}
[source.right]
connector = "generator"
to = {to}
keys = 2
rate = {rate}
[operator.sum]
component = "{}"
inputs = [{{ from = "left", partition = "hash" }}, {{ from = "right", partition = "hash" }}]
[sink.sums]
connector = "file"
inputs = [{{ from = "sum" }}]
directory = "output"
format = "tsv"
"#,
        guest("examples/parity-sum/operators/sum").display()
    )
}

fn parity_sum_expected() -> Expected {
    let of_parity = |parity: u64| {
        let integers = (1..=records()).filter(|integer| integer % 2 == parity);
        let (count, sum) = integers.fold((0, 0), |(count, sum), i| (count + 1, sum + i));
        // Two sources give the same integers.
        let (count, sum) = (2 * count, 2 * sum);
        (parity.to_string(), (count, format!("{count} {sum}")))
    };
    [of_parity(0), of_parity(1)].into()
}

fn word_count_job(parallelism: u32, rate: u64) -> String {
    let rate = rate / u64::from(parallelism);
    format!(
        r#"
version = 1
name = "word-count"
[checkpoint]
directory = "state"
interval = "30ms"
[defaults]
parallelism = {parallelism}
[source.lines]
connector = "file"
path = "input/*.txt"
format = "lines"
batch-bytes = "8KiB"
rate-per-subtask = {rate}
[operator.split]
component = "{}"
inputs = [{{ from = "lines" }}]
[operator.count]
component = "{}"
inputs = [{{ from = "split", partition = "hash" }}]
[sink.counts]
connector = "file"
inputs = [{{ from = "count" }}]
directory = "output"
format = "tsv"
"#,
        guest("examples/word-count/operators/split").display(),
        guest("examples/word-count/operators/count").display()
    )
}

/// The project's licence, repeated: real text that is always there.
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

/// How often a job is killed, and how many milliseconds after it has the checkpoint directory.
#[derive(Clone, Debug)]
pub(crate) struct Kills {
    pub(crate) number: u64,
    pub(crate) after_ms: std::ops::Range<u64>,
}

/// Kills, resumes, and compares every line. `fast` is the job without its pace.
pub(crate) fn kill_until_finished(
    job: &JobDirectory,
    fast: &str,
    expected: &Expected,
    kills: &Kills,
) {
    let seed = Random::fresh_seed();
    // `TIDEGATE_TEST_SEED` chooses the same moments again.
    let seed_text = format!("seed {seed}");
    let mut random = Random::new(seed);
    let lines_in_all: u64 = expected.values().map(|(count, _)| count).sum();
    for kill in 0..kills.number {
        let mut running = job.start(&["run", "job.toml"]);
        wait_until_it_runs(job, &mut running);
        let was_killed = running.kill_after(Duration::from_millis(
            random.in_range(kills.after_ms.clone()),
        ));
        assert!(
            was_killed,
            "{seed_text}: the job finished after {kill} kills: it is too small for the test"
        );
        assert!(
            published_line_count(&job.path().join("output")) < lines_in_all,
            "{seed_text}: the kill came after the last of the output"
        );
    }
    job.write("job.toml", fast);
    job.tidegate(&["run", "job.toml"]).assert_succeeds();
    let lines = published_lines(&job.path().join("output"));
    assert_every_update_once(&lines, expected, &seed_text);
    // Run once more, it does nothing and says so.
    let again = job.tidegate(&["run", "job.toml"]);
    assert!(
        again.assert_succeeds().stderr.contains("finished"),
        "{again:#?}"
    );
    assert_eq!(
        published_lines(&job.path().join("output")).len(),
        lines.len()
    );
}

fn assert_every_update_once(lines: &[String], expected: &Expected, seed: &str) {
    let mut seen = HashMap::<&str, Vec<u64>>::new();
    let mut last = HashMap::<&str, (u64, &str)>::new();
    for line in lines {
        let (key, value) = line.split_once('\t').expect("a line has a key and a value");
        let count = value.split(' ').next().and_then(|count| count.parse().ok());
        let count: u64 = count.expect("a value begins with a count");
        seen.entry(key).or_default().push(count);
        let newest = last.entry(key).or_insert((count, value));
        if count > newest.0 {
            *newest = (count, value);
        }
    }
    let (mut lost, mut duplicated) = (0, 0);
    for (key, (count, value)) in expected {
        let mut counts = seen.remove(&**key).unwrap_or_default();
        counts.sort_unstable();
        let total = counts.len() as u64;
        counts.dedup();
        duplicated += total - counts.len() as u64;
        lost += count
            - counts
                .iter()
                .filter(|seen| (1..=*count).contains(seen))
                .count() as u64;
        assert_eq!(
            last.get(&**key),
            Some(&(*count, &**value)),
            "{seed}: the last update of `{key}`"
        );
    }
    assert_eq!(
        (lost, duplicated),
        (0, 0),
        "{seed}: (lost, duplicated) of {} updates",
        lines.len()
    );
    assert!(
        seen.is_empty(),
        "{seed}: keys that are not in the input: {:?}",
        seen.keys()
    );
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
