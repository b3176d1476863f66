//! `RLIMIT_AS` and `RLIMIT_DATA`: a job that gets too little memory is refused by name before it
//! starts, and fails by name while it runs. No message blames a component or an operator.

use tidegate_tests::{Counting, Finished, JobDirectory, Running, WatGuest};

use super::GENEROUS;
use super::limits::{limit_running, run_under};

fn counting() -> Counting {
    Counting {
        records: 600,
        ..Counting::default()
    }
}

/// Returns a job of `guest.wasm` that is restarted up to `attempts` times.
fn job_with(guest: &WatGuest, attempts: u32) -> JobDirectory {
    let job = JobDirectory::new(&format!(
        "version = 1
name = \"memory\"
[checkpoint]
directory = \"state\"
[restart]
strategy = \"fixed-delay\"
delay = \"500ms\"
attempts = {attempts}
[source.integers]
connector = \"generator\"
to = 10
[operator.guest]
component = \"guest.wasm\"
inputs = [{{ from = \"integers\", partition = \"hash\" }}]
on-trap = \"dead-letter\"
[sink.out]
connector = \"discard\"
inputs = [{{ from = \"guest\" }}]
[sink.letters]
connector = \"discard\"
inputs = [{{ from = \"guest:dead-letter\" }}]
"
    ));
    job.write("guest.wasm", guest.component());
    job
}

#[track_caller]
fn assert_blames_nobody(finished: &Finished, context: &str) {
    let said = &finished.stderr;
    for word in ["panicked", "trapped: ", "memory allocation of"] {
        assert!(!said.contains(word), "{context}: {said}");
    }
}

#[test]
fn too_little_memory_is_named_before_anything_starts_or_is_enough() {
    // Below this, the system does not even load the binary.
    for (kind, from, flag) in [("as", 26, "ulimit -v"), ("data", 22, "ulimit -d")] {
        let mut refused = 0;
        for bits in from..=38 {
            let bytes = 1_u64 << bits;
            let limit = format!("--{kind}={bytes}:{bytes}");
            let job = counting().directory();
            let finished = run_under(&limit, &job);
            assert_blames_nobody(&finished, &limit);
            match finished.code {
                Some(0) => counting().assert_exact(&job, &limit),
                Some(1 | 2) => {
                    refused += 1;
                    finished.assert_fails(finished.code.unwrap_or_default(), &[flag]);
                    let left = job.listing();
                    assert!(!left.contains("output"), "{limit}: {left}");
                }
                other => panic!("{limit}: ended with {other:?}: {}", finished.stderr),
            }
        }
        assert!((3..12).contains(&refused), "{kind}: {refused} of them");
    }
}

#[test]
fn memory_that_a_guest_may_have_and_the_system_refuses_is_named_and_no_record_is_blamed() {
    let grow = "(if (i32.eq (memory.grow (i32.const 3200)) (i32.const -1)) (then unreachable))
        (call $done)";
    let job = job_with(&WatGuest::idle().export("process", grow), 1);
    let finished = run_under("--data=167772160:167772160", &job);
    let expected = [
        "gave up after 1 restart(s): operator `guest`, subtask 0: `process` needed a resource that \
         the system refuses this process, whichever operator asks for it: Cannot allocate memory",
        "RLIMIT_DATA, the bytes of memory that this process may write, is 167772160: raise \
         `ulimit -d`",
    ];
    finished.assert_fails(1, &expected);
    job.tidegate(&["run", "job.toml"]).assert_succeeds();
}

/// Returns the bytes of a process's address space.
fn address_space(running: &Running) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", running.id()));
    let status = status.expect("the process is there");
    let size = status
        .lines()
        .find_map(|line| line.strip_prefix("VmSize:"))
        .and_then(|size| size.trim().strip_suffix(" kB")?.parse::<u64>().ok());
    size.expect("Linux says it") << 10
}

#[test]
fn address_space_that_runs_out_while_the_job_runs_fails_its_next_attempt_by_name() {
    // The job fails at its end and restarts until the limit is set.
    let job = job_with(&WatGuest::idle().export("finish", "unreachable"), 20);
    let running = job.start(&["run", "job.toml"]);
    let restarts = || {
        let status = job.tidegate(&["status", "job.toml", "--json"]);
        let status: serde_json::Value = serde_json::from_str(&status.stdout).unwrap_or_default();
        status["restarts"].as_u64().unwrap_or_default()
    };
    while restarts() == 0 {}
    let bytes = address_space(&running) + (8 << 20);
    limit_running(&running, &format!("--as={bytes}:{bytes}"));
    let finished = running.wait_within(GENEROUS);
    let expected = [
        "could not start a thread for ",
        "Cannot allocate memory",
        &format!("RLIMIT_AS, the bytes of address space of this process, is {bytes}: raise"),
    ];
    finished.assert_fails(1, &expected);
}
