//! The control socket as other tools use it.

use std::io::{Read as _, Write as _};
use std::os::unix::net::{UnixListener, UnixStream};
use std::process::Child;

use serde_json::Value;

use crate::support::{JobDirectory, endless, wait_for};

/// A job that runs until the test is over.
struct RunningJob {
    directory: JobDirectory,
    process: Child,
}

impl RunningJob {
    fn start() -> Self {
        let directory = JobDirectory::new(&endless());
        let (process, _) = directory.start(&["run", "job.toml"]);
        let job = Self { directory, process };
        wait_for(&job.directory, "running");
        job
    }

    /// Sends a request and returns the answer's status code, content type and body.
    fn ask(&self, method: &str, path: &str, body: &str) -> (u16, String, String) {
        let socket = self.directory.path().join("state/control.sock");
        let mut stream = UnixStream::connect(socket).expect("the job listens");
        let length = body.len();
        let request = format!(
            "{method} {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\
             Content-Type: application/json\r\nContent-Length: {length}\r\n\r\n{body}"
        );
        stream.write_all(request.as_bytes()).expect("it reads");
        let mut answer = String::new();
        stream.read_to_string(&mut answer).expect("it answers");
        let (head, body) = answer.split_once("\r\n\r\n").expect("this is HTTP");
        let code = head.split(' ').nth(1).and_then(|code| code.parse().ok());
        let content_type = head
            .lines()
            .find_map(|line| line.strip_prefix("content-type: "));
        (
            code.expect("an answer has a status"),
            content_type.unwrap_or_default().to_owned(),
            body.to_owned(),
        )
    }
}

impl Drop for RunningJob {
    fn drop(&mut self) {
        // The process may have ended already; either way it is gone afterwards.
        drop(self.process.kill());
        drop(self.process.wait());
    }
}

fn json(body: &str) -> Value {
    serde_json::from_str(body).expect("the body is JSON")
}

#[test]
fn probes_and_metrics_are_where_they_are_looked_for() {
    let job = RunningJob::start();
    for prefix in ["", "/api/v1"] {
        let (code, _, body) = job.ask("GET", &format!("{prefix}/livez"), "");
        assert_eq!((code, body.as_str()), (200, "alive\n"));
        let (code, _, body) = job.ask("GET", &format!("{prefix}/readyz"), "");
        assert_eq!((code, body.as_str()), (200, "running\n"));
        let (code, content_type, body) = job.ask("GET", &format!("{prefix}/metrics"), "");
        assert_eq!(
            (code, content_type.split(';').next()),
            (200, Some("text/plain"))
        );
        assert!(
            body.contains("tidegate_job_state{job_name=\"copy\",state=\"running\"} 1\n"),
            "{body}"
        );
    }
}

#[test]
fn the_job_and_its_graph_can_be_read_and_a_checkpoint_asked_for() {
    let job = RunningJob::start();
    let (_, _, body) = job.ask("GET", "/api/v1/job", "");
    assert_eq!(json(&body)["job"], "copy");
    let (_, _, body) = job.ask("GET", "/api/v1/job/graph", "");
    assert_eq!(json(&body)["edges"][0]["from"], "numbers");
    let (code, _, body) = job.ask("POST", "/api/v1/job/checkpoints", "");
    assert_eq!(code, 200, "{body}");
    let taken = json(&body)["checkpoint"].as_u64();
    let (_, _, body) = job.ask("GET", "/api/v1/job/checkpoints", "");
    let newest = json(&body)["last_completed"]["checkpoint"].as_u64();
    assert!(newest >= taken && taken.is_some(), "{newest:?} {taken:?}");
}

#[test]
fn what_is_refused_is_told_as_problem_details() {
    let job = RunningJob::start();
    for (method, path, body, status, kind) in [
        ("GET", "/api/v1/nothing", "", 404, "tidegate:not-found"),
        (
            "GET",
            "/api/v1/job/stop",
            "",
            405,
            "tidegate:method-not-allowed",
        ),
        (
            "POST",
            "/api/v1/job/savepoints",
            "",
            400,
            "tidegate:bad-request",
        ),
        (
            "POST",
            "/api/v1/job/savepoints",
            "{\"directory\":\"x\"}",
            400,
            "tidegate:bad-request",
        ),
        (
            "POST",
            "/api/v1/job/stop",
            "{\"drian\":true}",
            400,
            "tidegate:bad-request",
        ),
    ] {
        let (code, content_type, answer) = job.ask(method, path, body);
        assert_eq!(code, status, "{path} {body}: {answer}");
        assert_eq!(content_type, "application/problem+json", "{path}");
        let problem = json(&answer);
        assert_eq!(problem["type"], kind, "{path}");
        assert_eq!(
            (&problem["status"], &problem["code"]),
            (&code.into(), &2.into()),
            "{path}"
        );
    }
}

#[test]
fn a_job_that_does_not_answer_in_time_has_exit_code_6() {
    let directory = JobDirectory::new(&endless());
    std::fs::create_dir(directory.path().join("state")).expect("a directory can be made");
    let socket = directory.path().join("state/control.sock");
    let _silent = UnixListener::bind(socket).expect("a socket can be bound");
    let asked = directory.tidegate(&["status", "job.toml", "--timeout", "100ms"]);
    assert_eq!(asked.code, Some(6));
    assert_eq!(asked.stderr, "error: the job did not answer within 100ms\n");
}
