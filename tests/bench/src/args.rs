//! The command line.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::benchmark::Benchmark;
use crate::plain::Knowledge;

/// Measures the benchmark jobs with the real binary, and plain Rust loops that do the same work.
#[derive(Debug, Parser)]
#[command(version, max_term_width = 100, args_conflicts_with_subcommands = true)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Option<Command>,
    #[command(flatten)]
    pub(crate) run: RunArgs,
}

/// A command other than a measurement.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Runs one plain loop in this process and prints its figures as JSON.
    #[command(hide = true)]
    Plain(PlainArgs),
    /// Prints the ratios between reports (`--json`) of two binaries. `make bench-compare` uses it.
    Compare(CompareArgs),
    /// Rewrites the index of the kept results.
    Index,
}

/// The reports to compare.
#[derive(Debug, Args)]
pub(crate) struct CompareArgs {
    /// Reports of the older binary.
    #[arg(long, value_name = "REPORT", num_args = 1.., required = true)]
    pub(crate) base: Vec<PathBuf>,
    /// Reports of the newer binary.
    #[arg(long, value_name = "REPORT", num_args = 1.., required = true)]
    pub(crate) head: Vec<PathBuf>,
}

/// A part of the measurements.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Part {
    /// Throughput, checkpoints, latency and cold start of the jobs.
    Jobs,
    /// Time from a failure to the first record.
    Recovery,
    /// A thousand subtasks.
    Wide,
}

/// The measurements and their settings.
#[derive(Debug, Args)]
pub(crate) struct RunArgs {
    /// Measure only these parts. Repeatable.
    #[arg(long = "part", value_name = "PART", value_enum)]
    parts: Vec<Part>,
    /// Measure only these jobs. Repeatable; without `--part`, measures no other part.
    #[arg(long = "job", value_name = "NAME", value_enum)]
    jobs: Vec<Benchmark>,
    /// The parallelisms of jobs whose file does not set them.
    #[arg(long, value_name = "N", value_delimiter = ',', default_values_t = [1, 2])]
    pub(crate) parallelism: Vec<u32>,
    /// The number of runs of each measurement.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    runs: Option<u32>,
    /// The measured seconds of each run.
    #[arg(long, value_name = "S")]
    seconds: Option<f64>,
    /// One short run of each, with few keys and little text: a check that it works, not of speed.
    #[arg(long)]
    quick: bool,
    /// Print JSON in place of tables.
    #[arg(long)]
    pub(crate) json: bool,
    /// Also keep the results in `tests/bench/results`.
    #[arg(long, conflicts_with = "quick")]
    pub(crate) save: bool,
    /// The `tidegate` binary; by default, the one beside this tool.
    #[arg(long, value_name = "PATH")]
    pub(crate) binary: Option<PathBuf>,
}

impl RunArgs {
    pub(crate) fn measures(&self, part: Part) -> bool {
        match (self.parts.is_empty(), self.jobs.is_empty()) {
            (false, _) => self.parts.contains(&part),
            (true, false) => part == Part::Jobs,
            (true, true) => true,
        }
    }

    pub(crate) fn benchmarks(&self) -> Vec<Benchmark> {
        let is_asked = |job: &Benchmark| self.jobs.is_empty() || self.jobs.contains(job);
        Benchmark::ALL.into_iter().filter(is_asked).collect()
    }

    pub(crate) fn run_count(&self) -> u32 {
        self.runs.unwrap_or(if self.quick { 1 } else { 5 })
    }

    /// Returns the measured time of a run.
    pub(crate) fn seconds(&self) -> Duration {
        let seconds = self.seconds.filter(|seconds| (0.1..1e6).contains(seconds));
        Duration::from_secs_f64(seconds.unwrap_or(if self.quick { 1.2 } else { 5.0 }))
    }

    /// Returns the time of a run before the measurement.
    pub(crate) fn warm_up(&self) -> Duration {
        Duration::from_millis(if self.quick { 200 } else { 1_500 })
    }

    /// Returns the number of subtasks of the wide job.
    pub(crate) fn width(&self) -> u32 {
        if self.quick { 50 } else { 1_000 }
    }

    pub(crate) fn most_keys(&self) -> u64 {
        if self.quick { 10_000 } else { u64::MAX }
    }

    pub(crate) fn text_bytes(&self) -> u64 {
        if self.quick { 20_000_000 } else { 200_000_000 }
    }
}

/// One run of a plain loop.
#[derive(Clone, Debug, Args)]
pub(crate) struct PlainArgs {
    /// The benchmark whose work the loop does.
    #[arg(value_enum)]
    pub(crate) benchmark: Benchmark,
    /// The knowledge that the loop has beforehand.
    #[arg(value_enum)]
    pub(crate) knowledge: Knowledge,
    /// The number of distinct keys.
    #[arg(long)]
    pub(crate) keys: u64,
    /// The file of the text.
    #[arg(long)]
    pub(crate) text: Option<PathBuf>,
    /// The least milliseconds before the measurement.
    #[arg(long)]
    pub(crate) warm_up_ms: u64,
    /// The least number of records before the measurement.
    #[arg(long)]
    pub(crate) warm_records: u64,
    /// The measured milliseconds.
    #[arg(long)]
    pub(crate) measured_ms: u64,
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_command_line_is_sound() {
        Cli::command().debug_assert();
    }
}
