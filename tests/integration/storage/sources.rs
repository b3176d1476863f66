//! C2 and C4 on the real binary: an input that differs from the one that was read, and an input
//! whose lines are no records.

use std::fs;
use std::path::{Path, PathBuf};

use rustix::process::Signal;
use tidegate_tests::{JobDirectory, published_lines, published_parts};

/// The number of lines of the input.
const LINES: usize = 20_000;

/// Returns a job that copies the lines of files into a directory.
fn copying(rate: u32) -> String {
    format!(
        "version = 1
name = \"copying\"
[checkpoint]
directory = \"state\"
interval = \"20ms\"
[restart]
strategy = \"none\"
[source.lines]
connector = \"file\"
path = \"input/*.txt\"
format = \"lines\"
batch-bytes = \"1KiB\"
rate-per-subtask = {rate}
[sink.lines-out]
connector = \"file\"
inputs = [{{ from = \"lines\" }}]
directory = \"output\"
format = \"lines\"
"
    )
}

fn text() -> String {
    (0..LINES).map(|line| format!("line {line}\n")).collect()
}

fn input(job: &JobDirectory) -> PathBuf {
    job.path().join("input/a.txt")
}

/// Returns a job that was killed in the middle of its input.
fn begun() -> JobDirectory {
    let job = JobDirectory::new(&copying(5_000));
    fs::create_dir(job.path().join("input")).expect("a directory can be made");
    job.write("input/a.txt", text());
    let mut running = job.start(&["run", "job.toml"]);
    while published_parts(&job.path().join("output")).len() < 3 {
        assert!(running.is_running(), "{:#?}", running.wait());
    }
    running.signal(Signal::KILL);
    assert_eq!(running.wait().code, None);
    job.write("job.toml", copying(1_000_000));
    job
}

fn set_length(path: &Path, length: usize) {
    let file = fs::File::options().write(true).open(path);
    let length = u64::try_from(length).expect("small");
    file.and_then(|file| file.set_len(length))
        .expect("it can be cut");
}

fn change_byte(path: &Path, at: usize) {
    let mut bytes = fs::read(path).expect("it can be read");
    bytes[at] ^= 1;
    fs::write(path, bytes).expect("it can be written");
}

/// A change of the input file, by name.
type Change = (&'static str, fn(&Path));

const REFUSED: [Change; 13] = [
    ("shorter by a byte", |path| {
        set_length(path, text().len() - 1)
    }),
    ("grown", |path| {
        fs::write(path, text() + "more\n").expect("it can be written");
    }),
    ("shorter than what was read", |path| set_length(path, 100)),
    ("emptied", |path| set_length(path, 0)),
    ("removed", |path| {
        fs::remove_file(path).expect("it is there")
    }),
    ("another first byte", |path| change_byte(path, 0)),
    ("another byte before the position", |path| {
        change_byte(path, 150)
    }),
    ("another file of this length", |path| {
        fs::write(path, "x".repeat(text().len())).expect("it can be written");
    }),
    ("rotated, and new lines written", |path| {
        fs::rename(path, path.with_extension("1")).expect("it can be renamed");
        fs::write(path, "line 20000\n").expect("it can be written");
    }),
    ("rotated, and nothing written", |path| {
        fs::rename(path, path.with_extension("1")).expect("it can be renamed");
    }),
    ("a directory", |path| {
        fs::remove_file(path).expect("it is there");
        fs::create_dir(path).expect("it can be made");
    }),
    ("a link to another file", |path| {
        fs::remove_file(path).expect("it is there");
        fs::write(path.with_extension("other"), "line 1\n").expect("it can be written");
        std::os::unix::fs::symlink("a.other", path).expect("it can be made");
    }),
    ("a pipe", |path| {
        fs::remove_file(path).expect("it is there");
        let mode = rustix::fs::Mode::RUSR;
        rustix::fs::mkfifoat(rustix::fs::CWD, path, mode).expect("it can be made");
    }),
];

const ACCEPTED: [Change; 2] = [
    ("copied", |path| {
        let copy = path.with_extension("copy");
        fs::copy(path, &copy).expect("it can be copied");
        fs::rename(copy, path).expect("it can be renamed");
    }),
    ("moved into a link", |path| {
        let target = path.with_extension("target");
        fs::rename(path, target).expect("it can be renamed");
        std::os::unix::fs::symlink("a.target", path).expect("it can be made");
    }),
];

#[test]
fn an_input_that_is_not_the_one_that_was_read_is_refused_and_named() {
    let begun = begun();
    for (name, change) in REFUSED {
        let job = begun.copy();
        change(&input(&job));
        let finished = job.tidegate(&["run", "job.toml"]);
        assert!(
            finished.code == Some(3) && finished.stderr.contains("input/a.txt"),
            "{name}: {finished:#?}"
        );
        // With the input restored, the job continues exactly.
        let path = input(&job);
        let removed = if path.is_dir() {
            fs::remove_dir(&path)
        } else {
            fs::remove_file(&path)
        };
        drop(removed);
        job.write("input/a.txt", text());
        assert_copied(&job, name);
    }
}

#[test]
fn an_input_that_has_only_moved_is_read_on() {
    let begun = begun();
    for (name, change) in ACCEPTED {
        let job = begun.copy();
        change(&input(&job));
        assert_copied(&job, name);
    }
}

fn assert_copied(job: &JobDirectory, name: &str) {
    job.tidegate(&["run", "job.toml"]).assert_succeeds();
    let mut lines = published_lines(&job.path().join("output"));
    lines.sort();
    let text = text();
    let mut expected: Vec<_> = text.lines().collect();
    expected.sort_unstable();
    assert!(
        lines == expected,
        "{name}: {} lines of {LINES}",
        lines.len()
    );
}

/// Returns a job over one file with these contents.
fn over(contents: &str) -> JobDirectory {
    let job = JobDirectory::new(&copying(1_000_000));
    fs::create_dir(job.path().join("input")).expect("a directory can be made");
    job.write("input/a.txt", contents);
    job
}

/// The default of `max-record-bytes`.
const RECORD_LIMIT: usize = 1 << 20;

#[test]
fn a_record_up_to_the_limit_is_read_and_a_longer_one_is_named_with_its_place() {
    let at_limit = "x".repeat(RECORD_LIMIT);
    for text in [
        "\n\n\n",
        "\n",
        "no newline",
        &format!("a\n{at_limit}\nb\n"),
        &at_limit,
    ] {
        let job = over(text);
        job.tidegate(&["run", "job.toml"]).assert_succeeds();
        let lines = published_lines(&job.path().join("output"));
        assert!(lines.iter().eq(text.lines()), "{} lines", lines.len());
    }
    for text in [
        format!("a\nb\n{at_limit}x\nc\n"),
        format!("a\nb\n{at_limit}x"),
    ] {
        let failed = over(&text).tidegate(&["run", "job.toml"]);
        failed.assert_fails(1, &["input/a.txt, byte 4", "max-record-bytes", "1048576"]);
    }
}

/// Far less than the input's size, and more than the process needs otherwise.
const MOST_RESIDENT_KIB: u64 = 128 << 10;

#[test]
fn four_gigabytes_without_a_newline_are_refused_in_bounded_memory() {
    let job = over("");
    set_length(&input(&job), 4 << 30);
    let mut running = job.start(&["run", "job.toml"]);
    let status = format!("/proc/{}/status", running.id());
    let (mut peak, mut looks) = (0, 0);
    while running.is_running() {
        let text = fs::read_to_string(&status).unwrap_or_default();
        let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kib = line.and_then(|line| line.trim().trim_end_matches(" kB").parse().ok());
        if let Some(kib) = kib {
            peak = kib;
            looks += 1;
        }
    }
    running
        .wait()
        .assert_fails(1, &["input/a.txt, byte 0", "max-record-bytes"]);
    assert!(looks > 0, "the process was never seen");
    assert!(peak < MOST_RESIDENT_KIB, "{peak} KiB");
}
