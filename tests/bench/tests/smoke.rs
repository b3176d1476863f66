//! The tool measures what it says it measures. How fast anything was decides nothing here.

use std::process::Command;

use serde_json::Value;

/// Every leaf of the result, by its path.
fn leaves(value: &Value, path: &str, found: &mut Vec<(String, Value)>) {
    match value {
        Value::Object(fields) => {
            for (name, field) in fields {
                leaves(field, &format!("{path}/{name}"), found);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => {
            found.push((path.to_owned(), value.clone()));
        }
    }
}

#[test]
fn a_quick_run_gives_every_figure() {
    let mut tool = Command::new(env!("CARGO_BIN_EXE_tidegate-bench"));
    tool.args(["--quick", "--json", "--job=keyed-sum", "--parallelism=2"]);
    let output = tool.output().expect("the tool can be started");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    let report: Value = serde_json::from_slice(&output.stdout).expect("it prints JSON");
    let jobs = report["jobs"].as_array().expect("there are jobs");
    assert_eq!(jobs.len(), 1, "{report}");
    assert_eq!(jobs[0]["job"], "keyed-sum");

    let mut figures = Vec::new();
    leaves(&jobs[0], "", &mut figures);
    // On a machine that is too busy, no checkpoint may complete in so short a time.
    figures.retain(|(path, _)| !path.starts_with("/checkpoints"));
    let missing: Vec<_> = figures
        .iter()
        .filter(|(_, value)| value.is_null())
        .collect();
    assert!(missing.is_empty(), "{missing:?}");
    for figure in [
        "/records_per_second/median",
        "/cpu_ns_per_record/median",
        "/peak_rss_bytes/median",
        "/cold_start_ms/median",
        "/latency/p99_ms/median",
        "/plain_bytes/ratio_per_core",
        "/plain_integers/records_per_second/median",
    ] {
        let found = figures.iter().find(|(path, _)| path == figure);
        let value = found.and_then(|(_, value)| value.as_f64());
        assert!(
            value.is_some_and(|value| value > 0.0),
            "{figure}: {found:?}"
        );
    }
}
