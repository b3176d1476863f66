//! A11, A13, A15 and the size cap in the real binary: imports that a component may not have, and
//! files that the host itself opens while it runs a job.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::Read as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use tidegate_tests::{JobDirectory, Packages, WatGuest, binary, published_lines, wat_guest};

const JOB: &str = r#"version = 1
name = "sandbox"
[checkpoint]
directory = "state"
interval = "20ms"
[restart]
strategy = "none"
[source.integers]
connector = "generator"
to = 5000
rate = 20_000
[operator.guest]
component = "guest.wasm"
inputs = [{ from = "integers" }]
[sink.out]
connector = "file"
inputs = [{ from = "guest" }]
directory = "output"
format = "lines"
"#;

/// Every interface of WASI 0.2, and of the proposals that hosts implement, that gives a component
/// access to the outside.
const WASI: [(&str, &[&str]); 12] = [
    ("io@0.2.6", &["error", "poll", "streams"]),
    (
        "clocks@0.2.6",
        &["monotonic-clock", "wall-clock", "timezone"],
    ),
    ("random@0.2.6", &["random", "insecure", "insecure-seed"]),
    ("filesystem@0.2.6", &["types", "preopens"]),
    (
        "sockets@0.2.6",
        &[
            "network",
            "instance-network",
            "tcp",
            "tcp-create-socket",
            "udp",
            "udp-create-socket",
            "ip-name-lookup",
        ],
    ),
    (
        "cli@0.2.6",
        &[
            "environment",
            "exit",
            "stdin",
            "stdout",
            "stderr",
            "terminal-input",
            "terminal-output",
            "terminal-stdin",
            "terminal-stdout",
            "terminal-stderr",
        ],
    ),
    ("http@0.2.6", &["types", "outgoing-handler"]),
    ("keyvalue@0.2.0", &["store", "atomics", "batch"]),
    ("config@0.2.0", &["store"]),
    ("blobstore@0.2.0", &["container"]),
    ("logging@0.1.0", &["logging"]),
    ("nn@0.2.0", &["inference"]),
];

/// Returns the echo guest, which traps when it opens, with an import of each of these.
fn importing(interfaces: &[String]) -> Vec<u8> {
    let mut packages = Packages::contract();
    let mut guest = WatGuest::echo().export("open", "unreachable");
    let mut imports = String::new();
    let names: BTreeSet<&str> = interfaces
        .iter()
        .filter_map(|name| name.split('/').next())
        .collect();
    for package in names {
        let of_package = interfaces
            .iter()
            .filter(|name| name.starts_with(&format!("{package}/")));
        let version = interfaces
            .iter()
            .find(|name| name.starts_with(&format!("{package}/")))
            .and_then(|name| name.split('@').nth(1))
            .expect("it has a version");
        let mut text = format!("package {package}@{version};");
        for name in of_package {
            let interface = name.split(['/', '@']).nth(1).expect("it has a name");
            text.push_str(&format!(
                "interface {interface} {{ reach: func() -> u32; }}"
            ));
            imports.push_str(&format!("import {name};"));
            guest = guest.item(&format!(
                "(import \"{name}\" \"reach\" (func (result i32)))"
            ));
        }
        packages = packages.and(&text);
    }
    let world = format!(
        "package test:reaching; world reaching {{
           include tidegate:operator/stream-operator@0.1.0; {imports} }}"
    );
    guest.packages(packages.and(&world)).component()
}

fn job_with(component: impl AsRef<[u8]>) -> JobDirectory {
    let job = JobDirectory::new(JOB);
    job.write("guest.wasm", component);
    job
}

#[test]
fn every_interface_of_wasi_is_refused_by_name_before_any_guest_code_runs() {
    let names: Vec<String> = WASI
        .iter()
        .flat_map(|(package, interfaces)| {
            let (name, version) = package.split_once('@').expect("it has a version");
            interfaces
                .iter()
                .map(move |interface| format!("wasi:{name}/{interface}@{version}"))
        })
        .collect();
    assert!(names.len() >= 25, "only {}", names.len());
    for name in &names {
        let job = job_with(importing(std::slice::from_ref(name)));
        let before = job.listing();
        let quoted = format!("`{name}`");
        let refused = job.tidegate(&["run", "job.toml"]);
        refused.assert_fails(8, &["imports that the host does not grant", &quoted]);
        assert!(!refused.stderr.contains("trapped"), "{refused:#?}");
        assert_eq!(job.listing(), before, "something was written");
    }
    // Several are all listed.
    let job = job_with(importing(&names));
    let text = job.tidegate(&["check", "job.toml"]);
    text.assert_fails(8, &[]);
    let unwrapped = text.stderr.split_whitespace().collect::<Vec<_>>().concat();
    for name in &names {
        assert!(unwrapped.contains(name.as_str()), "no {name} in {text:#?}");
    }
}

