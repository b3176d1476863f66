//! B9: one run at a time on the real binary, whatever the timing; the refusal names the holder.

use rustix::process::Signal;
use tidegate_tests::{Counting, JobDirectory, Running, published_parts};

/// The number of runs that start at once.
const RACERS: usize = 100;

/// Returns a job that does not end during the test.
fn endless() -> Counting {
    Counting {
        records: 3_000_000_000,
        rate: 1_000,
        interval_ms: 100,
        ..Counting::default()
    }
}

#[test]
fn of_a_hundred_that_start_at_once_one_wins_and_the_others_name_it() {
    let job = endless().directory();
    let mut racers: Vec<Running> = (0..RACERS)
        .map(|_| job.start(&["run", "job.toml"]))
        .collect();
    // All but one end by themselves.
    while racers
        .iter_mut()
        .filter_map(|r| r.is_running().then_some(()))
        .count()
        > 1
    {
        std::thread::yield_now();
    }
    let winner = racers.iter_mut().position(Running::is_running);
    let winner = racers.remove(winner.expect("one is left"));
    let holder = format!("in use by process {}", winner.id());
    for loser in racers {
        loser.wait().assert_fails(4, &["state", &holder]);
    }
    winner.signal(Signal::KILL);
    assert_eq!(winner.wait().code, None);
}

/// Starts a run that holds the directory and has completed a checkpoint.
fn running(job: &JobDirectory) -> Running {
    let mut running = job.start(&["run", "job.toml"]);
    while job.tidegate(&["status", "job.toml"]).code != Some(0) {
        assert!(running.is_running(), "{:#?}", running.wait());
    }
    running
}

/// Stops a process until SIGCONT, and waits until all of its threads have stopped.
fn pause(running: &Running) {
    running.signal(Signal::STOP);
    let tasks = format!("/proc/{}/task", running.id());
    let is_stopped = |task: std::fs::DirEntry| {
        let stat = std::fs::read_to_string(task.path().join("stat")).unwrap_or_default();
        // A thread that has ended meanwhile does nothing either.
        stat.rsplit(')')
            .next()
            .is_none_or(|rest| rest.is_empty() || rest.starts_with(" T"))
    };
    loop {
        let tasks = std::fs::read_dir(&tasks).expect("the process is there");
        if tasks
            .map(|task| task.expect("it can be read"))
            .all(is_stopped)
        {
            return;
        }
    }
}

#[test]
fn a_paused_run_keeps_the_directory_and_a_killed_one_frees_it() {
    let counting = Counting {
        records: 30_000,
        ..Counting::default()
    };
    let job = counting.directory();
    let holder = running(&job);
    pause(&holder);
    let named = format!("in use by process {}", holder.id());
    let before = job.listing();
    for _ in 0..3 {
        job.tidegate(&["run", "job.toml"])
            .assert_fails(4, &[&named]);
        let fresh = job.tidegate(&["run", "job.toml", "--from", "state"]);
        fresh.assert_fails(4, &[&named]);
    }
    assert_eq!(
        job.listing(),
        before,
        "a run without the lock wrote something"
    );
    holder.signal(Signal::CONT);
    while published_parts(&job.path().join("output")).is_empty() {}
    // Killed while paused, it can't write any more, and the next run gets the directory.
    holder.signal(Signal::STOP);
    holder.signal(Signal::KILL);
    assert_eq!(holder.wait().code, None);
    let next = job.tidegate(&["run", "job.toml"]);
    assert!(
        next.assert_succeeds().stderr.contains("finished"),
        "{next:#?}"
    );
    counting.assert_exact(&job, "after a kill");
}

#[test]
fn a_run_whose_lock_file_was_removed_commits_nothing_more() {
    let counting = Counting {
        records: 30_000,
        restart: "strategy = \"none\"",
        ..Counting::default()
    };
    let job = counting.directory();
    let mut first = job.start(&["run", "job.toml"]);
    while published_parts(&job.path().join("output")).is_empty() {
        assert!(first.is_running(), "{:#?}", first.wait());
    }
    std::fs::remove_file(job.path().join("state/LOCK")).expect("it can be removed");
    // No file marks the directory as in use any more.
    let second = job.tidegate(&["run", "job.toml"]);
    first
        .wait()
        .assert_fails(3, &["state/LOCK", "removed or replaced"]);
    if second.code != Some(0) {
        let next = job.tidegate(&["run", "job.toml"]);
        next.assert_succeeds();
    }
    counting.assert_exact(&job, "after two runs at once");
}
