//! Jobs that can't run: the message, exit code 2, or 8 if the host refuses a component, and no
//! written file.

use crate::support::{COPY, JobDirectory};

const OPERATOR: &str = r#"version = 1
name = "copy"

[source.numbers]
connector = "generator"
to = 10

[operator.same]
component = "same.wasm"
inputs = [{ from = "numbers" }]

[sink.gone]
connector = "discard"
inputs = [{ from = "same" }]
"#;

#[track_caller]
fn expect_refused(directory: &JobDirectory, parts: &[&str]) {
    expect_refused_with(directory, 2, parts);
}

#[track_caller]
fn expect_refused_with(directory: &JobDirectory, code: i32, parts: &[&str]) {
    let before = directory.names();
    for command in ["check", "run"] {
        let refused = directory.tidegate(&[command, "job.toml"]);
        assert_eq!(refused.code, Some(code), "{command}: {refused:?}");
        for part in parts {
            assert!(
                refused.stderr.contains(part),
                "{command}: {part} is not in {refused:?}"
            );
        }
        assert_eq!(refused.stdout, "", "{command}");
    }
    assert_eq!(directory.names(), before);
}

#[test]
fn a_missing_job_file_is_named() {
    let directory = JobDirectory::new(COPY);
    let refused = directory.tidegate(&["run", "jbo.toml"]);
    assert_eq!(refused.code, Some(2));
    assert!(
        refused
            .stderr
            .starts_with("error: job file jbo.toml can't be read: "),
        "{refused:?}"
    );
}

#[test]
fn a_wrong_key_is_placed_on_the_first_line() {
    let directory = JobDirectory::new(&COPY.replace("to = 10", "too = 10"));
    let refused = directory.tidegate(&["run", "job.toml"]);
    assert_eq!(
        refused.stderr,
        "job.toml:6:1: unknown key `too` in source `numbers` (connector `generator`)\n  \
         did you mean `to`?\n"
    );
}

#[test]
fn a_missing_component_is_named_with_its_line() {
    let directory = JobDirectory::new(OPERATOR);
    expect_refused(
        &directory,
        &["job.toml:9:13: component ./same.wasm can't be read: "],
    );
}

#[test]
fn what_is_not_a_component_is_called_what_it_is() {
    for (bytes, what) in [
        (&b"\0asm\x01\0\0\0"[..], "core WebAssembly module"),
        (b"\0asm\x0d\0\x01\0", "export"),
        (b"(component)", "text format"),
        (b"\x7fELF\x02\x01\x01\0", ""),
        (b"", "empty"),
    ] {
        let directory = JobDirectory::new(OPERATOR);
        directory.write("same.wasm", bytes);
        expect_refused_with(&directory, 8, &["job.toml:9:13: ./same.wasm: ", what]);
    }
}

#[test]
fn a_refused_component_beside_a_wrong_key_is_the_job_files_trouble() {
    let directory = JobDirectory::new(&OPERATOR.replace("to = 10", "from = 5\nto = 3"));
    directory.write("same.wasm", b"(component)");
    expect_refused(&directory, &["`to` is 3", "text format"]);
}

#[test]
fn what_a_connector_refuses_is_placed_at_its_key() {
    let directory = JobDirectory::new(&COPY.replace("to = 10", "from = 5\nto = 3"));
    expect_refused(&directory, &["job.toml:7:6: source `numbers`: `to` is 3"]);
}

#[test]
fn standard_input_needs_consent_to_loss() {
    let lossy = COPY.replace(
        "connector = \"generator\"\nto = 10",
        "connector = \"stdin\"",
    );
    let directory = JobDirectory::new(&lossy);
    expect_refused(
        &directory,
        &["job.toml:5:13: source `numbers`: ", "accept-loss"],
    );
}

#[test]
fn a_missing_input_is_placed_in_the_job_file_and_nothing_is_written() {
    let missing = "connector = \"file\"\npath = \"*.txt\"\nformat = \"lines\"";
    let directory = JobDirectory::new(&COPY.replace("connector = \"generator\"\nto = 10", missing));
    let refused = directory.tidegate(&["run", "job.toml"]);
    assert_eq!(refused.code, Some(2), "{refused:?}");
    assert!(
        refused.stderr.starts_with("job.toml:6:8: `numbers`: "),
        "{refused:?}"
    );
    assert_eq!(directory.names(), ["job.toml"]);
}

/// Asserts that `check` and `run` refuse the job with exit code 2, and write nothing.
#[track_caller]
fn expect_both_refuse(directory: &JobDirectory, expected: &str) {
    let before = directory.names();
    for command in ["check", "run"] {
        let refused = directory.tidegate(&[command, "job.toml"]);
        assert_eq!(refused.code, Some(2), "{command}: {refused:?}");
        assert!(refused.stderr.contains(expected), "{command}: {refused:?}");
        assert_eq!(directory.names(), before);
    }
}

#[test]
fn an_input_whose_name_is_not_text_is_refused_by_check_as_by_run() {
    use std::os::unix::ffi::OsStrExt as _;
    let files = "connector = \"file\"\npath = \"in/*\"\nformat = \"lines\"";
    let directory = JobDirectory::new(&COPY.replace("connector = \"generator\"\nto = 10", files));
    let input = directory.path().join("in");
    std::fs::create_dir(&input).expect("it can be made");
    let checked = directory.tidegate(&["check", "job.toml"]);
    assert_eq!(checked.code, Some(0), "it may come later: {checked:?}");
    let name = std::ffi::OsStr::from_bytes(b"a\xff.txt");
    std::fs::write(input.join(name), "x").expect("it can be written");
    expect_both_refuse(
        &directory,
        "job.toml:6:8: `numbers`: `path` = \"in/*\" matches the file in/a",
    );
}

#[test]
fn a_directory_whose_path_is_too_long_is_refused_by_check_as_by_run() {
    let name = "d".repeat(256);
    let path = vec!["d".repeat(200); 25].join("/");
    for (directory, why) in [
        (
            format!("missing/{name}"),
            "a name in it has more than 255 bytes",
        ),
        (path, "its path is too long"),
    ] {
        let text = format!("{COPY}\n[checkpoint]\ndirectory = \"{directory}\"\n");
        let job = JobDirectory::new(&text);
        expect_both_refuse(&job, &format!("can't be used: {why}"));
        let sink = format!("connector = \"file\"\ndirectory = \"{directory}\"");
        let job = JobDirectory::new(&COPY.replace("connector = \"discard\"", &sink));
        expect_both_refuse(&job, why);
    }
}
