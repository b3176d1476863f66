//! Tests of the scenario's reader: the messages about wrong scenarios, and the schema's acceptance
//! of all valid ones.

use serde_json::Value;
use tidegate_job_file::config_file::ConfigFileError;

use super::document::{Action, Delivery, Expectation, Step};
use super::record::Record;
use super::{ScenarioFile, schema};

/// Every key of a scenario.
const FULL: &str = r#"version = 1
component = "count.wasm"
config = { emit = "updates" }
limits = { memory = "64MiB" }
inputs = ["orders", "rates"]
outputs = ["main", "late"]
parallelism = 2
max-parallelism = 64

[[step]]
open = true

[[step]]
records = [{ key = "a", value = { hex = "00Ff" }, timestamp = -1 }, { value = { base64 = "AP8=" } }]
input = "rates"
broadcast = true
expect = [{ port = "late", key = "a" }, {}]

[[step]]
watermark = 1_000

[[step]]
checkpoint = true

[[step]]
restart = true

[[step]]
records = [{ key = "b" }]
expect-invalid-record = { row = 0, reason = "no number" }

[[step]]
rescale = 3
expect-failure = "restore"

[[step]]
finish = true
"#;

/// Returns `line:column: message; help` for each problem.
fn problems_of(text: &str) -> Vec<String> {
    match ScenarioFile::from_text(text).parse() {
        Ok(_) => Vec::new(),
        Err(ConfigFileError::Invalid(invalid)) => {
            let located = invalid.problems.iter().map(|p| p.locate(&invalid.text));
            let shown = located.map(|problem| {
                let place = problem.line.zip(problem.column);
                let place =
                    place.map_or("?".to_owned(), |(line, column)| format!("{line}:{column}"));
                let help = problem.help.unwrap_or_default();
                format!("{place}: {}; {help}", problem.message)
            });
            shown.collect()
        }
        Err(error) => panic!("{error}"),
    }
}

/// Replaces `good` in [`FULL`] by `bad`, and expects this one problem.
#[track_caller]
fn expect(good: &str, bad: &str, problem: &str) {
    assert_eq!(FULL.matches(good).count(), 1, "{good} is there once");
    assert_eq!(problems_of(&FULL.replacen(good, bad, 1)), [problem]);
}

fn errors(text: &str) -> Vec<String> {
    let table: toml::Table = toml::from_str(text).expect("the scenario is TOML");
    let instance = serde_json::to_value(table).expect("it has a JSON form");
    let validator = jsonschema::validator_for(&schema()).expect("the schema is one");
    let errors = validator.iter_errors(&instance);
    errors
        .map(|error| format!("{}: {error}", error.instance_path()))
        .collect()
}

#[test]
fn a_restart_does_not_turn_event_time_back() {
    expect(
        "[[step]]\nfinish = true",
        "[[step]]\nwatermark = 999",
        "36:1: step 8 has watermark 999, which is not later than the previous one, 1000; expected \
         a later watermark",
    );
}

