//! C10: at a random moment, the first SIGTERM or SIGHUP ends the job with a last checkpoint and
//! exit code 0, and a second signal ends the process at once; the same command then continues
//! exactly.

use std::time::Duration;

use rustix::process::Signal;
use tidegate_random::{Random, TestSeed};
use tidegate_tests::{Counting, JobDirectory, Running, tidegate_command};

/// The number of ends of each kind that must have met a running job.
const ENDS: usize = 50;
/// The delay of the signal after the job began to run, in milliseconds.
const AFTER_MS: std::ops::Range<u64> = 0..120;

/// Returns a job that outlasts [`ENDS`] runs and more.
fn counting(rate: u64) -> Counting {
    Counting {
        records: 60_000,
        rate,
        interval_ms: 30,
        ..Counting::default()
    }
}

/// Ends runs with `end` until [`ENDS`] of them exited with one of `codes`, then lets the job
/// finish.
fn end_again_and_again(codes: &[i32], end: impl Fn(&Running, &mut Random)) {
    let counting_slowly = counting(2_000);
    let job = counting_slowly.directory();
    let seed = TestSeed::of_run();
    let mut random = seed.random();
    let (mut ended, mut others) = (0, 0);
    while ended < ENDS {
        let mut running = start_with(&["env", "--default-signal=HUP"], &job);
        while job.tidegate(&["status", "job.toml"]).code != Some(0) {
            assert!(running.is_running(), "seed {seed}: {:#?}", running.wait());
        }
        std::thread::sleep(Duration::from_millis(random.in_range(AFTER_MS)));
        end(&running, &mut random);
        let finished = running.wait();
        let said = &finished.stderr;
        assert!(
            !said.contains("already finished"),
            "seed {seed}: the job is too small: {said}"
        );
        if finished.code.is_some_and(|code| codes.contains(&code)) {
            ended += 1;
        } else {
            // The first of two signals took effect before the second.
            assert_eq!(finished.code, Some(0), "seed {seed}: {finished:#?}");
            others += 1;
            assert!(
                others < 5 * ENDS,
                "seed {seed}: the second signal never comes in time"
            );
        }
        if finished.code == Some(0) {
            assert!(said.contains("stopped"), "seed {seed}: {said}");
        }
    }
    // The rest runs at full speed.
    job.write("job.toml", counting(1_000_000).text());
    job.tidegate(&["run", "job.toml"]).assert_succeeds();
    counting_slowly.assert_exact(&job, &format!("seed {seed}, after {ended} ends"));
}

/// Starts the job by a program that sets the effect of a signal: a test that was itself started by
/// `nohup` would pass that on.
fn start_with(wrapper: &[&str], job: &JobDirectory) -> Running {
    Running::spawn(tidegate_command(wrapper, job.path(), &["run", "job.toml"]))
}

#[test]
fn under_nohup_sighup_changes_nothing() {
    let counting = counting(2_000);
    let job = counting.directory();
    let mut running = start_with(&["nohup"], &job);
    let completed = || {
        let status = job.tidegate(&["status", "job.toml", "--json"]);
        let status: serde_json::Value = serde_json::from_str(&status.stdout).unwrap_or_default();
        status["checkpoints"]["completed"].as_u64().unwrap_or(0)
    };
    while completed() == 0 {
        assert!(running.is_running(), "{:#?}", running.wait());
    }
    running.signal(Signal::HUP);
    let before = completed();
    while completed() < before + 3 {
        assert!(running.is_running(), "{:#?}", running.wait());
    }
    running.signal(Signal::TERM);
    let finished = running.wait();
    assert_eq!(finished.code, Some(0), "{finished:#?}");
}

#[test]
fn sigterm_stops_with_a_checkpoint_at_any_moment() {
    end_again_and_again(&[0], |running, _| running.signal(Signal::TERM));
}

#[test]
fn sighup_stops_with_a_checkpoint_at_any_moment() {
    end_again_and_again(&[0], |running, _| running.signal(Signal::HUP));
}

#[test]
fn a_second_signal_ends_at_once_at_any_moment_and_loses_nothing() {
    // Both may arrive before the process looks, and it may then take the second for the first.
    end_again_and_again(&[130, 143], |running, random| {
        running.signal(Signal::INT);
        std::thread::sleep(Duration::from_micros(random.in_range(0..3_000)));
        // The process may be gone.
        let _ = running.try_signal(Signal::TERM);
    });
}
