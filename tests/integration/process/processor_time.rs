//! `RLIMIT_CPU`: a job whose processor time is exhausted names the limit, where SIGXCPU would end
//! it without a message.

use rustix::process::Signal;
use tidegate_tests::{Counting, JobDirectory, published_parts};

use super::GENEROUS;
use super::limits::{limit_running, run_under};

/// Returns a job that computes for longer than any test lasts.
fn endless() -> JobDirectory {
    let endless = Counting {
        records: 3_000_000_000,
        rate: 1_000_000_000,
        ..Counting::default()
    };
    endless.directory()
}

#[test]
fn a_job_whose_processor_time_is_used_up_names_the_limit() {
    // A soft limit of 1 s below the hard limit, and equal limits.
    for (limit, seconds) in [("--cpu=1:60", "is 1:"), ("--cpu=2:2", "is 2:")] {
        let finished = run_under(limit, &endless());
        let expected = [
            "error: this process has used all of its processor time",
            "RLIMIT_CPU, the seconds of processor time that this process may use,",
            seconds,
            "raise `ulimit -t`",
        ];
        finished.assert_fails(1, &expected);
    }
}

#[test]
fn a_limit_of_processor_time_that_leaves_no_room_for_a_message_is_rejected_at_the_start() {
    let finished = run_under("--cpu=1:1", &endless());
    let expected = [
        "RLIMIT_CPU (`ulimit -t`) is 1 s",
        "raise the limit to 2 s or more",
    ];
    finished.assert_fails(1, &expected);
}

#[test]
fn a_limit_of_processor_time_that_is_set_while_the_job_runs_is_named() {
    let job = endless();
    let mut running = job.start(&["run", "job.toml"]);
    while published_parts(&job.path().join("output")).is_empty() {
        assert!(running.is_running(), "{:#?}", running.wait());
    }
    limit_running(&running, "--cpu=1:3600");
    let finished = running.wait_within(GENEROUS);
    finished.assert_fails(1, &["all of its processor time", "RLIMIT_CPU"]);
}

#[test]
fn sigxcpu_of_another_process_ends_the_job_and_is_named() {
    let job = endless();
    let mut running = job.start(&["run", "job.toml"]);
    while published_parts(&job.path().join("output")).is_empty() {
        assert!(running.is_running(), "{:#?}", running.wait());
    }
    running.signal(Signal::XCPU);
    let finished = running.wait_within(GENEROUS);
    finished.assert_fails(1, &["SIGXCPU came from another process"]);
}
