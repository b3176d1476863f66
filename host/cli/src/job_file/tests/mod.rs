//! Tests of the job file as a whole: what is said about wrong ones, what right ones mean, and
//! that nothing makes the parser panic.

mod fuzz;
mod meaning;
mod messages;
mod mutations;
mod schema;

use std::path::Path;

use super::problem::Problem;
use super::{JobFile, JobFileError};

/// Every key that there is, each with a value other than its default.
const FULL: &str = r#"version = 1
name = "word-count"

[checkpoint]
directory = "checkpoints"
interval = "1s"
timeout = "1m"
min-pause = "10ms"
retain = 2
tolerable-failures = 0
drill-every = 10

[restart]
strategy = "exponential-backoff"
initial = "1s"
max = "1m"
attempts = 3
reset-after = "5m"

[isolation]
restarts = 7
period = "1m"
in-a-row = 30

[defaults]
parallelism = 2
max-parallelism = 64
recycle-at = "60%"

[source.numbers]
connector = "generator"
to = 100
keys = 3

[source.lines]
connector = "file"
parallelism = 1
path = "input/*.txt"
format = "lines"

[operator.split]
component = "split.wasm"
inputs = [{ from = "lines", partition = "rebalance" }, { from = "numbers" }]
outputs = ["main", "late"]
parallelism = 3

[operator.count]
component = "count.wasm"
inputs = [{ from = "split", partition = "hash" }]
limits = { memory = "64MiB", call-timeout = "2s", output = "1MiB", snapshot = "32MiB",
    memories = 8, log-lines-per-second = 10, log-bytes-per-second = "64KiB" }
on-invalid-record = "fail"
on-trap = "dead-letter"
recycle-at = "never"
config = { deep = [1, { a = 2.5, at = 2026-01-02 }], on = true, text = "x" }

[sink.counts]
connector = "file"
inputs = [{ from = "count" }, { from = "split:late" }]
directory = "output"
format = "tsv"

[sink.shown]
connector = "stdout"
inputs = [{ from = "split:1", partition = "broadcast" }]
parallelism = 1

[sink.letters]
connector = "discard"
inputs = [{ from = "count:dead-letter" }]
"#;

fn file(text: &str) -> JobFile {
    JobFile::from_bytes(Path::new("job.toml"), text.as_bytes().to_vec()).unwrap()
}

fn problems_of(text: &str) -> Vec<Problem> {
    match file(text).graph(None) {
        Ok(_) => Vec::new(),
        Err(JobFileError::Invalid(invalid)) => {
            let is_missing = |problem: &Problem| problem.message.starts_with("component ./");
            invalid
                .problems
                .into_iter()
                .filter(|problem| !is_missing(problem))
                .collect()
        }
        Err(error) => panic!("{error}"),
    }
}
