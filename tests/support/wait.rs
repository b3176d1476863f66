//! Waits for a running job. A wait fails only if it never ends, not on a slow machine: it gives up
//! after far more time than it needs, and reports what it saw last.

use std::fmt::Debug;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::{JobDirectory, Running};

/// The time after which a wait gives up.
const GIVE_UP: Duration = Duration::from_secs(120);

/// Calls `look` until `is_there` accepts its result.
///
/// # Panics
///
/// If that takes too long.
#[track_caller]
pub fn wait_until<T: Debug>(what: &str, look: impl Fn() -> T, is_there: impl Fn(&T) -> bool) {
    let give_up = Instant::now() + GIVE_UP;
    loop {
        let seen = look();
        if is_there(&seen) {
            return;
        }
        assert!(Instant::now() < give_up, "the job never {what}: {seen:#?}");
    }
}

/// Waits until `is_there` accepts the status of the running job.
///
/// # Panics
///
/// If that takes too long.
#[track_caller]
pub fn wait_for_status(job: &JobDirectory, what: &str, is_there: impl Fn(&Value) -> bool) {
    let look = || job.tidegate(&["status", "job.toml", "--json"]);
    wait_until(what, look, |status| {
        let json = serde_json::from_str(&status.stdout).unwrap_or_default();
        status.code == Some(0) && is_there(&json)
    });
}

/// Starts the job and waits until it has completed three checkpoints.
///
/// # Panics
///
/// If that takes too long.
#[must_use]
#[track_caller]
pub fn start_and_wait(job: &JobDirectory) -> Running {
    let running = job.start(&["run", "job.toml"]);
    wait_for_status(job, "completed 3 checkpoints", |status| {
        let completed = status["checkpoints"]["completed"].as_u64();
        completed.is_some_and(|completed| completed >= 3)
    });
    running
}

/// Waits until the running process has locked the checkpoint directory.
///
/// # Panics
///
/// If it ends before.
pub fn wait_until_it_runs(job: &JobDirectory, running: &mut Running) {
    let holder = format!("pid {}\n", running.id());
    let lock = job.path().join("state/LOCK");
    while !std::fs::read_to_string(&lock).is_ok_and(|lock| lock.starts_with(&holder)) {
        assert!(running.is_running(), "it ended before it ran");
        thread::sleep(Duration::from_millis(1));
    }
}
