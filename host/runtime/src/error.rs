//! How a job ends by failure, and what the one who started it can do about it.

use std::time::Duration;

use thiserror::Error;
use tidegate_checkpoint::{GraphError, StoreError};
use tidegate_operator::{FaultCause, GuestCall, GuestFault, with_causes};

use crate::isolation::RecordFault;
use crate::recovery::{IncompatibleJob, UnknownOperator};
use crate::room::NoRoom;
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
    /// An operator's instances are full again after one batch, however often they are replaced.
    #[error(
        "operator `{}`, subtask {}: {replacements} replacements of its instance in a row were \
         above `recycle-at` after their first batch, the last one with {} MiB: it is of no use to \
         replace it again; raise `memory` in the `limits` of [operator.{0}], or set \
         `recycle-at = \"never\"` there if it needs so much and no more",
        .subtask.operator, .subtask.index, .memory >> 20
    )]
    RecycledInVain {
        /// Whose.
        subtask: SubtaskId,
        /// How many.
        replacements: u32,
        /// Bytes that the last one occupied.
        memory: u64,
    },
    /// Too often, the job had to be restarted to isolate a record.
    #[error(
        "gave up isolating records after {restarts} restart(s) within {} s: {}",
        .period.as_secs(),
        with_causes(.last.as_ref())
    )]
    IsolationExhausted {
        /// How many restarts there were.
        restarts: u32,
        /// Within which time.
        period: Duration,
        /// The last failure.
        last: Box<JobError>,
    },
    /// An operator fails on everything.
    #[error("gave up isolating records after {in_a_row} dead letters in a row: {last}")]
    OnlyDeadLetters {
        /// How many records it failed on, with none between them that it processed.
        in_a_row: u32,
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
    /// Several sinks failed to publish one checkpoint. What the others published stays.
    #[error("{} sinks could not publish: {}", .failures.len(), listed(.failures))]
    Publication {
        /// The failure of each, in the order of their names; two or more.
        failures: Vec<JobError>,
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
    /// The user allows that state is dropped of an operator that nobody knows. Nothing was changed.
    #[error(transparent)]
    UnknownOperator(#[from] UnknownOperator),
    /// The restart strategy allows no further attempt.
    #[error("gave up after {restarts} restart(s): {}", with_causes(.last.as_ref()))]
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
    /// The graph is larger than a job may be. Nothing was started.
    #[error(transparent)]
    TooLarge(#[from] GraphError),
    /// The system's limits leave no room for the job. Nothing was started.
    #[error(transparent)]
    NoRoom(#[from] NoRoom),
    /// The attempt is over and a part of it is still inside a call: of a guest whose deadline does
    /// not hold, of a connector or of the checkpoint store. The job can't go on in this process.
    #[error(
        "{what} did not return within {} s after the attempt was over{}; this process ends without \
         it; run the job again to go on from its last checkpoint",
        .within.as_secs(), after(.failure.as_deref())
    )]
    NotReturned {
        /// Which part: the subtasks of a chain, or what is done for them.
        what: String,
        /// The bound.
        within: Duration,
        /// Why the attempt was over, if it failed.
        failure: Option<Box<JobError>>,
    },
    /// The system has no room for another thread or task.
    #[error("could not start a thread for {chain}")]
    NoThread {
        /// Its subtasks, or whatever else needed it.
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
    /// A bug of ours: a thread or task of the attempt ended and did not report why.
    #[error("{task} ended before its time, which is a bug in tidegate: {reason}")]
    Died {
        /// The thread or task.
        task: String,
        /// How it ended.
        reason: String,
    },
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
    /// The checkpoint directory or an output directory is in use.
    InUse,
}

impl JobError {
    /// The fault of a guest behind it, if there is one.
    #[must_use]
    pub fn guest_fault(&self) -> Option<&GuestFault> {
        match self {
            Self::Guest(fault) | Self::NotRecycled { fault, .. } => Some(fault),
            Self::Record(record) => Some(&record.fault),
            Self::RestartsExhausted { last, .. }
            | Self::IsolationExhausted { last, .. }
            | Self::OnlyDeadLetters { last, .. } => last.guest_fault(),
            Self::NotReturned { failure, .. } => failure.as_ref()?.guest_fault(),
            Self::RecycledInVain { .. }
            | Self::Connector { .. }
            | Self::Publication { .. }
            | Self::Store(_)
            | Self::CheckpointsKeepFailing { .. }
            | Self::Incompatible(_)
            | Self::UnknownOperator(_)
            | Self::Unresponsive { .. }
            | Self::TooLarge(_)
            | Self::NoRoom(_)
            | Self::NoThread { .. }
            | Self::Panicked { .. }
            | Self::Died { .. } => None,
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
            | Self::RecycledInVain { .. }
            | Self::CheckpointsKeepFailing { .. }
            | Self::Unresponsive { .. }
            | Self::NotReturned { .. }
            | Self::NoThread { .. }
            | Self::Panicked { .. }
            | Self::Died { .. } => JobErrorKind::Failed,
            Self::Connector { error, .. } => match error {
                ConnectorError::Io { .. } | ConnectorError::Record { .. } => JobErrorKind::Failed,
                ConnectorError::StateRefused { .. } => JobErrorKind::StateUnusable,
                ConnectorError::InUse { .. } => JobErrorKind::InUse,
                ConnectorError::JobRefused { .. } => JobErrorKind::JobRefused,
            },
            // One that no restart helps decides.
            Self::Publication { failures } => {
                let kinds = failures.iter().map(Self::kind);
                let mut graver = kinds.filter(|kind| *kind != JobErrorKind::Failed);
                graver.next().unwrap_or(JobErrorKind::Failed)
            }
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
            Self::TooLarge(_) | Self::NoRoom(_) | Self::UnknownOperator(_) => {
                JobErrorKind::JobRefused
            }
            Self::RestartsExhausted { last, .. }
            | Self::IsolationExhausted { last, .. }
            | Self::OnlyDeadLetters { last, .. } => last.kind(),
        }
    }

    /// True if another attempt may succeed. `open` sees the same configuration each time, so what
    /// fails in it, but for want of time or of what the system refused, fails again.
    #[must_use]
    pub fn may_restart(&self) -> bool {
        match self {
            Self::Guest(fault)
                if matches!(fault.call, GuestCall::Instantiate | GuestCall::Open) =>
            {
                matches!(
                    fault.cause,
                    FaultCause::Timeout { .. } | FaultCause::SystemRefused { .. }
                )
            }
            // What it holds is in use for as long as this process lives.
            Self::RestartsExhausted { .. }
            | Self::IsolationExhausted { .. }
            | Self::OnlyDeadLetters { .. }
            | Self::NotReturned { .. } => false,
            Self::Guest(_)
            | Self::Record(_)
            | Self::NotRecycled { .. }
            | Self::RecycledInVain { .. }
            | Self::Connector { .. }
            | Self::Publication { .. }
            | Self::Store(_)
            | Self::CheckpointsKeepFailing { .. }
            | Self::Incompatible(_)
            | Self::UnknownOperator(_)
            | Self::Unresponsive { .. }
            | Self::TooLarge(_)
            | Self::NoRoom(_)
            | Self::NoThread { .. }
            | Self::Panicked { .. }
            | Self::Died { .. } => self.kind() == JobErrorKind::Failed,
        }
    }
}

/// The failure that an attempt ended with, for a message.
fn after(failure: Option<&JobError>) -> String {
    failure.map_or_else(String::new, |failure| {
        format!(" ({})", with_causes(failure))
    })
}

/// Failures with their causes, in one line.
fn listed(failures: &[JobError]) -> String {
    let failures = failures.iter().map(|failure| with_causes(failure));
    failures.collect::<Vec<_>>().join("; ")
}

/// A connector's failure with the subtask that it happened in.
pub(crate) fn connector_failed(subtask: &SubtaskId, error: ConnectorError) -> JobError {
    JobError::Connector {
        subtask: subtask.clone(),
        error,
    }
}

/// A failure that concerns a whole node, told as its first subtask's.
pub(crate) fn node_failed(name: &str, error: ConnectorError) -> JobError {
    let subtask = SubtaskId {
        operator: name.to_owned(),
        index: 0,
    };
    connector_failed(&subtask, error)
}
