//! The real binary on JSON Lines and CSV with lines that are not records: the job is killed with
//! SIGKILL while it runs, and each count and each dead letter appears once.

use std::collections::HashMap;
use std::fmt::Write as _;

use serde_json::Value;
use tidegate_tests::{
    Expected, JobDirectory, JobText, Kills, guest, kill_until_finished, published_lines,
};

const KILLS: Kills = Kills {
    number: 12,
    after_ms: 0..250,
};

/// Records per second of each of two subtasks while there are kills.
const RATE: u64 = 10_000;

/// Twice the records that all runs read if each is killed as late as possible.
const RECORDS: u64 = 2 * 2 * KILLS.number * KILLS.after_ms.end * RATE / 1_000;

const USERS: [&str; 3] = ["ann", "bob", "eve"];

/// The distance between two invalid records.
const INVALID_EVERY: u64 = 97;

/// Counts by user; dead letters of the source go to `rejected`.
fn job(source: &str, rate: u64) -> String {
    let source = format!(
        "connector = \"file\"\n{source}\non-invalid-record = \"dead-letter\"\n\
         batch-bytes = \"8KiB\"\nrate-per-subtask = {rate}"
    );
    let count = guest("examples/word-count/operators/count");
    JobText::new("clicks", "interval = \"30ms\"")
        .parallelism(2)
        .table("source.clicks", &source)
        .operator("count", count, &[("clicks", "hash")], "")
        .files("counts", "count", "output", "tsv")
        .files("rejected", "clicks:dead-letter", "rejected", "lines")
        .text()
}

/// Returns the user of a record, and the number of records of each user.
fn user(record: u64) -> &'static str {
    USERS[usize::try_from(record).expect("it fits") % USERS.len()]
}

fn expected(records: impl Iterator<Item = u64>) -> Expected {
    let mut counts = HashMap::<&str, u64>::new();
    for record in records {
        *counts.entry(user(record)).or_default() += 1;
    }
    let expect = |(user, count): (&str, u64)| (user.to_owned(), (count, count.to_string()));
    counts.into_iter().map(expect).collect()
}

/// Returns file, beginning, end and value of each dead letter, sorted.
fn rejected(job: &JobDirectory) -> Vec<(String, u64, u64, String)> {
    let letters = published_lines(&job.path().join("rejected")).into_iter();
    let letter = |line: String| {
        let letter: Value = serde_json::from_str(&line).expect("a dead letter is JSON");
        let source = &letter["source"];
        let text = |value: &Value| value.as_str().expect("it is text").to_owned();
        let number = |value: &Value| value.as_u64().expect("it is a number");
        let (from, to) = (number(&source["from"]), number(&source["to"]));
        (text(&source["split"]), from, to, text(&letter["value"]))
    };
    let mut letters: Vec<_> = letters.map(letter).collect();
    letters.sort();
    letters
}

/// Kills the job over `files`, whose records have the numbers from 0 on in order. `write` returns
/// a record's text, without its newline.
fn survives_kills(source: &str, files: &[&str], header: &str, write: impl Fn(u64, bool) -> String) {
    let job_directory = JobDirectory::new(&job(source, RATE));
    let mut letters = Vec::new();
    let share = RECORDS / files.len() as u64;
    for (file, number) in files.iter().zip(0..) {
        let mut text = header.to_owned();
        for record in number * share..(number + 1) * share {
            let is_invalid = record.is_multiple_of(INVALID_EVERY);
            let (from, value) = (text.len() as u64, write(record, is_invalid));
            writeln!(text, "{value}").expect("a string can be written");
            if is_invalid {
                letters.push(((*file).to_owned(), from, text.len() as u64, value));
            }
        }
        job_directory.write(file, &text);
    }
    letters.sort();
    let valid =
        (0..share * files.len() as u64).filter(|record| !record.is_multiple_of(INVALID_EVERY));
    let fast = job(source, 100_000_000);
    kill_until_finished(&job_directory, &fast, &expected(valid), &KILLS);
    assert_eq!(rejected(&job_directory), letters);
}

#[test]
fn json_lines_are_counted_once_and_other_lines_rejected_once_after_kills() {
    let source = "path = \"*.jsonl\"\nformat = \"jsonl\"\nkey = { json = \"/user/name\" }";
    survives_kills(source, &["a.jsonl"], "", |record, is_invalid| {
        let name = user(record);
        match is_invalid {
            true => format!("{{\"user\": {{\"name\": \"{name}\""),
            false => format!("{{\"n\": {record}, \"user\": {{\"name\": \"{name}\"}}}}"),
        }
    });
}

#[test]
fn csv_with_line_breaks_is_counted_once_and_short_records_rejected_once_after_kills() {
    let source = "path = \"*.csv\"\nformat = \"csv\"\nkey = { column = \"user\" }";
    let files = ["a.csv", "b.csv"];
    survives_kills(
        source,
        &files,
        "text,user\n",
        |record, is_invalid| match is_invalid {
            true => format!("\"{record}\nand, no more\""),
            false => format!("\"{record}\nand \"\"more\"\"\",{}", user(record)),
        },
    );
}

#[test]
fn an_invalid_line_fails_the_job_and_is_named_unless_the_port_is_read() {
    let text = JobText::new("clicks", "")
        .table("restart", "strategy = \"none\"")
        .table(
            "source.clicks",
            "connector = \"file\"\npath = \"*.jsonl\"\nformat = \"jsonl\"",
        )
        .files("out", "clicks", "output", "jsonl")
        .text();
    let job = JobDirectory::new(&text);
    job.write("a.jsonl", "{\"a\": 1}\n{\"a\": }\n");
    let ended = job.tidegate(&["run", "job.toml"]);
    assert_eq!(ended.code, Some(1), "{ended:#?}");
    let place = "clicks[0]: a.jsonl 9..17: it is not JSON: expected value at its byte 7";
    assert!(ended.stderr.contains(place), "{ended:#?}");
}

#[test]
fn a_value_that_is_not_json_fails_a_sink_of_json_and_is_named() {
    let text = JobText::new("lines", "")
        .table("restart", "strategy = \"none\"")
        .table("source.lines", "connector = \"file\"\npath = \"*.txt\"")
        .table(
            "sink.out",
            "connector = \"file\"\ninputs = [{ from = \"lines\" }]\ndirectory = \"output\"\n\
             format = \"jsonl\"\nvalue = \"json\"",
        )
        .text();
    let job = JobDirectory::new(&text);
    job.write("a.txt", "[1]\nnonsense\n");
    let ended = job.tidegate(&["run", "job.toml"]);
    assert_eq!(ended.code, Some(1), "{ended:#?}");
    let place = "record 1 of a batch: its value \"nonsense\" can't be written with `value = \
                 \"json\"`: it is not JSON";
    assert!(ended.stderr.contains(place), "{ended:#?}");
}
