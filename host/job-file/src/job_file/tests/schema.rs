//! The schema accepts every file that the parser accepts, and both have the same keys.

use serde_json::Value;

use super::{FULL, connectors};

fn json(text: &str) -> Value {
    let table: toml::Table = toml::from_str(text).expect("the file is TOML");
    serde_json::to_value(table).expect("the file has a JSON form")
}

fn schema() -> Value {
    crate::schema(&connectors())
}

fn errors(instance: &Value) -> Vec<String> {
    let validator = jsonschema::validator_for(&schema()).expect("the schema is one");
    validator
        .iter_errors(instance)
        .map(|error| format!("{}: {error}", error.instance_path()))
        .collect()
}

#[test]
fn the_full_job_file_is_valid() {
    assert_eq!(errors(&json(FULL)), Vec::<String>::new());
}

#[test]
fn the_examples_are_valid() {
    let examples = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples");
    let mut seen = 0;
    for example in std::fs::read_dir(examples).expect("there are examples") {
        let example = example.expect("it can be listed").path();
        if example.ends_with("connector") {
            // It names connectors of its own.
            continue;
        }
        let path = example.join("job.toml");
        if let Ok(text) = std::fs::read_to_string(&path) {
            assert_eq!(
                errors(&json(&text)),
                Vec::<String>::new(),
                "{}",
                path.display()
            );
            seen += 1;
        }
    }
    assert!(seen > 0, "there are examples");
}

#[test]
fn one_mistake_is_reported_once_and_at_its_place() {
    for (good, bad, place) in [
        ("interval", "intervall", "/checkpoint: "),
        ("keys = 3", "kees = 3", "/source/"),
        ("retain = 2", "retain = 0", "/checkpoint/retain: "),
        (
            "partition = \"hash\"",
            "partition = \"hsh\"",
            "/partition: ",
        ),
        (
            "connector = \"stdout\"",
            "connector = \"stdotu\"",
            "/connector: ",
        ),
        ("connector = \"stdout\"\n", "", "/sink/"),
        ("component = \"count.wasm\"\n", "", "/operator/"),
        ("version = 1", "version = 2", "/version: "),
    ] {
        let text = FULL.replacen(good, bad, 1);
        let errors = errors(&json(&text));
        assert_eq!(errors.len(), 1, "{bad}: {errors:?}");
        assert!(errors[0].contains(place), "{bad}: {errors:?}");
    }
}

/// Every property in the schema under the given path is a key of [`FULL`], which the parser
/// accepts. [`FULL`] has all keys of the parser, and the schema accepts it.
#[test]
fn the_schema_has_no_key_that_the_parser_does_not_take() {
    let schema = schema();
    let properties = |object: &Value| -> Vec<String> {
        let properties = object["properties"].as_object().expect("it has properties");
        properties.keys().cloned().collect()
    };
    for (path, absent) in [
        ("/properties/checkpoint", &[][..]),
        ("/properties/restart", &["delay"][..]),
        ("/properties/isolation", &[][..]),
        ("/properties/defaults", &[][..]),
        ("/properties/operator/additionalProperties", &[][..]),
        ("/$defs/Limits", &[][..]),
        ("/$defs/Input", &[][..]),
    ] {
        let table = schema.pointer(path).expect("there is such a table");
        for key in properties(table) {
            let is_in_full = FULL.contains(&format!("{key} = "));
            assert!(
                is_in_full || absent.contains(&key.as_str()),
                "{path}: {key}"
            );
        }
    }
    assert_eq!(
        properties(&schema),
        [
            "checkpoint",
            "defaults",
            "isolation",
            "name",
            "operator",
            "restart",
            "sink",
            "source",
            "version"
        ]
    );
}

/// Every duration that the parser accepts is valid, and text outside its grammar is not.
#[test]
fn the_schema_knows_the_units_of_durations() {
    let of = |text: &str| {
        json(&FULL.replacen("interval = \"1s\"", &format!("interval = \"{text}\""), 1))
    };
    for good in [
        "1s",
        "500ms",
        "1m 30s",
        "1m30s",
        "1w 2d 3h 4m 5s 6ms 7us 8ns",
        " 2 h ",
    ] {
        assert!(crate::duration::parse(good).is_ok(), "{good}");
        assert_eq!(errors(&of(good)), Vec::<String>::new(), "{good}");
    }
    for bad in [
        "", " ", "1", "s", "1M", "1 month", "1y", "1.5s", "-1s", "1s,2s", "1 sec",
    ] {
        assert!(crate::duration::parse(bad).is_err(), "{bad}");
        assert_ne!(errors(&of(bad)), Vec::<String>::new(), "{bad}");
    }
}
