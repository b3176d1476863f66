//! `status`, with and without `--json`, and the metrics show what guests count and how many log
//! lines are dropped.

use std::io::{Read as _, Write as _};
use std::os::unix::net::UnixStream;
use std::time::Duration;

use rustix::process::Signal;
use serde_json::Value;
use tidegate_tests::{JobDirectory, JobText, Running, guest};

/// Returns a job with two subtasks that count 1,000 records; a second source keeps it running.
fn counting_job(behaviour: &str) -> JobDirectory {
    let component = guest("tests/guests/hostile");
    let echo = format!(
        "parallelism = 2\nconfig = {{ behaviour = \"{behaviour}\" }}\n\
         limits = {{ call-timeout = \"5m\" }}"
    );
    let job = JobText::new("counted", "")
        .generator("integers", "to = 1000\nkeys = 10")
        .generator("slow", "to = 1000000\nrate = 10")
        .operator("echo", component, &[("integers", "rebalance")], &echo)
        .discard("none", &["echo", "slow"]);
    JobDirectory::new(&job.text())
}

/// Returns the operator in the answer of `status`, once `is_there` holds for it. Waits as long as
/// the job runs.
fn operator_when(
    job: &JobDirectory,
    running: &mut Running,
    is_there: impl Fn(&Value) -> bool,
) -> Value {
    while running.is_running() {
        let answer = job.tidegate(&["status", "job.toml", "--json"]);
        let status: Value = serde_json::from_str(&answer.stdout).unwrap_or_default();
        let nodes = status["nodes"].as_array().cloned().unwrap_or_default();
        let echo = nodes.into_iter().find(|node| node["name"] == "echo");
        match echo {
            Some(echo) if is_there(&echo) => return echo,
            Some(_) | None => std::thread::sleep(Duration::from_millis(50)),
        }
    }
    panic!("the job ended before its operator showed what it counts");
}

/// Returns the job's metrics, requested by HTTP over its socket.
fn metrics(job: &JobDirectory) -> String {
    let socket = job.path().join("state/control.sock");
    let mut stream = UnixStream::connect(socket).expect("the job listens");
    stream
        .write_all(b"GET /metrics HTTP/1.1\r\nhost: job\r\nconnection: close\r\n\r\n")
        .expect("it reads");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("it answers");
    answer
}

#[test]
fn a_counter_of_a_guest_is_shown_under_its_operator() {
    let job = counting_job("echo");
    let mut running = job.start(&["run", "job.toml"]);
    // Not 999 and not 1,001: both subtasks are added up, and no call is counted twice.
    let echo = operator_when(&job, &mut running, |echo| {
        echo["counters"]["records"].as_u64() >= Some(1000)
    });
    assert_eq!(echo["counters"]["records"], 1000);
    let line =
        "tidegate_guest_counter_total{job_name=\"counted\",operator=\"echo\",name=\"records\"}";
    let shown = metrics(&job);
    assert!(shown.contains(&format!("{line} 1000")), "{shown}");
    let status = job.tidegate(&["status", "job.toml"]);
    assert!(
        status.stdout.contains("counted: echo: records 1000\n"),
        "{status:#?}"
    );
    running.signal(Signal::TERM);
    running.wait().assert_succeeds();
}

#[test]
fn log_lines_that_are_dropped_are_shown() {
    let job = counting_job("flood-log");
    let mut running = job.start(&["run", "job.toml"]);
    let echo = operator_when(&job, &mut running, |echo| {
        echo["dropped_log_lines"].as_u64() > Some(0)
    });
    assert!(echo["dropped_log_lines"].as_u64() > Some(1000), "{echo}");
    let shown = metrics(&job);
    let line = "tidegate_guest_log_lines_dropped_total{job_name=\"counted\",operator=\"echo\"} ";
    let lines = shown.lines().find_map(|found| found.strip_prefix(line));
    assert!(lines.is_some_and(|lines| lines != "0"), "{shown}");
    running.signal(Signal::KILL);
    assert_eq!(running.wait().code, None);
}
