//! Why a command failed, and the exit code that says so to scripts.

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use thiserror::Error;
use tidegate_authoring::build::BuildError;
use tidegate_authoring::project::NewProjectError;
use tidegate_authoring::scenario::NothingToTest;
use tidegate_checkpoint::StoreError;
use tidegate_connector::CheckpointId;
use tidegate_job_file::config_file::{ConfigFileError, suggest};
use tidegate_operator::{FaultCause, shown};
use tidegate_runtime::{JobError, JobErrorKind};

use crate::met_limit;

/// The exit codes of the command line's contract.
pub(crate) mod exit_code {
    /// The job failed, or the world did.
    pub(crate) const FAILED: u8 = 1;
    /// Wrong usage or job file.
    pub(crate) const USAGE: u8 = 2;
    /// The state can't be used.
    pub(crate) const STATE_UNUSABLE: u8 = 3;
    /// The directory is in use.
    pub(crate) const IN_USE: u8 = 4;
    /// No such running job.
    pub(crate) const NO_RUNNING_JOB: u8 = 5;
    /// Timed out waiting.
    pub(crate) const TIMED_OUT: u8 = 6;
    /// A test or verification failed.
    pub(crate) const VERIFICATION_FAILED: u8 = 7;
    /// A component was refused.
    pub(crate) const COMPONENT_REFUSED: u8 = 8;
}

