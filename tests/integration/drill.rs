//! The restore drill of the real binary, with real components.

use std::path::Path;

use tidegate_tests::{JobDirectory, JobText, guest, wait_for_status};

const COUNT: &str = "examples/word-count/operators/count";
const COUNT_V2: &str = "tests/guests/count-v2";
const HOSTILE: &str = "tests/guests/hostile";

/// Returns a job that counts 5,000 records by 100 keys; `settings` go into `[checkpoint]`,
/// `operator` into the operator's table.
fn job(component: &Path, settings: &str, source: &str, operator: &str) -> String {
    JobText::new("drilled", settings)
        .parallelism(2)
        .generator("integers", &format!("keys = 100\n{source}"))
        .operator("guest", component, &[("integers", "hash")], operator)
        .files("out", "guest", "output", "lines")
        .text()
}

/// Returns a directory with a finished job, whose last checkpoint has the state of all keys.
fn finished(crate_path: &str, operator: &str) -> JobDirectory {
    let directory = JobDirectory::new(&job(&guest(crate_path), "", "to = 5000", operator));
    directory.tidegate(&["run", "job.toml"]).assert_succeeds();
    directory
}

const DRILL: [&str; 5] = ["checkpoint", "verify", "--drill", "job.toml", "state"];

fn drilled(job: &JobDirectory, more: &[&str]) -> (Option<i32>, serde_json::Value) {
    let arguments: Vec<&str> = DRILL
        .iter()
        .chain(more)
        .chain(&["--json"])
        .copied()
        .collect();
    let ended = job.tidegate(&arguments);
    let report = serde_json::from_str(&ended.stdout);
    (ended.code, report.unwrap_or_else(|_| panic!("{ended:#?}")))
}

fn subtasks(report: &serde_json::Value) -> &[serde_json::Value] {
    let subtasks = report["operators"][0]["subtasks"].as_array();
    subtasks.expect("an operator has subtasks")
}

fn sum(report: &serde_json::Value, what: &str) -> u64 {
    let values = subtasks(report)
        .iter()
        .map(|subtask| subtask[what].as_u64());
    values.map(|value| value.expect("it is a number")).sum()
}

#[test]
fn a_checkpoint_restores_at_any_parallelism_and_nothing_is_written() {
    let job = finished(COUNT, "");
    let before = job.listing();
    let (code, report) = drilled(&job, &[]);
    assert_eq!(code, Some(0), "{report:#}");
    assert_eq!(subtasks(&report).len(), 2);
    assert!(
        subtasks(&report).iter().all(|s| s["verdict"] == "same"),
        "{report:#}"
    );
    let (chunks, bytes) = (sum(&report, "chunks"), sum(&report, "bytes"));
    assert!(chunks > 50 && bytes > 500, "{report:#}");
    for parallelism in ["1", "5"] {
        let (code, report) = drilled(&job, &["--parallelism", parallelism]);
        assert_eq!(code, Some(0), "{report:#}");
        assert_eq!(subtasks(&report).len().to_string(), parallelism);
        assert_eq!(report["operators"][0]["checkpoint_parallelism"], 2);
        assert_eq!(
            (sum(&report, "chunks"), sum(&report, "bytes")),
            (chunks, bytes)
        );
    }
    let shown = job.tidegate(&DRILL);
    let shown = &shown.assert_succeeds().stdout;
    assert!(
        shown.contains("guest[1]") && shown.contains("every subtask restores"),
        "{shown}"
    );
    assert_eq!(job.listing(), before);
}

#[test]
fn an_upgrade_that_migrates_its_state_is_told_from_the_same_component() {
    let finished = finished(COUNT, "");
    finished.write("job.toml", job(&guest(COUNT_V2), "", "to = 5000", ""));
    let (code, report) = drilled(&finished, &[]);
    assert_eq!(code, Some(0), "{report:#}");
    assert_eq!(report["operators"][0]["component"], "other");
    assert!(
        subtasks(&report).iter().all(|s| s["verdict"] == "changed"),
        "{report:#}"
    );
    // Version 1 can't read the state of version 2.
    let downgraded = self::finished(COUNT_V2, "");
    downgraded.write("job.toml", job(&guest(COUNT), "", "to = 5000", ""));
    let ended = downgraded.tidegate(&DRILL);
    ended.assert_fails(7, &["2 of 2 subtask(s)", "can't be restored"]);
    assert!(
        ended
            .stdout
            .contains("it has version 2, and this operator reads version 1"),
        "{ended:#?}"
    );
}

