//! The results, as they are kept and as they are shown.

mod table;

use serde::{Deserialize, Serialize};

use crate::benchmark::Benchmark;
use crate::machine::{Machine, Versions};
use crate::statistics::Summary;

pub(crate) use table::{Style, markdown, tables};

/// Everything that one call of the tool measured.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Report {
    /// When it began, in UTC.
    pub(crate) date: String,
    pub(crate) machine: Machine,
    pub(crate) versions: Versions,
    /// How often each job was run.
    pub(crate) runs: u32,
    /// How long each run was measured.
    pub(crate) seconds: f64,
    pub(crate) jobs: Vec<JobResult>,
    pub(crate) recovery: Option<RecoveryResult>,
    pub(crate) wide: Option<WideResult>,
}

/// Times from a failure to the first record after it. Each figure is one a run.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) struct RecoveryResult {
    /// A guest with a little state trapped; the process lives on.
    pub(crate) after_trap_ms: Summary,
    /// The process was killed; from the start of the next one.
    pub(crate) after_kill_ms: Summary,
    /// Keys in the state of the one that was killed.
    pub(crate) keys_after_kill: u64,
}

/// A job with many subtasks of one operator.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) struct WideResult {
    /// Subtasks of the operator; as many of the sink are chained to them.
    pub(crate) subtasks: u32,
    /// How long it took to read a bounded input to its end.
    pub(crate) run_seconds: Summary,
    /// What an operator's subtask adds to the memory while there is almost nothing to do.
    pub(crate) idle_bytes_per_subtask: Summary,
}

/// A job at one parallelism. Each figure is one a run.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct JobResult {
    pub(crate) job: Benchmark,
    /// None if the job file says it.
    pub(crate) parallelism: Option<u32>,
    pub(crate) records_per_second: Summary,
    pub(crate) cpu_ns_per_record: Summary,
    pub(crate) peak_rss_bytes: Summary,
    /// With the components that an earlier process compiled.
    pub(crate) cold_start_ms: Summary,
    /// With components that have to be compiled.
    pub(crate) first_start_ms: Summary,
    /// None if none completed while it was measured.
    pub(crate) checkpoints: Option<CheckpointResult>,
    /// The fraction of the records a second that checkpoints cost; below 0 where the noise is
    /// larger.
    pub(crate) lost_to_checkpoints: Summary,
    /// At a tenth of the records a second above; none if the source has no rate.
    pub(crate) latency: Option<LatencyResult>,
    /// The loop that knows what an operator knows.
    pub(crate) plain_bytes: Option<PlainResult>,
    /// The loop that knows that keys and values are integers.
    pub(crate) plain_integers: Option<PlainResult>,
}

/// The checkpoints of all runs. Each figure is one a checkpoint.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) struct CheckpointResult {
    /// From trigger to commit.
    pub(crate) duration_ms: Summary,
    /// The longest pause of processing in one subtask.
    pub(crate) pause_ms: Summary,
    pub(crate) state_bytes: Summary,
    pub(crate) failed: u64,
}

/// How late records reach the sink at a low rate. Each figure is one a run.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) struct LatencyResult {
    /// What the sources gave.
    pub(crate) records_per_second: Summary,
    pub(crate) p50_ms: Summary,
    pub(crate) p99_ms: Summary,
    pub(crate) p999_ms: Summary,
    pub(crate) max_ms: Summary,
}

/// A plain loop. Each figure is one a run.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) struct PlainResult {
    pub(crate) records_per_second: Summary,
    pub(crate) cpu_ns_per_record: Summary,
    pub(crate) peak_rss_bytes: Summary,
    /// CPU time of the loop for a record over that of the job.
    pub(crate) ratio_per_core: f64,
}
