//! Input files that grow while the job does not run, in the real binary: the start names what was
//! added, and refuses it or reads it.

use std::fs::{self, File};
use std::io::Write as _;

use rustix::process::Signal;
use tidegate_tests::{JobDirectory, published_line_count, published_lines, wait_until};

/// The number of lines of the input at first.
const LINES: u64 = 300;

fn copying(on_growth: &str, rate: u32) -> String {
    format!(
        r#"
version = 1
name = "copying"
[checkpoint]
directory = "state"
interval = "20ms"
[source.lines]
connector = "file"
path = "input/*.txt"
batch-bytes = "1B"
rate-per-subtask = {rate}
{on_growth}
[sink.copy]
connector = "file"
inputs = [{{ from = "lines" }}]
directory = "output"
format = "lines"
"#
    )
}

const READ: &str = "on-growth = \"read\"";

fn append(job: &JobDirectory, name: &str, lines: &[&str]) {
    let path = job.path().join("input").join(name);
    let file = File::options().create(true).append(true).open(path);
    let mut file = file.expect("it can be opened");
    for line in lines {
        writeln!(file, "{line}").expect("it can be written");
    }
}

fn numbered() -> Vec<String> {
    (0..LINES).map(|line| format!("[{line:03}]")).collect()
}

/// Returns a job that was killed within its input.
fn begun() -> JobDirectory {
    let job = JobDirectory::new(&copying("", 200));
    fs::create_dir(job.path().join("input")).expect("a directory can be made");
    append(&job, "a.txt", &["in a file that is read first"]);
    let numbered = numbered();
    append(
        &job,
        "b.txt",
        &numbered.iter().map(String::as_str).collect::<Vec<_>>(),
    );
    let running = job.start(&["run", "job.toml"]);
    let output = job.path().join("output");
    wait_until(
        "published lines",
        || published_line_count(&output),
        |lines| *lines > 2,
    );
    running.signal(Signal::KILL);
    assert_eq!(running.wait().code, None);
    job
}

#[test]
fn what_was_added_is_refused_by_name_and_read_once_if_the_job_file_says_so() {
    let job = begun();
    append(&job, "a.txt", &["appended to a"]);
    append(&job, "b.txt", &["appended to b"]);
    append(&job, "c.txt", &["new"]);
    let before = published_line_count(&job.path().join("output"));
    let refused = job.tidegate(&["run", "job.toml"]);
    let named = [
        "input/a.txt has 14 more bytes",
        "input/b.txt has 14 more bytes",
        "input/c.txt is new (4 bytes)",
        "on-growth",
    ];
    refused.assert_fails(3, &named);
    assert_eq!(published_line_count(&job.path().join("output")), before);

    job.write("job.toml", copying(READ, 1_000_000));
    let read = job.tidegate(&["run", "job.toml"]);
    let stderr = &read.assert_succeeds().stderr;
    assert!(stderr.contains("input/c.txt is new (4 bytes)"), "{read:#?}");
    let mut lines = published_lines(&job.path().join("output"));
    lines.sort();
    let mut expected = numbered();
    let added = [
        "in a file that is read first",
        "appended to a",
        "appended to b",
        "new",
    ];
    expected.extend(added.map(str::to_owned));
    expected.sort();
    assert!(
        lines == expected,
        "{} of {} lines",
        lines.len(),
        expected.len()
    );
    job.assert_has_finished();
}

#[test]
fn a_finished_job_names_what_was_added_and_does_not_read_it() {
    let job = JobDirectory::new(&copying(READ, 1_000_000));
    fs::create_dir(job.path().join("input")).expect("a directory can be made");
    append(&job, "a.txt", &["1"]);
    job.tidegate(&["run", "job.toml"]).assert_succeeds();
    job.assert_has_finished();
    append(&job, "a.txt", &["2"]);
    let refused = job.tidegate(&["run", "job.toml"]);
    let named = ["input/a.txt has 2 more bytes", "`follow` or `discover`"];
    refused.assert_fails(3, &named);
}
