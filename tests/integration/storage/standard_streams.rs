//! C11 on the real binary: a standard output that is closed or full, a standard input that can't be
//! read, and a sink that fails for a while behind standard input. No line is lost at exit code 0.

use std::fs::File;
use std::io::{Read as _, Write as _};
use std::path::Path;
use std::process::{Command, Stdio};

use tidegate_tests::{
    Counting, Finished, JobDirectory, Running, SmallDisk, published_lines, tidegate_command,
};

fn echoing(sink: &str) -> JobDirectory {
    JobDirectory::new(&format!(
        "version = 1
name = \"echoing\"
[checkpoint]
directory = \"state\"
interval = \"20ms\"
tolerable-failures = 1000000
[restart]
strategy = \"fixed-delay\"
delay = \"20ms\"
attempts = 3
[source.in]
connector = \"stdin\"
accept-loss = true
[sink.out]
inputs = [{{ from = \"in\" }}]
format = \"lines\"
{sink}
"
    ))
}

const TO_STDOUT: &str = "connector = \"stdout\"";

/// Returns a pipe that contains this text, with its writing end closed.
fn pipe_with(text: &str) -> Stdio {
    let (reader, mut writer) = std::io::pipe().expect("a pipe can be made");
    writer
        .write_all(text.as_bytes())
        .expect("a pipe takes some");
    reader.into()
}

/// Returns a pipe without a reader.
fn closed_pipe() -> Stdio {
    let (_, writer) = std::io::pipe().expect("a pipe can be made");
    writer.into()
}

fn full_device() -> Stdio {
    let full = File::options().write(true).open("/dev/full");
    full.expect("there is a device that is always full").into()
}

fn run(job: &JobDirectory, change: impl FnOnce(&mut Command)) -> Finished {
    let mut command = tidegate_command(&[], job.path(), &["run", "job.toml"]);
    change(&mut command);
    Running::spawn(command).wait()
}

#[test]
fn a_line_that_standard_output_never_took_is_not_a_success() {
    for text in ["only line\n", "one\ntwo\nthree\n", "no newline"] {
        for (output, reason) in [
            (closed_pipe(), "Broken pipe"),
            (full_device(), "No space left"),
        ] {
            let job = echoing(TO_STDOUT);
            let finished = run(&job, |command| {
                command.stdin(pipe_with(text)).stdout(output);
            });
            finished.assert_fails(1, &["standard output", "out[0]", reason]);
        }
    }
}

#[test]
fn a_generator_to_a_closed_standard_output_fails_and_names_the_sink() {
    let counting = Counting {
        sink: "connector = \"stdout\"\nformat = \"tsv\"",
        ..Counting::default()
    };
    for (output, reason) in [
        (closed_pipe(), "Broken pipe"),
        (full_device(), "No space left"),
    ] {
        let job = counting.directory();
        let finished = run(&job, |command| {
            command.stdout(output);
        });
        finished.assert_fails(1, &["standard output", "counts[0]", reason]);
        // It continues at the latest complete checkpoint, so no line is missing.
        let again = job.tidegate(&["run", "job.toml"]);
        let lines = again.assert_succeeds().stdout.lines().map(str::to_owned);
        counting.assert_lines_exact(&lines.collect::<Vec<_>>(), "after a closed output");
    }
}

#[test]
fn a_slow_reader_of_standard_output_gets_every_line_once() {
    let counting = Counting {
        records: 60_000,
        rate: 1_000_000,
        sink: "connector = \"stdout\"\nformat = \"tsv\"",
        ..Counting::default()
    };
    let job = counting.directory();
    let (mut reader, writer) = std::io::pipe().expect("a pipe can be made");
    let mut command = tidegate_command(&[], job.path(), &["run", "job.toml"]);
    command.stdout(writer);
    let running = Running::spawn(command);
    // The pipe is full long before the job is done: it waits for these small reads.
    let (mut bytes, mut piece) = (Vec::new(), [0; 512]);
    loop {
        let length = reader.read(&mut piece).expect("a pipe can be read");
        if length == 0 {
            break;
        }
        bytes.extend_from_slice(&piece[..length]);
    }
    running.wait().assert_succeeds();
    let text = String::from_utf8(bytes).expect("it is text");
    let lines: Vec<_> = text.lines().map(str::to_owned).collect();
    counting.assert_lines_exact(&lines, "through a slow reader");
}

#[test]
fn a_standard_input_that_can_not_be_read_is_not_an_empty_one() {
    let job = echoing(TO_STDOUT);
    let directory = File::open(job.path()).expect("a directory can be opened");
    let finished = run(&job, |command| {
        command.stdin(directory);
    });
    finished.assert_fails(1, &["could not read stdin"]);
}

#[test]
fn a_restart_loses_no_line_of_standard_input() {
    let job = echoing("connector = \"file\"\ndirectory = \"output\"");
    let text = std::fs::read_to_string(job.path().join("job.toml")).expect("it is text");
    job.write(
        "job.toml",
        text.replace("attempts = 3", "attempts = 1000000"),
    );
    let output = job.path().join("output");
    std::fs::create_dir(&output).expect("a directory can be made");
    let disk = SmallDisk::mount(&output, 64);
    let ballast = disk.fill();
    let wrapper = disk.wrapper();
    let wrapper: Vec<&str> = wrapper.iter().map(String::as_str).collect();
    let file = job.path().join("job.toml");
    let file = file.to_str().expect("a temporary path is text");
    let lines: Vec<String> = (0..500).map(|line| format!("line {line}")).collect();
    let mut command = tidegate_command(&wrapper, Path::new("/"), &["run", file]);
    command.stdin(pipe_with(&(lines.join("\n") + "\n")));
    let mut running = Running::spawn(command);
    loop {
        assert!(running.is_running(), "{:#?}", running.wait());
        let status = tidegate_command(&wrapper, Path::new("/"), &["status", file, "--json"]);
        let status = Running::spawn(status).wait().stdout;
        let status: serde_json::Value = serde_json::from_str(&status).unwrap_or_default();
        if status["restarts"].as_u64() >= Some(2) {
            assert!(
                status["last_failure"].to_string().contains("No space left"),
                "{status}"
            );
            break;
        }
    }
    std::fs::remove_file(ballast).expect("the ballast can be removed");
    running.wait().assert_succeeds();
    assert_eq!(published_lines(&disk.path()), lines);
}
