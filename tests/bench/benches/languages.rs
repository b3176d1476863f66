//! The same operator, `word-count`'s counter, in every language: the size of its component, the
//! cost of compiling and opening it, and the cost of a record. Prints a table in Markdown.
//!
//! `make bench-languages`; names of languages in ARGS restrict it to these. Figures are medians;
//! they depend on the machine and its load.

#[path = "support/instances.rs"]
mod instances;

use std::io::{self, Write as _};
use std::time::{Duration, Instant};

use tidegate_operator::{Batch, CodeCache, Component, Engine, NO_TIMESTAMP};

use instances::{instance, workspace_file};

/// The languages, and the paths of their counters.
const COUNTERS: [(&str, &str); 5] = [
    ("rust", "examples/word-count/operators/count/count.wasm"),
    ("c", "guest-sdk/c/examples/count/count.wasm"),
    ("go", "guest-sdk/go/examples/count/count.wasm"),
    (
        "javascript",
        "guest-sdk/javascript/examples/count/count.wasm",
    ),
    ("python", "guest-sdk/python/examples/count/count.wasm"),
];

/// The time of processing for one figure.
const MEASURED: Duration = Duration::from_secs(2);
/// The number of repetitions for each other figure.
const REPEATS: usize = 5;
/// The number of keys in the state that is written and read back.
const KEYS: usize = 10_000;

fn main() -> io::Result<()> {
    // Cargo adds `--bench` by itself.
    let named: Vec<_> = std::env::args()
        .skip(1)
        .filter(|a| !a.starts_with('-'))
        .collect();
    let mut out = io::stdout();
    writeln!(
        out,
        "| language | component | compile | from cache | open | ns/record, batches of 1,000 \
         | of 8,192 | snapshot, {KEYS} keys | restore | memory |"
    )?;
    writeln!(out, "| --- |{}", " ---: |".repeat(9))?;
    for (language, path) in COUNTERS {
        if named.is_empty() || named.iter().any(|name| name == language) {
            writeln!(out, "{}", row(language, path))?;
        }
    }
    Ok(())
}

fn row(language: &str, path: &str) -> String {
    let bytes = workspace_file(path);
    let size = bytes.len() as f64 / 1e6;
    let (component, compile, from_cache) = load(path, &bytes);
    let open = median(|| timed(|| instance(&component, "{}")).1);
    let small = per_record(&component, 1_000);
    let large = per_record(&component, 8_192);
    let mut full = instance(&component, "{}");
    for batch in batches(0..KEYS as u64, 1_000) {
        full.process(0, batch).expect("the counter counts");
    }
    let snapshot = median(|| timed(|| full.snapshot(1).expect("it is written")).1);
    let chunks = full.snapshot(1).expect("it is written");
    let restore = median(|| {
        let mut empty = instance(&component, "{}");
        let chunks = chunks.clone();
        timed(|| empty.restore(chunks).expect("it is read")).1
    });
    let memory = full.memory_bytes() as f64 / f64::from(1 << 20);
    format!(
        "| {language} | {size:.2} MB | {compile:.1?} | {from_cache:.1?} | {open:.1?} | {small:.0} \
         | {large:.0} | {snapshot:.1?} | {restore:.1?} | {memory:.1} MiB |"
    )
}

/// Compiles a component into an empty cache, and loads it from there. Returns the times of both.
fn load(path: &str, bytes: &[u8]) -> (Component, Duration, Duration) {
    let directory = tempfile::tempdir().expect("a temporary directory can be made");
    let open = || {
        let (code, key) = (
            directory.path().join("code"),
            directory.path().join("key/key"),
        );
        CodeCache::open(&code, &key).expect("the cache opens")
    };
    let engine = Engine::new().expect("the engine starts");
    let load = || {
        let loaded = Component::load_cached(&engine, path, bytes, &open());
        loaded.unwrap_or_else(|refusal| panic!("{path}: {refusal}"))
    };
    let (component, compile) = timed(load);
    (component, compile, median(|| timed(load).1))
}

/// Returns the nanoseconds per record, the median of all batches.
fn per_record(component: &Component, rows: usize) -> f64 {
    let mut counter = instance(component, "{}");
    // Few words are frequent: the cube of an even distribution below 2^16 is mostly small.
    let frequent = |index: u64| {
        let even = index.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 48;
        (((even * even * even) >> 32) * KEYS as u64) >> 16
    };
    let batches: Vec<_> = batches((0..100 * rows as u64).map(frequent), rows).collect();
    let mut round = || -> Vec<f64> {
        let each = batches.iter().map(|batch| {
            let batch = batch.clone();
            let took = timed(|| counter.process(0, batch).expect("the counter counts")).1;
            took.as_secs_f64() * 1e9 / rows as f64
        });
        each.collect()
    };
    // The first round creates the keys.
    round();
    let started = Instant::now();
    let mut all = Vec::new();
    while started.elapsed() < MEASURED {
        all.extend(round());
    }
    all.sort_by(f64::total_cmp);
    all[all.len() / 2]
}

/// Returns records with these words as keys.
fn batches(words: impl Iterator<Item = u64>, rows: usize) -> impl Iterator<Item = Batch> {
    let mut words = words.map(word).peekable();
    std::iter::from_fn(move || {
        words.peek()?;
        let mut batch = Batch::default();
        for word in words.by_ref().take(rows) {
            batch.push(NO_TIMESTAMP, word.as_bytes(), b"");
        }
        Some(batch)
    })
}

fn timed<T>(work: impl FnOnce() -> T) -> (T, Duration) {
    let started = Instant::now();
    let made = work();
    (made, started.elapsed())
}

fn median(mut once: impl FnMut() -> Duration) -> Duration {
    let mut all: Vec<_> = (0..REPEATS).map(|_| once()).collect();
    all.sort();
    all[REPEATS / 2]
}

/// Returns the word with this number: two to four syllables.
fn word(number: u64) -> String {
    const SYLLABLES: [&str; 16] = [
        "ti", "de", "ga", "te", "wa", "ter", "lo", "mi", "ra", "ne", "so", "ku", "ba", "li", "on",
        "ve",
    ];
    let mut word = String::new();
    // At least two syllables, and different ones for each number: the first ends the number.
    let mut rest = number + 16;
    while rest > 0 {
        word.push_str(SYLLABLES[(rest % 16) as usize]);
        rest /= 16;
    }
    word
}
