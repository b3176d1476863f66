//! B6 and B10: a disk that is really full, or really read-only, under the real binary. The disk is
//! a small file system in a mount namespace; the test observes it from outside.

use std::path::Path;
use std::time::{Duration, Instant};

use tidegate_tests::{
    Counting, Finished, JobDirectory, Running, SmallDisk, published_lines, published_parts,
    tidegate_command, wait_until,
};

/// The time after which a test gives up: slowness is no failure, a missing event is.
const GIVE_UP: Duration = Duration::from_secs(120);

fn counting() -> Counting {
    Counting {
        records: 9_000,
        rate: 3_000,
        interval_ms: 40,
        checkpoint: "tolerable-failures = 1000000",
        restart: "strategy = \"fixed-delay\"\ndelay = \"20ms\"\nattempts = 1000000",
        ..Counting::default()
    }
}

/// A job with a small disk as one of its directories.
struct OnSmallDisk {
    job: JobDirectory,
    disk: SmallDisk,
}

impl OnSmallDisk {
    fn new(directory: &str, kib: u32) -> Self {
        let job = counting().directory();
        let path = job.path().join(directory);
        std::fs::create_dir(&path).expect("a directory can be made");
        let disk = SmallDisk::mount(&path, kib);
        Self { job, disk }
    }

    fn start(&self, command: &[&str]) -> Running {
        let wrapper = self.disk.wrapper();
        let wrapper: Vec<&str> = wrapper.iter().map(String::as_str).collect();
        let file = self.job.path().join("job.toml");
        let mut arguments = command.to_vec();
        arguments.push(file.to_str().expect("a temporary path is text"));
        Running::spawn(tidegate_command(&wrapper, Path::new("/"), &arguments))
    }

    fn status(&self) -> serde_json::Value {
        let status = self.start(&["status", "--json"]).wait();
        serde_json::from_str(&status.stdout).unwrap_or_default()
    }

    /// Waits until `is_there` accepts the status of the running job.
    fn wait_for(&self, what: &str, is_there: impl Fn(&serde_json::Value) -> bool) {
        wait_until(what, || self.status(), is_there);
    }

    fn names(&self, directory: &str) -> Vec<String> {
        let path = self.disk.outside(&self.job.path().join(directory));
        let entries = std::fs::read_dir(path).expect("it can be read");
        let names = entries.map(|entry| entry.expect("it can be read").file_name());
        names
            .map(|name| name.to_string_lossy().into_owned())
            .collect()
    }

    fn manifests(&self) -> Vec<u64> {
        let names = self.names("state/checkpoints");
        let mut numbers: Vec<u64> = names.iter().filter_map(|name| name.parse().ok()).collect();
        numbers.sort_unstable();
        numbers
    }

    fn assert_exact(&self) {
        let output = self.disk.outside(&self.job.path().join("output"));
        counting().assert_lines_exact(&published_lines(&output), "after the disk was full");
    }
}

fn completed(status: &serde_json::Value) -> u64 {
    status["checkpoints"]["completed"]
        .as_u64()
        .unwrap_or_default()
}

fn failed(status: &serde_json::Value) -> u64 {
    status["checkpoints"]["failed"].as_u64().unwrap_or_default()
}

fn assert_finished(finished: &Finished) {
    finished.assert_succeeds();
    assert!(finished.stderr.contains("finished"), "{finished:#?}");
}

#[test]
fn a_full_disk_fails_checkpoints_and_not_the_job() {
    let on = OnSmallDisk::new("state", 256);
    let running = on.start(&["run"]);
    on.wait_for("completed two checkpoints", |status| completed(status) >= 2);
    let ballast = on.disk.fill();
    // The room that retention frees is filled too, until no more checkpoint completes.
    let mut before = on.status();
    let give_up = Instant::now() + GIVE_UP;
    loop {
        let failures = failed(&before);
        on.wait_for("failed three checkpoints", |status| {
            failed(status) >= failures + 3
        });
        let now = on.status();
        if completed(&now) == completed(&before) {
            break;
        }
        drop(on.disk.fill());
        before = now;
        assert!(
            Instant::now() < give_up,
            "checkpoints go on completing: {before:#}"
        );
    }
    let full = on.status();
    let reason = full["checkpoints"]["last_failure"].to_string();
    assert!(
        reason.contains("No space left") && reason.contains("state/"),
        "{reason}"
    );
    assert_eq!(full["restarts"], 0, "the job went on: {full:#}");
    // The newest checkpoint is kept, and the failed one is removed.
    let kept = on.manifests();
    assert!(!kept.is_empty());
    std::fs::remove_file(ballast).expect("the ballast can be removed");
    on.wait_for("completed checkpoints again", |status| {
        completed(status) > completed(&full)
    });
    assert_finished(&running.wait());
    assert!(on.manifests().last() > kept.last());
    let state = on.names("state/state");
    let newest = on.manifests();
    let is_needed = |name: &String| newest.iter().any(|n| name.starts_with(&format!("{n}-")));
    assert!(state.iter().all(is_needed), "{state:?} beside {newest:?}");
    assert!(
        !on.names("state/checkpoints")
            .iter()
            .any(|name| name.ends_with(".tmp"))
    );
    on.assert_exact();
}

#[test]
fn a_full_output_directory_is_waited_for_and_loses_nothing() {
    let on = OnSmallDisk::new("output", 8192);
    let running = on.start(&["run"]);
    let output = on.disk.path();
    let give_up = Instant::now() + GIVE_UP;
    while published_parts(&output).is_empty() {
        assert!(Instant::now() < give_up, "nothing is published");
    }
    let ballast = on.disk.fill();
    on.wait_for("met the full disk", |status| {
        let failure = status["last_failure"].to_string();
        let abandoned = status["checkpoints"]["last_failure"].to_string();
        let is_full = |text: &str| text.contains("No space left") && text.contains("output/");
        is_full(&failure) || is_full(&abandoned)
    });
    std::fs::remove_file(ballast).expect("the ballast can be removed");
    assert_finished(&running.wait());
    on.assert_exact();
}

#[test]
fn a_read_only_checkpoint_directory_is_named_and_nothing_is_lost() {
    let on = OnSmallDisk::new("state", 1024);
    on.disk.set_read_only(true);
    let refused = on.start(&["run"]).wait();
    refused.assert_fails(1, &["state", "Read-only file system"]);
    assert!(
        !on.job.path().join("output").exists(),
        "{}",
        on.job.listing()
    );
    on.disk.set_read_only(false);
    assert_finished(&on.start(&["run"]).wait());
    on.assert_exact();
    on.disk.set_read_only(true);
    let refused = on.start(&["run"]).wait();
    refused.assert_fails(1, &["state/LOCK", "Read-only file system"]);
    on.start(&["check"]).wait().assert_succeeds();
    on.assert_exact();
}

#[test]
fn a_read_only_output_directory_is_named_and_nothing_is_lost() {
    let on = OnSmallDisk::new("output", 8192);
    // This job retries only briefly.
    let counting = Counting::default();
    on.job.write("job.toml", counting.text());
    on.disk.set_read_only(true);
    let refused = on.start(&["run"]).wait();
    refused.assert_fails(1, &["output", "Read-only file system"]);
    on.disk.set_read_only(false);
    assert_finished(&on.start(&["run"]).wait());
    counting.assert_lines_exact(&published_lines(&on.disk.path()), "after it was read-only");
}
