//! B3, B4, B5: the real binary finds a changed, shortened, exchanged or missing file of a
//! checkpoint, exits with code 3 and names the file.
//!
//! Each case of a manifest (every bit, every length) runs through the real binary's
//! `checkpoint inspect`, which reads as a start does; one bit of every byte runs through `run` too.
//! State files are larger: 10,000 random bits and every length go through `CheckpointDirectory`,
//! which both commands call, and a random part of them through `inspect` and `run`. Exchanged
//! files: all pairs.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use tidegate_checkpoint::{CheckpointDirectory, StoreError};
use tidegate_random::TestSeed;
use tidegate_tests::{Counting, JobDirectory};

/// The number of bits of state that are flipped, one at a time.
const STATE_BITS: u64 = 10_000;
/// The real binary gets one in this many of the cases that run in the process.
const SAMPLED: usize = 50;
/// The number of cases that run at once.
const THREADS: usize = 2;

fn counting() -> Counting {
    Counting {
        keys: 60,
        ..Counting::default()
    }
}

/// Returns a finished job, and the number of its newest checkpoint.
fn finished() -> (JobDirectory, u64) {
    let job = counting().directory();
    job.tidegate(&["run", "job.toml"]).assert_succeeds();
    let newest = newest(job.path());
    (job, newest)
}

fn newest(job: &Path) -> u64 {
    let directory = CheckpointDirectory::open(&job.join("state")).expect("it is one");
    directory.newest().expect("there is a checkpoint").0
}

/// Returns the state files of a checkpoint, relative to the job.
fn state_files(job: &Path, checkpoint: u64) -> Vec<String> {
    let entries = std::fs::read_dir(job.join("state/state")).expect("it can be read");
    let names = entries.map(|entry| entry.expect("it can be read").file_name());
    let names = names.map(|name| name.to_string_lossy().into_owned());
    let of_checkpoint = names.filter(|name| name.starts_with(&format!("{checkpoint}-")));
    let mut files: Vec<_> = of_checkpoint
        .map(|name| format!("state/state/{name}"))
        .collect();
    files.sort();
    files
}

#[track_caller]
fn assert_found(job: &JobDirectory, arguments: &[&str], file: &str, context: &str) {
    let finished = job.tidegate(arguments);
    let said = &finished.stderr;
    assert!(
        finished.code == Some(3) && said.contains(file) && !said.contains("panicked"),
        "{context}: {file} is not named with exit code 3 by {arguments:?}: {finished:#?}"
    );
}

/// Asserts that `inspect` rejects each of these contents of `file` of the newest checkpoint.
fn assert_all_found(file: &str, (job, newest): &(JobDirectory, u64), damaged: &[Vec<u8>]) {
    let manifest = format!("state/checkpoints/{newest}");
    let next = AtomicUsize::new(0);
    let work = || {
        let job = job.copy();
        loop {
            let index = next.fetch_add(1, Ordering::Relaxed);
            let Some(contents) = damaged.get(index) else {
                return;
            };
            job.write(file, contents);
            let inspect = ["checkpoint", "inspect", &manifest];
            assert_found(&job, &inspect, file, &format!("case {index}"));
        }
    };
    thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(work);
        }
    });
}

fn flipped(whole: &[u8], bit: usize) -> Vec<u8> {
    let mut bytes = whole.to_vec();
    bytes[bit / 8] ^= 1 << (bit % 8);
    bytes
}

fn read(job: &JobDirectory, file: &str) -> Vec<u8> {
    std::fs::read(job.path().join(file)).expect("the file can be read")
}

#[test]
fn every_flipped_bit_of_a_manifest_is_found() {
    let finished = finished();
    let manifest = format!("state/checkpoints/{}", finished.1);
    let whole = read(&finished.0, &manifest);
    let damaged: Vec<_> = (0..whole.len() * 8)
        .map(|bit| flipped(&whole, bit))
        .collect();
    assert!(damaged.len() > 2_000, "{} bits", damaged.len());
    assert_all_found(&manifest, &finished, &damaged);
}

#[test]
fn a_flipped_bit_in_any_byte_of_a_manifest_stops_a_start() {
    let (job, newest) = finished();
    let manifest = format!("state/checkpoints/{newest}");
    let whole = read(&job, &manifest);
    let seed = TestSeed::of_run();
    let mut random = seed.random();
    let output = job.listing();
    for byte in 0..whole.len() {
        let bit = usize::try_from(random.in_range(0..8)).expect("a bit of a byte");
        job.write(&manifest, flipped(&whole, byte * 8 + bit));
        let context = format!("seed {seed}: byte {byte}");
        assert_found(&job, &["run", "job.toml"], &manifest, &context);
    }
    job.write(&manifest, &whole);
    let said = job.tidegate(&["run", "job.toml"]);
    assert!(said.assert_succeeds().stderr.contains("finished"));
    let names = |listing: &str| listing.replace(char::is_numeric, "");
    assert_eq!(
        names(&output),
        names(&job.listing()),
        "something was written"
    );
}

#[test]
fn every_truncation_of_a_manifest_and_bytes_behind_it_are_found() {
    let finished = finished();
    let manifest = format!("state/checkpoints/{}", finished.1);
    let whole = read(&finished.0, &manifest);
    let shorter = (0..whole.len()).map(|length| whole[..length].to_vec());
    let longer = [&[0_u8][..], b"\n", &whole].map(|more| [&whole, more].concat());
    let damaged: Vec<_> = shorter.chain(longer).collect();
    assert_all_found(&manifest, &finished, &damaged);
}