#[test]
fn what_is_no_component_is_refused_whatever_it_is_called() {
    let elf = std::fs::read(binary()).expect("the binary is there");
    let precompiled = b"\x7fELF\x02\x01\x01\xc8\x00\x00\x00\x00\x00\x00\x00\x00wasmtime".to_vec();
    let files = [elf[..20_000].to_vec(), elf[..16].to_vec(), precompiled];
    for file in files {
        for name in ["guest.wasm", "guest.cwasm", "guest.txt"] {
            let job = JobDirectory::new(&JOB.replace("guest.wasm", name));
            job.write(name, &file);
            let before = job.listing();
            job.tidegate(&["run", "job.toml"]).assert_fails(8, &[name]);
            assert_eq!(job.listing(), before, "something was written");
        }
    }
}

#[test]
fn a_huge_file_is_refused_by_its_size_and_not_read() {
    let job = job_with(b"");
    let file = File::create(job.path().join("guest.wasm")).expect("a file can be made");
    file.set_len(1 << 30).expect("it takes no room on the disk");
    let refused = traced(&job, 8);
    let reads = refused
        .lines()
        .filter(|line| line.contains("read(") && line.contains("guest.wasm>"));
    assert_eq!(reads.count(), 0, "{refused}");
    job.tidegate(&["check", "job.toml"])
        .assert_fails(8, &["1073741824 bytes", "33554432"]);
}

/// Runs the job under `strace` and returns its trace: each call that names a path or an address,
/// and each read with the file that is read.
fn traced(job: &JobDirectory, code: i32) -> String {
    let trace = job.path().join("trace");
    let mut command = Command::new("strace");
    command.args(["-f", "-y", "-s", "300", "-e"]);
    command.arg("trace=open,openat,openat2,creat,connect,bind,socket,execve,read");
    command
        .arg("-o")
        .arg(&trace)
        .arg(binary())
        .args(["run", "job.toml"]);
    for base in ["XDG_CACHE_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME"] {
        command.env(base, job.path().join(base));
    }
    // Cargo sets it, and the system's loader would search it for libraries.
    command.env_remove("LD_LIBRARY_PATH");
    let output = command.current_dir(job.path()).output();
    let output = output.unwrap_or_else(|error| {
        panic!("no strace ({error}): `make setup-test` installs it; this test can't be left out")
    });
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(
        !said.contains("ptrace(") && trace.is_file(),
        "processes can't be traced here ({said}): allow ptrace; this test can't be left out"
    );
    assert_eq!(output.status.code(), Some(code), "{said}");
    std::fs::read_to_string(trace).expect("strace wrote its record")
}

/// The absolute paths under which the host may open files: files of the loader and the C library,
/// and the kernel's about the machine and the process. The job's own directory comes on top.
const ALLOWED: [&str; 9] = [
    "/etc/ld.so.cache",
    "/etc/localtime",
    "/lib/",
    "/usr/lib/",
    "/proc/",
    "/sys/fs/cgroup/",
    "/sys/devices/system/cpu/",
    "/sys/kernel/mm/transparent_hugepage/",
    "/dev/null",
];

