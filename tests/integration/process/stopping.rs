//! SIGTERM is answered in every state of a run: by the end of the process, by a stop with a last
//! checkpoint, or, where no checkpoint completes, by the end that `--stop-timeout` sets, exit code
//! 143.

use std::io::Read as _;
use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

use rustix::process::Signal;
use tidegate_tests::{
    Counting, Finished, JobDirectory, Running, SmallDisk, WatGuest, tidegate_command,
};

use super::GENEROUS;

/// A guest call that returns after an hour at the earliest.
const WEDGED: &str = "(loop $again (br $again)) unreachable";

/// Returns a job with `guest.wasm`, whose calls may take an hour.
fn job_with(guest: &WatGuest) -> JobDirectory {
    let job = JobDirectory::new(
        r#"version = 1
name = "stopping"
[checkpoint]
directory = "state"
interval = "20ms"
[restart]
strategy = "fixed-delay"
delay = "1h"
attempts = 3
[source.integers]
connector = "generator"
to = 1_000_000
rate = 2_000
[operator.guest]
component = "guest.wasm"
inputs = [{ from = "integers" }]
[operator.guest.limits]
call-timeout = "1h"
[sink.out]
connector = "file"
inputs = [{ from = "guest" }]
directory = "output"
format = "lines"
"#,
    );
    job.write("guest.wasm", guest.component());
    job
}

const RUN: [&str; 5] = ["run", "job.toml", "--quiet", "--stop-timeout", "2s"];

/// Waits until `is_there` accepts the status of the running job.
fn wait_for(
    running: &mut Running,
    job: &JobDirectory,
    is_there: impl Fn(&serde_json::Value) -> bool,
) {
    let give_up = Instant::now() + GENEROUS;
    loop {
        let status = job.tidegate(&["status", "job.toml", "--json"]);
        let status: serde_json::Value = serde_json::from_str(&status.stdout).unwrap_or_default();
        if is_there(&status) {
            return;
        }
        assert!(running.is_running(), "it ended: {status:#}");
        assert!(Instant::now() < give_up, "it never comes: {status:#}");
    }
}

/// Waits until a file exists.
fn wait_for_file(running: &mut Running, file: &Path) {
    let give_up = Instant::now() + GENEROUS;
    while !file.exists() {
        assert!(running.is_running(), "it ended before {}", file.display());
        assert!(Instant::now() < give_up, "no {}", file.display());
    }
}

fn terminated(running: Running) -> Finished {
    running.signal(Signal::TERM);
    running.wait_within(GENEROUS)
}

/// Asserts that SIGTERM was answered at once, and ended the process later.
#[track_caller]
fn assert_given_up(finished: &Finished, state: &str) {
    let expected = [
        "SIGTERM: stopping after a last checkpoint",
        "SIGTERM: ended without a last checkpoint, because the job, still ",
        "has not stopped within 2s",
        state,
        "run the job again to continue from its last complete checkpoint",
    ];
    finished.assert_fails(143, &expected);
}

/// Returns the names of the threads of a process.
fn thread_names(process: u32) -> Vec<String> {
    let tasks = std::fs::read_dir(format!("/proc/{process}/task"));
    let tasks = tasks.into_iter().flatten().flatten();
    let names = tasks.map(|task| std::fs::read_to_string(task.path().join("comm")));
    names.map(|name| name.unwrap_or_default()).collect()
}

#[test]
fn sigterm_ends_a_start_that_compiles() {
    // A component that compiles slowly: each function is a unit of the compiler's work.
    let add = "(local.set $a (i64.add (local.get $a) (i64.mul (local.get $b) (i64.const 7))))";
    let function = format!(
        "(func (param $a i64) (param $b i64) (result i64) {} (local.get $a))",
        add.repeat(2_000)
    );
    let slow = (0..60).fold(WatGuest::echo(), |guest, _| guest.item(&function));
    let job = job_with(&slow);
    let arguments = ["run", "job.toml", "--no-code-cache"];
    let mut running = job.start(&arguments);
    let is_compiling = |name: &String| name.starts_with("tidegate-compil");
    while !thread_names(running.id()).iter().any(is_compiling) {
        assert!(running.is_running(), "{:#?}", running.wait());
    }
    let finished = terminated(running);
    assert_eq!(finished.code, None, "ended by the signal: {finished:#?}");
    assert!(!job.path().join("state").exists(), "{}", job.listing());
}

