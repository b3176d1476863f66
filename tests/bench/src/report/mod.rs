//! The results, as they are kept and shown.

mod table;

use serde::{Deserialize, Serialize};

use crate::benchmark::Benchmark;
use crate::machine::{Machine, Versions};
use crate::statistics::Summary;

pub(crate) use table::{Style, markdown, tables};

/// All results of one call of the tool.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Report {
    /// The time when it began, in UTC.
    pub(crate) date: String,
    pub(crate) machine: Machine,
    pub(crate) versions: Versions,
    /// The number of runs of each job.
    pub(crate) runs: u32,
    /// The measured time of each run.
    pub(crate) seconds: f64,
    pub(crate) jobs: Vec<JobResult>,
    pub(crate) recovery: Option<RecoveryResult>,
    pub(crate) wide: Option<WideResult>,
}

/// Times from a failure to the first record after it. Each sample is a run.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) struct RecoveryResult {
    /// A guest with little state trapped; the process continues.
    pub(crate) after_trap_ms: Summary,
    /// The process was killed; the time counts from the start of the next process.
    pub(crate) after_kill_ms: Summary,
    /// The number of keys in the killed job's state.
    pub(crate) keys_after_kill: u64,
}

/// A job with many subtasks of one operator.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) struct WideResult {
    /// The number of subtasks of the operator; as many subtasks of the sink are chained to them.
    pub(crate) subtasks: u32,
    /// The time to read a bounded input to its end.
    pub(crate) run_seconds: Summary,
    /// The memory that an operator's subtask adds while there is almost no work.
    pub(crate) idle_bytes_per_subtask: Summary,
}

/// A job at one parallelism. Each sample is a run.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct JobResult {
    pub(crate) job: Benchmark,
    /// `None` if the job file sets it.
    pub(crate) parallelism: Option<u32>,
    pub(crate) records_per_second: Summary,
    pub(crate) cpu_ns_per_record: Summary,
    pub(crate) peak_rss_bytes: Summary,
    /// The start with components that an earlier process compiled.
    pub(crate) cold_start_ms: Summary,
    /// The start with components that have to be compiled.
    pub(crate) first_start_ms: Summary,
    /// `None` if no checkpoint completed during the measurement.
    pub(crate) checkpoints: Option<CheckpointResult>,
    /// The fraction of the records per second that checkpoints cost; below 0 where the noise is
    /// larger.
    pub(crate) lost_to_checkpoints: Summary,
    /// The latency at a tenth of the records per second above; `None` if the source has no rate.
    pub(crate) latency: Option<LatencyResult>,
    /// The loop with the knowledge of an operator.
    pub(crate) plain_bytes: Option<PlainResult>,
    /// The loop that knows that keys and values are integers.
    pub(crate) plain_integers: Option<PlainResult>,
}

/// The checkpoints of all runs. Each sample is a checkpoint.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) struct CheckpointResult {
    /// The time from trigger to commit.
    pub(crate) duration_ms: Summary,
    /// The longest pause of processing in one subtask.
    pub(crate) pause_ms: Summary,
    pub(crate) state_bytes: Summary,
    pub(crate) failed: u64,
}

/// The latency at the sink at a low rate. Each sample is a run.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) struct LatencyResult {
    /// The rate of the sources.
    pub(crate) records_per_second: Summary,
    pub(crate) p50_ms: Summary,
    pub(crate) p99_ms: Summary,
    pub(crate) p999_ms: Summary,
    pub(crate) max_ms: Summary,
}

/// A plain loop. Each sample is a run.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(crate) struct PlainResult {
    pub(crate) records_per_second: Summary,
    pub(crate) cpu_ns_per_record: Summary,
    pub(crate) peak_rss_bytes: Summary,
    /// The loop's CPU time for a record over the job's.
    pub(crate) ratio_per_core: f64,
}
