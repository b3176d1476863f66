//! Input files that are moved between two runs of the real binary.

use std::fs;

use tidegate_tests::{JobDirectory, published_line_count, published_lines, wait_until};

/// The number of lines of the input.
const LINES: u64 = 200;

fn copying(path: &str, rate: u32) -> String {
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
rate-per-subtask = {rate}
[sink.copy]
connector = "file"
inputs = [{{ from = "lines" }}]
directory = "output"
format = "lines"
"#
    )
}

fn lines() -> Vec<String> {
    (0..LINES).map(|line| format!("[{line:03}]")).collect()
}

#[test]
fn moved_files_are_read_on_and_a_path_that_no_split_has_is_refused() {
    let job = JobDirectory::new(&copying("input/*", 100));
    fs::create_dir(job.path().join("input")).expect("a directory can be made");
    job.write("input/a", lines()[..1].join("\n") + "\n");
    job.write("input/b", lines()[1..].join("\n") + "\n");
    let running = job.start(&["run", "job.toml"]);
    let output = job.path().join("output");
    wait_until(
        "published lines",
        || published_line_count(&output),
        |lines| *lines > 2,
    );
    job.tidegate(&["stop", "job.toml"]).assert_succeeds();
    running.wait().assert_succeeds();
    assert!(
        published_line_count(&output) < LINES,
        "the job has read everything"
    );

    let moved = job.path().join("moved");
    fs::rename(job.path().join("input"), moved).expect("it can be moved");
    job.write("job.toml", copying("moved/*", 1_000_000));
    let run = |flags: &[&str]| job.tidegate(&[&["run", "job.toml"][..], flags].concat());
    let accepted = ["--accept-changed", "lines"];
    run(&accepted).assert_fails(3, &["input/b"]);
    run(&["--move-input", "input=moved"]).assert_fails(3, &["--accept-changed lines"]);
    let slip = run(&["--move-input", "inputs=moved2", "--accept-changed", "lines"]);
    slip.assert_fails(2, &["--move-input inputs=moved2", "has no input"]);
    let wrong = run(&["--move-input", "input"]);
    wrong.assert_fails(2, &["FROM=TO"]);
    let all = ["--move-input", "input=moved", "--accept-changed", "lines"];
    run(&all).assert_succeeds();
    let mut copied = published_lines(&output);
    copied.sort();
    assert!(copied == lines(), "{} of {LINES} lines", copied.len());
    // The same command again.
    let again = run(&all);
    assert!(
        again.assert_succeeds().stderr.contains("already finished"),
        "{again:#?}"
    );
}