#[test]
fn a_job_opens_only_its_own_files_and_connects_to_nothing() {
    let job = job_with(WatGuest::echo().component());
    let trace = traced(&job, 0);
    let own = job.path().canonicalize().expect("it is there");
    let calls = |name: &str| {
        trace
            .lines()
            .filter(move |line| line.contains(name))
            .collect::<Vec<_>>()
    };
    assert!(calls("openat").len() > 50, "little was recorded: {trace}");
    assert_eq!(calls("connect("), Vec::<&str>::new());
    // One program is executed: this binary. One socket is bound: the control socket.
    assert_eq!(calls("execve(").len(), 1, "{trace}");
    for line in calls("socket(") {
        assert!(line.contains("AF_UNIX"), "{line}");
    }
    for line in calls("bind(") {
        assert!(line.contains("AF_UNIX"), "{line}");
    }
    for line in trace.lines().filter(|line| line.contains("open")) {
        let Some(path) = line.split('"').nth(1) else {
            continue;
        };
        let is_allowed = if path.starts_with('/') {
            let path = Path::new(path);
            let is_own = path.starts_with(&own) || path.starts_with(job.path());
            // The directories above it are opened as handles only, and can't be read.
            let is_on_the_way = own.starts_with(path) && line.contains("O_PATH|O_DIRECTORY");
            let is_allowed = ALLOWED.iter().any(|allowed| path.starts_with(allowed));
            is_own || is_on_the_way || is_allowed
        } else {
            // Relative to a directory that was opened before, and not outside of it.
            !path.split('/').any(|part| part == "..")
        };
        assert!(is_allowed, "{line}");
    }
}

#[test]
fn a_flood_of_escapes_reaches_the_terminal_neither_as_a_flood_nor_as_escapes() {
    let flood = "(local $n i32)
        (loop $more
          (call $log (i32.const 3) (i32.const 3000) (i32.const 24))
          (local.set $n (i32.add (local.get $n) (i32.const 1)))
          (br_if $more (i32.lt_u (local.get $n) (i32.const 300000))))
        (call $done)";
    let escapes = "\\1b[2J\\1b]0;owned\\07\\0d\\0a\\c2\\9b1mred\\7f\\e2\\80\\ae";
    let guest = WatGuest::idle()
        .item(wat_guest::LOG)
        .item(&format!("(data (i32.const 3000) \"{escapes}\")"))
        .export("finish", flood);
    let job = job_with(guest.component());
    let finished = job.tidegate(&["run", "job.toml"]);
    let said = &finished.assert_succeeds().stderr;
    let lines = said.lines().filter(|line| line.contains("owned")).count();
    // At most a thousand per second of the flood, which takes far less than a minute.
    assert!((1..60_000).contains(&lines), "{lines} lines");
    let controls = said.chars().filter(|c| c.is_control() && *c != '\n');
    assert_eq!(controls.count(), 0, "control characters reach the terminal");
}

#[test]
fn a_guest_that_logs_never_waits_for_whoever_reads_the_log() {
    // 80 KB with each batch, far more than a pipe holds.
    let shout = "(local $n i32)
        (loop $more
          (call $log (i32.const 3) (i32.const 16384) (i32.const 8000))
          (local.set $n (i32.add (local.get $n) (i32.const 1)))
          (br_if $more (i32.lt_u (local.get $n) (i32.const 10))))";
    let echo = WatGuest::echo().item(wat_guest::LOG).pages(8);
    let guest = echo.export("process", &format!("{shout} {}", wat_guest::ECHO_PROCESS));
    let job = job_with(guest.component());
    let mut command = Command::new(binary());
    command
        .args(["run", "job.toml", "--no-code-cache"])
        .current_dir(job.path());
    command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped());
    let mut child = command.spawn().expect("the binary can be started");
    // No one reads, and the job finishes nevertheless: everything is published.
    let output = job.path().join("output");
    let published = (0..3_000).any(|_| {
        std::thread::sleep(Duration::from_millis(100));
        published_lines(&output).len() == 5_000
    });
    let mut said = String::new();
    let mut stderr = child.stderr.take().expect("it is a pipe");
    if published {
        // Now the test reads, so that the process can report how it ended.
        stderr.read_to_string(&mut said).expect("it is text");
    }
    drop(stderr);
    let ended = if published {
        child.wait()
    } else {
        child.kill().and_then(|()| child.wait())
    };
    assert!(published, "the job waits for its log");
    assert_eq!(ended.expect("it ended").code(), Some(0), "{said}");
    // A pipe holds 64 KiB: most of the text was not yet written when the test began to read.
    assert!(
        said.len() > 512 << 10,
        "only {} bytes were logged",
        said.len()
    );
}