#[test]
fn sigterm_ends_a_restore_that_does_not_return() {
    let job = job_with(&WatGuest::echo());
    let mut running = job.start(&RUN);
    wait_for(&mut running, &job, |status| {
        status["checkpoints"]["completed"].as_u64() > Some(0)
    });
    let stopped = terminated(running);
    stopped.assert_succeeds();
    job.write(
        "guest.wasm",
        WatGuest::echo().export("restore", WEDGED).component(),
    );
    let mut running = job.start(&RUN);
    wait_for(&mut running, &job, |status| {
        status["state"] == "restoring" && status["attempt"] == 2
    });
    assert_given_up(&terminated(running), "restoring");
}

#[test]
fn sigterm_ends_a_job_whose_guest_does_not_return() {
    let job = job_with(&WatGuest::echo().export("process", WEDGED));
    let mut running = job.start(&RUN);
    wait_for(&mut running, &job, |status| {
        status["checkpoints"]["in_progress"].as_u64() > Some(0)
    });
    let finished = terminated(running);
    assert_given_up(
        &finished,
        "still stopping, has not stopped within 2s (checkpoint 1 is not complete",
    );
}

#[test]
fn a_second_sigterm_ends_a_wedged_job_at_once() {
    let job = job_with(&WatGuest::echo().export("process", WEDGED));
    // Not the default of a minute, to show that the second signal does not wait for the timeout.
    let mut running = job.start(&["run", "job.toml", "--stop-timeout", "1h"]);
    wait_for(&mut running, &job, |status| status["state"] == "running");
    running.signal(Signal::TERM);
    wait_for(&mut running, &job, |status| status["state"] == "stopping");
    std::thread::sleep(Duration::from_millis(600));
    let finished = terminated(running);
    finished.assert_fails(143, &["SIGTERM again: ended at once"]);
}

#[test]
fn sigterm_stops_a_job_that_waits_for_its_restart() {
    let job = job_with(&WatGuest::echo().export("process", "unreachable"));
    let mut running = job.start(&RUN);
    wait_for(&mut running, &job, |status| status["state"] == "restarting");
    let finished = terminated(running);
    assert!(
        finished.assert_succeeds().stderr.contains("stopped"),
        "{finished:#?}"
    );
}

/// Returns a counting job that no test lets finish, and whose failures are tolerated for ever.
fn counting() -> Counting {
    Counting {
        records: 60_000,
        rate: 2_000,
        interval_ms: 40,
        checkpoint: "tolerable-failures = 1000000",
        ..Counting::default()
    }
}

#[test]
fn sigterm_ends_a_job_on_a_full_disk() {
    let job = counting().directory();
    let state = job.path().join("state");
    std::fs::create_dir(&state).expect("a directory can be made");
    let disk = SmallDisk::mount(&state, 256);
    let wrapper = disk.wrapper();
    let wrapper: Vec<&str> = wrapper.iter().map(String::as_str).collect();
    // In the disk's mount namespace, the job's directory is reachable only by its absolute path.
    let file = job.path().join("job.toml");
    let file = file.to_str().expect("a temporary path is text");
    let start = |arguments: &[&str]| {
        let (command, more) = arguments.split_first().expect("there is a command");
        let arguments: Vec<&str> = [command, file]
            .into_iter()
            .chain(more.iter().copied())
            .collect();
        Running::spawn(tidegate_command(&wrapper, Path::new("/"), &arguments))
    };
    let checkpoints = || {
        let status = start(&["status", "--json"]).wait();
        let status: serde_json::Value = serde_json::from_str(&status.stdout).unwrap_or_default();
        let count = |name: &str| status["checkpoints"][name].as_u64().unwrap_or_default();
        (count("completed"), count("failed"))
    };
    let running = start(&["run", "--quiet", "--stop-timeout", "2s"]);
    let give_up = Instant::now() + GENEROUS;
    let mut before = (0, 0);
    // The room that retention frees is filled too, until no more checkpoint completes.
    loop {
        let now = checkpoints();
        if now.0 > 2 {
            drop(disk.fill());
        }
        if now.0 > 2 && now.0 == before.0 && now.1 >= before.1 + 3 {
            break;
        }
        if now.0 != before.0 {
            before = now;
        }
        assert!(Instant::now() < give_up, "the disk is not full: {now:?}");
    }
    assert_given_up(&terminated(running), "No space left");
}

