//! Keys that an attacker has chosen to make hash tables slow, in the real binary; and the secret
//! seed that makes them harmless, on which no result may depend.

use std::path::Path;

use tidegate_checkpoint::CheckpointDirectory;
use tidegate_tests::{
    CHOSEN_KEYS, COUNTERS, JobDirectory, JobText, WatGuest, guest, published_line_count,
};

/// The number of keys of each kind.
const KEYS: usize = 100_000;

/// Returns a job that counts the words of a file.
fn counting_words(counter: &Path) -> String {
    let split = guest("examples/word-count/operators/split");
    let emit = "config = { emit = \"final\" }";
    JobText::new("flooded", "interval = \"200ms\"")
        .table("restart", "attempts = 1")
        .table("source.lines", "connector = \"file\"\npath = \"keys.txt\"")
        .operator("split", split, &[("lines", "")], "")
        .operator("count", counter, &[("split", "hash")], emit)
        .table(
            "sink.counts",
            "connector = \"file\"\ninputs = [{ from = \"count\" }]\ndirectory = \"output\"",
        )
        .text()
}

/// Returns the keys that are words, joined into a line.
fn words(keys: impl Iterator<Item = [u8; 8]>) -> Vec<u8> {
    let is_word = |key: &[u8; 8]| key.iter().all(|byte| !byte.is_ascii_whitespace());
    let lines = keys.filter(is_word).take(KEYS);
    lines.flat_map(|key| [&key[..], b"\n"].concat()).collect()
}

/// Counts chosen keys, and restores the last checkpoint.
fn counts_chosen_keys_in(language: &str) {
    let of_language = COUNTERS.into_iter().find(|(name, _)| *name == language);
    let (_, counter) = of_language.expect("there is a counter");
    for (kind, keys) in CHOSEN_KEYS {
        let job = JobDirectory::new(&counting_words(&guest(counter)));
        job.write("keys.txt", words(keys()));
        job.tidegate(&["run", "job.toml"]).assert_succeeds();
        // Counted without decoding: the keys are bytes.
        let counted = published_line_count(&job.path().join("output"));
        assert_eq!(counted, KEYS as u64, "{language}, {kind}");
        let drill = ["checkpoint", "verify", "--drill", "job.toml", "state"];
        let drilled = job.tidegate(&drill);
        let shown = &drilled.assert_succeeds().stdout;
        assert!(shown.contains("every subtask restores"), "{kind}: {shown}");
    }
}

#[test]
fn rust_counts_100_000_chosen_keys_and_their_checkpoint_restores() {
    counts_chosen_keys_in("rust");
}

#[test]
fn c_counts_100_000_chosen_keys_and_their_checkpoint_restores() {
    counts_chosen_keys_in("c");
}

#[test]
fn go_counts_100_000_chosen_keys_and_their_checkpoint_restores() {
    counts_chosen_keys_in("go");
}

#[test]
fn javascript_counts_100_000_chosen_keys_and_their_checkpoint_restores() {
    counts_chosen_keys_in("javascript");
}

#[test]
fn python_counts_100_000_chosen_keys_and_their_checkpoint_restores() {
    counts_chosen_keys_in("python");
}

/// Returns a guest that keeps its seed as state, and takes another one after a restore.
fn telling_its_seed() -> Vec<u8> {
    WatGuest::idle()
        .item("(global $seed (mut i64) (i64.const 0))")
        .item("(data (i32.const 2048) \"seed\")")
        .export(
            "open",
            "(global.set $seed (local.get $hash_seed)) (call $done)",
        )
        .export(
            "snapshot",
            "(i64.store (i32.const 0) (global.get $seed))
             (call $pair (i32.const 1100) (i32.const 2048) (i32.const 4))
             (i32.store (i32.const 1108) (i32.const 1))
             (i32.store (i32.const 1112) (i32.const 0))
             (call $pair (i32.const 1120) (i32.const 0) (i32.const 8))
             (call $one_chunk)",
        )
        .component()
}

fn job_with_the_seed() -> JobDirectory {
    let job = JobDirectory::new(
        r#"
version = 1
name = "seed"
[checkpoint]
directory = "state"
[source.integers]
connector = "generator"
to = 10
[operator.guest]
component = "guest.wasm"
inputs = [{ from = "integers" }]
[sink.out]
connector = "file"
inputs = [{ from = "guest" }]
directory = "output"
"#,
    );
    job.write("guest.wasm", telling_its_seed());
    job
}

#[test]
fn a_scenario_fails_if_the_state_depends_on_the_hash_seed() {
    let job = job_with_the_seed();
    job.write(
        "seed.toml",
        "version = 1\ncomponent = \"guest.wasm\"\n[[step]]\nrestart = true\n",
    );
    let tested = job.tidegate(&["test", "seed.toml"]);
    assert_eq!(tested.code, Some(7), "{tested:#?}");
    let why = "restored from a snapshot and then returned a different one";
    assert!(tested.stdout.contains(why), "{tested:#?}");
}

#[test]
fn a_drill_fails_if_the_state_depends_on_the_hash_seed() {
    let job = job_with_the_seed();
    job.tidegate(&["run", "job.toml"]).assert_succeeds();
    let drilled = job.tidegate(&["checkpoint", "verify", "--drill", "job.toml", "state"]);
    assert_ne!(drilled.code, Some(0), "{drilled:#?}");
}

/// A reader of the output does not learn what seeds are derived from.
#[test]
fn the_output_does_not_name_the_lineage_of_the_checkpoints() {
    let source = "[source.integers]\nconnector = \"generator\"\nto = 10\n";
    let sink = "[sink.out]\nconnector = \"file\"\ninputs = [{ from = \"integers\" }]\n";
    let head = "version = 1\nname = \"seed\"\n[checkpoint]\ndirectory = \"state\"\n";
    let job = JobDirectory::new(&format!("{head}{source}{sink}directory = \"output\"\n"));
    job.tidegate(&["run", "job.toml"]).assert_succeeds();
    let checkpoints = CheckpointDirectory::open(&job.path().join("state"));
    let checkpoints = checkpoints.expect("there are checkpoints");
    let newest = checkpoints.newest().expect("there is one");
    let manifest = checkpoints.load(newest).expect("it is whole");
    let lineage = manifest.lineage.to_string();
    let mut looked_at = 0;
    for file in std::fs::read_dir(job.path().join("output")).expect("there is output") {
        let file = file.expect("it is listed");
        let name = file.file_name().to_string_lossy().into_owned();
        let text =
            String::from_utf8_lossy(&std::fs::read(file.path()).expect("it is read")).into_owned();
        assert!(!name.contains(&lineage[..8]), "{name}");
        assert!(!text.contains(&lineage[..8]), "{name}: {text}");
        looked_at += 1;
    }
    assert!(looked_at > 1, "there are a marker and a part");
}
