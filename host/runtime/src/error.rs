//! The errors with which a job ends, and the remedies of the user who started it.

use std::time::Duration;

use thiserror::Error;
use tidegate_checkpoint::{GraphError, StoreError};
use tidegate_operator::{FaultCause, GuestCall, GuestFault, with_causes};

use crate::isolation::RecordFault;
use crate::recovery::{IncompatibleJob, UnknownOperator, UnknownSource};
use crate::room::NoRoom;
use crate::{CheckpointId, ConnectorError, SubtaskId};

/// The reason why an attempt, or a whole job, failed.
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
        "could not recycle, at checkpoint {checkpoint}, an instance with {} MiB of memory: {fault}",
        .memory >> 20
    )]
    NotRecycled {
        /// The checkpoint whose snapshot the new instance was to have.
        checkpoint: CheckpointId,
        /// Bytes that the old instance occupied.
        memory: u64,
        /// The fault of the new instance.
        fault: Box<GuestFault>,
    },
    /// An operator's instances are full again after one batch, however often they are replaced.
    #[error(
        "operator `{}`, subtask {}: {replacements} new instances in a row were above `recycle-at` \
         after their first batch, the last one with {} MiB, so another replacement is of no use; \
         raise `memory` in the `limits` of [operator.{0}], or set `recycle-at = \"never\"` there \
         if its memory grows no further",
        .subtask.operator, .subtask.index, .memory >> 20
    )]
    RecycledInVain {
        /// The subtask of the instances.
        subtask: SubtaskId,
        /// The number of replacements in a row.
        replacements: u32,
        /// Bytes that the last instance occupied.
        memory: u64,
    },
    /// The job had to be restarted too often to isolate a record.
    #[error(
        "gave up isolating records after {restarts} restart(s) within {} s: {}",
        .period.as_secs(),
        with_causes(.last.as_ref())
    )]
    IsolationExhausted {
        /// The number of restarts.
        restarts: u32,
        /// The period in which they happened.
        period: Duration,
        /// The last failure.
        last: Box<JobError>,
    },
    /// An operator fails on everything.
    #[error("gave up isolating records after {in_a_row} dead letters in a row: {last}")]
    OnlyDeadLetters {
        /// The number of records that it failed on, without a processed record between them.
        in_a_row: u32,
        /// The last failure.
        last: Box<JobError>,
    },
    /// A source or sink failed.
    #[error("{subtask}: {error}")]
    Connector {
        /// The failed subtask.
        subtask: SubtaskId,
        /// The failure of the connector.
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
        /// The number of failed checkpoints.
        failures: u32,
        /// The last failed checkpoint.
        checkpoint: CheckpointId,
        /// The reason for the last failure.
        reason: String,
    },
    /// The checkpoint does not fit the job. Nothing was changed.
    #[error(transparent)]
    Incompatible(#[from] IncompatibleJob),
    /// The user allows the state of an unknown operator to be dropped. Nothing was changed.
    #[error(transparent)]
    UnknownOperator(#[from] UnknownOperator),
    /// The user accepts an unknown source as changed. Nothing was changed.
    #[error(transparent)]
    UnknownSource(#[from] UnknownSource),
    /// Input was moved that no split of the checkpoint has. Nothing was changed.
    #[error("--move-input {input_move}: the checkpoint has no input of the old or of the new path")]
    UnknownInput {
        /// The move as the user wrote it.
        input_move: String,
    },
    /// The restart strategy allows no further attempt.
    #[error("gave up after {restarts} restart(s): {}", with_causes(.last.as_ref()))]
    RestartsExhausted {
        /// The number of restarts.
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
    /// not hold, of a connector or of the checkpoint store. The job can't continue in this process.
    #[error(
        "{what} did not return within {} s after the attempt ended{}, so this process ends without \
         it; run the job again to continue from its last checkpoint",
        .within.as_secs(), after(.failure.as_deref())
    )]
    NotReturned {
        /// The part: the subtasks of a chain, or the work that is done for them.
        what: String,
        /// The bound.
        within: Duration,
        /// The reason why the attempt was over, if it failed.
        failure: Option<Box<JobError>>,
    },
    /// The system has no room for another thread or task.
    #[error("could not start a thread for {chain}")]
    NoThread {
        /// The subtasks of the chain, or the other part that needed the thread.
        chain: String,
        /// The error of the system.
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
    /// A bug of ours: a thread or task of the attempt ended and did not report a reason.
    #[error("{task} ended too early, which is a bug in tidegate: {reason}")]
    Died {
        /// The thread or task.
        task: String,
        /// The reason for its end.
        reason: String,
    },
}

/// The kind of a failure, for exit codes.
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
    /// Returns the guest's fault that caused the failure, if there is one.
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
            | Self::UnknownSource(_)
            | Self::UnknownInput { .. }
            | Self::Unresponsive { .. }
            | Self::TooLarge(_)
            | Self::NoRoom(_)
            | Self::NoThread { .. }
            | Self::Panicked { .. }
            | Self::Died { .. } => None,
        }
    }

    /// Returns true if a source or sink failed on a record.
    pub(crate) fn is_connectors_record(&self) -> bool {
        matches!(
            self,
            Self::Connector {
                error: ConnectorError::Record { .. } | ConnectorError::InvalidRecord { .. },
                ..
            }
        )
    }

    /// Returns the kind of the failure; see [`JobErrorKind`].
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
                ConnectorError::Io { .. }
                | ConnectorError::Record { .. }
                | ConnectorError::InvalidRecord { .. } => JobErrorKind::Failed,
                ConnectorError::StateRefused { .. } => JobErrorKind::StateUnusable,
                ConnectorError::InUse { .. } => JobErrorKind::InUse,
                ConnectorError::JobRefused { .. } => JobErrorKind::JobRefused,
            },
            // A failure that no restart helps decides.
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
            Self::TooLarge(_)
            | Self::NoRoom(_)
            | Self::UnknownOperator(_)
            | Self::UnknownSource(_)
            | Self::UnknownInput { .. } => JobErrorKind::JobRefused,
            Self::RestartsExhausted { last, .. }
            | Self::IsolationExhausted { last, .. }
            | Self::OnlyDeadLetters { last, .. } => last.kind(),
        }
    }

    /// Returns true if another attempt may succeed. `open` sees the same configuration each time,
    /// so its failures recur, except a timeout or a refusal by the system.
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
            // The resources that the late part holds are in use for as long as this process lives.
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
            | Self::UnknownSource(_)
            | Self::UnknownInput { .. }
            | Self::Unresponsive { .. }
            | Self::TooLarge(_)
            | Self::NoRoom(_)
            | Self::NoThread { .. }
            | Self::Panicked { .. }
            | Self::Died { .. } => self.kind() == JobErrorKind::Failed,
        }
    }
}

/// Describes the failure that an attempt ended with, for a message.
fn after(failure: Option<&JobError>) -> String {
    failure.map_or_else(String::new, |failure| {
        format!(" ({})", with_causes(failure))
    })
}

/// Lists failures with their causes, in one line.
fn listed(failures: &[JobError]) -> String {
    let failures = failures.iter().map(|failure| with_causes(failure));
    failures.collect::<Vec<_>>().join("; ")
}

/// Returns a connector's failure with the subtask in which it happened.
pub(crate) fn connector_failed(subtask: &SubtaskId, error: ConnectorError) -> JobError {
    JobError::Connector {
        subtask: subtask.clone(),
        error,
    }
}

/// Returns a failure that concerns a whole node, reported for its first subtask.
pub(crate) fn node_failed(name: &str, error: ConnectorError) -> JobError {
    let subtask = SubtaskId {
        operator: name.to_owned(),
        index: 0,
    };
    connector_failed(&subtask, error)
}
