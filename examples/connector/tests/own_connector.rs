//! The program runs its job as its README describes, exactly once however often it is killed.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

const JOB: &str = include_str!("../job.toml");
const EXPECTED: &str = include_str!("../expected.txt");

/// Returns the command that runs the program in a directory with this job file.
fn program(directory: &Path, job: &str) -> Command {
    fs::write(directory.join("job.toml"), job).expect("a job file can be written");
    let mut command = Command::new(env!("CARGO_BIN_EXE_own-connector"));
    command.arg("job.toml").current_dir(directory);
    command.stderr(Stdio::piped());
    command
}

/// Runs the job to its end; returns the program's output.
fn finish(directory: &Path, job: &str) -> String {
    let output = program(directory, job)
        .output()
        .expect("the program can be run");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{said}");
    said
}

/// Returns all pages of the journal, in order.
fn journal(directory: &Path) -> String {
    let pages = fs::read_dir(directory.join("journal")).expect("there is a journal");
    let mut pages: Vec<_> = pages
        .map(|page| page.expect("can be listed").path())
        .collect();
    pages.retain(|page| page.extension().is_some_and(|extension| extension == "txt"));
    pages.sort();
    let read = |page| fs::read_to_string(page).expect("a page can be read");
    pages.iter().map(read).collect()
}

#[test]
fn the_job_does_what_the_readme_shows() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    assert_eq!(finish(directory.path(), JOB), "Finished\n");
    assert_eq!(journal(directory.path()), EXPECTED);
    assert_eq!(finish(directory.path(), JOB), "AlreadyFinished\n");
    assert_eq!(journal(directory.path()), EXPECTED);
}

#[test]
fn kills_lose_and_repeat_nothing() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let job = JOB
        .replace("from = 10", "from = 1000")
        .replace("20ms", "1ms");
    let slow = job.replace("50ms", "7ms");
    let mut kills = 0;
    for wait in [40, 90, 61, 120, 77, 53] {
        let mut running = program(directory.path(), &slow).spawn().expect("starts");
        thread::sleep(Duration::from_millis(wait));
        kills += u32::from(running.try_wait().expect("is known").is_none());
        // The program may have ended; the kill then fails.
        drop(running.kill());
        running.wait().expect("is known");
    }
    assert!(kills > 0, "each run ended before it was killed");
    finish(directory.path(), &job.replace("1ms", "1us"));
    let expected: String = (1..=1000).rev().map(|n| format!("{n}\n")).collect();
    assert_eq!(journal(directory.path()), expected);
}

#[test]
fn a_mistake_in_an_option_is_placed_in_the_job_file() {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let output = program(directory.path(), &JOB.replace("every", "evry"));
    let output = { output }.output().expect("the program can be run");
    let said = String::from_utf8_lossy(&output.stderr);
    let expected = "unknown key `evry` in source `numbers` (connector `countdown`)";
    assert!(
        !output.status.success() && said.contains(expected),
        "{said}"
    );
}
