//! The plain Rust loops: each does what a job does, on the same bytes, in one thread, without wasm,
//! channels or checkpoints. What they write is thrown away behind a `black_box`.

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

/// How much a loop knows beforehand.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Knowledge {
    /// What an operator knows: keys and values are bytes of any length.
    Bytes,
    /// That every key and value has eight bytes, so that they are integers.
    Integers,
}

/// Does a part of the work; the number of records in it.
type Step = Box<dyn FnMut() -> Result<u64>>;

/// The loop for a benchmark; none if there is no such loop. `text` is the input of
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