#[test]
fn ten_thousand_flipped_bits_of_state_are_found() {
    let finished = finished();
    let (job, newest) = &finished;
    let file = &state_files(job.path(), *newest)[0];
    let whole = read(job, file);
    let seed = TestSeed::of_run();
    let mut random = seed.random();
    let bits = whole.len() as u64 * 8;
    let bits = (0..STATE_BITS).map(|_| random.in_range(0..bits));
    let bits: Vec<usize> = bits
        .map(|bit| usize::try_from(bit).expect("small"))
        .collect();
    let damaged: Vec<_> = bits.iter().map(|bit| flipped(&whole, *bit)).collect();
    assert_found_in_process(job, *newest, file, &damaged, &format!("seed {seed}"));
    let sampled = damaged.into_iter().step_by(SAMPLED);
    assert_all_found(file, &finished, &sampled.collect::<Vec<_>>());
}

#[test]
fn every_truncation_of_state_and_bytes_behind_it_are_found() {
    let finished = finished();
    let (job, newest) = &finished;
    let file = &state_files(job.path(), *newest)[0];
    let whole = read(job, file);
    let shorter = (0..whole.len()).map(|length| whole[..length].to_vec());
    let longer = [&[0_u8][..], b"\n", &whole].map(|more| [&whole, more].concat());
    let damaged: Vec<_> = shorter.chain(longer).collect();
    assert!(damaged.len() > 1_000, "{} lengths", damaged.len());
    assert_found_in_process(job, *newest, file, &damaged, "lengths");
    let sampled = damaged.into_iter().rev().step_by(SAMPLED);
    assert_all_found(file, &finished, &sampled.collect::<Vec<_>>());
}

/// Asserts the same as [`assert_all_found`], by the code that the binary calls.
fn assert_found_in_process(
    job: &JobDirectory,
    newest: u64,
    file: &str,
    damaged: &[Vec<u8>],
    context: &str,
) {
    let job = job.copy();
    let path = job.path().join(file);
    let directory = CheckpointDirectory::open(&job.path().join("state")).expect("it is one");
    let newest = tidegate_connector::CheckpointId(newest);
    directory.load(newest).expect("it is whole");
    for (index, contents) in damaged.iter().enumerate() {
        job.write(file, contents);
        match directory.load(newest) {
            Err(StoreError::Corrupt { file, .. }) => assert_eq!(file, path),
            other => panic!("{context}: case {index} is not found: {other:?}"),
        }
    }
}

#[test]
fn an_empty_or_removed_file_stops_a_start() {
    let (job, newest) = finished();
    let mut files = state_files(job.path(), newest);
    files.push(format!("state/checkpoints/{newest}"));
    for file in &files {
        let whole = read(&job, file);
        job.write(file, "");
        assert_found(&job, &["run", "job.toml"], file, "empty");
        std::fs::remove_file(job.path().join(file)).expect("it can be removed");
        assert_found(&job, &["run", "job.toml"], file, "removed");
        assert_found(&job, &["checkpoint", "list", "state"], file, "removed");
        job.write(file, whole);
    }
    job.tidegate(&["run", "job.toml"]).assert_succeeds();
}

/// Returns a finished job of six subtasks with state.
fn six_subtasks() -> JobDirectory {
    let text = counting().text();
    let job = JobDirectory::new(&text.replace("[source", "[defaults]\nparallelism = 6\n[source"));
    job.tidegate(&["run", "job.toml"]).assert_succeeds();
    job
}

#[test]
fn a_file_in_the_place_of_any_other_is_found() {
    let (job, other) = (six_subtasks(), six_subtasks());
    let newest = newest(job.path());
    let manifest = format!("state/checkpoints/{newest}");
    let mut places = state_files(job.path(), newest);
    assert_eq!(places.len(), 6, "{places:?}");
    places.push(manifest.clone());
    let sources: Vec<PathBuf> = [&job, &other]
        .iter()
        .flat_map(|job| all_files(job.path()))
        .collect();
    let mut cases = 0;
    for place in &places {
        let whole = read(&job, place);
        for source in &sources {
            let contents = std::fs::read(source).expect("it can be read");
            if contents == whole || *source == job.path().join(place) {
                continue;
            }
            job.write(place, contents);
            let context = format!("{} in place of {place}", source.display());
            let inspect = ["checkpoint", "inspect", &manifest];
            if place == &manifest && source.starts_with(other.path()) {
                // A whole manifest of another life of the job: the state is not the manifest's.
                assert_found(&job, &inspect, "state/", &context);
            } else {
                assert_found(&job, &inspect, place, &context);
            }
            if cases % 10 == 0 {
                assert_found(&job, &["run", "job.toml"], "state/", &context);
            }
            cases += 1;
        }
        job.write(place, whole);
    }
    assert!(cases > 150, "only {cases} pairs");
    job.tidegate(&["run", "job.toml"]).assert_succeeds();
}

fn all_files(job: &Path) -> Vec<PathBuf> {
    let directories = ["state/state", "state/checkpoints"];
    let entries = directories.iter().flat_map(|directory| {
        let entries = std::fs::read_dir(job.join(directory)).expect("it can be read");
        entries.map(|entry| entry.expect("it can be read").path())
    });
    entries.collect()
}
