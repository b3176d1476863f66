//! An input that changes while it is read, on the real binary: changed bytes fail the job and name
//! the file, whatever changed them; an input that only grows or moves is read further.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use tidegate_tests::{Finished, JobDirectory, Running, published_lines, published_parts};

/// The number of lines of the input.
const LINES: usize = 12_000;

/// Returns a job that copies the lines of the input at a pace.
fn copying(interval: &str, path: &str) -> JobDirectory {
    let job = JobDirectory::new(&format!(
        "version = 1
name = \"copying\"
[checkpoint]
directory = \"state\"
interval = \"{interval}\"
[source.lines]
connector = \"file\"
path = \"{path}\"
batch-bytes = \"1KiB\"
rate-per-subtask = 6_000
[sink.lines-out]
connector = \"file\"
inputs = [{{ from = \"lines\" }}]
directory = \"output\"
format = \"lines\"
"
    ));
    fs::create_dir(job.path().join("input")).expect("a directory can be made");
    job.write("input/a.txt", text("old"));
    job
}

/// Returns lines that begin with a word of three letters.
fn text(word: &str) -> String {
    (0..LINES)
        .map(|line| format!("{word} {line:06}\n"))
        .collect()
}

fn input(job: &JobDirectory) -> PathBuf {
    job.path().join("input/a.txt")
}

/// Overwrites bytes in place, from `at` on: same file, same length.
fn overwrite(path: &Path, at: usize, bytes: &[u8]) {
    let length = fs::metadata(path).expect("it is there").len();
    let mut file = fs::File::options()
        .write(true)
        .open(path)
        .expect("it can be written");
    let at = u64::try_from(at).expect("a small number");
    std::io::Seek::seek(&mut file, std::io::SeekFrom::Start(at)).expect("it can be sought");
    file.write_all(bytes).expect("it can be written");
    let now = file.metadata().expect("it is there").len();
    assert_eq!(now, length, "only the contents have changed");
}

/// Runs the job and changes the input while the job reads it: the job must neither have ended nor
/// have published all of it.
fn run_and_change(job: &JobDirectory, change: impl FnOnce(&Path)) -> Finished {
    let mut running = job.start(&["run", "job.toml"]);
    wait_until_read(job, &mut running);
    change(&input(job));
    let read = published_lines(&job.path().join("output")).len();
    assert!(running.is_running() && read < LINES, "changed too late");
    running.wait()
}

/// Waits until the job has read lines: they are published, or, where no checkpoint comes, the sink
/// has begun a part.
fn wait_until_read(job: &JobDirectory, running: &mut Running) {
    let output = job.path().join("output");
    let has_begun = || {
        let entries = fs::read_dir(&output).map(|entries| {
            let names = entries.filter_map(|entry| Some(entry.ok()?.file_name()));
            names
                .map(|name| name.to_string_lossy().into_owned())
                .collect()
        });
        let names: Vec<String> = entries.unwrap_or_default();
        names
            .iter()
            .any(|name| name.ends_with(".pending") || !name.starts_with(['.', '_']))
    };
    while !has_begun() {
        assert!(running.is_running(), "it ended before it had begun");
    }
}

/// A change in place, by name.
type Change = (&'static str, fn(&Path));

const REWRITTEN: [Change; 5] = [
    ("all of it", |path| {
        overwrite(path, 0, text("new").as_bytes())
    }),
    ("and the time was set back", |path| {
        let time = |file: &fs::File| file.metadata().and_then(|metadata| metadata.modified());
        let file = fs::File::options()
            .write(true)
            .open(path)
            .expect("it can be opened");
        let before = time(&file).expect("the system knows");
        overwrite(path, 0, text("new").as_bytes());
        file.set_modified(before).expect("it can be set");
        assert_eq!(time(&file).expect("the system knows"), before);
    }),
    ("all but its first lines", |path| {
        let (old, new) = (text("old"), text("new"));
        // Behind the compared bytes of the head, and before the bytes that are read first.
        let at = 5_000;
        overwrite(path, at, &new.as_bytes()[at..]);
        assert_ne!(old, new);
    }),
    ("some lines in the middle", |path| {
        // Neither the first bytes nor, at the end, those that were read last.
        overwrite(path, 5_000, &text("new").as_bytes()[5_000..6_001]);
    }),
    ("without any newline", |path| {
        overwrite(path, 0, "x".repeat(text("old").len()).as_bytes());
    }),
];

#[test]
fn an_input_that_is_rewritten_in_place_while_it_is_read_fails_the_job_and_is_named() {
    for (name, change) in REWRITTEN {
        let job = copying("20ms", "input/*.txt");
        let failed = run_and_change(&job, change);
        failed.assert_fails(3, &["input/a.txt", "have changed"]);
        let lines = published_lines(&job.path().join("output"));
        let is_old = lines.iter().all(|line| line.starts_with("old"));
        assert!(
            is_old && lines.len() < LINES,
            "{name}: {} lines",
            lines.len()
        );
        // With its old contents restored, the job continues exactly.
        overwrite(&input(&job), 0, text("old").as_bytes());
        assert_copied(&job.tidegate(&["run", "job.toml"]), &job, name);
    }
}

#[test]
fn a_rewrite_is_seen_at_the_end_of_a_split_if_no_checkpoint_came() {
    for (name, change) in REWRITTEN {
        let job = copying("1h", "input/*.txt");
        let failed = run_and_change(&job, change);
        failed.assert_fails(3, &["input/a.txt", "have changed"]);
        let parts = published_parts(&job.path().join("output"));
        assert!(parts.is_empty(), "{name}: {parts:?}");
    }
}

/// An edit of the file.
type Edit = fn(&Path);

const ACCEPTED: [(&str, Edit, &str); 5] = [
    (
        "it has grown",
        |path| {
            let file = fs::File::options().append(true).open(path);
            let written = file.and_then(|mut file| file.write_all(b"more\n"));
            written.expect("it can be written");
        },
        "",
    ),
    (
        "it was replaced",
        |path| {
            let new = path.with_extension("new");
            fs::write(&new, text("new")).expect("it can be written");
            fs::rename(new, path).expect("it can be renamed");
        },
        "input file input/a.txt was replaced by another file while the source reads it",
    ),
    (
        "it was removed",
        |path| {
            fs::remove_file(path).expect("it is there");
        },
        "input file input/a.txt was moved or removed while the source reads it",
    ),
    (
        "it was rewritten with what it had",
        |path| {
            overwrite(path, 0, text("old").as_bytes());
        },
        "input file input/a.txt was written to while the source reads it",
    ),
    (
        "it was touched",
        |path| {
            let file = fs::File::options().write(true).open(path);
            let now = SystemTime::now();
            file.and_then(|file| file.set_modified(now))
                .expect("it can be set");
        },
        "input file input/a.txt was written to while the source reads it",
    ),
];

#[test]
fn an_input_that_grows_or_loses_its_name_while_it_is_read_is_read_to_its_end_and_told() {
    for (name, change, told) in ACCEPTED {
        let job = copying("20ms", "input/*.txt");
        let ended = run_and_change(&job, change);
        assert_copied(&ended, &job, name);
        let said = ended.stderr.matches(told).count();
        assert!(told.is_empty() || said == 1, "{name}: {ended:#?}");
    }
}

#[track_caller]
fn assert_copied(ended: &Finished, job: &JobDirectory, name: &str) {
    ended.assert_succeeds();
    let mut lines = published_lines(&job.path().join("output"));
    lines.sort();
    let old = text("old");
    assert!(
        lines.iter().eq(old.lines()),
        "{name}: {} lines",
        lines.len()
    );
}

#[test]
fn links_under_any_depth_are_named_or_followed() {
    let job = copying("20ms", "input/**/*.txt");
    let elsewhere = tempfile::tempdir().expect("a temporary directory");
    fs::write(elsewhere.path().join("b.txt"), "linked\n").expect("it can be written");
    let link = |target: &Path, name: &str| {
        let link = job.path().join(name);
        std::os::unix::fs::symlink(target, link).expect("it can be made");
    };
    fs::create_dir(job.path().join("input/deep")).expect("it can be made");
    link(elsewhere.path(), "input/away");
    link(Path::new(".."), "input/deep/up");
    let ended = job.tidegate(&["run", "job.toml"]);
    assert_copied(&ended, &job, "links are left out");
    let told = [
        "the links input/away, input/deep/up",
        "`follow-links = true`",
    ];
    assert!(
        told.iter().all(|told| ended.stderr.contains(told)),
        "{ended:#?}"
    );
    assert_eq!(
        ended.stderr.matches("input/deep/up").count(),
        1,
        "{ended:#?}"
    );

    // With links followed, the circle ends.
    let text = fs::read_to_string(job.path().join("job.toml")).expect("it is text");
    let text = text.replace("batch-bytes", "follow-links = true\nbatch-bytes");
    job.write("job.toml", text.replace("\"output\"", "\"output-2\""));
    job.tidegate(&["run", "job.toml", "--fresh"])
        .assert_succeeds();
    let lines = published_lines(&job.path().join("output-2"));
    assert_eq!(lines.len(), LINES + 1, "each file once");
    assert!(lines.contains(&"linked".to_owned()));

    // A link to a file outside is refused, not skipped.
    link(&elsewhere.path().join("b.txt"), "input/c.txt");
    let text = fs::read_to_string(job.path().join("job.toml")).expect("it is text");
    let text = text.replace("follow-links = true", "follow-links = false");
    job.write("job.toml", text.replace("\"output-2\"", "\"output-3\""));
    let refused = job.tidegate(&["run", "job.toml", "--fresh"]);
    let target = elsewhere.path().join("b.txt");
    let target = target.to_str().expect("it is text");
    refused.assert_fails(2, &["input/c.txt", "link", target, "`follow-links = true`"]);
    assert!(!job.path().join("output-3").exists());
}
