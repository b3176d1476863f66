//! How a job ends by failure, and what the one who started it can do about it.

use std::time::Duration;

use thiserror::Error;
use tidegate_operator::{FaultCause, GuestCall, GuestFault};

use crate::checkpoint::StoreError;
use crate::recovery::RecordFault;
use crate::{CheckpointId, ConnectorError, SubtaskId};

/// Why an attempt, or a whole job, failed.
#[derive(Debug, Error)]
pub enum JobError {
    /// A guest misbehaved.
    #[error(transparent)]
    Guest(#[from] Box<GuestFault>),
    /// A guest failed on a record.
    #[error(transparent)]
    Record(Box<RecordFault>),
    /// A guest with too much memory could not be replaced by a new instance at a barrier. Nothing
    /// was processed since; the job continues from its last checkpoint.
    #[error(
        "recycling at checkpoint {checkpoint}, of an instance with {} MiB of memory, failed: \
         {fault}",
        .memory >> 20
    )]
    NotRecycled {
        /// Whose snapshot the new one was to have.
        checkpoint: CheckpointId,
        /// Bytes that the old one occupied.
        memory: u64,
        /// What the new one did.
        fault: Box<GuestFault>,
    },
    /// Too often, the job had to be restarted to isolate a record.
    #[error(
        "gave up isolating records after {restarts} restart(s) within {} s: {last}",
        .period.as_secs()
    )]
    IsolationExhausted {
        /// How many restarts there were.
        restarts: u32,
        /// Within which time.
        period: Duration,
        /// The last failure.
        last: Box<JobError>,
    },
    /// A source or sink failed.
    #[error("{subtask}: {error}")]
    Connector {
        /// Which one.
        subtask: SubtaskId,
        /// What happened.
        error: ConnectorError,
    },
    /// The checkpoint store failed or is unusable.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Too many checkpoints in a row failed.
    #[error("{failures} checkpoints in a row failed, the last one ({checkpoint}): {reason}")]
    CheckpointsKeepFailing {
        /// How many.
        failures: u32,
        /// The last one.
        checkpoint: CheckpointId,
        /// Why it failed.
        reason: String,
    },
    /// The checkpoint does not fit the job. Nothing was changed.
    #[error(transparent)]
    Incompatible(#[from] IncompatibleJob),
    /// The restart strategy allows no further attempt.
    #[error("gave up after {restarts} restart(s): {last}")]
    RestartsExhausted {
        /// How many restarts there were.
        restarts: u32,
        /// The last failure.
        last: Box<JobError>,
    },
    /// A chain has taken no control message for hundreds of them.
    #[error("{chain} does not answer: a guest or sink call in it has not returned")]
    Unresponsive {
        /// Its subtasks.
        chain: String,
    },
    /// The system has no room for another thread.
    #[error("could not start a thread for {chain}")]
    NoThread {
        /// Its subtasks.
        chain: String,
        /// What the system said.
        source: std::io::Error,
    },
    /// A bug of ours: a chain's thread ended in a panic.
    #[error("{chain} panicked, which is a bug in tidegate: {message}")]
    Panicked {
        /// Its subtasks.
        chain: String,
        /// The panic's message.
        message: String,
    },
}

/// Why a checkpoint can't be used for a job.
#[derive(Debug, Error, PartialEq, Eq)]
#[error(
    "checkpoint {checkpoint} of job `{job}` does not fit this job:\n    {}",
    .differences.join("\n    ")
)]
pub struct IncompatibleJob {
    /// The checkpoint.
    pub checkpoint: CheckpointId,
    /// The job that it belongs to.
    pub job: String,
    /// One line a difference, each with what to do about it.
    pub differences: Vec<String>,
}

/// What kind of failure it was, for exit codes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JobErrorKind {
    /// The job ran and failed.
    Failed,
    /// The job as described can't run.
    JobRefused,
    /// The state can't be used.
    StateUnusable,
    /// The checkpoint directory is in use.
    InUse,
}

impl JobError {
    /// The fault of a guest behind it, if there is one.
    #[must_use]
    pub fn guest_fault(&self) -> Option<&GuestFault> {
        match self {
            Self::Guest(fault) | Self::NotRecycled { fault, .. } => Some(fault),
            Self::Record(record) => Some(&record.fault),
            Self::RestartsExhausted { last, .. } | Self::IsolationExhausted { last, .. } => {
                last.guest_fault()
            }
            Self::Connector { .. }
            | Self::Store(_)
            | Self::CheckpointsKeepFailing { .. }
            | Self::Incompatible(_)
            | Self::Unresponsive { .. }
            | Self::NoThread { .. }
            | Self::Panicked { .. } => None,
        }
    }

    /// See [`JobErrorKind`].
    #[must_use]
    pub fn kind(&self) -> JobErrorKind {
        match self {
            Self::Guest(fault) if matches!(fault.cause, FaultCause::IncompatibleState { .. }) => {
                JobErrorKind::StateUnusable
            }
            Self::Guest(_)
            | Self::Record(_)
            | Self::NotRecycled { .. }
            | Self::CheckpointsKeepFailing { .. }
            | Self::Unresponsive { .. }
            | Self::NoThread { .. }
            | Self::Panicked { .. } => JobErrorKind::Failed,
            Self::Connector { error, .. } => match error {
                ConnectorError::Io { .. } | ConnectorError::Record { .. } => JobErrorKind::Failed,
                ConnectorError::StateRefused { .. } => JobErrorKind::StateUnusable,
                ConnectorError::JobRefused { .. } => JobErrorKind::JobRefused,
            },
            Self::Store(error) => match error {
                StoreError::InUse { .. } => JobErrorKind::InUse,
                StoreError::Corrupt { .. }
                | StoreError::NewerFormat { .. }
                | StoreError::NothingValid { .. }
                | StoreError::NotACheckpoint { .. } => JobErrorKind::StateUnusable,
                StoreError::Io { .. }
                | StoreError::Refused { .. }
                | StoreError::CommitUncertain { .. }
                | StoreError::Poisoned { .. } => JobErrorKind::Failed,
            },
            Self::Incompatible(_) => JobErrorKind::StateUnusable,
            Self::RestartsExhausted { last, .. } | Self::IsolationExhausted { last, .. } => {
                last.kind()
            }
        }
    }

    /// True if another attempt may succeed. `open` sees the same configuration each time, so what
    /// fails in it, but for want of time, fails again.
    #[must_use]
    pub fn may_restart(&self) -> bool {
        match self {
            Self::Guest(fault)
                if matches!(fault.call, GuestCall::Instantiate | GuestCall::Open) =>
            {
                matches!(fault.cause, FaultCause::Timeout { .. })
            }
            Self::RestartsExhausted { .. } | Self::IsolationExhausted { .. } => false,
            Self::Guest(_)
            | Self::Record(_)
            | Self::NotRecycled { .. }
            | Self::Connector { .. }
            | Self::Store(_)
            | Self::CheckpointsKeepFailing { .. }
            | Self::Incompatible(_)
            | Self::Unresponsive { .. }
            | Self::NoThread { .. }
            | Self::Panicked { .. } => self.kind() == JobErrorKind::Failed,
        }
    }
}

/// An error with everything behind it on one line, outermost first.
pub(crate) fn with_causes(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(error.source(), |error| error.source());
    causes.fold(error.to_string(), |line, cause| format!("{line}: {cause}"))
}