#[test]
fn a_guest_that_forgets_or_refuses_its_state_is_caught() {
    let finished = finished(HOSTILE, "config = { behaviour = \"echo\" }");
    assert_eq!(drilled(&finished, &[]).0, Some(0));
    let behave = |behaviour: &str| {
        let config = format!("config = {{ behaviour = \"{behaviour}\" }}");
        finished.write("job.toml", job(&guest(HOSTILE), "", "to = 5000", &config));
    };
    behave("forget-on-restore");
    let (code, report) = drilled(&finished, &[]);
    assert_eq!(code, Some(7), "{report:#}");
    let difference = &subtasks(&report)[0]["difference"];
    assert_eq!(difference["name"], "records", "{report:#}");
    assert_eq!(
        (&difference["change"], &difference["chunk"]),
        (&"bytes".into(), &0.into())
    );
    let forgotten = finished.tidegate(&DRILL);
    forgotten.assert_fails(7, &["2 of 2 subtask(s) of checkpoint"]);
    let said = "guest[1]: chunk 0 (state \"records\" version 1, no key group): byte 0 differs";
    assert!(forgotten.stdout.contains(said), "{forgotten:#?}");
    for (behaviour, said) in [
        ("refuse-restore", "restore refused on purpose"),
        ("trap-in-restore", "`restore` trapped"),
        ("fail-snapshot", "snapshot failed on purpose"),
        ("fail-open", "open failed on purpose"),
    ] {
        behave(behaviour);
        let ended = finished.tidegate(&DRILL);
        ended.assert_fails(7, &["2 of 2 subtask(s)"]);
        assert!(ended.stdout.contains(said), "{ended:#?}");
    }
}

#[test]
fn what_is_not_the_guests_fault_has_other_exit_codes() {
    let finished = finished(COUNT, "");
    finished.write("not.wasm", "no component");
    let refused = job(&finished.path().join("not.wasm"), "", "to = 5000", "");
    finished.write("refused.toml", refused);
    let arguments = ["checkpoint", "verify", "--drill", "refused.toml", "state"];
    finished
        .tidegate(&arguments)
        .assert_fails(8, &["refused.toml:13:", "not.wasm"]);
    let missing = ["checkpoint", "verify", "--drill", "missing.toml", "state"];
    finished
        .tidegate(&missing)
        .assert_fails(2, &["missing.toml"]);

    let states = std::fs::read_dir(finished.path().join("state/state"));
    let states = states
        .expect("there is state")
        .map(|entry| entry.expect("it can be listed"));
    let newest = states.map(|entry| entry.path()).max();
    std::fs::write(newest.expect("there is a state file"), "").expect("it can be written");
    finished.tidegate(&DRILL).assert_fails(3, &["state/state/"]);
}

/// Waits until `is_there` accepts the drills in the status of the running job.
fn wait_for(job: &JobDirectory, is_there: impl Fn(&serde_json::Value) -> bool) {
    wait_for_status(job, "had the drills", |status| {
        is_there(&status["checkpoints"]["drills"])
    });
}

#[test]
fn drills_beside_the_job_mark_its_checkpoints_as_proven() {
    let settings = "interval = \"50ms\"\ndrill-every = 2\nretain = 1000";
    let job = JobDirectory::new(&job(&guest(COUNT), settings, "rate = 2000", ""));
    let running = job.start(&["run", "job.toml"]);
    wait_for(&job, |drills| drills["proven"].as_u64() >= Some(2));
    let status = job.tidegate(&["status", "job.toml"]);
    let status = &status.assert_succeeds().stdout;
    assert!(
        status.contains("restore drills: ") && status.contains(" 0 failed"),
        "{status}"
    );
    job.tidegate(&["stop", "job.toml"]).assert_succeeds();
    assert_eq!(running.wait().code, Some(0));

    let listed = job.tidegate(&["checkpoint", "list", "state", "--json"]);
    let listed: serde_json::Value =
        serde_json::from_str(&listed.assert_succeeds().stdout).expect("it is JSON");
    let listed = listed.as_array().expect("it is a list");
    let proven = listed.iter().filter(|line| line["proven_at_ms"].is_u64());
    let proven: Vec<u64> = proven
        .filter_map(|line| line["checkpoint"].as_u64())
        .collect();
    assert!(
        proven.len() >= 2 && proven.len() < listed.len(),
        "{listed:#?}"
    );
    let manifest = format!("state/checkpoints/{}", proven[0]);
    let inspected = job.tidegate(&["checkpoint", "inspect", &manifest]);
    let inspected = &inspected.assert_succeeds().stdout;
    assert!(
        inspected.contains("proven by a restore drill 20"),
        "{inspected}"
    );
}

#[test]
fn a_failed_drill_is_said_loudly_and_the_job_goes_on() {
    let settings = "interval = \"50ms\"\ndrill-every = 1";
    let config = "config = { behaviour = \"forget-on-restore\" }";
    let job = JobDirectory::new(&job(&guest(HOSTILE), settings, "rate = 2000", config));
    let running = job.start(&["run", "job.toml"]);
    wait_for(&job, |drills| drills["failed"].as_u64() >= Some(2));
    let status = job.tidegate(&["status", "job.toml"]);
    let status = &status.assert_succeeds().stdout;
    assert!(status.contains("FAILED DRILL: checkpoint "), "{status}");
    job.tidegate(&["stop", "job.toml"]).assert_succeeds();
    let ended = running.wait();
    assert_eq!(ended.code, Some(0), "{ended:#?}");
    let said = &ended.stderr;
    assert!(
        said.contains("A RESTORE DRILL FAILED, the job continues: checkpoint "),
        "{said}"
    );
}
