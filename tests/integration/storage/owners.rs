//! One output directory has one owner, on the real binary: a second owner's refusal names the first
//! and leaves no file behind, and an owner that lost the directory publishes nothing more.

use std::fs;
use std::path::Path;

use rustix::process::Signal;
use tidegate_tests::{
    Counting, Finished, JobDirectory, Running, bind_mount, published_lines, published_parts,
    read_only, tidegate_command,
};

/// The number of pairs of jobs that start together.
const PAIRS: usize = 20;

/// Returns a job of some seconds that publishes nothing before its end.
fn counting() -> Counting {
    Counting {
        records: 6_000,
        rate: 3_000,
        // Checkpoints only on request, and at the end.
        interval_ms: 3_600_000,
        ..Counting::default()
    }
}

/// Writes a second job file, of the same job with another checkpoint directory.
fn write_second(job: &JobDirectory, counting: &Counting) {
    let text = counting.text();
    job.write("second.toml", text.replace("\"state\"", "\"state-2\""));
}

fn output(job: &JobDirectory) -> std::path::PathBuf {
    job.path().join("output")
}

/// Waits until the job runs, with its output directory marked.
fn wait_until_marked(job: &JobDirectory, running: &mut Running) {
    while !output(job).join("_tidegate").exists() {
        assert!(running.is_running(), "it ended before it had begun");
    }
}

/// Takes a savepoint of the running job; from then on it publishes nothing before its end.
fn savepoint(job: &JobDirectory, running: &mut Running) -> String {
    loop {
        let taken = job.tidegate(&["savepoint", "job.toml", "savepoints"]);
        if taken.code == Some(0) {
            return taken.stdout.trim().to_owned();
        }
        assert!(running.is_running(), "no savepoint: {taken:#?}");
    }
}

/// Stops a process until SIGCONT, and waits until all of its threads have stopped.
fn pause(running: &Running) {
    running.signal(Signal::STOP);
    let tasks = format!("/proc/{}/task", running.id());
    let is_stopped = |task: fs::DirEntry| {
        let stat = fs::read_to_string(task.path().join("stat")).unwrap_or_default();
        // A thread that has ended meanwhile does nothing either.
        let rest = stat.rsplit(')').next().unwrap_or_default();
        rest.is_empty() || rest.starts_with(" T")
    };
    while !fs::read_dir(&tasks)
        .expect("the process is there")
        .all(|task| is_stopped(task.expect("it can be read")))
    {}
}

/// Asserts that the second run was refused because the first holds the directory.
#[track_caller]
fn assert_in_use(second: &Finished, holder: u32) {
    let holder = format!("in use by process {holder},");
    second.assert_fails(4, &["output directory", "output", &holder, "sink `counts`"]);
}

#[test]
fn the_same_job_with_two_checkpoint_directories_runs_once_and_the_second_creates_nothing() {
    let counting = counting();
    let job = counting.directory();
    write_second(&job, &counting);
    let mut first = job.start(&["run", "job.toml"]);
    wait_until_marked(&job, &mut first);
    let holder = first.id();
    for arguments in [
        &["run", "second.toml"][..],
        &["run", "second.toml", "--fresh"][..],
    ] {
        assert_in_use(&job.tidegate(arguments), holder);
        assert!(!job.path().join("state-2").exists(), "{arguments:?}");
    }
    // With the same job file, the message names the checkpoint directory, as before.
    let again = job.tidegate(&["run", "job.toml"]);
    again.assert_fails(4, &["state", &format!("in use by process {holder}")]);
    first.wait().assert_succeeds();
    counting.assert_exact(&job, "the first of two");
    // Afterwards the output exists, and a fresh job does not add to it.
    let refused = job.tidegate(&["run", "second.toml"]);
    refused.assert_fails(2, &["output", "is not empty"]);
    assert!(!job.path().join("state-2").exists());
    job.assert_has_finished();
    counting.assert_exact(&job, "after the second had tried");
}

