//! Instructions per record, counted by callgrind: the same in every run, however busy the machine
//! is.
//!
//! Run without arguments, it runs itself under valgrind once for each case. Callgrind counts only
//! instructions in [`counted`]. Compiled guests run under valgrind as well.

mod support;

use std::hint::black_box;
use std::io::Write as _;
use std::path::Path;
use std::process::Command;

use tidegate_connector::source::{SourceConnector, SourceOutput};
use tidegate_connector::{CheckpointId, ConnectContext, SourceOptions as _, SubtaskId};
use tidegate_connectors::GeneratorOptions;
use tidegate_key_groups::key_group;
use tidegate_operator::{Batch, Column, NO_TIMESTAMP};
use tidegate_runtime::ChannelIndex;
use tidegate_runtime::protocol::{Aligner, Alignment};

use support::{SUM, SUM_CONFIG, batch, component, instance};

/// The operators of `word-count`.
const SPLIT: &str = "examples/word-count/operators/split/split.wasm";
const COUNT: &str = "examples/word-count/operators/count/count.wasm";
/// The stateless operator of `pipeline`.
const STAGE: &str = "tests/guests/stage/stage.wasm";
const RECORDS: u64 = 1_024;
const KEYS: u64 = 1_000;
const SNAPSHOT_KEYS: u64 = 100_000;
/// Uncounted rounds: they fill caches and let the guest's tables grow.
const WARM_UP_ROUNDS: usize = 20;
const ROUNDS: usize = 50;

/// The number of records in a round, and the counted round.
type Prepared = (u64, Box<dyn FnMut()>);

/// A function that prepares a case and its input.
type Prepare = fn() -> Prepared;

const CASES: [(&str, Prepare); 10] = [
    ("generator, a batch of 4,096", generator),
    ("key group of an 8-byte key", key_groups),
    ("columns checked", columns),
    ("aligner, a barrier of 64", aligner),
    ("guest call without records", empty_call),
    ("guest `stage`, 1,024 records", || guest(STAGE, "{}")),
    ("guest `sum`, 1,024 records", || guest(SUM, SUM_CONFIG)),
    ("guest `sum`, snapshot, by key", snapshot),
    ("guest `split`, 1,024 words", split),
    ("guest `count`, 1,024 words", count),
];

fn main() {
    let case = std::env::var("TIDEGATE_BENCH_CASE").ok();
    match case.and_then(|case| case.parse::<usize>().ok()) {
        Some(case) => run(CASES[case].1),
        None => count_all(),
    }
}

fn run(case: Prepare) {
    let (_, mut round) = case();
    (0..WARM_UP_ROUNDS).for_each(|_| round());
    (0..ROUNDS).for_each(|_| counted(&mut *round));
}

/// Runs a round. Callgrind counts the instructions of this function, and of all that it calls.
#[inline(never)]
fn counted(round: &mut dyn FnMut()) {
    round();
    black_box(());
}

fn count_all() {
    let mut out = std::io::stdout();
    for (index, (name, case)) in CASES.iter().enumerate() {
        let line = match instructions(index) {
            Ok(all) => {
                let records = case().0 * ROUNDS as u64;
                format!("{:10.1} instructions a record", all as f64 / records as f64)
            }
            Err(reason) => format!("not counted: {reason}"),
        };
        writeln!(out, "{name:32} {line}").expect("standard output is open");
    }
}

fn instructions(case: usize) -> Result<u64, String> {
    let itself = std::env::current_exe().map_err(|error| error.to_string())?;
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
        .arg("--toggle-collect=*instructions::counted*")
        .arg(itself)
        .env("TIDEGATE_BENCH_CASE", case.to_string())
        .output()
        .map_err(|error| format!("valgrind can't be started: {error}"))?;
    let said = String::from_utf8_lossy(&output.stderr);
    let collected = said
        .lines()
        .find_map(|line| line.split_once("Collected : ")?.1.parse().ok());
    collected
        .filter(|_| output.status.success())
        .ok_or_else(|| {
            let last = said.lines().last().unwrap_or_default();
            format!("{}: {last}", output.status)
        })
}

