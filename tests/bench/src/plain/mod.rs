//! The plain Rust loops: each does the work of a job, on the same bytes, in one thread, without
//! wasm, channels or checkpoints. A `black_box` discards their output.

mod columns;
mod measure;
mod pipeline;
mod sum;
mod word_count;

use std::path::Path;

use anyhow::{Context as _, Result};
use clap::ValueEnum;
use serde::{Deserialize, Serialize};

use crate::benchmark::Benchmark;

pub(crate) use measure::{PlainFigures, measure};

/// The knowledge that a loop has beforehand.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Knowledge {
    /// The knowledge of an operator: keys and values are bytes of any length.
    Bytes,
    /// The fact that every key and value has eight bytes, so that they are integers.
    Integers,
}

/// A function that does a part of the work, and returns the number of records in it.
type Step = Box<dyn FnMut() -> Result<u64>>;

/// Returns the loop for a benchmark; `None` if there is no such loop. `text` is the input of
/// [`Benchmark::WordCount`].
pub(crate) fn step(
    benchmark: Benchmark,
    knowledge: Knowledge,
    keys: u64,
    text: Option<&Path>,
) -> Result<Option<Step>> {
    let sources = match benchmark {
        Benchmark::ParitySum => 2,
        Benchmark::FanIn => 4,
        Benchmark::KeyedSum | Benchmark::KeyedSum10M | Benchmark::Pipeline => 1,
        Benchmark::WordCount => {
            let text = text.context("the word count has a text")?;
            return Ok(match knowledge {
                Knowledge::Bytes => Some(word_count::step(text)?),
                Knowledge::Integers => None,
            });
        }
    };
    let step = match (benchmark == Benchmark::Pipeline, knowledge) {
        (false, Knowledge::Bytes) => sum::of_bytes(sources, keys),
        (false, Knowledge::Integers) => sum::of_integers(sources, keys),
        (true, Knowledge::Bytes) => pipeline::of_bytes(keys),
        (true, Knowledge::Integers) => pipeline::of_integers(keys),
    };
    Ok(Some(step))
}
