//! `RLIMIT_NOFILE` and `RLIMIT_FSIZE`: a job under a limit finishes exactly or names the operation
//! that failed, and does not die of a signal or a panic. No message blames a component or an
//! operator.

use tidegate_tests::{
    Counting, Finished, JobDirectory, Running, published_parts, tidegate_command,
};

use super::GENEROUS;

fn counting() -> Counting {
    Counting {
        records: 600,
        ..Counting::default()
    }
}

pub(super) fn run_under(limit: &str, job: &JobDirectory) -> Finished {
    let command = tidegate_command(&["prlimit", limit], job.path(), &["run", "job.toml"]);
    Running::spawn(command).wait_within(GENEROUS)
}

/// Asserts that the run finished exactly, or failed with one of `reasons` and advice that names the
/// limit, and that the same job without a limit then finishes exactly. Returns true if it failed.
fn fails(finished: &Finished, job: &JobDirectory, reasons: &[&str], limit: &str) -> bool {
    let said = &finished.stderr;
    assert!(!said.contains("panicked"), "{limit}: {said}");
    assert!(!said.contains("trapped"), "{limit}: {said}");
    match finished.code {
        Some(0) => counting().assert_exact(job, limit),
        Some(1 | 2) => {
            let is_named = reasons.iter().any(|reason| said.contains(reason));
            assert!(is_named, "{limit}: the limit is not named: {said}");
        }
        other => panic!("{limit}: ended with {other:?}: {said}"),
    }
    let again = job.tidegate(&["run", "job.toml"]);
    assert_eq!(again.code, Some(0), "{limit}: {said}then {again:#?}");
    counting().assert_exact(job, limit);
    finished.code != Some(0)
}

#[test]
fn too_few_open_files_are_named_at_the_start_and_enough_are_enough_to_the_end() {
    // Below this, the system does not even load the binary.
    let mut failed = 0;
    let mut has_room = false;
    let reasons = ["Too many open files", "open files; `ulimit -n` allows"];
    for files in 6..64 {
        let limit = format!("--nofile={files}:{files}");
        let job = counting().directory();
        let finished = run_under(&limit, &job);
        let is_failed = fails(&finished, &job, &reasons, &limit);
        failed += usize::from(is_failed);
        assert!(!(has_room && is_failed), "{limit}: {finished:#?}");
        has_room |= !is_failed;
        if finished.code == Some(1) && finished.stderr.contains("files at once") {
            let advice = format!(
                "RLIMIT_NOFILE, the number of files that this process may have open, is {files}"
            );
            assert!(finished.stderr.contains(&advice), "{finished:#?}");
        }
    }
    assert!((20..50).contains(&failed), "{failed} of 58 failed");
}

#[test]
fn every_command_names_too_few_open_files() {
    let job = counting().directory();
    for arguments in [
        &["run", "job.toml"][..],
        &["status", "job.toml"],
        &["check", "job.toml"],
        &["checkpoint", "list", "state"],
    ] {
        let command = tidegate_command(&["prlimit", "--nofile=12:12"], job.path(), arguments);
        let finished = Running::spawn(command).wait_within(GENEROUS);
        finished.assert_fails(1, &["Too many open files", "RLIMIT_NOFILE", "is 12"]);
    }
}

#[test]
fn a_soft_limit_of_open_files_is_raised_to_the_hard_one() {
    let job = counting().directory();
    let finished = run_under("--nofile=32:1024", &job);
    finished.assert_succeeds();
    counting().assert_exact(&job, "under a soft limit");
}

#[test]
fn a_job_whose_files_run_out_while_it_runs_fails_by_name_and_goes_on_later() {
    let slow = Counting {
        records: 60_000,
        rate: 2_000,
        ..Counting::default()
    };
    let job = slow.directory();
    let mut running = job.start(&["run", "job.toml"]);
    while published_parts(&job.path().join("output")).is_empty() {
        assert!(running.is_running(), "{:#?}", running.wait());
    }
    limit_running(&running, "--nofile=3:3");
    let finished = running.wait_within(GENEROUS);
    finished.assert_fails(1, &["Too many open files"]);
    let fast = Counting {
        rate: 1_000_000,
        ..slow
    };
    job.write("job.toml", fast.text());
    job.tidegate(&["run", "job.toml"]).assert_succeeds();
    fast.assert_exact(&job, "after files ran out");
}

pub(super) fn limit_running(running: &Running, limit: &str) {
    let set = std::process::Command::new("prlimit")
        .args(["--pid", &running.id().to_string(), limit])
        .status();
    assert!(set.is_ok_and(|status| status.success()), "{limit}");
}

#[test]
fn a_file_that_may_not_grow_is_named_and_kills_nothing() {
    let mut failed = 0;
    // From an empty file to more than any file of the job has.
    for bytes in std::iter::once(0).chain((0..18).map(|bits| 1 << bits)) {
        let limit = format!("--fsize={bytes}:{bytes}");
        let job = counting().directory();
        let finished = run_under(&limit, &job);
        failed += usize::from(fails(&finished, &job, &["File too large"], &limit));
    }
    assert!((5..18).contains(&failed), "{failed} of 19 failed");
}

#[test]
fn an_instance_that_needs_a_larger_file_names_the_limit_and_blames_no_operator() {
    let job = counting().directory();
    let finished = run_under("--fsize=1000:1000", &job);
    let expected = [
        "instantiation needed a resource that the system refuses this process",
        "File too large",
        "RLIMIT_FSIZE, the bytes that a file of this process may have, is 1000",
    ];
    finished.assert_fails(1, &expected);
}

#[test]
fn a_file_that_may_no_longer_grow_while_the_job_runs_fails_checkpoints_by_name() {
    let slow = Counting {
        records: 60_000,
        rate: 2_000,
        ..Counting::default()
    };
    let job = slow.directory();
    let mut running = job.start(&["run", "job.toml"]);
    while published_parts(&job.path().join("output")).is_empty() {
        assert!(running.is_running(), "{:#?}", running.wait());
    }
    limit_running(&running, "--fsize=16:16");
    let finished = running.wait_within(GENEROUS);
    finished.assert_fails(1, &["File too large"]);
}
