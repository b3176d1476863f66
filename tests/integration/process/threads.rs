//! Refused threads: `strace` lets `clone3` fail between the real binary and the kernel, as it does
//! when `RLIMIT_NPROC` or the limit of a container is reached.
//!
//! strace counts the calls of each thread separately, so that one run can have a refusal in several
//! threads. N grows until no refusal fires, so that every thread of the job has been refused.

use std::collections::BTreeMap;

use tidegate_tests::{Counting, Finished, JobDirectory, Running, tidegate_command};

use super::GENEROUS;

fn counting() -> Counting {
    Counting {
        records: 600,
        ..Counting::default()
    }
}

/// Returns the job with eight chains, so that threads for chains start after all others.
fn in_parallel() -> JobDirectory {
    let text = counting().text();
    JobDirectory::new(&text.replace("[source", "[defaults]\nparallelism = 4\n[source"))
}

/// Runs the job and lets these calls of `clone3` of each thread fail; `when` is in strace's
/// notation. Returns the end of the run and the number of failed calls.
fn run_refusing(job: &JobDirectory, when: &str) -> (Finished, usize) {
    let log = tempfile::NamedTempFile::new().expect("a temporary file can be made");
    let log = log.path().to_string_lossy().into_owned();
    let inject = format!("inject=clone3:error=EAGAIN:when={when}");
    let wrapper = [
        "strace",
        "-f",
        "-qq",
        "--seccomp-bpf",
        "-o",
        &log,
        "-e",
        "trace=clone3",
        "-e",
        &inject,
    ];
    // Without the code cache, so that the compiler's thread can be refused too.
    let arguments = ["run", "job.toml", "--no-code-cache"];
    let command = tidegate_command(&wrapper, job.path(), &arguments);
    let finished = Running::spawn(command).wait_within(GENEROUS);
    let trace = std::fs::read_to_string(&log).expect("strace is installed (`make setup-test`)");
    (finished, trace.matches("(INJECTED)").count())
}

/// Asserts that the run finished exactly, or named the thread that it could not start, and that the
/// same job without refusals then finishes exactly.
fn assert_settles(finished: &Finished, job: &JobDirectory, context: &str) {
    let said = &finished.stderr;
    assert!(!said.contains("panicked"), "{context}: {said}");
    match finished.code {
        Some(0) => counting().assert_exact(job, context),
        Some(1) => assert!(
            said.contains("temporarily unavailable")
                && (said.contains("could not start the thread for ")
                    || said.contains("could not start a thread for ")
                    || said.contains("the thread that watches call timeouts")
                    || said.contains("could not be loaded"))
                && said.contains("RLIMIT_NPROC"),
            "{context}: no thread is named: {said}"
        ),
        other => panic!("{context}: ended with {other:?}: {said}"),
    }
    let again = job.tidegate(&["run", "job.toml"]);
    assert_eq!(again.code, Some(0), "{context}: {said}then {again:#?}");
    counting().assert_exact(job, context);
}

#[test]
fn a_thread_that_the_system_refuses_is_named_or_done_without() {
    let mut endings = BTreeMap::<Option<i32>, usize>::new();
    let (mut refused, mut chains) = (0, 0);
    // Refuses only the N-th call, or all from the N-th on.
    for all_from in [false, true] {
        for nth in 1.. {
            let when = format!("{nth}{}", if all_from { "+" } else { "" });
            let job = in_parallel();
            let (finished, fired) = run_refusing(&job, &when);
            assert_settles(&finished, &job, &format!("when={when}"));
            if fired == 0 {
                break;
            }
            refused += fired;
            chains += usize::from(
                finished
                    .stderr
                    .contains("could not start a thread for integers["),
            );
            *endings.entry(finished.code).or_default() += 1;
        }
    }
    println!("{refused} refusals; endings by exit code: {endings:?}");
    assert!(refused >= 14, "only {refused} refusals fired");
    assert!(chains > 0, "no chain was refused");
}