/// Why a command failed.
#[derive(Debug, Error)]
pub(crate) enum Failure {
    /// The job file or scenario can't be used. Nothing was created.
    #[error(transparent)]
    JobFile(#[from] ConfigFileError),
    /// Flags that don't go together.
    #[error("{message}")]
    Usage {
        /// What is wrong.
        message: String,
    },
    /// The job could not start, or failed; or checkpoints can't be read.
    #[error(transparent)]
    Job(#[from] JobError),
    /// A checkpoint directory or savepoint that was to be looked at can't be.
    #[error(transparent)]
    Checkpoint(JobError),
    /// An operator could not be built.
    #[error(transparent)]
    Build(#[from] BuildError),
    /// Nothing answers for that checkpoint directory.
    #[error("no job runs on {}", shown(directory))]
    NoRunningJob {
        /// The checkpoint directory.
        directory: PathBuf,
    },
    /// The running job refused or could not do what it was asked. It goes on as before.
    #[error("{detail}")]
    Refused {
        /// What it says.
        detail: String,
        /// The exit code that it gives.
        exit_code: u8,
    },
    /// The running job ended, or said something else than an answer.
    #[error("the job on {} did not answer: {reason}", shown(directory))]
    NoAnswer {
        /// The checkpoint directory.
        directory: PathBuf,
        /// What happened.
        reason: String,
    },
    /// It takes longer than the user wants to wait. What was asked for may still happen.
    #[error("no answer within {}", humantime::format_duration(*.waited))]
    TimedOut {
        /// How long.
        waited: Duration,
    },
    /// A checkpoint can't be restored.
    #[error("{bad} of {all} checkpoint(s) can't be restored")]
    VerificationFailed {
        /// How many can't.
        bad: usize,
        /// How many there are.
        all: usize,
    },
    /// A checkpoint that was restored for a drill gave something else back.
    #[error("{bad} of {all} subtask(s) of checkpoint {checkpoint} can't be restored")]
    DrillFailed {
        /// The checkpoint.
        checkpoint: CheckpointId,
        /// How many can't.
        bad: usize,
        /// How many there are.
        all: usize,
    },
    /// A project was not written.
    #[error(transparent)]
    NewProject(#[from] NewProjectError),
    /// There is nothing to test.
    #[error(transparent)]
    NothingToTest(#[from] NothingToTest),
    /// An operator does not do what its scenarios say. They were told of one by one.
    #[error("{failed} of {all} scenario(s) failed")]
    ScenariosFailed {
        /// How many failed.
        failed: usize,
        /// How many there are.
        all: usize,
    },
    /// The process may have too few files open. Nothing was done.
    #[error("could not open {least} files at once, which every command needs")]
    FewFiles {
        /// How many are needed.
        least: usize,
        /// What the system says.
        source: io::Error,
    },
    /// A limit of the process's memory is lower than any command needs. Nothing was done.
    #[error("{limit} is {allowed} bytes, and every command needs {least}")]
    LittleMemory {
        /// The limit.
        limit: &'static str,
        /// What it allows.
        allowed: u64,
        /// What is needed.
        least: u64,
    },
    /// The processor time of the process is used up. The job continues from its newest checkpoint.
    #[error("this process has used all of its processor time")]
    NoProcessorTime {
        /// The limit, in seconds; none if there is none.
        seconds: Option<u64>,
    },
    /// The hard limit of processor time is too low to be reported when it is met. Nothing was done.
    #[error(
        "RLIMIT_CPU (`ulimit -t`) is {allowed} s, at which the system kills the process without a \
         message"
    )]
    LittleProcessorTime {
        /// The hard limit, in seconds.
        allowed: u64,
    },
    /// The system refused a thread. The job continues from its newest checkpoint.
    #[error("could not start the thread for {what}")]
    NoThread {
        /// What it is for.
        what: &'static str,
        /// What the system says.
        source: io::Error,
    },
    /// A bug of ours: nothing answers signals any more, so the process ends.
    #[error("the thread that answers signals ended, which is a bug in tidegate")]
    SignalsUnanswered,
    /// The system refused something that has nothing to do with the job.
    #[error("could not {action}")]
    Io {
        /// What was being done.
        action: String,
        /// What the system says.
        source: io::Error,
    },
}

impl Failure {
    /// A [`Failure::Io`] for use in `map_err`.
    pub(crate) fn io(action: impl Into<String>) -> impl FnOnce(io::Error) -> Self {
        let action = action.into();
        move |source| Self::Io { action, source }
    }

    /// A [`Failure::NoThread`] for use in `map_err`.
    pub(crate) fn thread(what: &'static str) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::NoThread { what, source }
    }

    /// What the person who reads this can do about it, where that is not plain from the message.
    pub(crate) fn advice(&self) -> Option<String> {
        match self {
            Self::Job(error) => of_job(error).or_else(|| met_limit::behind_job(error)),
            Self::Checkpoint(JobError::Store(
                StoreError::Corrupt { .. } | StoreError::NothingValid { .. },
            )) => Some("`tidegate checkpoint verify` tells which checkpoints are whole".to_owned()),
            Self::JobFile(
                ConfigFileError::Engine(_) | ConfigFileError::ComponentNotLoaded { .. },
            )
            | Self::FewFiles { .. }
            | Self::NoThread { .. }
            | Self::Io { .. } => met_limit::behind(self),
            Self::NoProcessorTime { seconds } => Some(match seconds {
                Some(seconds) => format!(
                    "RLIMIT_CPU, the seconds of processor time that this process may use, is \
                     {seconds}: raise `ulimit -t`; a job continues from its last checkpoint when \
                     it is run again"
                ),
                None => "RLIMIT_CPU is unlimited: SIGXCPU came from another process".to_owned(),
            }),
            Self::LittleProcessorTime { .. } => {
                Some("raise it to 2 s or more, or leave it unlimited".to_owned())
            }
            Self::LittleMemory { .. } => {
                Some("raise it, or leave it unlimited: a cgroup's memory.max bounds memory".into())
            }
            Self::Checkpoint(_)
            | Self::JobFile(_)
            | Self::Usage { .. }
            | Self::Build(_)
            | Self::NoRunningJob { .. }
            | Self::Refused { .. }
            | Self::NoAnswer { .. }
            | Self::TimedOut { .. }
            | Self::VerificationFailed { .. }
            | Self::DrillFailed { .. }
            | Self::NewProject(_)
            | Self::NothingToTest(_)
            | Self::ScenariosFailed { .. }
            | Self::SignalsUnanswered => None,
        }
    }

    /// The exit code of the process.
    pub(crate) fn exit_code(&self) -> u8 {
        match self {
            Self::JobFile(
                ConfigFileError::Engine(_) | ConfigFileError::ComponentNotLoaded { .. },
            )
            | Self::NewProject(NewProjectError::Write { .. })
            | Self::NoAnswer { .. }
            | Self::FewFiles { .. }
            | Self::LittleMemory { .. }
            | Self::LittleProcessorTime { .. }
            | Self::NoProcessorTime { .. }
            | Self::NoThread { .. }
            | Self::SignalsUnanswered
            | Self::Io { .. } => exit_code::FAILED,
            Self::JobFile(ConfigFileError::Invalid(invalid)) if invalid.is_about_components => {
                exit_code::COMPONENT_REFUSED
            }
            Self::JobFile(
                ConfigFileError::Unreadable { .. }
                | ConfigFileError::TooLarge { .. }
                | ConfigFileError::Invalid(_),
            )
            | Self::Usage { .. }
            | Self::NothingToTest(_)
            | Self::NewProject(
                NewProjectError::BadName { .. }
                | NewProjectError::NotEmpty { .. }
                | NewProjectError::NoSdk { .. },
            ) => exit_code::USAGE,
            Self::Job(error) | Self::Checkpoint(error) => of_kind(error.kind()),
            Self::Build(error) => of_build(error),
            Self::NoRunningJob { .. } => exit_code::NO_RUNNING_JOB,
            Self::Refused { exit_code, .. } => *exit_code,
            Self::TimedOut { .. } => exit_code::TIMED_OUT,
            Self::VerificationFailed { .. }
            | Self::DrillFailed { .. }
            | Self::ScenariosFailed { .. } => exit_code::VERIFICATION_FAILED,
        }
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        Self::Checkpoint(JobError::Store(error))
    }
}

fn of_job(error: &JobError) -> Option<String> {
    match error {
        JobError::Guest(_) | JobError::Record(_) | JobError::NotRecycled { .. } => {
            let fault = error.guest_fault()?;
            let limit = limit_behind(&fault.cause)?;
            let operator = &fault.operator;
            let mut help = format!(
                "if the operator needs it, raise `{limit}` in the `limits` of [operator.{operator}]"
            );
            if limit == "memory" && !matches!(error, JobError::NotRecycled { .. }) {
                help.push_str(
                    "; if it grows from call to call, lower `recycle-at`: an instance is replaced \
                     only at a barrier",
                );
            }
            Some(help)
        }
        JobError::IsolationExhausted { .. } => Some(
            "if so many records are invalid, raise `restarts` in [isolation]; what is complete \
             stays, and running the job again goes on from there"
                .to_owned(),
        ),
        JobError::OnlyDeadLetters { .. } => Some(
            "if so many records in a row are invalid, raise `in-a-row` in [isolation]; what is \
             complete stays, and running the job again goes on from there"
                .to_owned(),
        ),
        JobError::Store(StoreError::Corrupt { .. } | StoreError::NothingValid { .. }) => Some(
            "`tidegate checkpoint verify` tells which checkpoints are whole; name one of them, or \
             a savepoint, with --from"
                .to_owned(),
        ),
        JobError::Store(StoreError::NotACheckpoint { .. }) => Some(
            "if the job has already started from it, run it without --from to go on".to_owned(),
        ),
        JobError::UnknownOperator(unknown) => {
            let known = unknown.known.iter().map(String::as_str);
            suggest::expected(&unknown.name, known)
        }
        JobError::RestartsExhausted { last, .. } => of_job(last),
        JobError::NoRoom(no_room) => Some(no_room.advice()),
        JobError::NotReturned { failure, .. } => of_job(failure.as_ref()?),
        JobError::Store(_)
        | JobError::RecycledInVain { .. }
        | JobError::Connector { .. }
        | JobError::CheckpointsKeepFailing { .. }
        | JobError::Incompatible(_)
        | JobError::TooLarge(_)
        | JobError::Unresponsive { .. }
        | JobError::NoThread { .. }
        | JobError::Panicked { .. }
        | JobError::Died { .. } => None,
    }
}

/// The key of `limits` in the job file that a fault has met.
fn limit_behind(cause: &FaultCause) -> Option<&'static str> {
    match cause {
        FaultCause::Timeout { .. } => Some("call-timeout"),
        FaultCause::MemoryLimit { .. } => Some("memory"),
        FaultCause::OutputLimit { .. } => Some("output"),
        FaultCause::SnapshotLimit { .. } => Some("snapshot"),
        FaultCause::Trap(_)
        | FaultCause::Cancelled
        | FaultCause::StackOverflow
        | FaultCause::ThreadStack { .. }
        | FaultCause::MalformedColumn { .. }
        | FaultCause::MalformedBatch { .. }
        | FaultCause::UndeclaredPort { .. }
        | FaultCause::MalformedSnapshot(_)
        | FaultCause::InvalidRecord { .. }
        | FaultCause::UnknownRecord { .. }
        | FaultCause::IncompatibleState(_)
        | FaultCause::Failed(_)
        | FaultCause::SystemRefused { .. }
        | FaultCause::HostPanic { .. }
        | FaultCause::InstanceSpent => None,
    }
}

fn of_kind(kind: JobErrorKind) -> u8 {
    match kind {
        JobErrorKind::Failed => exit_code::FAILED,
        JobErrorKind::JobRefused => exit_code::USAGE,
        JobErrorKind::StateUnusable => exit_code::STATE_UNUSABLE,
        JobErrorKind::InUse => exit_code::IN_USE,
    }
}

fn of_build(error: &BuildError) -> u8 {
    match error {
        BuildError::NoManifest { .. }
        | BuildError::NoComponent { .. }
        | BuildError::OneFileForMany { .. }
        | BuildError::SameName { .. } => exit_code::USAGE,
        BuildError::NotAnOperator { .. }
        | BuildError::OtherVersion { .. }
        | BuildError::MissingFunctions { .. }
        | BuildError::UngrantedImports { .. }
        | BuildError::NotAComponent { .. } => exit_code::COMPONENT_REFUSED,
        BuildError::NoToolchain { .. }
        | BuildError::NotStarted { .. }
        | BuildError::Project { .. }
        | BuildError::NotCompiled { .. }
        | BuildError::Read { .. }
        | BuildError::Write { .. } => exit_code::FAILED,
    }
}
