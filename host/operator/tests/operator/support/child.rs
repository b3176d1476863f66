//! The memory of one test, measured in a separate process: a test runs itself again, as the only
//! one, and the child reports its peak.

use std::process::Command;

/// The variable with the child's task.
const TASK: &str = "TIDEGATE_TEST_CHILD_TASK";
/// The beginning of the child's report.
const REPORT: &str = "peak of the child: ";

/// Returns the task, in a child.
pub(crate) fn task() -> Option<String> {
    std::env::var(TASK).ok()
}

/// Runs the test `name`, with its path, again in a child with `task`, and returns the peak of the
/// child's resident memory in bytes. The child's failure is the test's.
#[track_caller]
pub(crate) fn peak_of(name: &str, task: &str) -> u64 {
    let test = std::env::current_exe().expect("a test knows its own path");
    let mut command = Command::new(test);
    command
        .args(["--exact", name, "--nocapture", "--test-threads=1"])
        .env(TASK, task);
    let output = command.output().expect("a test can be run again");
    let (said, errors) = (
        String::from_utf8_lossy(&output.stdout).into_owned(),
        String::from_utf8_lossy(&output.stderr).into_owned(),
    );
    assert!(
        output.status.success(),
        "{task}: {}\n{said}\n{errors}",
        output.status
    );
    assert!(!errors.contains("panicked"), "{task}: a panic: {errors}");
    let report = said.lines().find_map(|line| line.split(REPORT).nth(1));
    let kib: u64 = report
        .and_then(|kib| kib.parse().ok())
        .unwrap_or_else(|| panic!("{task}: no report in {said}"));
    kib << 10
}

/// In a child, at its end: reports the peak.
#[expect(clippy::print_stdout, reason = "the parent reads the report")]
pub(crate) fn report_peak() {
    let status = std::fs::read_to_string("/proc/self/status").expect("Linux says it");
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kib = peak.and_then(|peak| peak.trim().strip_suffix(" kB"));
    println!(
        "\n{REPORT}{}",
        kib.expect("the kernel keeps the peak in kB")
    );
}
