//! The tool measures what it reports. Speed does not affect these tests.

use std::process::Command;

use serde_json::Value;

/// Returns the report of a quick run.
fn quick_report(arguments: &[&str]) -> Value {
    let mut tool = Command::new(env!("CARGO_BIN_EXE_tidegate-bench"));
    tool.args(["--quick", "--json"]).args(arguments);
    let output = tool.output().expect("the tool can be started");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    serde_json::from_slice(&output.stdout).expect("it prints JSON")
}

/// Asserts that each of these is a number above 0.
fn assert_figures(result: &Value, figures: &[&str]) {
    for figure in figures {
        let value = result.pointer(figure).and_then(Value::as_f64);
        assert!(value.is_some_and(|value| value > 0.0), "{figure}: {result}");
    }
}

#[test]
fn a_quick_run_of_a_job_gives_every_figure() {
    let report = quick_report(&["--job=keyed-sum", "--parallelism=2"]);
    assert_eq!(report["jobs"].as_array().map(Vec::len), Some(1), "{report}");
    let job = &report["jobs"][0];
    assert_eq!(job["job"], "keyed-sum");
    // On a machine that is too busy, no checkpoint may complete in so short a time.
    let figures = [
        "/records_per_second/median",
        "/cpu_ns_per_record/median",
        "/peak_rss_bytes/median",
        "/cold_start_ms/median",
        "/first_start_ms/median",
        "/latency/p99_ms/median",
        "/plain_bytes/ratio_per_core",
        "/plain_integers/records_per_second/median",
    ];
    assert_figures(job, &figures);
    assert!(job["lost_to_checkpoints"]["median"].is_f64(), "{job}");
}

#[test]
fn a_quick_run_of_recovery_gives_every_figure() {
    let report = quick_report(&["--part=recovery"]);
    let figures = ["/after_trap_ms/median", "/after_kill_ms/median"];
    assert_figures(&report["recovery"], &figures);
}

#[test]
fn a_quick_run_of_many_subtasks_ends_and_gives_its_time() {
    let report = quick_report(&["--part=wide"]);
    assert_figures(&report["wide"], &["/run_seconds/median", "/subtasks"]);
}
