//! Guests that misbehave, in the real binary: the expected error, no host panic, no hang.

use tidegate_tests::{JobDirectory, JobText, guest, published_lines};

/// Returns a job whose operator misbehaves as `config` says, with these restart settings.
fn hostile_job(config: &str, restart: &str) -> String {
    // Only an endless call comes near its timeout, however busy the machine is.
    let call_timeout = if config.contains("loop") {
        "500ms"
    } else {
        "5m"
    };
    // Enough memory for a guest to make more output and state than it may hand over.
    let memory = if config.contains("huge") {
        "1GiB"
    } else {
        "32MiB"
    };
    let config = format!("config = {{ {config} }}");
    let limits = format!(
        "memory = \"{memory}\"\ncall-timeout = \"{call_timeout}\"\n\
         output = \"8MiB\"\nsnapshot = \"8MiB\""
    );
    let component = guest("tests/guests/hostile");
    JobText::new("hostile", "interval = \"50ms\"\ntolerable-failures = 1")
        .table("restart", restart)
        .generator("integers", "to = 100_000\nrate = 400_000")
        .operator("guest", component, &[("integers", "")], &config)
        .table("operator.guest.limits", &limits)
        .files("out", "guest", "output", "lines")
        .text()
}

/// Asserts that the job fails with exit code 1 and a message that contains all of `fragments`; a
/// host panic fails the test.
#[track_caller]
fn assert_fault(behaviour: &str, fragments: &[&str]) {
    let config = format!("behaviour = \"{behaviour}\", after-records = 5000");
    let job = JobDirectory::new(&hostile_job(&config, "strategy = \"none\""));
    let mut expected = vec!["operator `guest`, subtask 0"];
    expected.extend(fragments);
    job.tidegate(&["run", "job.toml"])
        .assert_fails(1, &expected);
}

#[test]
fn a_trap_is_named() {
    assert_fault("trap-in-process", &["`process`", "unreachable"]);
}

#[test]
fn a_panic_shows_its_message_and_where() {
    assert_fault(
        "panic-in-process",
        &["`process`", "hostile on purpose", "src/lib.rs"],
    );
}

#[test]
fn a_traceback_of_kilobytes_is_shown_whole_line_by_line() {
    let frame = "      File \"app.py\", line 7, in on_record\n        self.deeper(record)\n";
    let traceback = format!(
        "Traceback (most recent call last):\n{}    ValueError: on purpose\n    at ",
        frame.repeat(50)
    );
    assert_fault("traceback-in-process", &["`process` trapped: ", &traceback]);
}

#[test]
fn errors_that_are_logged_one_by_one_before_a_trap_are_shown_together_and_steer_nothing() {
    let errors = "panic: on purpose\n    \n    goroutine 1 [running]:\n        main.go:7\n    \
                  \\u{1b}[31mexit status 2\n    forged line\n    at ";
    assert_fault("errors-in-process", &["`process` trapped: ", errors]);
}

#[test]
fn what_a_guest_says_before_a_trap_is_in_the_status_line_by_line() {
    let config = "behaviour = \"errors-in-process\", after-records = 5000";
    let restart = "strategy = \"fixed-delay\"\ndelay = \"1h\"";
    let job = JobDirectory::new(&hostile_job(config, restart));
    let mut running = job.start(&["run", "job.toml"]);
    let failure = loop {
        let answer = job.tidegate(&["status", "job.toml", "--json"]);
        let status: Option<serde_json::Value> = serde_json::from_str(&answer.stdout).ok();
        let failure = status.and_then(|status| Some(status["last_failure"].as_str()?.to_owned()));
        match failure {
            Some(failure) => break failure,
            None => assert!(running.is_running(), "it ended before it was asked"),
        }
    };
    assert!(
        failure.contains("goroutine 1 [running]:\n        main.go:7\n"),
        "{failure}"
    );
    assert!(!failure.contains('\u{1b}'), "{failure}");
    running.kill_after(std::time::Duration::ZERO);
}

#[test]
fn an_endless_loop_ends_at_the_call_timeout() {
    let expected = ["`process` ran for more than 500 ms", "raise `call-timeout`"];
    assert_fault("loop-in-process", &expected);
}

#[test]
fn an_endless_loop_in_snapshot_ends_at_the_call_timeout() {
    assert_fault("loop-in-snapshot", &["`snapshot` ran for more than 500 ms"]);
}

#[test]
fn memory_without_end_meets_its_limit() {
    assert_fault("grow-memory", &["memory", "32"]);
}

#[test]
fn offsets_out_of_range_are_refused() {
    assert_fault("offsets-out-of-range", &["`process`", "offset"]);
}

#[test]
fn a_port_that_the_operator_does_not_have_is_refused() {
    assert_fault("undeclared-port", &["`process`", "4096"]);
}

#[test]
fn more_output_than_allowed_is_refused() {
    assert_fault("huge-output", &["`process`", "8 MiB"]);
}

#[test]
fn more_state_than_allowed_is_refused() {
    assert_fault("huge-snapshot", &["`snapshot`", "8 MiB"]);
}

#[test]
fn recursion_without_end_is_stopped_and_named() {
    // A Rust guest exhausts the stack in its memory before the engine's.
    assert_fault("overflow-stack", &["`process` trapped", "hostile::recurse"]);
}

#[test]
fn an_invalid_record_is_named() {
    let expected = ["can't process a record: refused on purpose", "record: key "];
    assert_fault("invalid-record", &expected);
}

#[test]
fn a_configuration_that_open_refuses_ends_the_job_at_once() {
    let config = "behaviour = \"fail-open\"";
    let restart = "strategy = \"fixed-delay\"\ndelay = \"10ms\"\nattempts = 3";
    let job = JobDirectory::new(&hostile_job(config, restart));
    let failed = job.tidegate(&["run", "job.toml"]);
    failed.assert_fails(2, &["job.toml:15:", "`guest`: open failed on purpose"]);
    assert!(!failed.stderr.contains("restart"), "{failed:#?}");
}

#[test]
fn snapshots_that_keep_failing_end_the_job_with_the_reason() {
    let config = "behaviour = \"fail-snapshot\"";
    let job = JobDirectory::new(&hostile_job(config, "strategy = \"none\""));
    let failed = job.tidegate(&["run", "job.toml"]);
    failed.assert_fails(
        1,
        &["2 checkpoints in a row failed", "`snapshot`", "guest[0]"],
    );
}

#[test]
fn a_trap_once_is_survived_with_exact_output() {
    let config = "behaviour = \"trap-in-process\", after-records = 60_000, \
                  only-before-restore = true";
    let restart = "strategy = \"fixed-delay\"\ndelay = \"10ms\"\nattempts = 3";
    let job = JobDirectory::new(&hostile_job(config, restart));
    let finished = job.tidegate(&["run", "job.toml"]);
    let said = &finished.assert_succeeds().stderr;
    assert!(said.contains("restart"), "the fault did not fire: {said}");
    let mut integers: Vec<u64> = published_lines(&job.path().join("output"))
        .iter()
        .map(|line| line.parse().expect("a line is an integer"))
        .collect();
    integers.sort_unstable();
    assert_eq!(integers, (1..=100_000).collect::<Vec<u64>>());
}