/// A replacement for the system's `fsync`: waits while a file exists, as a paused disk blocks a
/// thread, and creates another file to show that it waits.
const PAUSABLE_FSYNC: &str = r#"
#include <fcntl.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>
int fsync(int file) {
    while (access(getenv("PAUSED"), F_OK) == 0) {
        close(open(getenv("WAITING"), O_CREAT | O_WRONLY, 0600));
        usleep(1000);
    }
    return syscall(SYS_fsync, file);
}
"#;

/// A replacement for the system's `read`: reads the state of checkpoints in pieces of 64 KiB, and
/// waits as above once it has read a megabyte of it.
const PAUSABLE_READ: &str = r#"
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>
static long given;
ssize_t read(int file, void *bytes, size_t most) {
    char link[64], path[4096] = {0};
    snprintf(link, sizeof link, "/proc/self/fd/%d", file);
    if (readlink(link, path, sizeof path - 1) < 0 || !strstr(path, "/state/state/"))
        return syscall(SYS_read, file, bytes, most);
    while (given > 1 << 20 && access(getenv("PAUSED"), F_OK) == 0) {
        close(open(getenv("WAITING"), O_CREAT | O_WRONLY, 0600));
        usleep(1000);
    }
    ssize_t got = syscall(SYS_read, file, bytes, most > 65536 ? 65536 : most);
    if (got > 0)
        __atomic_add_fetch(&given, got, __ATOMIC_RELAXED);
    return got;
}
"#;

/// Starts the job on a disk that is paused while the job's file `paused` exists; `replacement` is a
/// function of the system.
fn on_pausable_disk(job: &JobDirectory, replacement: &str) -> Running {
    job.write("disk.c", replacement);
    let compiled = std::process::Command::new("cc")
        .args(["-shared", "-fPIC", "-o", "disk.so", "disk.c"])
        .current_dir(job.path())
        .status();
    assert!(
        compiled.is_ok_and(|status| status.success()),
        "cc links Rust programs too"
    );
    let mut command = tidegate_command(&[], job.path(), &RUN);
    command
        .env("LD_PRELOAD", job.path().join("disk.so"))
        .env("PAUSED", job.path().join("paused"))
        .env("WAITING", job.path().join("waiting"));
    Running::spawn(command)
}

#[test]
fn sigterm_ends_a_job_on_a_paused_disk() {
    let job = counting().directory();
    let mut running = on_pausable_disk(&job, PAUSABLE_FSYNC);
    wait_for(&mut running, &job, |status| {
        status["checkpoints"]["completed"].as_u64() > Some(0)
    });
    job.write("paused", "");
    wait_for_file(&mut running, &job.path().join("waiting"));
    assert_given_up(&terminated(running), "still stopping, ");
}

#[test]
fn sigterm_ends_a_start_on_a_paused_disk() {
    let job = counting().directory();
    job.write("paused", "");
    let mut running = on_pausable_disk(&job, PAUSABLE_FSYNC);
    wait_for_file(&mut running, &job.path().join("waiting"));
    let finished = terminated(running);
    assert_eq!(finished.code, None, "ended by the signal: {finished:#?}");
}