#[test]
fn every_key_is_read() {
    let scenario = ScenarioFile::from_text(FULL).parse().expect("it is right");
    let record = |key: &[u8], value: &[u8], timestamp| Record {
        key: key.to_vec(),
        value: value.to_vec(),
        timestamp,
    };
    assert_eq!(
        (
            scenario.parallelism,
            scenario.max_parallelism,
            scenario.limits.memory
        ),
        (2, 64, 64 << 20)
    );
    assert_eq!(scenario.config, r#"{"emit":"updates"}"#);
    assert_eq!(
        scenario.steps[1],
        Step {
            line: 13,
            action: Action::Records {
                input: 1,
                delivery: Delivery::Broadcast,
                records: vec![
                    record(b"a", b"\0\xff", -1),
                    record(b"", b"\0\xff", i64::MIN)
                ],
            },
            expectation: Expectation::Output(vec![
                (1, record(b"a", b"", i64::MIN)),
                (0, record(b"", b"", i64::MIN)),
            ]),
        }
    );
    let actions: Vec<&Action> = scenario.steps.iter().map(|step| &step.action).collect();
    assert_eq!(
        actions[2..5],
        [
            &Action::Watermark(1000),
            &Action::Checkpoint,
            &Action::Restart
        ]
    );
    assert_eq!(
        (actions[6], actions[7]),
        (&Action::Rescale(3), &Action::Finish)
    );
}

#[test]
fn what_a_file_lacks_is_named() {
    expect(
        "version = 1",
        "version = 2",
        &format!(
            "1:11: the scenario has version 2; this tidegate ({}) reads version 1; use a newer \
             tidegate",
            env!("CARGO_PKG_VERSION")
        ),
    );
    expect(
        "component = \"count.wasm\"\n",
        "",
        "1:1: the scenario has no `component`; expected the path of a .wasm file, relative to the \
         scenario",
    );
    let (head, _) = FULL.split_once("\n[[step]]").expect("there are steps");
    assert_eq!(
        problems_of(head),
        ["1:1: the scenario has no `step`; expected steps, each with a header [[step]]"]
    );
}

#[test]
fn a_step_does_one_thing_and_expects_one_thing() {
    expect(
        "checkpoint = true",
        "checkpoint = true\nrestart = true",
        "24:11: step 4 has both `checkpoint` and `restart`; expected at most one action in each \
         step",
    );
    expect(
        "expect-failure = \"restore\"",
        "expect-failure = \"restore\"\nexpect = []",
        "34:18: step 7 has both `expect` and `expect-failure`; expected at most one expectation \
         in each step",
    );
    expect(
        "[[step]]\nrestart = true",
        "[[step]]",
        "25:1: step 5 does nothing; expected one of `open`, `records`, `watermark`, `checkpoint`, \
         `restart`, `rescale`, `finish`, `expect`, `expect-invalid-record`, `expect-failure`",
    );
    expect(
        "restart = true",
        "restart = false",
        "26:11: `restart` of step 5 is false; expected true, or no such key",
    );
    expect(
        "restart = true",
        "restrat = true\nexpect = []",
        "26:1: unknown key `restrat` in step 5; did you mean `restart`?",
    );
}

#[test]
fn bytes_that_are_none_are_placed() {
    expect(
        "\"00Ff\"",
        "\"0g\"",
        "14:41: \"0g\" can't be decoded: invalid symbol at 1; expected text, { hex = \"00ff\" } \
         or { base64 = \"AP8=\" }",
    );
    expect(
        "{ hex = \"00Ff\" }",
        "{ hxe = \"00\" }",
        "14:35: unknown key `hxe` in `value` of record 0 of `records` of step 2; did you mean \
         `hex`?",
    );
    expect(
        "{ key = \"b\" }",
        "{ key = 1 }",
        "29:20: `key` of record 0 of `records` of step 6 is an integer; expected text, { hex = \
         \"00ff\" } or { base64 = \"AP8=\" }",
    );
}

#[test]
fn names_of_ports_are_looked_up() {
    expect(
        "input = \"rates\"",
        "input = \"rate\"",
        "15:9: there is no input `rate`; did you mean `rates`?",
    );
    expect(
        "port = \"late\"",
        "port = \"lost\"",
        "17:20: there is no port `lost`; expected one of `main`, `late`",
    );
}

#[test]
fn steps_come_in_an_order_that_can_be() {
    expect(
        "[[step]]\nwatermark = 1_000",
        "[[step]]\nwatermark = 1_000\n[[step]]\nwatermark = 1_000",
        "21:1: step 4 has watermark 1000, which is not later than the previous one, 1000; expected \
         a later watermark",
    );
    expect(
        "[[step]]\nfinish = true\n",
        "[[step]]\nfinish = true\n[[step]]\nrestart = true\n",
        "38:1: step 9 has an action after `finish`; expected only `expect`",
    );
    expect(
        "restart = true",
        "open = true",
        "25:1: step 5 opens an operator that is already open; expected `open` in the first step, \
         or `restart`",
    );
    expect(
        "row = 0",
        "row = 1",
        "28:1: step 6 expects an invalid record that it does not have; expected a row below 1, \
         the number of `records`",
    );
    expect(
        "rescale = 3",
        "rescale = 65",
        "33:11: `rescale` of step 7 is 65; expected an integer from 1 to 64",
    );
}

#[test]
fn the_schema_takes_what_the_reader_takes_and_knows_no_other_key() {
    assert_eq!(errors(FULL), Vec::<String>::new());
    for (good, bad) in [
        ("restart = true", "restrat = true"),
        ("restart = true", "restart = false"),
        ("row = 0", "row = -1"),
        ("hex = \"00Ff\"", "hex = \"0\""),
        ("component = \"count.wasm\"\n", ""),
    ] {
        assert_ne!(
            errors(&FULL.replacen(good, bad, 1)),
            Vec::<String>::new(),
            "{bad}"
        );
    }
    let schema = schema();
    for definition in [
        "ScenarioSchema",
        "StepSchema",
        "RecordSchema",
        "ExpectedSchema",
    ] {
        let object = match definition {
            "ScenarioSchema" => &schema,
            other => &schema["$defs"][other],
        };
        let keys = object["properties"].as_object().into_iter().flatten();
        for (key, _) in keys.filter(|(key, _)| *key != "step") {
            assert!(FULL.contains(&format!("{key} = ")), "{definition}: {key}");
        }
    }
    assert_eq!(schema["title"], Value::from("Tidegate scenario"));
}
