//! One operator in every language: the same scenarios, the same state, and each continues from the
//! savepoint of each other.

use std::fs;
use std::path::Path;

use tidegate_tests::{
    COUNTERS, JobDirectory, JobText, assert_counts, guest, published_lines, start_and_wait,
    workspace_root,
};

/// The number of records of the job, and of their keys.
const RECORDS: u64 = 30_000;
const KEYS: u64 = 300;

/// Returns a job that counts by key; a rate leaves time to stop it while it runs.
fn counting_job(component: &str, parallelism: usize, rate: &str) -> String {
    let source = format!("to = {RECORDS}\nkeys = {KEYS}\n{rate}");
    JobText::new("counting", "interval = \"50ms\"")
        .parallelism(parallelism)
        .generator("integers", &source)
        .operator("count", guest(component), &[("integers", "hash")], "")
        .files("counts", "count", "output", "tsv")
        .text()
}

/// Runs a job with this counter, stops it midway with a savepoint, and returns the savepoint's
/// path, relative to the job.
fn stopped_on_the_way(counter: &str) -> (JobDirectory, String) {
    let job = JobDirectory::new(&counting_job(counter, 2, "rate = 10_000"));
    let running = start_and_wait(&job);
    let stopped = job.tidegate(&["stop", "job.toml", "--savepoint", "savepoints"]);
    let savepoint = stopped.assert_succeeds().stdout.trim().to_owned();
    assert_eq!(running.wait().code, Some(0));
    let published = published_lines(&job.path().join("output")).len() as u64;
    assert!(
        (1..RECORDS).contains(&published),
        "{counter}: {published} records"
    );
    (job, savepoint)
}

/// Asserts that the counts of every key are 1 to n, each once.
fn assert_exact(job: &JobDirectory, what: &str) {
    let lines = published_lines(&job.path().join("output"));
    assert_counts(&lines, RECORDS, KEYS, what);
}

/// Stops the counter in one language with a savepoint, and continues in each of the five at another
/// parallelism.
fn goes_on_in_every_language(from: &str) {
    let (_, counter) = COUNTERS
        .into_iter()
        .find(|(name, _)| *name == from)
        .expect("it is there");
    let (stopped, savepoint) = stopped_on_the_way(counter);
    for (number, (to, counter)) in COUNTERS.into_iter().enumerate() {
        let job = stopped.copy();
        job.write("job.toml", counting_job(counter, 1 + number % 3, ""));
        job.tidegate(&["run", "job.toml", "--from", &savepoint])
            .assert_succeeds();
        assert_exact(&job, &format!("from {from} to {to}"));
    }
}

#[test]
fn a_count_that_rust_began_goes_on_in_every_language() {
    goes_on_in_every_language("rust");
}

#[test]
fn a_count_that_c_began_goes_on_in_every_language() {
    goes_on_in_every_language("c");
}

#[test]
fn a_count_that_go_began_goes_on_in_every_language() {
    goes_on_in_every_language("go");
}

#[test]
fn a_count_that_javascript_began_goes_on_in_every_language() {
    goes_on_in_every_language("javascript");
}

#[test]
fn a_count_that_python_began_goes_on_in_every_language() {
    goes_on_in_every_language("python");
}

/// The scenarios of the counter in Rust, with the component of another language.
#[test]
fn the_counters_of_all_languages_pass_the_same_scenarios() {
    let scenarios = workspace_root().join("examples/word-count/operators/count/tests");
    for (language, counter) in COUNTERS {
        let job = JobDirectory::new("");
        let component = guest(counter);
        let names = write_scenarios(&scenarios, &component, &job);
        assert_eq!(names.len(), 3, "the scenarios of the counter are read");
        for name in names {
            let tested = job.tidegate(&["test", &name]);
            assert_eq!(tested.code, Some(0), "{language}: {tested:#?}");
        }
    }
}

/// Writes the scenarios with another component, and returns their names.
fn write_scenarios(scenarios: &Path, component: &Path, job: &JobDirectory) -> Vec<String> {
    let files = fs::read_dir(scenarios).expect("the counter has scenarios");
    let write = |file: std::io::Result<fs::DirEntry>| {
        let file = file.expect("it can be listed");
        let text = fs::read_to_string(file.path()).expect("it can be read");
        let own = "component = \"../count.wasm\"";
        assert!(text.contains(own), "{:?} names its component", file.path());
        let other = format!("component = \"{}\"", component.display());
        let name = file.file_name().to_string_lossy().into_owned();
        job.write(&name, text.replace(own, &other));
        name
    };
    files.map(write).collect()
}