fn generator() -> Prepared {
    let options = serde_json::json!({ "keys": KEYS, "encoding": "le64" });
    let options: GeneratorOptions = serde_json::from_value(options).expect("it has these");
    let connector = options.connect(&ConnectContext::new(Path::new("/")));
    let connector = connector.expect("they make sense");
    let splits = connector
        .enumerator()
        .plan(1)
        .expect("it can be planned")
        .remove(0);
    let subtask = SubtaskId {
        operator: "generator".to_owned(),
        index: 0,
    };
    let mut source = SourceConnector::open(&*connector, &subtask, splits).expect("it opens");
    let runtime = tokio::runtime::Builder::new_current_thread().build();
    let runtime = runtime.expect("a runtime can be built");
    let round = move || match runtime.block_on(source.poll()) {
        Ok(SourceOutput::Batch(batch)) => drop(black_box(batch)),
        Ok(
            SourceOutput::Invalid(_)
            | SourceOutput::Watermark(_)
            | SourceOutput::Idle
            | SourceOutput::Ended,
        )
        | Err(_) => {
            panic!("the generator has no end and no timestamps")
        }
    };
    (4_096, Box::new(round))
}

fn key_groups() -> Prepared {
    let input = batch(0..RECORDS, KEYS);
    let round = move || {
        for key in input.keys().rows() {
            black_box(key_group(black_box(key), 128));
        }
    };
    (RECORDS, Box::new(round))
}

/// Checks a column, as the host checks every column that a guest returns.
fn columns() -> Prepared {
    let (_, keys, _) = batch(0..RECORDS, KEYS).into_columns();
    let mut parts = keys.into_parts();
    let round = move || {
        let (offsets, data) = std::mem::take(&mut parts);
        let column = Column::from_parts(offsets, data).expect("the column is well-formed");
        parts = black_box(column).into_parts();
    };
    (RECORDS, Box::new(round))
}

fn aligner() -> Prepared {
    let mut aligner = Aligner::new(64);
    let mut checkpoint = 0;
    let round = move || {
        checkpoint += 1;
        for channel in 0..64 {
            let channel = ChannelIndex(black_box(channel));
            match aligner.on_barrier(channel, CheckpointId(checkpoint)) {
                Alignment::Park(_) => {}
                Alignment::Complete(complete) => drop(black_box(complete)),
            }
        }
    };
    (64, Box::new(round))
}

/// Calls a guest without records. The count is per call, not per record.
fn empty_call() -> Prepared {
    let mut instance = instance(&component(STAGE), "{}");
    let round = move || {
        let output = instance.process(0, Batch::default());
        drop(black_box(output.expect("the guest is well")));
    };
    (1, Box::new(round))
}

fn guest(path: &str, config: &str) -> Prepared {
    guest_given(path, config, batch(0..RECORDS, KEYS))
}

/// Splits lines of eight words.
fn split() -> Prepared {
    let words: Vec<_> = (0..RECORDS).map(word).collect();
    let mut lines = Batch::default();
    for line in words.chunks(8) {
        lines.push(NO_TIMESTAMP, b"", line.join(" ").as_bytes());
    }
    guest_given(SPLIT, "{}", lines)
}

fn count() -> Prepared {
    let mut words = Batch::default();
    for number in 0..RECORDS {
        words.push(NO_TIMESTAMP, word(number).as_bytes(), b"");
    }
    guest_given(COUNT, r#"{"emit":"updates"}"#, words)
}

/// Returns one of [`KEYS`] words of two to nine letters.
fn word(number: u64) -> String {
    let length = 2 + (number % 8) as usize;
    format!("{:a<length$}", number % KEYS)
}

/// Calls a guest with this input. The count includes the clone of the batch.
fn guest_given(path: &str, config: &str, input: Batch) -> Prepared {
    let mut instance = instance(&component(path), config);
    let round = move || {
        let output = instance.process(0, input.clone());
        drop(black_box(output.expect("the guest is well")));
    };
    (RECORDS, Box::new(round))
}

/// Takes a snapshot. The count is per key, and includes the copy and the check of the chunks.
fn snapshot() -> Prepared {
    let mut instance = instance(&component(SUM), SUM_CONFIG);
    let first_keys = (0..SNAPSHOT_KEYS).step_by(1_000);
    for input in first_keys.map(|first| batch(first..first + 1_000, SNAPSHOT_KEYS)) {
        drop(instance.process(0, input).expect("the guest is well"));
    }
    let mut checkpoint = 0;
    let round = move || {
        checkpoint += 1;
        let chunks = instance.snapshot(checkpoint);
        drop(black_box(chunks.expect("the guest is well")));
    };
    (SNAPSHOT_KEYS, Box::new(round))
}