/// Returns the bytes of all files in a directory and below.
fn bytes_of(directory: &Path) -> u64 {
    let entries = std::fs::read_dir(directory).into_iter().flatten().flatten();
    let bytes = entries.map(|entry| match entry.metadata() {
        Ok(metadata) if metadata.is_dir() => bytes_of(&entry.path()),
        Ok(metadata) => metadata.len(),
        // The file has been removed by now.
        Err(_) => 0,
    });
    bytes.sum()
}

#[test]
fn sigterm_ends_a_start_that_reads_a_large_checkpoint() {
    let large = Counting {
        records: 3_000_000_000,
        keys: 300_000,
        rate: 1_000_000,
        checkpoint: "retain = 1",
        sink: "connector = \"discard\"",
        ..counting()
    };
    let job = large.directory();
    let mut running = job.start(&["run", "job.toml", "--quiet"]);
    let give_up = Instant::now() + GENEROUS;
    while bytes_of(&job.path().join("state/state")) < 2 << 20 {
        assert!(running.is_running() && Instant::now() < give_up);
    }
    terminated(running).assert_succeeds();
    let before = job.checkpoints();

    job.write("paused", "");
    let mut running = on_pausable_disk(&job, PAUSABLE_READ);
    wait_for_file(&mut running, &job.path().join("waiting"));
    assert_given_up(&terminated(running), "restoring");
    assert_eq!(job.checkpoints(), before, "all are still there");

    // Once the disk answers, the job restores and stops with a last checkpoint.
    std::fs::remove_file(job.path().join("paused")).expect("it is there");
    let mut running = on_pausable_disk(&job, PAUSABLE_READ);
    wait_for(&mut running, &job, |status| status["state"] == "running");
    terminated(running).assert_succeeds();
}

#[test]
fn sigterm_ends_a_job_whose_standard_output_nobody_reads() {
    let counting = Counting {
        rate: 1_000_000,
        sink: "connector = \"stdout\"\nformat = \"tsv\"",
        ..counting()
    };
    let job = counting.directory();
    let (_unread, writer) = std::io::pipe().expect("a pipe can be made");
    let mut command = tidegate_command(&[], job.path(), &RUN);
    command.stdout(writer);
    let mut running = Running::spawn(command);
    wait_for(&mut running, &job, |status| {
        status["checkpoints"]["in_progress"].as_u64() > Some(0)
            && status["uptime_ms"].as_u64() > Some(1_000)
    });
    assert_given_up(&terminated(running), "is not complete");
}

#[test]
fn sigterm_ends_a_process_whose_standard_error_nobody_reads() {
    let job = job_with(&WatGuest::echo().export("process", "unreachable"));
    let (mut unread, writer) = std::io::pipe().expect("a pipe can be made");
    let fill = writer.try_clone().expect("a pipe has many writers");
    let filled = fill_pipe(&fill);
    let mut command = tidegate_command(&[], job.path(), &RUN);
    command.stderr(Stdio::from(writer));
    let mut running = Running::spawn(command);
    wait_for(&mut running, &job, |status| status["state"] == "restarting");
    // The job stops; the process only has to report it.
    running.signal(Signal::TERM);
    let gone = job.path().join("state/control.sock");
    while gone.exists() {
        assert!(running.is_running(), "it said what nobody read");
    }
    let finished = terminated(running);
    assert_eq!(finished.code, Some(143), "{finished:#?}");
    drop(fill);
    let mut said = Vec::new();
    unread.read_to_end(&mut said).expect("a pipe can be read");
    assert!(said.len() >= filled, "{} of {filled}", said.len());
}

/// Fills a pipe, and returns the bytes that it took.
fn fill_pipe(pipe: &std::io::PipeWriter) -> usize {
    let flags = rustix::fs::fcntl_getfl(pipe).expect("it has flags");
    let nonblocking = flags | rustix::fs::OFlags::NONBLOCK;
    rustix::fs::fcntl_setfl(pipe, nonblocking).expect("they can be set");
    let mut filled = 0;
    for piece in [4096, 1] {
        while let Ok(written) = rustix::io::write(pipe, &vec![b'x'; piece]) {
            filled += written;
        }
    }
    rustix::fs::fcntl_setfl(pipe, flags).expect("they can be set");
    filled
}
