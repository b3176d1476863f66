//! The source `file` with `discover`, in the real binary: files appear while the job runs and while
//! it does not, with SIGKILLs in between. Each line is published once.

use std::ffi::OsStr;
use std::fs;
use std::io::Write as _;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::symlink;
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use tidegate_random::TestSeed;
use tidegate_tests::{
    JobDirectory, Running, published_line_count, published_lines, published_parts,
};

/// The number of files of a test with kills, and of the lines of each.
const FILES: usize = 60;
const LINES: usize = 25;
/// The time after which a test that still waits has failed.
const PATIENCE: Duration = Duration::from_secs(60);

fn job(parallelism: u32, discover: &str) -> String {
    format!(
        r#"
version = 1
name = "discovering"
[checkpoint]
directory = "state"
interval = "25ms"
[defaults]
parallelism = {parallelism}
[source.lines]
connector = "file"
path = "input/*"
batch-bytes = "100B"
rate-per-subtask = 5000
{discover}
[sink.copy]
connector = "file"
inputs = [{{ from = "lines" }}]
directory = "output"
format = "lines"
"#
    )
}

const DISCOVER: &str = "discover = \"10ms\"";

/// Returns a job with an empty input.
fn job_directory(parallelism: u32) -> JobDirectory {
    let directory = JobDirectory::new(&job(parallelism, DISCOVER));
    fs::create_dir(directory.path().join("input")).expect("a directory can be made");
    directory
}

fn lines_of(file: usize) -> Vec<String> {
    let line = |line| format!("file {file:04} line {line}");
    (0..LINES).map(line).collect()
}

/// Puts a whole file into the input at once.
fn add(job: &JobDirectory, file: usize) {
    let written = job.path().join("written");
    fs::write(&written, lines_of(file).join("\n")).expect("a file can be written");
    let place = job.path().join(format!("input/{file:04}"));
    fs::rename(written, place).expect("a file can be moved");
}

fn output(job: &JobDirectory) -> std::path::PathBuf {
    job.path().join("output")
}

/// Waits until that many files are published, while the job runs.
fn wait_until_published(job: &JobDirectory, running: &mut Running, files: usize) {
    let give_up = Instant::now() + PATIENCE;
    while published_line_count(&output(job)) < (files * LINES) as u64 {
        assert!(running.is_running(), "the job ended by itself");
        assert!(Instant::now() < give_up, "the files are not published");
        thread::sleep(Duration::from_millis(5));
    }
}

/// Stops the job as soon as it answers: it may have published everything before that.
fn stop(job: &JobDirectory, running: Running) {
    let give_up = Instant::now() + PATIENCE;
    while job.tidegate(&["stop", "job.toml"]).code != Some(0) {
        assert!(Instant::now() < give_up, "the job does not answer");
    }
    running.wait().assert_succeeds();
}

/// Returns all published lines, in order.
fn published(directory: &Path) -> String {
    let read = |part| fs::read_to_string(part).expect("a published file can be read");
    published_parts(directory).into_iter().map(read).collect()
}

fn assert_all_once(job: &JobDirectory, files: usize, seed: &str) {
    let mut lines = published_lines(&output(job));
    lines.sort();
    let mut expected: Vec<String> = (0..files).flat_map(lines_of).collect();
    expected.sort();
    assert!(
        lines == expected,
        "{seed}: {} of {} lines",
        lines.len(),
        expected.len()
    );
}

#[test]
fn files_are_read_that_appear_while_the_job_runs_and_while_it_does_not() {
    let job = job_directory(2);
    add(&job, 0);
    for (run, first) in [1, 4, 7].into_iter().enumerate() {
        let mut running = job.start(&["run", "job.toml"]);
        add(&job, first);
        add(&job, first + 1);
        wait_until_published(&job, &mut running, first + 2);
        // It does not end by itself, though there is no input.
        thread::sleep(Duration::from_millis(100));
        assert!(running.is_running(), "run {run} ended by itself");
        stop(&job, running);
        add(&job, first + 2);
    }
    assert_all_once(&job, 9, "no kills");
}

