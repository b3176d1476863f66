//! Scenarios: `tidegate test` names the mistake in an operator or in the scenario.

use serde_json::Value;
use tidegate_tests::{Finished, JobDirectory, guest};

/// Runs a scenario with this component, config, steps and flags.
fn scenario(component: &str, config: &str, steps: &str, flags: &[&str]) -> Finished {
    let component = guest(component);
    let directory = JobDirectory::new("");
    directory.write(
        "scenario.toml",
        format!(
            "version = 1\ncomponent = \"{}\"\nconfig = {{ {config} }}\n{steps}",
            component.display()
        ),
    );
    let arguments = [&["test", "scenario.toml"], flags].concat();
    directory.tidegate(&arguments)
}

fn count(steps: &str) -> Finished {
    scenario("examples/word-count/operators/count", "", steps, &[])
}

fn hostile(behaviour: &str, steps: &str) -> Finished {
    let config = format!("behaviour = \"{behaviour}\"");
    scenario("tests/guests/hostile", &config, steps, &[])
}

/// Asserts that the run fails with exit code 7, and that its standard output contains all of
/// `fragments`.
#[track_caller]
fn assert_finds(finished: &Finished, fragments: &[&str]) {
    finished.assert_fails(7, &["error: 1 of 1 scenario(s) failed"]);
    for fragment in fragments {
        assert!(
            finished.stdout.contains(fragment),
            "no `{fragment}` in {finished:#?}"
        );
    }
}

#[test]
fn output_that_is_not_the_expected_one_is_shown_record_by_record() {
    let steps = r#"[[step]]
records = [{ key = "a" }, { key = "b\u001b" }, { key = "a" }]
expect = [{ key = "a", value = "1" }, { key = "b\u001b", value = "2" }, { key = "a", value = "2" }]
"#;
    let failed = count(steps);
    assert_finds(&failed, &[]);
    assert_eq!(
        failed.stdout,
        "running 1 scenario(s)\ntest scenario.toml ... FAILED\n\n\
         scenario.toml:4: step 1: the output differs from the expected output\n\
         output `main`, - expected and missing, + not expected:\n    \
         { key = \"a\", value = \"1\" }\n  \
         - { key = \"b\\u001b\", value = \"2\" }\n  \
         + { key = \"b\\u001b\", value = \"1\" }\n    \
         { key = \"a\", value = \"2\" }\n\n\
         result: FAILED. 0 passed; 1 failed\n"
    );
}

#[test]
fn tools_get_what_failed_as_json() {
    let steps = "[[step]]\nrecords = [{ key = \"a\" }]\nexpect = []\n";
    let count = "examples/word-count/operators/count";
    let failed = scenario(count, "", steps, &["--json"]);
    failed.assert_fails(7, &[]);
    let answer: Value = serde_json::from_str(&failed.stdout).expect("it prints JSON");
    assert_eq!(
        answer,
        serde_json::json!({
            "ok": false,
            "passed": 0,
            "failed": 1,
            "scenarios": [{
                "path": "scenario.toml",
                "ok": false,
                "failure": {
                    "step": 1,
                    "line": 4,
                    "message": "the output differs from the expected output",
                    "differences": [{
                        "port": "main",
                        "expected": [],
                        "got": ["{ key = \"a\", value = \"1\" }"],
                    }],
                },
            }],
        })
    );
}

#[test]
fn output_that_nothing_expects_fails_at_the_end() {
    let failed = count("[[step]]\nrecords = [{ key = \"a\" }]\n");
    assert_finds(
        &failed,
        &[
            "scenario.toml:4: step 1: output remains after the last step, and no `expect` checks",
            "+ { key = \"a\", value = \"1\" }",
        ],
    );
}

#[test]
fn a_snapshot_that_differs_when_it_is_taken_twice_is_found_without_being_asked_for() {
    assert_finds(
        &hostile("count-snapshots", "[[step]]\nwatermark = 1\n"),
        &[
            "scenario.toml:4: step 1: subtask 0 returned two different snapshots of the same \
             state: chunk `records` differs from byte 0 on in the second",
        ],
    );
}

#[test]
fn state_that_is_lost_on_restore_is_found_without_being_asked_for() {
    let steps = "[[step]]\nrecords = [{ key = \"a\" }]\nexpect = [{ key = \"a\" }]\n";
    let lost = "subtask 0 was restored from a snapshot and then returned a different one: chunk \
                `records` differs from byte 0 on";
    assert_finds(&hostile("forget-on-restore", steps), &[lost]);
    let restarted = format!("{steps}[[step]]\nrestart = true\n");
    let found = hostile("forget-on-restore", &restarted);
    assert_finds(&found, &["scenario.toml:7: step 2: ", lost]);
}

#[test]
fn a_record_that_is_late_before_a_restart_or_a_rescale_is_late_after_it() {
    let begin = r#"outputs = ["counts", "late"]
parallelism = 2
[[step]]
records = [{ key = "a", timestamp = 3 }, { key = "b", timestamp = 12 }]
[[step]]
watermark = 10
expect = [{ key = "a", value = "0 1" }]
"#;
    let late = "[[step]]\n\
                records = [{ key = \"a\", timestamp = 9 }, { key = \"b\", timestamp = 15 }]\n\
                expect = [{ port = \"late\", key = \"a\", timestamp = 9 }]\n";
    let steps = ["restart = true", "rescale = 3", "rescale = 1"]
        .map(|step| format!("[[step]]\n{step}\n{late}"));
    let steps = format!("{begin}{}", steps.concat());
    let end = "[[step]]\nfinish = true\nexpect = [{ key = \"b\", value = \"10 4\" }]\n";
    let config = "window-ms = 10";
    let tested = scenario("tests/guests/tumbling", config, &(steps + end), &[]);
    tested.assert_succeeds();
}