#[test]
fn of_two_jobs_that_start_together_exactly_one_wins_each_time() {
    let counting = Counting {
        records: 600,
        rate: 1_000,
        ..counting()
    };
    for pair in 0..PAIRS {
        let job = counting.directory();
        write_second(&job, &counting);
        let both = ["job.toml", "second.toml"].map(|file| (file, job.start(&["run", file])));
        let ended = both.map(|(file, running)| (file, running.wait()));
        let winners: Vec<_> = ended.iter().filter(|(_, e)| e.code == Some(0)).collect();
        assert_eq!(winners.len(), 1, "pair {pair}: {ended:#?}");
        for (file, loser) in ended.iter().filter(|(_, e)| e.code != Some(0)) {
            loser.assert_fails(4, &["output directory", "in use by"]);
            let state = file
                .replace("job.toml", "state")
                .replace("second.toml", "state-2");
            let checkpoints = job.path().join(state).join("checkpoints");
            let left = fs::read_dir(checkpoints).map_or(0, Iterator::count);
            assert_eq!(left, 0, "pair {pair}: the loser has kept a checkpoint");
            // The directory was not its own, and still is not.
            let again = job.tidegate(&["run", file]);
            again.assert_fails(2, &["output", "is not empty"]);
        }
        counting.assert_exact(&job, &format!("pair {pair}"));
    }
}

#[test]
fn a_fork_is_turned_away_while_the_original_runs_and_when_it_is_paused() {
    let counting = counting();
    let job = counting.directory();
    write_second(&job, &counting);
    let mut original = job.start(&["run", "job.toml"]);
    let savepoint = savepoint(&job, &mut original);
    let fork = ["run", "second.toml", "--from", &savepoint];
    assert_in_use(&job.tidegate(&fork), original.id());
    pause(&original);
    // Removing the marker does not free it: the directory itself is locked.
    fs::remove_file(output(&job).join("_tidegate")).expect("it is there");
    let refused = job.tidegate(&fork);
    refused.assert_fails(4, &["output directory", "in use by another run"]);
    assert!(!job.path().join("state-2").exists());
    original.signal(Signal::CONT);
    // Its marker is gone, so it no longer knows whose the directory is.
    let lost = original.wait();
    lost.assert_fails(3, &["output directory", "has lost its _tidegate"]);
}

#[test]
fn a_killed_owner_frees_the_directory_for_itself_and_for_a_fork() {
    let counting = counting();
    for forks in [false, true] {
        let job = counting.directory();
        write_second(&job, &counting);
        let mut original = job.start(&["run", "job.toml"]);
        let savepoint = savepoint(&job, &mut original);
        original.signal(Signal::KILL);
        assert_eq!(original.wait().code, None);
        let next = if forks {
            job.tidegate(&["run", "second.toml", "--from", &savepoint])
        } else {
            job.tidegate(&["run", "job.toml"])
        };
        next.assert_succeeds();
        counting.assert_exact(&job, &format!("after a kill; a fork: {forks}"));
        if forks {
            // The fork has taken over the directory, so the original no longer owns it.
            let refused = job.tidegate(&["run", "job.toml"]);
            refused.assert_fails(3, &["output", "belongs to sink `counts`"]);
            counting.assert_exact(&job, "after the original had tried");
        }
    }
}

#[test]
fn a_paused_owner_that_wakes_after_another_run_took_over_publishes_nothing() {
    let counting = counting();
    let job = counting.directory();
    write_second(&job, &counting);
    let mut original = job.start(&["run", "job.toml"]);
    let savepoint = savepoint(&job, &mut original);
    pause(&original);
    // The lock moves with the directory. A copy in its place is free.
    let taken = job.path().join("taken");
    fs::rename(output(&job), &taken).expect("it can be moved");
    copy_flat(&taken, &output(&job));
    let fork = job.tidegate(&["run", "second.toml", "--from", &savepoint]);
    fork.assert_succeeds();
    counting.assert_exact(&job, "the fork that took over");
    let before = (published_parts(&output(&job)), published_parts(&taken));
    original.signal(Signal::CONT);
    let woken = original.wait();
    woken.assert_fails(
        3,
        &["output directory", "another directory is in its place"],
    );
    let after = (published_parts(&output(&job)), published_parts(&taken));
    assert_eq!(before, after, "the owner that woke has published something");
}