#[test]
fn without_discover_only_files_are_read_that_are_known() {
    let job = job_directory(1);
    add(&job, 0);
    let mut running = job.start(&["run", "job.toml"]);
    wait_until_published(&job, &mut running, 1);
    stop(&job, running);
    add(&job, 1);
    job.write("job.toml", self::job(1, ""));
    let refused = job.tidegate(&["run", "job.toml"]);
    refused.assert_fails(3, &["input/0001 is new (", "`on-growth = \"read\"`"]);
    fs::remove_file(job.path().join("input/0001")).expect("it is there");
    let mut without = job.start(&["run", "job.toml"]);
    let ended = without.is_running();
    let said = without.wait();
    assert!(
        said.assert_succeeds().stderr.contains("finished"),
        "{ended} {said:#?}"
    );
    assert_all_once(&job, 1, "no kills");
}

#[test]
fn files_that_were_read_before_discover_was_set_are_not_read_again() {
    let job = job_directory(1);
    job.write("job.toml", self::job(1, "").replace("5000", "50"));
    (0..3).for_each(|file| add(&job, file));
    let mut running = job.start(&["run", "job.toml"]);
    wait_until_published(&job, &mut running, 1);
    stop(&job, running);
    assert!(
        published_line_count(&output(&job)) < 3 * LINES as u64,
        "it has read everything"
    );
    add(&job, 3);
    job.write("job.toml", self::job(1, DISCOVER));
    let mut running = job.start(&["run", "job.toml"]);
    wait_until_published(&job, &mut running, 4);
    stop(&job, running);
    assert_all_once(&job, 4, "no kills");
}

#[test]
fn a_file_that_is_still_copied_at_a_fresh_start_is_read_whole() {
    let job = job_directory(1);
    job.write("job.toml", self::job(1, "discover = \"2s\""));
    let lines = lines_of(0);
    let mut file = fs::File::create(job.path().join("input/0000")).expect("can be made");
    let mut copy = |line: &String| writeln!(file, "{line}").expect("can be written");
    let (before, after) = lines.split_at(LINES / 2);
    before.iter().for_each(&mut copy);
    let mut running = job.start(&["run", "job.toml"]);
    for line in after {
        thread::sleep(Duration::from_millis(50));
        copy(line);
    }
    wait_until_published(&job, &mut running, 1);
    stop(&job, running);
    assert_all_once(&job, 1, "no kills");
}

#[test]
fn a_file_that_grows_while_it_is_read_is_named_once() {
    let job = job_directory(2);
    job.write("job.toml", self::job(2, "").replace("5000", "50"));
    add(&job, 0);
    add(&job, 1);
    let running = job.start(&["run", "job.toml"]);
    let give_up = Instant::now() + PATIENCE;
    while published_line_count(&output(&job)) == 0 {
        assert!(Instant::now() < give_up, "nothing is published");
        thread::sleep(Duration::from_millis(5));
    }
    let mut grown = fs::OpenOptions::new();
    let grown = grown.append(true).open(job.path().join("input/0001"));
    grown
        .and_then(|mut file| file.write_all(b"\nlater\n"))
        .expect("can be written");
    let said = running.wait();
    let said = &said.assert_succeeds().stderr;
    let warnings = said.matches("the source does not read the later bytes");
    assert_eq!(warnings.count(), 1, "{said}");
    assert!(said.contains("input file input/0001 had"), "{said}");
    assert_all_once(&job, 2, "no kills");
}

