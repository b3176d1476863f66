//! The jobs that are measured.

use clap::ValueEnum;
use serde::{Deserialize, Serialize};

/// A job file of `tests/bench/jobs`, with the loop that does the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Benchmark {
    /// Two sources, 2 keys, every update of the running sum emitted.
    ParitySum,
    /// 1,000,000 keys, every update of the running sum emitted.
    KeyedSum,
    /// 10,000,000 keys, every update of the running sum emitted.
    #[value(name = "keyed-sum-10m")]
    #[serde(rename = "keyed-sum-10m")]
    KeyedSum10M,
    /// The words of a text, every new count emitted.
    WordCount,
    /// Five stateless operators in a row.
    Pipeline,
    /// Four sources, four aggregators.
    FanIn,
}

/// The place where a job's records are counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CountedAt {
    /// Records that all sources emitted.
    Sources,
    /// Records that arrived at this operator.
    Operator(&'static str),
}

impl Benchmark {
    /// All benchmarks, in the order of the report.
    pub(crate) const ALL: [Self; 6] = [
        Self::ParitySum,
        Self::KeyedSum,
        Self::KeyedSum10M,
        Self::WordCount,
        Self::Pipeline,
        Self::FanIn,
    ];

    /// Returns the job's name, which is also its file's.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::ParitySum => "parity-sum",
            Self::KeyedSum => "keyed-sum",
            Self::KeyedSum10M => "keyed-sum-10m",
            Self::WordCount => "word-count",
            Self::Pipeline => "pipeline",
            Self::FanIn => "fan-in",
        }
    }

    pub(crate) fn counted_at(self) -> CountedAt {
        match self {
            Self::WordCount => CountedAt::Operator("count"),
            Self::ParitySum | Self::KeyedSum | Self::KeyedSum10M | Self::Pipeline | Self::FanIn => {
                CountedAt::Sources
            }
        }
    }

    /// Returns the number of distinct keys of the generated input; `None` if the input is a text.
    pub(crate) fn keys(self) -> Option<u64> {
        match self {
            Self::ParitySum => Some(2),
            Self::KeyedSum => Some(1_000_000),
            Self::KeyedSum10M => Some(10_000_000),
            Self::WordCount => None,
            Self::Pipeline | Self::FanIn => Some(1_000),
        }
    }

    /// Returns false if the job file sets the parallelism of every node itself.
    pub(crate) fn has_variable_parallelism(self) -> bool {
        match self {
            Self::ParitySum
            | Self::KeyedSum
            | Self::KeyedSum10M
            | Self::WordCount
            | Self::Pipeline => true,
            Self::FanIn => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_benchmark_has_one_name() {
        for benchmark in Benchmark::ALL {
            let value = benchmark.to_possible_value().expect("none is skipped");
            assert_eq!(value.get_name(), benchmark.name());
            let json = serde_json::to_value(benchmark).expect("a name is JSON");
            assert_eq!(json, benchmark.name());
        }
    }
}
