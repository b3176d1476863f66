//! A running job: its commands, its end, and the next run after it.

use std::path::Path;
use std::process::Child;

use serde_json::Value;

use crate::support::{COPY, JobDirectory, endless, wait_for};

fn signal(child: &Child, signal: rustix::process::Signal) {
    let pid = rustix::process::Pid::from_child(child);
    rustix::process::kill_process(pid, signal).expect("the process is there");
}

fn said(path: &Path) -> String {
    std::fs::read_to_string(path).expect("it is text")
}

#[test]
fn a_bounded_job_finishes_and_says_so_when_run_again() {
    let directory = JobDirectory::new(COPY);
    let first = directory.tidegate(&["run", "job.toml"]);
    assert_eq!(first.code, Some(0), "{first:?}");
    assert!(
        first.stderr.starts_with("copy: starts fresh\n"),
        "{first:?}"
    );
    assert!(
        first.stderr.contains("copy: finished; 10 records in "),
        "{first:?}"
    );
    assert_eq!(first.stdout, "");
    let again = directory.tidegate(&["run", "job.toml"]);
    assert_eq!(again.code, Some(0), "{again:?}");
    assert_eq!(
        again.stderr,
        "copy: already finished in an earlier run; nothing to do\n"
    );
}

#[test]
fn stop_waits_until_the_directory_is_free() {
    let directory = JobDirectory::new(&endless());
    let (mut run, stderr) = directory.start(&["run", "job.toml"]);
    let status = wait_for(&directory, "running");
    assert_eq!(status["job"], "copy");
    assert_eq!(status["pid"], run.id());

    let second = directory.tidegate(&["run", "job.toml"]);
    assert_eq!(second.code, Some(4), "{second:?}");
    assert!(second.stderr.contains(&run.id().to_string()), "{second:?}");

    let stopped = directory.tidegate(&["stop", "job.toml", "--timeout", "30s", "--json"]);
    assert_eq!(stopped.code, Some(0), "{stopped:?}");
    let answer: Value = serde_json::from_str(&stopped.stdout).expect("it prints JSON");
    assert_eq!(
        answer,
        serde_json::json!({ "state": "stopped", "savepoint": null })
    );
    assert!(!directory.path().join("state/control.sock").exists());

    let (mut next, next_stderr) = directory.start(&["run", "job.toml"]);
    wait_for(&directory, "running");
    signal(&next, rustix::process::Signal::TERM);
    assert_eq!(next.wait().expect("it ends").code(), Some(0));
    assert_eq!(
        run.wait().expect("it ends").code(),
        Some(0),
        "{}",
        said(&stderr)
    );
    assert!(said(&next_stderr).contains("copy: continues from checkpoint "));
    assert!(said(&next_stderr).contains("copy: stopped at checkpoint "));
}

#[test]
fn a_savepoint_is_a_directory_whose_path_is_printed() {
    let directory = JobDirectory::new(&endless());
    let (mut run, _) = directory.start(&["run", "job.toml", "--quiet"]);
    wait_for(&directory, "running");
    let taken = directory.tidegate(&["savepoint", "job.toml", "savepoints", "--timeout", "30s"]);
    assert_eq!(taken.code, Some(0), "{taken:?}");
    let path = Path::new(taken.stdout.trim_end());
    assert!(
        path.is_absolute() && path.starts_with(directory.path()),
        "{taken:?}"
    );
    let verified = directory.tidegate(&["checkpoint", "verify", &path.to_string_lossy()]);
    assert_eq!(verified.code, Some(0), "{verified:?}");
    let cancelled = directory.tidegate(&["cancel", "job.toml"]);
    assert_eq!(cancelled.code, Some(0), "{cancelled:?}");
    assert_eq!(cancelled.stderr, "the job is cancelled\n");
    assert_eq!(run.wait().expect("it ends").code(), Some(0));
    let listed = directory.tidegate(&["checkpoint", "list", "state", "--json"]);
    let listed: Value = serde_json::from_str(&listed.stdout).expect("it prints JSON");
    assert_eq!(listed[0]["job"], "copy");
    for arguments in [["inspect", "state"], ["diff", "state"], ["verify", "state"]] {
        let shown = directory.tidegate(&["checkpoint", arguments[0], arguments[1]]);
        assert_eq!(shown.code, Some(0), "{arguments:?}: {shown:?}");
    }
}

#[test]
fn another_run_can_start_from_the_savepoint_of_a_stop() {
    let directory = JobDirectory::new(&endless());
    let (mut run, _) = directory.start(&["run", "job.toml"]);
    wait_for(&directory, "running");
    let stopped = directory.tidegate(&["stop", "job.toml", "--savepoint", "kept"]);
    assert_eq!(stopped.code, Some(0), "{stopped:?}");
    assert_eq!(stopped.stderr, "the job is stopped\n");
    assert_eq!(run.wait().expect("it ends").code(), Some(0));
    let savepoint = stopped.stdout.trim_end();

    let elsewhere = "[checkpoint]\ndirectory = \"elsewhere\"\n";
    directory.write("job.toml", endless().replace("[checkpoint]\n", elsewhere));
    let (mut run, stderr) = directory.start(&["run", "job.toml", "--from", savepoint]);
    wait_for(&directory, "running");
    assert_eq!(directory.tidegate(&["stop", "job.toml"]).code, Some(0));
    assert_eq!(run.wait().expect("it ends").code(), Some(0));
    assert!(
        said(&stderr).contains("copy: continues from checkpoint "),
        "{}",
        said(&stderr)
    );
}

#[test]
fn the_second_signal_ends_the_process_at_once() {
    let directory = JobDirectory::new(&endless());
    let (mut run, stderr) = directory.start(&["run", "job.toml"]);
    wait_for(&directory, "running");
    // Both are pending before the process looks, so that the first can't end the job before the
    // second.
    signal(&run, rustix::process::Signal::STOP);
    signal(&run, rustix::process::Signal::INT);
    signal(&run, rustix::process::Signal::TERM);
    signal(&run, rustix::process::Signal::CONT);
    let code = run.wait().expect("it ends").code();
    assert!(
        code == Some(143) || code == Some(130),
        "{code:?}: {}",
        said(&stderr)
    );
    let again = directory.tidegate(&["status", "job.toml"]);
    assert_eq!(
        again.code,
        Some(5),
        "a leftover socket is not a running job: {again:?}"
    );
}

#[test]
fn a_checkpoint_directory_with_a_long_path_works() {
    let deep = "d".repeat(120);
    let job = endless().replace(
        "[checkpoint]\n",
        &format!("[checkpoint]\ndirectory = \"{deep}\"\n"),
    );
    let directory = JobDirectory::new(&job);
    let (mut run, _) = directory.start(&["run", "job.toml"]);
    wait_for(&directory, "running");
    assert_eq!(directory.tidegate(&["stop", "job.toml"]).code, Some(0));
    assert_eq!(run.wait().expect("it ends").code(), Some(0));
}