/// Copies the files of a directory.
fn copy_flat(from: &Path, to: &Path) {
    fs::create_dir(to).expect("it can be made");
    for entry in fs::read_dir(from).expect("it can be read") {
        let entry = entry.expect("it can be read");
        fs::copy(entry.path(), to.join(entry.file_name())).expect("it can be copied");
    }
}

#[test]
fn an_owner_whose_marker_was_replaced_publishes_nothing_where_no_lock_reaches() {
    // As a run on another machine does if the file system does not share locks.
    type Change = fn(&str) -> String;
    let changes: [(&str, Change); 2] = [
        ("another lineage", |marker| {
            let at = marker.find("\"lineage\": \"").expect("it has one") + 12;
            format!("{}{}{}", &marker[..at], "f".repeat(32), &marker[at + 32..])
        }),
        ("a later attempt of the same lineage", |marker| {
            marker.replace("\"attempt\": 1,", "\"attempt\": 2,")
        }),
    ];
    for (name, change) in changes {
        let counting = counting();
        let job = counting.directory();
        let mut owner = job.start(&["run", "job.toml"]);
        drop(savepoint(&job, &mut owner));
        pause(&owner);
        let marker = output(&job).join("_tidegate");
        let ours = fs::read_to_string(&marker).expect("it is text");
        let theirs = change(&ours);
        assert_ne!(ours, theirs, "{name}: the marker was not changed");
        fs::write(&marker, theirs).expect("it can be written");
        let before = published_parts(&output(&job));
        owner.signal(Signal::CONT);
        let woken = owner.wait();
        woken.assert_fails(3, &["output directory", "now belongs to sink `counts`"]);
        assert_eq!(before, published_parts(&output(&job)), "{name}");
        // With the marker restored, the job continues exactly.
        fs::write(&marker, ours).expect("it can be written");
        job.tidegate(&["run", "job.toml"]).assert_succeeds();
        counting.assert_exact(&job, name);
    }
}

#[test]
fn an_output_directory_that_is_moved_under_a_job_is_noticed_at_the_next_publication() {
    let counting = counting();
    for replaced in [false, true] {
        let job = counting.directory();
        let mut running = job.start(&["run", "job.toml"]);
        drop(savepoint(&job, &mut running));
        let taken = job.path().join("taken");
        fs::rename(output(&job), &taken).expect("it can be moved");
        if replaced {
            fs::create_dir(output(&job)).expect("it can be made");
        }
        let before = published_lines(&taken);
        let ended = running.wait();
        let how = if replaced {
            "another directory is in its place"
        } else {
            "moved or removed"
        };
        ended.assert_fails(3, &["output directory", "output", how]);
        assert_eq!(before, published_lines(&taken), "replaced: {replaced}");
        // With the directory restored, the job continues exactly.
        if replaced {
            fs::remove_dir(output(&job)).expect("nothing was written into it");
        }
        fs::rename(&taken, output(&job)).expect("it can be moved");
        job.tidegate(&["run", "job.toml"]).assert_succeeds();
        counting.assert_exact(&job, &format!("replaced: {replaced}"));
    }
}

#[test]
fn two_sinks_with_one_directory_are_refused_before_anything_is_created() {
    for other in [
        "output",
        "./output",
        "output/",
        "a/../output",
        "link",
        "state",
        "state/x",
    ] {
        let sink = format!(
            "[sink.copies]\nconnector = \"file\"\ninputs = [{{ from = \"count\" }}]\n\
             directory = \"{other}\"\n"
        );
        let job = JobDirectory::new(&(counting().text() + &sink));
        std::os::unix::fs::symlink("output", job.path().join("link")).expect("it can be made");
        let before = job.listing();
        for command in ["check", "run"] {
            let refused = job.tidegate(&[command, "job.toml"]);
            let why = match other.starts_with("state") {
                true => "would write into the checkpoint directory",
                false => "has the same `directory` as sink `counts`",
            };
            refused.assert_fails(2, &["job.toml", "sink `copies`", why]);
            assert_eq!(job.listing(), before, "{command} {other}");
        }
    }
}

