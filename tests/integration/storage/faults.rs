//! B6 and B7: the N-th system call on the job's files fails, for every N. `strace` makes it fail
//! between the real binary and the kernel; the binary does the rest by itself.
//!
//! strace counts the calls of each thread separately, so one run may have a fault in each of
//! several threads. N grows until no fault fires any more, so that every call of the job has failed
//! once. Each run either finishes exactly, or ends with a message that names the operation that
//! failed; the same command without faults then finishes exactly.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use tidegate_tests::{
    Counting, Finished, JobDirectory, Running, published_parts, tidegate_command,
};

/// A system call that fails.
#[derive(Clone, Copy, Debug)]
struct Fault {
    call: &'static str,
    error: &'static str,
    on: On,
    /// The least N that must have fired for the test to be valid.
    least: usize,
}

/// The calls that may fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum On {
    /// All calls of the process: only the job's directories are used with it.
    All,
    /// Calls on the checkpoint directory, its two directories and the output directory.
    Directories,
    /// Calls on files that the job writes or reads.
    Files,
}

const fn fault(call: &'static str, error: &'static str, on: On, least: usize) -> Fault {
    Fault {
        call,
        error,
        on,
        least,
    }
}

/// Calls that change files or directories, with both ways in which disks refuse them.
const CHANGES: [Fault; 11] = [
    fault("fsync", "EIO", On::All, 8),
    fault("renameat", "EIO", On::All, 2),
    fault("mkdirat", "EIO", On::All, 0),
    fault("unlinkat", "EIO", On::All, 0),
    fault("openat2", "EIO", On::All, 10),
    fault("write", "EIO", On::Files, 2),
    fault("ftruncate", "EIO", On::Files, 1),
    fault("fsync", "ENOSPC", On::All, 8),
    fault("renameat", "ENOSPC", On::All, 2),
    fault("openat2", "ENOSPC", On::All, 10),
    fault("write", "ENOSPC", On::Files, 2),
];

/// Calls that only read.
const LOOKS: [Fault; 4] = [
    fault("openat", "EIO", On::Directories, 4),
    fault("getdents64", "EIO", On::Directories, 4),
    fault("statx", "EIO", On::Directories, 4),
    fault("read", "EIO", On::Files, 1),
];

/// Returns a job with a few checkpoints, of which it keeps one, so that it removes others.
fn counting() -> Counting {
    Counting {
        records: 600,
        checkpoint: "retain = 1",
        ..Counting::default()
    }
}

/// Returns the job midway: with a checkpoint, published output and unread input.
fn begun() -> JobDirectory {
    let slow = Counting {
        rate: 1_000,
        ..counting()
    };
    let job = slow.directory();
    let mut running = job.start(&["run", "job.toml"]);
    while published_parts(&job.path().join("output")).is_empty() {
        assert!(running.is_running(), "{:#?}", running.wait());
    }
    // The job still has most of its half second left.
    running.signal(rustix::process::Signal::KILL);
    assert_eq!(running.wait().code, None);
    job.write("job.toml", counting().text());
    job
}

/// Returns the files that the job may write to, by their future names.
fn files(job: &Path) -> Vec<PathBuf> {
    let marker = std::fs::read_to_string(job.join("output/_tidegate")).unwrap_or_default();
    let lineage = marker.split_once("\"lineage\": \"");
    let lineage = lineage.and_then(|(_, rest)| rest.split_once('"'));
    let mut files = vec![job.join("state/LOCK"), job.join("output/_tidegate")];
    files.push(job.join("output/.tidegate-marker.new"));
    for checkpoint in 0..12 {
        files.push(job.join(format!("state/checkpoints/{checkpoint}")));
        for attempt in 1..5 {
            files.push(job.join(format!("state/checkpoints/.{checkpoint}.{attempt}.tmp")));
            files.push(job.join(format!("state/state/{checkpoint}-count-0-{attempt}")));
            if let Some((lineage, _)) = lineage {
                let part = format!("output/.part-{lineage}-{attempt}-0-{checkpoint}.pending");
                files.push(job.join(part));
            }
        }
    }
    files
}

fn paths(on: On, job: &Path) -> Vec<PathBuf> {
    let directories = ["state", "state/state", "state/checkpoints", "output"];
    match on {
        On::All => Vec::new(),
        On::Directories => directories.iter().map(|name| job.join(name)).collect(),
        On::Files => files(job),
    }
}

/// A run under strace.
struct Traced {
    finished: Finished,
    /// The number of faults that fired.
    fired: usize,
    trace: String,
}