#[test]
fn entries_that_can_not_be_read_do_not_end_a_job_and_are_named_once() {
    let job = job_directory(2);
    add(&job, 0);
    let mut running = job.start(&["run", "job.toml"]);
    wait_until_published(&job, &mut running, 1);
    let input = job.path().join("input");
    drop(UnixListener::bind(input.join("socket")).expect("can be bound"));
    symlink("/etc/hostname", input.join("link")).expect("can be linked");
    fs::write(input.join(OsStr::from_bytes(b"name-\xff")), "x").expect("can be written");
    thread::sleep(Duration::from_millis(200));
    add(&job, 1);
    wait_until_published(&job, &mut running, 2);
    assert!(job.tidegate(&["stop", "job.toml"]).code == Some(0));
    let said = running.wait();
    let said = &said.assert_succeeds().stderr;
    for name in ["socket", "link", "name-"] {
        let warning = format!("`discover` skips input/{name}");
        assert_eq!(said.matches(&warning).count(), 1, "{name}: {said}");
    }
    assert_all_once(&job, 2, "no kills");
}

#[test]
fn the_spelling_of_the_path_repeats_nothing_and_another_root_is_refused() {
    let job = job_directory(1);
    add(&job, 0);
    let absolute = format!("{}/input/*", job.path().display());
    let refused = ["[i]nput/*", &absolute];
    for (files, path) in [(1, "input/*"), (2, "./input/*"), (3, "input/.//*")] {
        job.write("job.toml", self::job(1, DISCOVER).replace("input/*", path));
        let mut running = job.start(&["run", "job.toml"]);
        wait_until_published(&job, &mut running, files);
        stop(&job, running);
        add(&job, files);
    }
    for path in refused {
        job.write("job.toml", self::job(1, DISCOVER).replace("input/*", path));
        let changed = job.tidegate(&["run", "job.toml"]);
        changed.assert_fails(3, &["path = \"input/*\"", "--accept-changed lines"]);
        let accepted = job.tidegate(&["run", "job.toml", "--accept-changed", "lines"]);
        let expected = "the checkpoint remembers 3 file(s) that were read below";
        accepted.assert_fails(3, &[expected]);
    }
    assert_all_once(&job, 3, "no kills");
}

/// Adds files and kills the job at random moments; some files appear while no job runs.
fn survives_kills(parallelism: u32) -> JobDirectory {
    let job = job_directory(parallelism);
    let seed = TestSeed::of_run();
    let seed_text = format!("seed {seed}");
    let mut random = seed.random();
    let (mut files, mut kills) = (0, 0);
    while files < FILES {
        let running = job.start(&["run", "job.toml"]);
        for _ in 0..random.in_range(0..6) {
            if files < FILES {
                add(&job, files);
                files += 1;
            }
            thread::sleep(Duration::from_millis(random.in_range(0..40)));
        }
        let was_killed = running.kill_after(Duration::from_millis(random.in_range(0..60)));
        assert!(was_killed, "{seed_text}: the job ended by itself");
        kills += 1;
        if random.in_range(0..3) == 0 && files < FILES {
            add(&job, files);
            files += 1;
        }
    }
    assert!(kills > 5, "{seed_text}: only {kills} kills");
    let mut running = job.start(&["run", "job.toml"]);
    wait_until_published(&job, &mut running, FILES);
    stop(&job, running);
    assert_all_once(&job, FILES, &seed_text);
    job
}

#[test]
fn kills_change_no_byte_of_the_output_at_parallelism_1() {
    let undisturbed = job_directory(1);
    let mut running = undisturbed.start(&["run", "job.toml"]);
    (0..FILES).for_each(|file| add(&undisturbed, file));
    wait_until_published(&undisturbed, &mut running, FILES);
    stop(&undisturbed, running);
    let disturbed = survives_kills(1);
    assert!(published(&output(&undisturbed)) == published(&output(&disturbed)));
}

#[test]
fn kills_lose_and_repeat_nothing_at_parallelism_2() {
    survives_kills(2);
}

#[test]
fn kills_lose_and_repeat_nothing_at_parallelism_3() {
    survives_kills(3);
}
