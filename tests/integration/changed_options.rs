//! Options of sources that fix their records, changed between two runs of the real binary: named
//! and rejected, unless the user accepts the source as changed.

use std::fs;

use tidegate_tests::{Counting, JobDirectory, published_line_count, published_lines, wait_until};

/// The number of lines of the input.
const LINES: u64 = 300;

fn copying(path: &str, more: &str) -> String {
    format!(
        r#"
version = 1
name = "copying"
[checkpoint]
directory = "state"
interval = "20ms"
[source.lines]
connector = "file"
path = "{path}"
batch-bytes = "1B"
{more}
[sink.copy]
connector = "file"
inputs = [{{ from = "lines" }}]
directory = "output"
format = "lines"
"#
    )
}

/// The pace of the run that is stopped within its input.
const SLOWLY: &str = "rate-per-subtask = 100";

fn lines() -> Vec<String> {
    (0..LINES).map(|line| format!("[{line:03}]")).collect()
}

/// Returns a job that was stopped within its input, with a savepoint in `savepoint`.
fn begun() -> JobDirectory {
    let job = JobDirectory::new(&copying("input/*.txt", SLOWLY));
    fs::create_dir(job.path().join("input")).expect("a directory can be made");
    job.write("input/a.txt", lines().join("\n") + "\n");
    let running = job.start(&["run", "job.toml"]);
    let output = job.path().join("output");
    wait_until(
        "a published line",
        || published_line_count(&output),
        |lines| *lines > 0,
    );
    let stop = ["stop", "job.toml", "--savepoint", "savepoints"];
    job.tidegate(&stop).assert_succeeds();
    running.wait().assert_succeeds();
    assert!(
        published_line_count(&output) < LINES,
        "the job has read everything"
    );
    job
}

fn savepoint(job: &JobDirectory) -> String {
    let mut entries = fs::read_dir(job.path().join("savepoints")).expect("there is a savepoint");
    let entry = entries
        .next()
        .expect("there is one")
        .expect("it can be read");
    entry.path().to_string_lossy().into_owned()
}

fn assert_copied(job: &JobDirectory) {
    let mut copied = published_lines(&job.path().join("output"));
    copied.sort();
    assert!(copied == lines(), "{} of {LINES} lines", copied.len());
}

#[test]
fn a_changed_option_is_rejected_with_both_values_and_the_remedy_and_nothing_is_written() {
    let job = begun();
    let before = job.listing();
    let from = savepoint(&job);
    for (path, more, named) in [
        (
            "input/[a-z].txt",
            "",
            ["path = \"input/*.txt\"", "path = \"input/[a-z].txt\""],
        ),
        (
            "input/*.txt",
            "format = \"jsonl\"",
            ["format = \"lines\"", "format = \"jsonl\""],
        ),
        (
            "input/*.txt",
            "format = \"jsonl\"\nkey = { json = \"/0\" }",
            ["no `key`", "key = { json = \"/0\" }"],
        ),
    ] {
        job.write("job.toml", copying(path, more));
        for run in [
            &["run", "job.toml"][..],
            &["run", "job.toml", "--from", &from],
        ] {
            let refused = job.tidegate(run);
            let [old, new] = named;
            refused.assert_fails(3, &["source `lines`", old, new, "--accept-changed lines"]);
        }
    }
    job.write("job.toml", copying("input/*.txt", SLOWLY));
    assert_eq!(job.listing(), {
        job.write("job.toml", copying("input/*.txt", SLOWLY));
        before
    });
    job.write("job.toml", copying("./input//*.txt", ""));
    job.tidegate(&["run", "job.toml"]).assert_succeeds();
    assert_copied(&job);
}

#[test]
fn an_accepted_source_continues_where_it_was_and_needs_to_be_accepted_once() {
    let job = begun();
    job.write(
        "job.toml",
        copying("input/[a-z].txt", "rate-per-subtask = 1000"),
    );
    let slip = job.tidegate(&["run", "job.toml", "--accept-changed", "line"]);
    slip.assert_fails(2, &["`line` is accepted as changed", "lines"]);
    let before = published_line_count(&job.path().join("output"));
    let running = job.start(&["run", "job.toml", "--accept-changed", "lines"]);
    let output = job.path().join("output");
    wait_until(
        "another line",
        || published_line_count(&output),
        |lines| *lines > before,
    );
    if job.tidegate(&["stop", "job.toml"]).code == Some(0) {
        running.wait().assert_succeeds();
        job.tidegate(&["run", "job.toml"]).assert_succeeds();
    }
    assert_copied(&job);
}

#[test]
fn a_longer_range_of_a_generator_is_rejected_even_when_the_job_has_finished() {
    let counting = Counting::default();
    let job = counting.directory();
    job.tidegate(&["run", "job.toml"]).assert_succeeds();
    let longer = Counting {
        records: counting.records + 3,
        ..counting
    };
    job.write("job.toml", longer.text());
    let refused = job.tidegate(&["run", "job.toml"]);
    refused.assert_fails(3, &["source `integers`", "to = 1200", "to = 1203"]);
}
