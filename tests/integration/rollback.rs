//! Back to an older checkpoint of the job: its newer output is removed only if the user agrees, and
//! the output then is as if the job had never run past that checkpoint.

use std::time::Duration;

use tidegate_tests::{
    JobDirectory, JobText, assert_counts, guest, published_lines, start_and_wait, wait_for_status,
    wait_until,
};

const RECORDS: u64 = 300_000;
const KEYS: u64 = 100;

fn counting_job() -> JobDirectory {
    let source = format!("to = {RECORDS}\nkeys = {KEYS}\nrate = 100_000");
    let count = guest("examples/word-count/operators/count");
    let text = JobText::new("counting", "interval = \"100ms\"\nretain = 100")
        .generator("integers", &source)
        .operator("count", count, &[("integers", "hash")], "")
        .files("counts", "count", "output", "tsv")
        .text();
    JobDirectory::new(&text)
}

/// Stops a running job after some checkpoints, and returns the numbers of those.
fn stopped_midway(job: &JobDirectory) -> Vec<u64> {
    let running = start_and_wait(job);
    wait_for_status(job, "five checkpoints", |status| {
        status["checkpoints"]["completed"].as_u64() >= Some(5)
    });
    job.tidegate(&["stop", "job.toml"]).assert_succeeds();
    assert_eq!(running.wait().code, Some(0));
    let published = published_lines(&job.path().join("output")).len() as u64;
    assert!(published < RECORDS, "the job was stopped too late");
    job.checkpoints()
}

#[test]
fn a_job_goes_back_to_an_older_checkpoint_once_the_user_agrees_to_lose_newer_output() {
    let job = counting_job();
    let ids = stopped_midway(&job);
    let output = job.path().join("output");
    let before = published_lines(&output).len();
    let older = ids[1].to_string();
    let newest = *ids.last().expect("the job has taken some");
    assert!(newest > ids[1], "{ids:?}");
    job.write("output/_note", b"not output");

    let refused = job.tidegate(&["run", "job.toml", "--from", &older]);
    refused.assert_fails(3, &["--discard-newer-output", "newer than checkpoint"]);
    let back = [
        "run",
        "job.toml",
        "--from",
        &older,
        "--discard-newer-output",
    ];
    let asked = job.tidegate(&back);
    asked.assert_fails(
        2,
        &["newer output of sink `counts`", "output/part-", "--yes"],
    );
    assert_eq!(published_lines(&output).len(), before, "nothing is removed");
    assert_eq!(job.checkpoints(), ids, "nothing is changed");

    let agreed: Vec<&str> = back.into_iter().chain(["--yes"]).collect();
    let finished = job.tidegate(&agreed);
    finished.assert_succeeds();
    let lines = published_lines(&output);
    assert_counts(&lines, RECORDS, KEYS, "over the way back");
    assert!(output.join("_note").exists());

    // The same command once more: the job has started from there, and is done.
    job.tidegate(&agreed).assert_succeeds();
    assert_eq!(published_lines(&output), lines);
    let newest = newest.to_string();
    let lost = job.tidegate(&[
        "run",
        "job.toml",
        "--from",
        &newest,
        "--discard-newer-output",
        "--yes",
    ]);
    lost.assert_fails(3, &["belongs to"]);
    assert_eq!(published_lines(&output), lines);
}

#[test]
fn a_way_back_that_is_killed_continues_with_the_same_command() {
    let job = counting_job();
    let ids = stopped_midway(&job);
    let older = ids[1].to_string();
    let agreed = [
        "run",
        "job.toml",
        "--from",
        &older,
        "--discard-newer-output",
        "--yes",
    ];
    let running = job.start(&agreed);
    let newest = ids.last().copied();
    wait_until(
        "a checkpoint",
        || job.checkpoints(),
        |ids| ids.last().copied() > newest,
    );
    assert!(running.kill_after(Duration::ZERO), "the job was killed");
    job.tidegate(&agreed).assert_succeeds();
    let lines = published_lines(&job.path().join("output"));
    assert_counts(&lines, RECORDS, KEYS, "over the way back and a kill");
}

#[test]
fn a_checkpoint_that_is_not_kept_is_named_with_those_that_are() {
    let job = counting_job();
    let ids = stopped_midway(&job);
    let kept = format!("it has {}, {}", ids[0], ids[1]);
    let gone = job.tidegate(&["run", "job.toml", "--from", "9999"]);
    gone.assert_fails(2, &["no checkpoint 9999", &kept]);
    let alone = job.tidegate(&["run", "job.toml", "--discard-newer-output"]);
    alone.assert_fails(2, &["--from"]);
}
