//! The source `file` with `follow`: files that grow and are rotated, also while no job runs.

use std::fs::{self, File};
use std::io::Write as _;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use proptest::prelude::*;
use serde_json::{Value, json};
use tidegate_connector::source::{
    RestoredSubtask, Source, SourceConnector, SourceOutput, SourceSplit, SplitEnumerator,
};

use crate::support::discovery::restored;
use crate::support::file_source::{self, directory};
use crate::support::{context, job_refusal, source_options, state_refusal, subtask, values_of};

fn options(path: &str) -> Value {
    json!({ "path": path, "follow": true, "batch-bytes": 1 })
}

fn append(base: &Path, name: &str, text: &str) {
    let file = File::options()
        .create(true)
        .append(true)
        .open(base.join(name));
    let mut file = file.expect("can be opened");
    file.write_all(text.as_bytes()).expect("can be written");
}

fn rename(base: &Path, from: &str, to: &str) {
    fs::rename(base.join(from), base.join(to)).expect("can be renamed");
}

fn truncate(base: &Path, name: &str) {
    let file = File::options().write(true).open(base.join(name));
    file.and_then(|file| file.set_len(0)).expect("can be cut");
}

/// A job that consists of the source only.
struct Job {
    connector: Arc<dyn SourceConnector>,
    enumerator: Box<dyn SplitEnumerator>,
    sources: Vec<Box<dyn Source>>,
    /// The values read since the last checkpoint; `committed` has those before it.
    given: Vec<String>,
    committed: Vec<String>,
    checkpoint: Vec<RestoredSubtask>,
}

impl Job {
    fn start(base: &Path, options: Value) -> Self {
        let connector = file_source::connect(base, options);
        let planned = connector.enumerator().plan(1).expect("can be planned");
        let mut job = Self {
            enumerator: connector.enumerator(),
            connector,
            sources: Vec::new(),
            given: Vec::new(),
            committed: Vec::new(),
            checkpoint: planned.into_iter().map(restored).collect(),
        };
        job.restore(1);
        job
    }

    /// Continues from the checkpoint, as after a kill.
    fn restore(&mut self, parallelism: u32) {
        self.given.clear();
        self.enumerator = self.connector.enumerator();
        let checkpoint = self.checkpoint.clone();
        let lists = self.enumerator.restore(checkpoint, parallelism);
        let lists = (0..parallelism).zip(lists.expect("fits"));
        let open = |(index, splits)| self.connector.open(&subtask(index), splits);
        self.sources = lists.map(open).collect::<Result<_, _>>().expect("opens");
    }

    fn discover(&mut self) {
        for found in self.enumerator.discover().expect("can be walked") {
            let source = &mut self.sources[found.subtask as usize];
            source.add_splits(vec![found.split]).expect("is taken");
        }
    }

    /// Reads at most that many batches of each subtask, and looks at all files a few times if there
    /// are fewer.
    fn read(&mut self, batches: usize) {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            .build()
            .expect("a runtime can be built");
        for source in &mut self.sources {
            for _ in 0..batches {
                let next =
                    async { tokio::time::timeout(Duration::from_secs(1), source.poll()).await };
                match runtime.block_on(next) {
                    Ok(Ok(SourceOutput::Batch(batch))) => self.given.extend(values_of(&batch)),
                    Ok(Ok(SourceOutput::Idle)) => {}
                    Ok(other) => panic!("no batch: {other:?}"),
                    Err(_) => break,
                }
            }
        }
    }

    fn read_all(&mut self) {
        for _ in 0..4 {
            self.discover();
            self.read(usize::MAX);
        }
    }

    /// Reads everything and returns what was given since the last call.
    fn news(&mut self) -> Vec<String> {
        self.read_all();
        self.checkpoint();
        std::mem::take(&mut self.committed)
    }

    fn checkpoint(&mut self) {
        self.committed.append(&mut self.given);
        let splits = self.sources.iter().map(|source| restored(source.splits()));
        self.checkpoint = splits.collect();
    }
}

