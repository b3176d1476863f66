//! The limits, intervals and policies of a job, each with its default. The runtime waits, queues
//! and retries only by the numbers here or, where no user sets them, in `limits`.

pub(crate) mod limits;

use std::time::Duration;

/// The times of checkpoints and their retention: the job file's `[checkpoint]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CheckpointSettings {
    /// Time from the start of one checkpoint to the start of the next.
    pub interval: Duration,
    /// The time after which an incomplete checkpoint is abandoned.
    pub timeout: Duration,
    /// Least time from the end of one checkpoint to the start of the next.
    pub min_pause: Duration,
    /// The number of complete checkpoints that are kept, at least 1.
    pub retain: u32,
    /// The number of checkpoints in a row that may fail before the attempt counts as failed.
    pub tolerable_failures: u32,
    /// The number of complete checkpoints after which one is restored beside the job, to prove that
    /// it can be; `None` for no drills.
    pub drill_every: Option<u32>,
}

impl Default for CheckpointSettings {
    fn default() -> Self {
        Self {
            interval: Duration::from_secs(10),
            timeout: Duration::from_secs(600),
            min_pause: Duration::ZERO,
            retain: 3,
            tolerable_failures: 3,
            drill_every: None,
        }
    }
}

/// The reaction to a failed attempt: the job file's `[restart]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RestartSettings {
    /// The first failure ends the job.
    None,
    /// The same wait before each restart.
    FixedDelay(FixedDelay),
    /// Waits that grow.
    ExponentialBackoff(ExponentialBackoff),
}

impl Default for RestartSettings {
    fn default() -> Self {
        Self::ExponentialBackoff(ExponentialBackoff::default())
    }
}

/// The same wait before each of `attempts` restarts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FixedDelay {
    /// The wait.
    pub delay: Duration,
    /// Restarts in the life of the process.
    pub attempts: u32,
}

impl Default for FixedDelay {
    fn default() -> Self {
        Self {
            delay: Duration::from_secs(1),
            attempts: 5,
        }
    }
}

/// Waits that grow from `initial` to `max`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExponentialBackoff {
    /// The first wait.
    pub initial: Duration,
    /// The longest wait.
    pub max: Duration,
    /// The factor by which each wait is longer than the one before.
    pub backoff_multiplier: u32,
    /// Restarts in a row; when an attempt has run for `reset_after`, the count starts again.
    pub attempts: u32,
    /// See `attempts`.
    pub reset_after: Duration,
}

impl Default for ExponentialBackoff {
    fn default() -> Self {
        Self {
            initial: Duration::from_millis(100),
            max: Duration::from_secs(30),
            backoff_multiplier: 2,
            attempts: 5,
            reset_after: Duration::from_secs(600),
        }
    }
}

/// The parallelism of nodes that set none, and the number of key groups: the job file's
/// `[defaults]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParallelismSettings {
    /// Subtasks of a node that sets no parallelism of its own.
    pub parallelism: u32,
    /// Number of key groups, and so the largest parallelism of an operator.
    pub max_parallelism: u32,
}

impl Default for ParallelismSettings {
    fn default() -> Self {
        Self {
            parallelism: 1,
            max_parallelism: 128,
        }
    }
}

/// The reaction to a record that an operator can't process: the job file's `on-invalid-record` and
/// `on-trap`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum RecordPolicy {
    /// The attempt fails. When no restart is left, the job ends with a message that names the
    /// record.
    #[default]
    Fail,
    /// The record is isolated and sent to the operator's dead-letter port; the job continues with
    /// all other records.
    DeadLetter,
}

/// The policies of one operator.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RecordPolicies {
    /// For a record that the guest calls invalid.
    pub on_invalid_record: RecordPolicy,
    /// For a record in whose `process` the guest traps, reaches a limit or breaks the contract.
    pub on_trap: RecordPolicy,
}

impl RecordPolicies {
    /// Returns true if any record may go to the dead-letter port.
    #[must_use]
    pub fn has_dead_letters(&self) -> bool {
        [self.on_invalid_record, self.on_trap].contains(&RecordPolicy::DeadLetter)
    }
}

/// The memory at which an operator's instance is replaced, at a barrier, by a new instance that is
/// restored from its snapshot: the job file's `recycle-at`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RecycleAt {
    /// A percentage of the instance's limit.
    Percent(u8),
    /// No replacement.
    Never,
}

impl RecycleAt {
    /// Returns the bytes at which an instance that may occupy `limit` is replaced.
    pub(crate) fn bytes_of(self, limit: u64) -> Option<u64> {
        match self {
            Self::Percent(percent) => Some(limit / 100 * u64::from(percent)),
            Self::Never => None,
        }
    }
}

impl Default for RecycleAt {
    fn default() -> Self {
        Self::Percent(75)
    }
}

/// The bounds on the cost of isolating records: the job file's `[isolation]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IsolationSettings {
    /// The most restarts within any `period`. They do not count against `[restart]`.
    pub restarts: u32,
    /// See `restarts`.
    pub period: Duration,
    /// The most records in a row, without a processed record between them, that a subtask of an
    /// operator may fail on: a subtask that fails on more ends the job.
    pub in_a_row: u32,
}

impl Default for IsolationSettings {
    fn default() -> Self {
        Self {
            restarts: 100,
            period: Duration::from_secs(600),
            in_a_row: 1_000,
        }
    }
}

/// All settings of a job that are not its graph.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JobSettings {
    /// See [`CheckpointSettings`].
    pub checkpoint: CheckpointSettings,
    /// See [`RestartSettings`].
    pub restart: RestartSettings,
    /// See [`IsolationSettings`].
    pub isolation: IsolationSettings,
    /// The most bytes of batches that one channel may hold before its sender waits.
    pub channel_capacity: u32,
    /// Bytes that all channels of a job may hold together: with many channels, each holds less.
    pub channels_capacity: u64,
    /// The most records of a batch that small batches become while they wait in a channel; 1 leaves
    /// every batch and every watermark as it was sent.
    pub joined_records: u32,
    /// The time, after the deadlines of its guests, that the parts of an attempt that is over may
    /// take to return from their work: a write of a sink, a snapshot that is being stored. Then the
    /// job fails, since it can't continue beside them.
    pub shut_down_margin: Duration,
}

impl JobSettings {
    /// Returns the bytes that each of `channels` channels may hold.
    pub(crate) fn bytes_of_one_channel(&self, channels: usize) -> u32 {
        let share = self.channels_capacity / (channels as u64).max(1);
        let share = u32::try_from(share).unwrap_or(u32::MAX);
        share
            .max(limits::LEAST_CHANNEL_CAPACITY)
            .min(self.channel_capacity)
    }
}

impl Default for JobSettings {
    fn default() -> Self {
        Self {
            checkpoint: CheckpointSettings::default(),
            restart: RestartSettings::default(),
            isolation: IsolationSettings::default(),
            channel_capacity: 1 << 20,
            channels_capacity: 256 << 20,
            joined_records: 1024,
            shut_down_margin: Duration::from_secs(30),
        }
    }
}
