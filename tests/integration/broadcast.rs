//! Records that every subtask gets, beside state that belongs to one subtask: until there is
//! broadcast state, `check` refuses some uses, and scenarios show the others.

use tidegate_tests::{JobDirectory, guest};

/// Returns a job whose operator counts by key and also reads a broadcast input.
fn keyed_with_broadcast(parallelism: u32) -> JobDirectory {
    let component = guest("tests/guests/picky");
    JobDirectory::new(&format!(
        r#"
version = 1
name = "rules"

[checkpoint]
directory = "state"

[source.records]
connector = "generator"
to = 100
keys = 10

[source.rules]
connector = "generator"
to = 3

[operator.count]
component = "{}"
parallelism = {parallelism}
inputs = [
    {{ from = "records", partition = "hash" }},
    {{ from = "rules", partition = "broadcast" }},
]

[sink.counts]
connector = "file"
inputs = [{{ from = "count" }}]
directory = "output"
format = "lines"
"#,
        component.display()
    ))
}

#[test]
fn a_keyed_operator_with_a_broadcast_input_is_refused_before_anything_is_created() {
    for command in ["check", "run"] {
        let job = keyed_with_broadcast(2);
        job.tidegate(&[command, "job.toml"]).assert_fails(
            2,
            &[
                "operator `count` has an input with `partition = \"hash\"`",
                "a broadcast record reaches every subtask",
                "there is no broadcast state yet",
                "expected `parallelism = 1`",
            ],
        );
        assert!(!job.path().join("state").exists(), "{command} wrote state");
        assert!(!job.path().join("output").exists(), "{command} wrote");
    }
}

#[test]
fn one_subtask_owns_every_key_so_that_a_broadcast_input_does_no_harm() {
    let job = keyed_with_broadcast(1);
    job.tidegate(&["run", "job.toml"]).assert_succeeds();
}

/// Runs a scenario of an operator that keeps the records of a broadcast input as operator state.
fn rules(steps: &str) -> tidegate_tests::Finished {
    let component = guest("tests/guests/rules");
    let directory = JobDirectory::new("");
    let head = format!(
        "version = 1\ncomponent = \"{}\"\nparallelism = 2\ninputs = [\"records\", \"rules\"]\n",
        component.display()
    );
    directory.write("scenario.toml", head + steps);
    directory.tidegate(&["test", "scenario.toml"])
}

const RULES: &str = r#"
[[step]]
input = "rules"
broadcast = true
records = [{ value = "red" }, { value = "blue" }]
"#;

/// Keys of every subtask, at parallelism 2 and at 3.
const RECORDS: &str = r#"
[[step]]
records = [
    { key = "a", value = "red" }, { key = "b", value = "red" }, { key = "c", value = "red" },
    { key = "key-1", value = "blue" }, { key = "flink", value = "blue" },
]
expect = [
    { key = "a", value = "red" }, { key = "b", value = "red" }, { key = "c", value = "red" },
    { key = "key-1", value = "blue" }, { key = "flink", value = "blue" },
]
"#;

#[test]
fn a_broadcast_step_reaches_every_subtask() {
    let restart = "[[step]]\nrestart = true\n";
    rules(&[RULES, RECORDS, restart, RECORDS].concat()).assert_succeeds();
}

#[test]
fn a_rescale_step_shows_that_operator_state_is_dealt_out() {
    let rescale = "[[step]]\nrescale = 3\n";
    let finished = rules(&[RULES, RECORDS, rescale, RECORDS].concat());
    finished.assert_fails(7, &["error: 1 of 1 scenario(s) failed"]);
    assert!(finished.stdout.contains("  - { key = "), "{finished:#?}");
}