fn run_with(fault: Fault, nth: usize, job: &JobDirectory) -> Traced {
    let directory = job.path().canonicalize().expect("it is there");
    let log = tempfile::NamedTempFile::new().expect("a temporary file can be made");
    let log = log.path().to_string_lossy().into_owned();
    let Fault { call, error, .. } = fault;
    let (trace, inject) = (
        format!("trace={call}"),
        format!("inject={call}:error={error}:when={nth}"),
    );
    let mut wrapper = vec!["strace", "-f", "-qq", "-y", "--seccomp-bpf", "-o", &log];
    wrapper.extend(["-e", &trace, "-e", &inject]);
    let paths = paths(fault.on, &directory);
    let paths: Vec<String> = paths.iter().map(|p| p.display().to_string()).collect();
    for path in &paths {
        wrapper.extend(["-P", path]);
    }
    let command = tidegate_command(&wrapper, &directory, &["run", "job.toml"]);
    let finished = Running::spawn(command).wait();
    let trace = std::fs::read_to_string(&log).expect("strace is installed (`make setup-test`)");
    Traced {
        finished,
        fired: trace.matches("(INJECTED)").count(),
        trace,
    }
}

/// Returns regular files of the job that were synced more than once: after a failure, the kernel
/// may report success for a second sync although the pages are gone. `LOCK` is rewritten before
/// each sync.
fn synced_twice(trace: &str) -> Vec<String> {
    let mut syncs = BTreeMap::<&str, usize>::new();
    for line in trace.lines() {
        let Some((_, call)) = line.split_once("fsync(") else {
            continue;
        };
        let path = call
            .split_once('<')
            .and_then(|(_, rest)| rest.split_once('>'));
        *syncs
            .entry(path.expect("strace shows paths").0)
            .or_default() += 1;
    }
    let is_file = |path: &str| {
        let directories = ["state", "checkpoints", "output"];
        let name = path.rsplit('/').next().unwrap_or_default();
        // The new marker of an output directory is removed and recreated.
        let is_written_anew = ["LOCK", ".tidegate-marker.new"].contains(&name);
        !is_written_anew && !directories.contains(&name) && !Path::new(path).is_dir()
    };
    let twice = syncs
        .into_iter()
        .filter(|(path, n)| *n > 1 && is_file(path));
    twice.map(|(path, n)| format!("{path}: {n}")).collect()
}

/// Asserts that the run with a fault finished exactly or named the failed operation, and that the
/// next run finishes exactly.
fn assert_settles(traced: &Traced, job: &JobDirectory, context: &str) {
    let Finished { code, stderr, .. } = &traced.finished;
    assert!(!stderr.contains("panicked"), "{context}: {stderr}");
    match code {
        Some(0) => counting().assert_exact(job, context),
        Some(1 | 3) => {
            let error = stderr.lines().find(|line| line.starts_with("error: "));
            let error = error.unwrap_or_default();
            let names = |part: &str| error.contains(part);
            assert!(
                // `.` is the job's directory.
                names("could not ") && (names("state") || names("output") || names("sync .:")),
                "{context}: neither file nor action is named: {stderr}"
            );
        }
        other => panic!("{context}: ended with {other:?}: {stderr}"),
    }
    assert_eq!(
        synced_twice(&traced.trace),
        Vec::<String>::new(),
        "{context}"
    );
    let again = job.tidegate(&["run", "job.toml"]);
    assert_eq!(again.code, Some(0), "{context}: {stderr}then {again:#?}");
    counting().assert_exact(job, context);
}

/// Makes every call fail once, in a copy of `template` each time.
#[expect(
    clippy::print_stdout,
    reason = "how many faults fired is part of the result"
)]
fn fail_each(faults: &[Fault], template: &JobDirectory) {
    let (mut report, mut endings) = (String::new(), BTreeMap::<Option<i32>, usize>::new());
    for fault in faults {
        let mut nth = 1;
        loop {
            let job = template.copy();
            let traced = run_with(*fault, nth, &job);
            let context = format!("{fault:?}, N = {nth}");
            assert_settles(&traced, &job, &context);
            if traced.fired == 0 {
                break;
            }
            *endings.entry(traced.finished.code).or_default() += 1;
            nth += 1;
        }
        let fired = nth - 1;
        writeln!(report, "{} {}: {fired}", fault.call, fault.error).expect("a string grows");
        assert!(fired >= fault.least, "only {fired} faults fired: {fault:?}");
    }
    println!("{report}endings by exit code: {endings:?}");
}

#[test]
fn a_fresh_job_survives_the_failure_of_every_change() {
    fail_each(&CHANGES, &counting().directory());
}

#[test]
fn a_job_that_goes_on_survives_the_failure_of_every_change() {
    fail_each(&CHANGES, &begun());
}

#[test]
fn a_job_that_goes_on_survives_the_failure_of_every_look() {
    fail_each(&LOOKS, &begun());
}