#[test]
fn two_sinks_with_one_directory_by_a_bind_mount_are_refused_before_anything_is_created() {
    let sink = "[sink.copies]\nconnector = \"file\"\ninputs = [{ from = \"count\" }]\n\
                directory = \"mounted/output\"\n";
    let text = counting().text().replace("\"output\"", "\"real/output\"");
    let job = JobDirectory::new(&(text + sink));
    for directory in ["real", "mounted"] {
        fs::create_dir(job.path().join(directory)).expect("it can be made");
    }
    let wrapper = bind_mount("real", "mounted");
    let before = job.listing();
    for is_there in [false, true] {
        for command in ["check", "run"] {
            let refused = run_wrapped(&wrapper, &job, command);
            let why = "sink `copies` has the same `directory` as sink `counts`";
            let also = "mounted/output, which is also";
            refused.assert_fails(2, &["job.toml", why, also, "real/output"]);
        }
        if !is_there {
            assert_eq!(job.listing(), before);
            fs::create_dir(job.path().join("real/output")).expect("it can be made");
        }
    }
}

#[test]
fn a_source_that_would_read_the_output_of_a_sink_is_refused_before_anything_is_created() {
    for (path, directory, is_refused) in [
        ("in/**/*", "in/copies", true),
        ("in/**/*.tsv", "in/copies", true),
        ("in/*/part-*", "in/../link/copies", true),
        ("in/*", "in/copies", false),
        ("in/**/*.txt", "in/copies", false),
        ("in/**/*", "in/.copies", false),
    ] {
        let source = format!("[source.lines]\nconnector = \"file\"\npath = \"{path}\"\n");
        let sink = format!(
            "[sink.copies]\nconnector = \"file\"\ninputs = [{{ from = \"lines\" }}]\n\
             directory = \"{directory}\"\nformat = \"tsv\"\n"
        );
        let job = JobDirectory::new(&(counting().text() + &source + &sink));
        fs::create_dir(job.path().join("in")).expect("it can be made");
        std::os::unix::fs::symlink("in", job.path().join("link")).expect("it can be made");
        job.write("in/a.txt", "a line\n");
        let before = job.listing();
        let checked = job.tidegate(&["check", "job.toml"]);
        if is_refused {
            let why = "source `lines` would read the output of sink `copies`, such as ";
            checked.assert_fails(2, &["job.toml", why]);
            let refused = job.tidegate(&["run", "job.toml"]);
            refused.assert_fails(2, &["job.toml", why]);
            assert_eq!(job.listing(), before, "{path} and {directory}");
        } else {
            checked.assert_succeeds();
        }
    }
}

/// Runs a command on the job, started by `wrapper`.
fn run_wrapped(wrapper: &[String], job: &JobDirectory, command: &str) -> Finished {
    let wrapper: Vec<&str> = wrapper.iter().map(String::as_str).collect();
    Running::spawn(tidegate_command(
        &wrapper,
        job.path(),
        &[command, "job.toml"],
    ))
    .wait()
}

#[test]
fn a_job_that_has_finished_says_so_again_where_its_output_is_read_only() {
    let counting = Counting::default();
    let job = counting.directory();
    job.tidegate(&["run", "job.toml"]).assert_succeeds();
    let again = run_wrapped(&read_only("output"), &job, "run");
    again.assert_succeeds();
    assert!(!again.stderr.contains("WARN"), "{again:#?}");
    counting.assert_exact(&job, "run again on read-only output");
}

#[test]
fn who_can_only_read_the_output_can_not_keep_the_job_from_starting() {
    let counting = Counting::default();
    let job = counting.directory();
    fs::create_dir(output(&job)).expect("it can be made");
    let directory = fs::File::open(output(&job)).expect("it can be opened");
    directory.try_lock().expect("nobody has locked it");
    job.tidegate(&["run", "job.toml"]).assert_succeeds();
    counting.assert_exact(&job, "while another process has locked the directory");
}
