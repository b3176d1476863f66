//! Savepoints, stop and status of the real binary: rescaling, upgrading, and refusals.

use std::path::PathBuf;
use std::time::Duration;

use tidegate_tests::{
    Finished, JobDirectory, JobText, assert_counts, guest, published_lines, start_and_wait,
    wait_for_status,
};

/// The number of records that the source of [`counting_job`] emits, and of their keys.
const RECORDS: u64 = 400_000;
const KEYS: u64 = 1000;

/// Returns a job that counts by key, at a pace that leaves time to observe it.
fn counting_job(component: &str, operator: &str) -> String {
    let source = format!("to = {RECORDS}\nkeys = {KEYS}\nrate = 100_000");
    JobText::new("counting", "interval = \"100ms\"")
        .parallelism(2)
        .generator("integers", &source)
        .operator(operator, guest(component), &[("integers", "hash")], "")
        .files("counts", operator, "output", "tsv")
        .text()
}

const COUNT: &str = "examples/word-count/operators/count";
const COUNT_V2: &str = "tests/guests/count-v2";

/// Stops the running job with a savepoint and returns the savepoint's path.
fn stop_with_savepoint(job: &JobDirectory) -> String {
    let running = start_and_wait(job);
    let stopped = job.tidegate(&["stop", "job.toml", "--savepoint", "savepoints"]);
    let path = stopped.assert_succeeds().stdout.trim().to_owned();
    assert!(
        job.path().join(&path).is_dir(),
        "`{path}` is not a directory"
    );
    assert_eq!(running.wait().code, Some(0));
    let published = published_lines(&job.path().join("output")).len() as u64;
    assert!(
        published < RECORDS,
        "the job was stopped after the last of its output"
    );
    assert!(
        published > 0,
        "the job was stopped before the first of its output"
    );
    path
}

/// Asserts that the counts of every key are 1 to n, each once.
fn assert_exact(job: &JobDirectory) {
    let lines = published_lines(&job.path().join("output"));
    assert_counts(&lines, RECORDS, KEYS, "over the savepoint");
}

fn run_from(job: &JobDirectory, savepoint: &str, more: &[&str]) -> Finished {
    let mut arguments = vec!["run", "job.toml", "--from", savepoint];
    arguments.extend(more);
    job.tidegate(&arguments)
}

#[test]
fn a_savepoint_at_parallelism_2_goes_on_at_4() {
    let job = JobDirectory::new(&counting_job(COUNT, "count"));
    let savepoint = stop_with_savepoint(&job);
    run_from(&job, &savepoint, &["--parallelism", "4"]).assert_succeeds();
    assert_exact(&job);
}

#[test]
fn a_savepoint_at_parallelism_2_goes_on_at_1() {
    let job = JobDirectory::new(&counting_job(COUNT, "count"));
    let savepoint = stop_with_savepoint(&job);
    run_from(&job, &savepoint, &["--parallelism", "1"]).assert_succeeds();
    assert_exact(&job);
}

#[test]
fn a_new_version_of_a_component_goes_on_with_the_state_of_the_old_one() {
    let job = JobDirectory::new(&counting_job(COUNT, "count"));
    let savepoint = stop_with_savepoint(&job);
    job.write("job.toml", counting_job(COUNT_V2, "count"));
    run_from(&job, &savepoint, &[]).assert_succeeds();
    assert_exact(&job);
    let again = job.tidegate(&["checkpoint", "diff", &savepoint, "state"]);
    assert!(
        again.assert_succeeds().stdout.contains("count"),
        "{again:#?}"
    );
}

#[test]
fn a_rescaled_job_that_is_killed_goes_on_with_the_same_command() {
    let job = JobDirectory::new(&counting_job(COUNT, "count"));
    let savepoint = stop_with_savepoint(&job);
    let arguments = [
        "run",
        "job.toml",
        "--from",
        &savepoint,
        "--parallelism",
        "4",
    ];
    let running = job.start(&arguments);
    wait_for_status(&job, "completed a checkpoint", |status| {
        status["checkpoints"]["completed"]
            .as_u64()
            .is_some_and(|completed| completed >= 1)
    });
    assert!(
        running.kill_after(Duration::ZERO),
        "the kill hit a running job"
    );
    job.tidegate(&arguments).assert_succeeds();
    assert_exact(&job);
}