#[test]
fn an_operator_that_emits_again_when_it_receives_its_watermark_again_is_found() {
    let steps =
        "[[step]]\nwatermark = 5\nexpect = [{ key = \"at\", value = \"5\", timestamp = 5 }]\n";
    let told = "subtask 0 was restored, received the watermark 5 again, and emitted records \
                without changing its state";
    // The last check of every scenario restores the state.
    assert_finds(&hostile("emit-at-watermark", steps), &["step 1: ", told]);
    let restarted = format!("{steps}[[step]]\nrestart = true\n");
    assert_finds(
        &hostile("emit-at-watermark", &restarted),
        &["step 2: ", told],
    );
}

#[test]
fn failures_are_expected_by_a_part_of_their_message() {
    for (behaviour, steps) in [
        (
            "fail-open",
            "open = true\nexpect-failure = \"open failed on purpose\"",
        ),
        (
            "panic-in-process",
            "records = [{}]\nexpect-failure = \"hostile on purpose\"",
        ),
        (
            "fail-watermark",
            "watermark = 1\nexpect-failure = \"on purpose\"",
        ),
        (
            "fail-finish",
            "finish = true\nexpect-failure = \"finish failed on purpose\"",
        ),
        (
            "invalid-record",
            "records = [{}, {}]\nexpect-invalid-record = { row = 1, reason = \"on purpose\" }",
        ),
        ("echo", "checkpoint = true"),
    ] {
        hostile(behaviour, &format!("[[step]]\n{steps}\n")).assert_succeeds();
    }
    // The last check of every scenario restores the state, so such an operator never passes.
    let refuses = "[[step]]\nrescale = 2\nexpect-failure = \"restore refused on purpose\"\n";
    assert_finds(
        &hostile("refuse-restore", refuses),
        &["step 1: operator `hostile`, subtask 0: `restore` can't read the state: restore refused"],
    );
}

#[test]
fn another_failure_than_the_expected_one_or_none_is_told() {
    for (behaviour, steps, said) in [
        (
            "echo",
            "watermark = 1\nexpect-failure = \"no\"",
            "expected a failure, but the step succeeded",
        ),
        (
            "echo",
            "records = [{ key = \"a\" }]\nexpect-invalid-record = { row = 0 }",
            "expected the operator to reject record 0, { key = \"a\", value = \"\" }, but it \
             accepted the record",
        ),
        (
            "invalid-record",
            "records = [{}, {}]\nexpect-invalid-record = { row = 0 }",
            ", but it rejected record 1, { key = \"\", value = \"\" }: operator",
        ),
        (
            "fail-process",
            "records = [{}]\nexpect-failure = \"disk\"",
            "expected a failure with \"disk\", but the failure was: operator `hostile`, subtask 0: \
             `process` failed",
        ),
        (
            "trap-in-process",
            "records = [{}]",
            "step 1: operator `hostile`, subtask 0: `process` trapped: ",
        ),
    ] {
        assert_finds(
            &hostile(behaviour, &format!("[[step]]\n{steps}\n")),
            &[said],
        );
    }
}

#[test]
fn a_refused_row_is_counted_in_the_step_and_not_in_a_subtasks_batch() {
    // Of two subtasks, `a` belongs to the first and `flink` to the second.
    let steps = "parallelism = 2\n[[step]]\nrecords = [{ key = \"a\", value = \"1\" }, \
                 { key = \"flink\", value = \"x\" }]\nexpect-invalid-record = { row = 1 }\n";
    let sum = "examples/parity-sum/operators/sum";
    scenario(sum, "", steps, &[]).assert_succeeds();
}

#[test]
fn a_scenario_that_is_wrong_has_exit_code_2_and_a_place() {
    let wrong = count("[[step]]\nrecrods = []\n");
    wrong.assert_fails(
        2,
        &["scenario.toml:5:1: unknown key `recrods` in step 1\n  did you mean `records`?\n"],
    );
    assert_eq!(wrong.stdout, "");
    let directory = JobDirectory::new("");
    directory.write(
        "none.toml",
        "version = 1\ncomponent = \"none.wasm\"\n[[step]]\nopen = true\n",
    );
    directory.tidegate(&["test", "none.toml"]).assert_fails(
        2,
        &["none.toml:2:13: component ./none.wasm can't be read: "],
    );
    directory
        .tidegate(&["test", "nowhere"])
        .assert_fails(2, &["`nowhere` can't be read"]);
}

#[test]
fn a_refused_component_has_exit_code_8() {
    let directory = JobDirectory::new("");
    directory.write("core.wasm", b"\0asm\x01\0\0\0");
    let scenario = "version = 1\ncomponent = \"core.wasm\"\n[[step]]\nopen = true\n";
    directory.write("core.toml", scenario);
    let refused = directory.tidegate(&["test", "core.toml"]);
    refused.assert_fails(
        8,
        &["core.toml:2:13: ./core.wasm: this is a core WebAssembly module"],
    );
}

#[test]
fn where_there_is_no_scenario_it_is_said_where_one_was_looked_for() {
    let empty = JobDirectory::new("");
    std::fs::create_dir(empty.path().join("empty")).expect("a folder can be made");
    let nothing = empty.tidegate(&["test", "empty"]);
    nothing.assert_fails(2, &["no scenario was found: there is no `empty/*.toml`"]);
    empty.write("Cargo.toml", "");
    let nothing = empty.tidegate(&["test"]);
    nothing.assert_fails(2, &["no scenario was found: there is no `./tests/*.toml`"]);
}
