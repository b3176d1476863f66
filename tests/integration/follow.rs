//! The source `file` with `follow`, in the real binary: a log grows and is rotated in both ways
//! while the job runs, is killed and does not run. Each line is published once.

use std::fs::{self, File};
use std::io::Write as _;
use std::path::PathBuf;
use std::time::Duration;

use tidegate_random::TestSeed;
use tidegate_tests::{JobDirectory, Running, published_line_count, published_lines, wait_until};

fn job(parallelism: u32, follow: &str) -> String {
    format!(
        r#"
version = 1
name = "following"
[checkpoint]
directory = "state"
interval = "25ms"
[defaults]
parallelism = {parallelism}
[source.lines]
connector = "file"
path = "input/log*"
batch-bytes = "200B"
{follow}
[sink.copy]
connector = "file"
inputs = [{{ from = "lines" }}]
directory = "output"
format = "lines"
"#
    )
}

const FOLLOW: &str = "follow = true\nfollow-interval = \"5ms\"\ndiscover = \"10ms\"";

/// A program that writes a log, and one that rotates it.
struct Writer {
    directory: PathBuf,
    lines: u64,
    rotations: u64,
}

impl Writer {
    fn new(job: &JobDirectory) -> Self {
        let directory = job.path().join("input");
        fs::create_dir(&directory).expect("a directory can be made");
        Self {
            directory,
            lines: 0,
            rotations: 0,
        }
    }

    fn line(number: u64) -> String {
        format!(
            "line {number:06} {}",
            "x".repeat(usize::try_from(number % 5 * 50).unwrap_or_default())
        )
    }

    fn append(&mut self, lines: u64) {
        let log = File::options()
            .create(true)
            .append(true)
            .open(self.directory.join("log"));
        let mut log = log.expect("it can be opened");
        for _ in 0..lines {
            let line = Self::line(self.lines) + "\n";
            // In two steps, so that the job may see an unfinished line.
            let (first, rest) = line.split_at(4);
            log.write_all(first.as_bytes()).expect("it can be written");
            log.write_all(rest.as_bytes()).expect("it can be written");
            self.lines += 1;
        }
    }

    fn rotate(&mut self, by_copy: bool) {
        self.rotations += 1;
        let log = self.directory.join("log");
        let old = self.directory.join(format!("log.{}", self.rotations));
        if !log.exists() {
            return;
        }
        if by_copy {
            fs::copy(&log, old).expect("it can be copied");
            let log = File::options().write(true).open(&log);
            log.and_then(|log| log.set_len(0)).expect("it can be cut");
        } else {
            fs::rename(&log, old).expect("it can be renamed");
        }
    }

    fn expected(&self) -> Vec<String> {
        (0..self.lines).map(Self::line).collect()
    }
}

fn wait_for_all(job: &JobDirectory, writer: &Writer) {
    let output = job.path().join("output");
    let published = || published_line_count(&output);
    wait_until("all lines", published, |lines| *lines >= writer.lines);
}

fn stop(job: &JobDirectory, running: Running) {
    let stop = || job.tidegate(&["stop", "job.toml"]).code;
    wait_until("the job stops", stop, |code| *code == Some(0));
    running.wait().assert_succeeds();
}

fn assert_all_once(job: &JobDirectory, writer: &Writer, seed: &str) {
    let mut lines = published_lines(&job.path().join("output"));
    lines.sort();
    let (found, expected) = (lines.len(), writer.expected());
    assert!(
        lines == expected,
        "{seed}: {found} of {} lines",
        expected.len()
    );
}

#[test]
fn lines_are_published_as_they_come_and_the_job_does_not_end() {
    let job = JobDirectory::new(&job(1, FOLLOW));
    let mut writer = Writer::new(&job);
    let mut running = job.start(&["run", "job.toml"]);
    for by_copy in [false, true, false] {
        writer.append(3);
        wait_for_all(&job, &writer);
        writer.append(2);
        writer.rotate(by_copy);
        writer.append(1);
        wait_for_all(&job, &writer);
        assert!(running.is_running(), "the job ended by itself");
    }
    // An unfinished line waits, also over a stop.
    let log = writer.directory.join("log");
    let write = |text: &str| {
        let file = File::options().append(true).open(&log);
        let mut file = file.expect("it can be opened");
        file.write_all(text.as_bytes()).expect("it can be written");
    };
    write("unfin");
    stop(&job, running);
    assert_all_once(&job, &writer, "no kills");
    write("ished\n");
    let running = job.start(&["run", "job.toml"]);
    let output = job.path().join("output");
    let last = || {
        published_lines(&output)
            .into_iter()
            .filter(|line| line == "unfinished")
    };
    wait_until("the finished line", || last().count(), |lines| *lines == 1);
    stop(&job, running);
}

fn survives_kills(parallelism: u32) {
    let job = JobDirectory::new(&job(parallelism, FOLLOW));
    let mut writer = Writer::new(&job);
    let seed = TestSeed::of_run();
    let seed_text = format!("seed {seed}");
    let mut random = seed.random();
    for _ in 0..25 {
        let running = job.start(&["run", "job.toml"]);
        for _ in 0..random.in_range(1..5) {
            writer.append(random.in_range(1..40));
            if random.in_range(0..2) == 0 {
                writer.rotate(random.in_range(0..2) == 0);
            }
            std::thread::sleep(Duration::from_millis(random.in_range(0..30)));
        }
        let was_killed = running.kill_after(Duration::from_millis(random.in_range(0..60)));
        assert!(was_killed, "{seed_text}: the job ended by itself");
        if random.in_range(0..3) == 0 {
            writer.append(random.in_range(1..10));
            writer.rotate(random.in_range(0..2) == 0);
        }
    }
    writer.append(1);
    let running = job.start(&["run", "job.toml"]);
    wait_for_all(&job, &writer);
    stop(&job, running);
    assert_all_once(&job, &writer, &seed_text);
}

#[test]
fn rotations_and_kills_repeat_no_line_and_lose_none_at_parallelism_1() {
    survives_kills(1);
}

#[test]
fn rotations_and_kills_repeat_no_line_and_lose_none_at_parallelism_3() {
    survives_kills(3);
}

#[test]
fn follow_is_not_switched_on_or_off_between_two_runs() {
    let job = JobDirectory::new(&job(1, FOLLOW));
    let mut writer = Writer::new(&job);
    writer.append(1);
    let running = job.start(&["run", "job.toml"]);
    wait_for_all(&job, &writer);
    stop(&job, running);
    job.write("job.toml", self::job(1, ""));
    let refused = job.tidegate(&["run", "job.toml"]);
    refused.assert_fails(3, &["follow = true", "no `follow`"]);
    let accepted = job.tidegate(&["run", "job.toml", "--accept-changed", "lines"]);
    accepted.assert_fails(3, &["taken with `follow = true`"]);
}