#[test]
fn new_lines_are_read_and_an_unfinished_one_waits_also_over_a_restart() {
    let base = directory(&[("log", b"1\n2")]);
    let mut job = Job::start(base.path(), options("log"));
    assert_eq!(job.news(), ["1"]);
    append(base.path(), "log", "2");
    assert_eq!(job.news(), [""; 0]);
    job.restore(1);
    assert_eq!(job.news(), [""; 0]);
    append(base.path(), "log", "2\n3\n");
    assert_eq!(job.news(), ["222", "3"]);
    append(base.path(), "log", "\n");
    job.restore(3);
    assert_eq!(job.news(), [""]);
}

#[test]
fn the_source_is_idle_once_and_then_waits_and_new_files_are_found() {
    let base = directory(&[]);
    let connector = file_source::connect(base.path(), options("*.log"));
    let mut enumerator = connector.enumerator();
    assert_eq!(enumerator.plan(1).expect("no file is fine"), [[]]);
    assert_eq!(
        enumerator.discovery_interval(),
        Some(Duration::from_secs(1))
    );
    let mut source = connector.open(&subtask(0), Vec::new()).expect("opens");
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .expect("a runtime can be built");
    let mut next = || {
        let minute = Duration::from_secs(60);
        runtime.block_on(async { tokio::time::timeout(minute, source.poll()).await })
    };
    assert!(matches!(next(), Ok(Ok(SourceOutput::Idle))));
    assert!(next().is_err(), "it waits");
    drop(source);
    append(base.path(), "a.log", "a\n");
    let mut job = Job::start(base.path(), options("*.log"));
    append(base.path(), "b.log", "b\n");
    append(base.path(), "c.txt", "c\n");
    let mut news = job.news();
    news.sort();
    assert_eq!(news, ["a", "b"]);
}

#[test]
fn the_rest_of_a_renamed_file_comes_before_the_new_file_of_its_name() {
    for is_killed in [false, true] {
        let base = directory(&[("log", b"1\n")]);
        let mut job = Job::start(base.path(), options("log"));
        assert_eq!(job.news(), ["1"]);
        append(base.path(), "log", "2\n");
        rename(base.path(), "log", "log.1");
        append(base.path(), "log", "3\n");
        // The program that writes has not opened the new file yet.
        append(base.path(), "log.1", "2a\n");
        if is_killed {
            job.restore(1);
        }
        assert_eq!(job.news(), ["2", "2a", "3"], "killed: {is_killed}");
        append(base.path(), "log.1", "late\n");
        rename(base.path(), "log.1", "log.2");
        rename(base.path(), "log", "log.1");
        append(base.path(), "log", "4\n");
        if is_killed {
            job.restore(1);
        }
        let mut news = job.news();
        news.sort();
        assert_eq!(news, ["4", "late"], "killed: {is_killed}");
    }
}

#[test]
fn a_file_that_is_removed_while_it_is_open_is_read_to_its_end() {
    let base = directory(&[("log", b"1\n")]);
    let mut job = Job::start(base.path(), options("log"));
    assert_eq!(job.news(), ["1"]);
    append(base.path(), "log", "2\n");
    fs::remove_file(base.path().join("log")).expect("removes");
    assert_eq!(job.news(), ["2"]);
    append(base.path(), "log", "3\n");
    assert_eq!(job.news(), ["3"]);
}

#[test]
fn a_truncated_file_is_read_from_its_start_however_long_it_is_by_then() {
    for rewritten in ["x\n", "0123456789\nlonger than before\n"] {
        for is_killed in [false, true] {
            let base = directory(&[("log", b"1\n2\n3\n")]);
            let mut job = Job::start(base.path(), options("log"));
            assert_eq!(job.news(), ["1", "2", "3"]);
            fs::write(base.path().join("log"), rewritten).expect("can be written");
            if is_killed {
                job.restore(1);
            }
            let expected: Vec<&str> = rewritten.lines().collect();
            assert_eq!(job.news(), expected);
        }
    }
}

#[test]
fn the_rest_of_a_truncated_file_is_read_from_its_copy() {
    for path in ["log", "log*"] {
        for is_killed in [false, true] {
            let base = directory(&[("log", b"1\n")]);
            let mut job = Job::start(base.path(), options(path));
            assert_eq!(job.news(), ["1"]);
            append(base.path(), "log", "2\n");
            fs::copy(base.path().join("log"), base.path().join("log.1")).expect("copies");
            truncate(base.path(), "log");
            append(base.path(), "log", "3\n");
            if is_killed {
                job.restore(1);
            }
            assert_eq!(job.news(), ["2", "3"], "{path}, killed: {is_killed}");
            job.restore(1);
            assert_eq!(job.news(), [""; 0], "{path}, killed: {is_killed}");
        }
    }
}

