//! The status that a running job reports: plain data, recomputed from the counters several times
//! a second.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};
use tidegate_checkpoint::NodeKind;
use tidegate_connector::sink::SinkLag;

/// The `tracing` target of events that the status shows as well: restarts, failed checkpoints,
/// failed drills. A program that reports the status leaves this target out of its log.
pub const TOLD: &str = "tidegate::told";

/// The state of a job.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum JobState {
    /// Opening connectors and instances, loading state.
    Restoring,
    /// All subtasks run.
    Running,
    /// A last checkpoint is being taken before the job ends.
    Stopping,
    /// An attempt failed; waiting to start the next.
    Restarting,
    /// All sources ended and everything is published.
    Finished,
    /// Stopped as asked.
    Stopped,
    /// Cancelled as asked.
    Cancelled,
    /// Ended by a failure.
    Failed,
}

impl JobState {
    /// All states, in the order in which a job passes through them.
    pub(crate) const ALL: [Self; 8] = [
        Self::Restoring,
        Self::Running,
        Self::Stopping,
        Self::Restarting,
        Self::Finished,
        Self::Stopped,
        Self::Cancelled,
        Self::Failed,
    ];
}

impl fmt::Display for JobState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Restoring => "restoring",
            Self::Running => "running",
            Self::Stopping => "stopping",
            Self::Restarting => "restarting",
            Self::Finished => "finished",
            Self::Stopped => "stopped",
            Self::Cancelled => "cancelled",
            Self::Failed => "failed",
        })
    }
}

/// The job at one moment.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct JobStatus {
    /// The job's name.
    pub job: String,
    /// The job's state.
    pub state: JobState,
    /// Number of the attempt in the life of the checkpoint directory, from 1.
    pub attempt: u64,
    /// Restarts by this process.
    pub restarts: u32,
    /// Further restarts by this process, only to isolate a record that an operator fails on.
    #[serde(default)]
    pub isolation_restarts: u32,
    /// Records that operators failed on, in this process.
    #[serde(default)]
    pub invalid_records: InvalidRecords,
    /// Milliseconds since the process started the job.
    pub uptime_ms: u64,
    /// The checkpoint that this attempt was restored from.
    pub restored_checkpoint: Option<u64>,
    /// The reason for the last failure of an attempt, if there was one.
    pub last_failure: Option<String>,
    /// Records returned by sources in this process, all attempts.
    pub source_records: u64,
    /// Checkpoints of this process.
    pub checkpoints: CheckpointStatus,
    /// The nodes in the order of the job file.
    pub nodes: Vec<NodeStatus>,
}

impl JobStatus {
    /// Returns the status before anything has happened.
    #[must_use]
    pub fn new(job: &str) -> Self {
        Self {
            job: job.to_owned(),
            state: JobState::Restoring,
            attempt: 0,
            restarts: 0,
            isolation_restarts: 0,
            invalid_records: InvalidRecords::default(),
            uptime_ms: 0,
            restored_checkpoint: None,
            last_failure: None,
            source_records: 0,
            checkpoints: CheckpointStatus::default(),
            nodes: Vec::new(),
        }
    }
}

/// The number of failures at a record, by their consequence.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct InvalidRecords {
    /// Attempts that failed, and counted as such.
    pub failed: u64,
    /// Dead letters that are part of a complete checkpoint.
    pub dead_letters: u64,
}

/// Counts of checkpoints since the process started.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct CheckpointStatus {
    /// The number of completed checkpoints.
    pub completed: u64,
    /// The number of failed or abandoned checkpoints.
    pub failed: u64,
    /// The checkpoint that is being taken.
    pub in_progress: Option<u64>,
    /// The newest complete checkpoint, with figures if this process took it.
    pub last_completed: Option<CompletedSummary>,
    /// The reason for the last failure of a checkpoint.
    pub last_failure: Option<String>,
    /// Restore drills beside the job.
    #[serde(default)]
    pub drills: DrillStatus,
}

/// Counts of restore drills since the process started.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DrillStatus {
    /// The number of drills that proved their checkpoint.
    pub proven: u64,
    /// The number of failed drills, whose checkpoints can't be restored.
    pub failed: u64,
    /// The number of drills that were not begun, since the drill before was not over.
    pub skipped: u64,
    /// The checkpoint that is being drilled.
    pub in_progress: Option<u64>,
    /// The newest checkpoint that was proven.
    pub last_proven: Option<u64>,
    /// The finding of the last failed drill.
    pub last_failure: Option<String>,
}

/// Figures of a complete checkpoint.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CompletedSummary {
    /// The id of the checkpoint.
    pub checkpoint: u64,
    /// Milliseconds from trigger to commit.
    pub duration_ms: f64,
    /// Milliseconds of the longest call of `snapshot` in it, which pauses processing.
    pub longest_snapshot_ms: f64,
    /// Bytes of state files.
    pub state_bytes: u64,
    /// The time of the commit, in milliseconds since the Unix epoch.
    pub completed_at_ms: u64,
}

/// Counts of one node, all its subtasks together, in this attempt.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct NodeStatus {
    /// The node's name.
    pub name: String,
    /// The kind of the node.
    pub kind: NodeKind,
    /// The number of its subtasks.
    pub parallelism: u32,
    /// Records that arrived.
    pub records_in: u64,
    /// Records that were sent, on all ports.
    pub records_out: u64,
    /// Batches in which the records arrived.
    pub batches_in: u64,
    /// Bytes that arrived.
    pub bytes_in: u64,
    /// Bytes that were sent.
    pub bytes_out: u64,
    /// Seconds of work, summed over subtasks.
    pub busy_seconds: f64,
    /// Smallest watermark of its subtasks, milliseconds since the epoch; `None` before the first.
    pub watermark: Option<i64>,
    /// Subtasks whose inputs have all ended.
    pub ended_subtasks: u32,
    /// The lag of the records that reached it; only of a sink that measures it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sink_lag: Option<SinkLag>,
    /// The instances of an operator that is a component, by subtask.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub guests: Vec<GuestStatus>,
    /// Counters of the component's own, by name, all subtasks together: up to 256 names.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub counters: BTreeMap<String, u64>,
    /// Lines of its log that were dropped, since there were too many in a second.
    #[serde(default)]
    pub dropped_log_lines: u64,
}

impl NodeStatus {
    /// Returns the status of a node that has counted nothing yet.
    #[must_use]
    pub fn new(name: &str, kind: NodeKind, parallelism: u32) -> Self {
        Self {
            name: name.to_owned(),
            kind,
            parallelism,
            records_in: 0,
            records_out: 0,
            batches_in: 0,
            bytes_in: 0,
            bytes_out: 0,
            busy_seconds: 0.0,
            watermark: None,
            ended_subtasks: 0,
            sink_lag: None,
            guests: Vec::new(),
            counters: BTreeMap::new(),
            dropped_log_lines: 0,
        }
    }
}

/// The instance of one subtask of an operator.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct GuestStatus {
    /// The subtask.
    pub subtask: u32,
    /// Bytes of its memories and tables when it was opened, or at the last barrier since.
    pub memory_bytes: u64,
    /// Bytes that its memories and tables may have.
    pub memory_limit_bytes: u64,
    /// The number of its replacements because of its memory, in this attempt.
    pub recycles: u64,
    /// Seconds that the replacements took.
    pub recycle_seconds: f64,
}