#[test]
fn a_renamed_operator_is_refused_with_a_diff_unless_its_state_may_be_dropped() {
    let job = JobDirectory::new(&counting_job(COUNT, "count"));
    let savepoint = stop_with_savepoint(&job);
    job.write("job.toml", counting_job(COUNT, "renamed"));
    let refused = run_from(&job, &savepoint, &[]);
    refused.assert_fails(3, &["- operator `count`", "--allow-dropped-state count"]);
    let resumed = job.tidegate(&["run", "job.toml"]);
    resumed.assert_fails(3, &["- operator `count`", "+ operator `renamed`"]);
    let slip = run_from(&job, &savepoint, &["--allow-dropped-state", "cuont"]);
    slip.assert_fails(
        2,
        &["state of `cuont` may be dropped", "did you mean `count`?"],
    );
    run_from(&job, &savepoint, &["--allow-dropped-state", "count"]).assert_succeeds();
    // The same command line again, when the checkpoints no longer know the name.
    run_from(&job, &savepoint, &["--allow-dropped-state", "count"]).assert_succeeds();
    job.tidegate(&["run", "job.toml", "--allow-dropped-state", "count"])
        .assert_succeeds();
}

#[test]
fn commands_that_change_a_job_refuse_another_one_in_the_same_directory() {
    let job = JobDirectory::new(&counting_job(COUNT, "count"));
    let other = counting_job(COUNT, "count").replace("\"counting\"", "\"other\"");
    std::fs::write(job.path().join("other.toml"), other).expect("the file can be written");
    let running = start_and_wait(&job);
    for command in [
        &["stop", "other.toml"][..],
        &["cancel", "other.toml"],
        &["savepoint", "other.toml", "savepoints"],
    ] {
        let refused = job.tidegate(command);
        refused.assert_fails(5, &["job `counting` runs on ", ", not `other`"]);
    }
    job.tidegate(&["stop", "job.toml"]).assert_succeeds();
    assert_eq!(running.wait().code, Some(0));
}

#[test]
fn a_savepoint_of_a_running_job_leaves_it_running_and_exact() {
    let job = JobDirectory::new(&counting_job(COUNT, "count"));
    let running = start_and_wait(&job);
    let savepoint = job.tidegate(&["savepoint", "job.toml", "savepoints"]);
    let path = PathBuf::from(savepoint.assert_succeeds().stdout.trim());
    let verified = job.tidegate(&["checkpoint", "verify", &path.to_string_lossy()]);
    verified.assert_succeeds();
    assert_eq!(running.wait().code, Some(0));
    assert_exact(&job);
    // The job has published more than the savepoint covers, so it can't start from it here.
    let refused = run_from(&job, &path.to_string_lossy(), &[]);
    refused.assert_fails(3, &["newer"]);
    // A refused start leaves everything unchanged.
    let again = job.tidegate(&["run", "job.toml"]);
    assert!(again.assert_succeeds().stderr.contains("finished"));
    assert_exact(&job);
}

#[test]
fn stop_and_run_again_goes_on_where_it_stopped() {
    let job = JobDirectory::new(&counting_job(COUNT, "count"));
    let running = start_and_wait(&job);
    job.tidegate(&["stop", "job.toml"]).assert_succeeds();
    assert_eq!(running.wait().code, Some(0));
    job.tidegate(&["run", "job.toml"]).assert_succeeds();
    assert_exact(&job);
}

#[test]
fn drain_ends_the_job_for_good() {
    let job = JobDirectory::new(&counting_job(COUNT, "count"));
    let running = start_and_wait(&job);
    job.tidegate(&["stop", "job.toml", "--drain"])
        .assert_succeeds();
    assert_eq!(running.wait().code, Some(0));
    let published = published_lines(&job.path().join("output")).len() as u64;
    assert!(published > 0 && published < RECORDS, "{published} lines");
    let again = job.tidegate(&["run", "job.toml"]);
    assert!(
        again.assert_succeeds().stderr.contains("finished"),
        "{again:#?}"
    );
    assert_eq!(
        published_lines(&job.path().join("output")).len() as u64,
        published
    );
}

#[test]
fn cancel_ends_without_a_checkpoint_and_the_job_goes_on_later() {
    let job = JobDirectory::new(&counting_job(COUNT, "count"));
    let running = start_and_wait(&job);
    job.tidegate(&["cancel", "job.toml"]).assert_succeeds();
    assert_eq!(running.wait().code, Some(0));
    job.tidegate(&["run", "job.toml"]).assert_succeeds();
    assert_exact(&job);
}

#[test]
fn the_first_sigterm_stops_the_job_with_a_checkpoint() {
    let job = JobDirectory::new(&counting_job(COUNT, "count"));
    let running = start_and_wait(&job);
    running.signal(rustix::process::Signal::TERM);
    // As `timeout` does: to the process, and then to its group.
    running.signal(rustix::process::Signal::TERM);
    assert_eq!(running.wait().code, Some(0));
    job.tidegate(&["run", "job.toml"]).assert_succeeds();
    assert_exact(&job);
}

#[test]
fn without_a_running_job_the_commands_that_need_one_say_so() {
    let job = JobDirectory::new(&counting_job(COUNT, "count"));
    for arguments in [
        &["status", "job.toml"][..],
        &["stop", "job.toml"],
        &["cancel", "job.toml"],
        &["savepoint", "job.toml", "savepoints"],
    ] {
        job.tidegate(arguments).assert_fails(5, &["state"]);
    }
}