#[test]
fn a_copy_in_the_making_is_no_new_file() {
    let base = directory(&[("log", b"1\n2\n3\n")]);
    let mut job = Job::start(base.path(), options("log*"));
    assert_eq!(job.news(), ["1", "2", "3"]);
    append(base.path(), "log", "4\n");
    for (copied, news) in [
        ("1\n", vec!["4"]),
        ("2\n", vec![]),
        ("3\n", vec![]),
        ("4\n", vec![]),
    ] {
        append(base.path(), "log.1", copied);
        assert_eq!(job.news(), news, "after {copied:?}");
        job.restore(1);
    }
    // The rest was read before the truncation, which the copy has not.
    append(base.path(), "log", "5\n");
    assert_eq!(job.news(), ["5"]);
    truncate(base.path(), "log");
    append(base.path(), "log", "6\n");
    assert_eq!(job.news(), ["6"]);
}

#[test]
fn two_files_that_begin_alike_are_two_files() {
    let base = directory(&[("a", b"same\nsame\n"), ("b", b"same\nsame\n")]);
    let mut job = Job::start(base.path(), options("*"));
    assert_eq!(job.news(), ["same"; 4]);
    append(base.path(), "c", "same\n");
    assert_eq!(job.news(), ["same"]);
}

#[test]
fn each_file_of_csv_has_its_header_and_a_restart_continues_behind_it() {
    let base = directory(&[("log", b"a,b\n1,2\n")]);
    let csv = json!({ "path": "log", "follow": true, "format": "csv", "batch-bytes": 1 });
    let mut job = Job::start(base.path(), csv);
    assert_eq!(job.news(), [r#"{"a":"1","b":"2"}"#]);
    append(base.path(), "log", "3,\"4\n");
    job.restore(1);
    assert_eq!(job.news(), [""; 0]);
    append(base.path(), "log", "5\"\n");
    rename(base.path(), "log", "log.1");
    append(base.path(), "log", "b\n6\n");
    job.restore(1);
    assert_eq!(job.news(), [r#"{"a":"3","b":"4\n5"}"#, r#"{"b":"6"}"#]);
}

#[test]
fn options_that_make_no_sense_and_positions_of_the_other_kind_are_refused() {
    let base = directory(&[("log", b"1\n")]);
    for (options, expected) in [
        (
            json!({ "path": "*", "follow-interval": "1s" }),
            "`follow-interval` is only for",
        ),
        (
            json!({ "path": "*", "follow": true, "follow-interval": "1us" }),
            "`follow-interval` must be at least 1ms",
        ),
        (
            json!({ "path": "*", "follow": true, "on-growth": "read" }),
            "`on-growth` has no meaning with `follow`",
        ),
    ] {
        let options = source_options("file", options);
        let reason = job_refusal(options.connect(&context(base.path())));
        assert!(reason.starts_with(expected), "{reason}");
    }
    let splits = |options: Value| -> Vec<SourceSplit> {
        let connector = file_source::connect(base.path(), options);
        connector.enumerator().plan(1).expect("fits").remove(0)
    };
    let restore = |options: Value, splits: Vec<SourceSplit>| {
        let connector = file_source::connect(base.path(), options);
        state_refusal(connector.enumerator().restore(vec![restored(splits)], 1))
    };
    let reason = restore(options("*"), splits(json!({ "path": "*" })));
    assert!(reason.contains("taken without `follow`"), "{reason}");
    let reason = restore(json!({ "path": "*" }), splits(options("*")));
    assert!(reason.contains("taken with `follow = true`"), "{reason}");
}

/// A step of a random history.
#[derive(Clone, Copy, Debug)]
enum Step {
    /// Lines are appended, the last one maybe in two steps.
    Append(usize, bool),
    /// The file is renamed, and a new one begins.
    Rename,
    /// A line is appended to the file that was renamed last.
    AppendOld,
    /// The file is copied; the next step but looks truncates it.
    Copy,
    Truncate,
    Discover,
    /// A subtask reads at most that many batches.
    Read(usize),
    Checkpoint,
    /// The job restarts from the last checkpoint, at this parallelism.
    Restore(u32),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        5 => (1usize..4, any::<bool>()).prop_map(|(lines, cut)| Step::Append(lines, cut)),
        2 => Just(Step::Rename),
        1 => Just(Step::AppendOld),
        2 => Just(Step::Copy),
        2 => Just(Step::Truncate),
        3 => Just(Step::Discover),
        5 => (1usize..6).prop_map(Step::Read),
        3 => Just(Step::Checkpoint),
        2 => (1u32..4).prop_map(Step::Restore),
    ]
}

/// A program that writes a log, and one that rotates it.
struct Writer<'a> {
    base: &'a Path,
    lines: Vec<String>,
    /// The half of a line that is still to be written.
    half: Option<String>,
    rotations: usize,
    last_renamed: Option<String>,
    is_copied: bool,
}

impl Writer<'_> {
    fn line(&mut self) -> String {
        // Longer and shorter than the bytes that are compared.
        let filler = "x".repeat(self.lines.len() % 7 * 400);
        let line = format!("line {} {filler}", self.lines.len());
        self.lines.push(line.clone());
        line
    }

    fn finish_line(&mut self) {
        if let Some(half) = self.half.take() {
            append(self.base, "log", &half);
        }
    }

    fn take(&mut self, step: Step) {
        match step {
            Step::Append(lines, is_cut) if !self.is_copied => {
                self.finish_line();
                let text: String = (0..lines).map(|_| self.line() + "\n").collect();
                let cut = if is_cut { text.len() - 4 } else { text.len() };
                append(self.base, "log", &text[..cut]);
                self.half = is_cut.then(|| text[cut..].to_owned());
            }
            Step::Rename if !self.is_copied && self.base.join("log").exists() => {
                self.finish_line();
                self.rotations += 1;
                let name = format!("log.{}", self.rotations);
                rename(self.base, "log", &name);
                self.last_renamed = Some(name);
            }
            Step::AppendOld => {
                if let Some(name) = self.last_renamed.clone() {
                    let line = self.line() + "\n";
                    append(self.base, &name, &line);
                }
            }
            Step::Copy if !self.is_copied && self.base.join("log").exists() => {
                self.finish_line();
                self.rotations += 1;
                let copy = self.base.join(format!("log.{}", self.rotations));
                fs::copy(self.base.join("log"), copy).expect("copies");
                self.is_copied = true;
            }
            Step::Truncate if self.is_copied => {
                truncate(self.base, "log");
                self.is_copied = false;
            }
            Step::Append(..)
            | Step::Rename
            | Step::Copy
            | Step::Truncate
            | Step::Discover
            | Step::Read(_)
            | Step::Checkpoint
            | Step::Restore(_) => {}
        }
    }
}

fn read_through(steps: Vec<Step>) -> (Vec<String>, Vec<String>) {
    let base = directory(&[]);
    let mut job = Job::start(base.path(), options("log*"));
    let mut writer = Writer {
        base: base.path(),
        lines: Vec::new(),
        half: None,
        rotations: 0,
        last_renamed: None,
        is_copied: false,
    };
    for step in steps {
        writer.take(step);
        match step {
            Step::Discover => job.discover(),
            Step::Read(batches) => job.read(batches),
            Step::Checkpoint => job.checkpoint(),
            Step::Restore(parallelism) => job.restore(parallelism),
            Step::Append(..) | Step::Rename | Step::AppendOld | Step::Copy | Step::Truncate => {}
        }
    }
    writer.take(Step::Truncate);
    writer.finish_line();
    job.read_all();
    job.checkpoint();
    job.committed.sort();
    let mut written = writer.lines;
    written.sort();
    (job.committed, written)
}

#[test]
fn a_copy_of_a_file_that_still_waits_is_not_a_file_of_its_own() {
    let (committed, written) = read_through(vec![
        Step::Append(1, false),
        Step::Discover,
        Step::Read(1),
        Step::Rename,
        Step::Append(1, false),
        Step::Copy,
        Step::Discover,
        Step::Read(2),
    ]);
    assert_eq!(committed, written);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn each_line_is_given_once_however_files_are_rotated_and_failures_come(
        steps in prop::collection::vec(step(), 0..60),
    ) {
        let (committed, written) = read_through(steps);
        prop_assert_eq!(committed, written);
    }
}
