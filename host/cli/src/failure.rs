//! The failures of commands, each with its exit code for scripts and its advice for the user.

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use thiserror::Error;
use tidegate_authoring::build::BuildError;
use tidegate_authoring::project::{NewProjectError, SdkError};
use tidegate_authoring::scenario::NothingToTest;
use tidegate_checkpoint::StoreError;
use tidegate_connector::{CheckpointId, ConnectorError};
use tidegate_job_file::config_file::{ConfigFileError, suggest};
use tidegate_operator::{FaultCause, shown};
use tidegate_runtime::{JobError, JobErrorKind};

use crate::met_limit;

/// The exit codes of the command line's contract.
pub(crate) mod exit_code {
    /// The job failed, or the system did.
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

/// The reason why a command failed.
#[derive(Debug, Error)]
pub(crate) enum Failure {
    /// The job file or scenario can't be used. Nothing was created.
    #[error(transparent)]
    JobFile(#[from] ConfigFileError),
    /// The flags don't go together.
    #[error("{message}")]
    Usage {
        /// The contradiction.
        message: String,
    },
    /// The job could not start, or failed; or checkpoints can't be read.
    #[error(transparent)]
    Job(#[from] JobError),
    /// The checkpoint directory or savepoint to inspect can't be read.
    #[error(transparent)]
    Checkpoint(JobError),
    /// An operator could not be built.
    #[error(transparent)]
    Build(#[from] BuildError),
    /// The project of an operator could not be built.
    #[error("operator {} was not built", named(operators))]
    OperatorNotBuilt {
        /// The operators whose component the project builds.
        operators: Vec<String>,
        /// The reason.
        source: BuildError,
    },
    /// No process answers for that checkpoint directory.
    #[error("no job runs on {}", shown(directory))]
    NoRunningJob {
        /// The checkpoint directory.
        directory: PathBuf,
    },
    /// A different job runs there. Nothing was done to it.
    #[error("job `{running}` runs on {}, not `{expected}`", shown(directory))]
    OtherJobRuns {
        /// The checkpoint directory.
        directory: PathBuf,
        /// The name in the job file.
        expected: String,
        /// The name of the running job.
        running: String,
    },
    /// The running job refused or could not carry out the request. It continues as before.
    #[error("{detail}")]
    Refused {
        /// The job's own words.
        detail: String,
        /// The exit code for this refusal.
        exit_code: u8,
    },
    /// The running job ended, or sent something other than an answer.
    #[error("the job on {} did not answer: {reason}", shown(directory))]
    NoAnswer {
        /// The checkpoint directory.
        directory: PathBuf,
        /// The reason.
        reason: String,
    },
    /// The request took longer than the user wants to wait. It may still be carried out.
    #[error("the job did not answer within {}", humantime::format_duration(*.waited))]
    TimedOut {
        /// The time that the user allowed.
        waited: Duration,
    },
    /// A checkpoint can't be restored.
    #[error("{bad} of {all} checkpoint(s) can't be restored")]
    VerificationFailed {
        /// The number of checkpoints that can't.
        bad: usize,
        /// The number of all checkpoints.
        all: usize,
    },
    /// A drill restored a checkpoint, and a subtask wrote a different snapshot.
    #[error("{bad} of {all} subtask(s) of checkpoint {checkpoint} can't be restored")]
    DrillFailed {
        /// The checkpoint.
        checkpoint: CheckpointId,
        /// The number of subtasks that can't be restored.
        bad: usize,
        /// The number of all subtasks.
        all: usize,
    },
    /// A project was not written.
    #[error(transparent)]
    NewProject(#[from] NewProjectError),
    /// The SDK of a project was not updated.
    #[error(transparent)]
    Sdk(#[from] SdkError),
    /// A tool of the languages that the user asked for is missing. The table was printed before.
    #[error("{missing} tool(s) missing")]
    ToolsMissing {
        /// The number of tools.
        missing: usize,
    },
    /// There is nothing to test.
    #[error(transparent)]
    NothingToTest(#[from] NothingToTest),
    /// An operator does not meet its scenarios. Each failure was reported before.
    #[error("{failed} of {all} scenario(s) failed")]
    ScenariosFailed {
        /// The number of scenarios that failed.
        failed: usize,
        /// The number of all scenarios.
        all: usize,
    },
    /// The process can't open enough files. Nothing was done.
    #[error("could not open {least} files at once, which every command needs")]
    FewFiles {
        /// The number of files needed.
        least: usize,
        /// The error of the system.
        source: io::Error,
    },
    /// A memory limit of the process is lower than any command needs. Nothing was done.
    #[error("{limit} is {allowed} bytes, and every command needs {least}")]
    LittleMemory {
        /// The limit.
        limit: &'static str,
        /// The limit in bytes.
        allowed: u64,
        /// The bytes needed.
        least: u64,
    },
    /// The processor time of the process is used up. The job continues from its newest checkpoint.
    #[error("this process has used all of its processor time")]
    NoProcessorTime {
        /// The limit in seconds; `None` if no limit is set.
        seconds: Option<u64>,
    },
    /// The hard limit of processor time is too low for the process to report when it is met.
    /// Nothing was done.
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
        /// The purpose of the thread.
        what: &'static str,
        /// The error of the system.
        source: io::Error,
    },
    /// A bug of ours: no thread answers signals any more, so the process ends.
    #[error("the thread that answers signals ended, which is a bug in tidegate")]
    SignalsUnanswered,
    /// The system refused something that has nothing to do with the job.
    #[error("could not {action}")]
    Io {
        /// The action that failed, as an infinitive.
        action: String,
        /// The error of the system.
        source: io::Error,
    },
}

impl Failure {
    /// Returns a constructor of [`Failure::Io`] for `map_err`.
    pub(crate) fn io(action: impl Into<String>) -> impl FnOnce(io::Error) -> Self {
        let action = action.into();
        move |source| Self::Io { action, source }
    }

    /// Returns a constructor of [`Failure::NoThread`] for `map_err`.
    pub(crate) fn thread(what: &'static str) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::NoThread { what, source }
    }

    /// Returns advice for the user, where the message does not imply it.
    pub(crate) fn advice(&self) -> Option<String> {
        match self {
            Self::Job(error) => of_job(error).or_else(|| met_limit::behind_job(error)),
            Self::Checkpoint(JobError::Store(
                StoreError::Corrupt { .. } | StoreError::NothingValid { .. },
            )) => {
                Some("`tidegate checkpoint verify` reports which checkpoints are whole".to_owned())
            }
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
                Some("raise the limit to 2 s or more, or remove it".to_owned())
            }
            Self::LittleMemory { .. } => {
                Some("raise the limit, or remove it: a cgroup's memory.max bounds memory".into())
            }
            Self::Checkpoint(_)
            | Self::JobFile(_)
            | Self::Usage { .. }
            | Self::Build(_)
            | Self::OperatorNotBuilt { .. }
            | Self::NoRunningJob { .. }
            | Self::OtherJobRuns { .. }
            | Self::Refused { .. }
            | Self::NoAnswer { .. }
            | Self::TimedOut { .. }
            | Self::VerificationFailed { .. }
            | Self::DrillFailed { .. }
            | Self::NewProject(_)
            | Self::Sdk(_)
            | Self::ToolsMissing { .. }
            | Self::NothingToTest(_)
            | Self::ScenariosFailed { .. }
            | Self::SignalsUnanswered => None,
        }
    }

    /// Returns the exit code of the process.
    pub(crate) fn exit_code(&self) -> u8 {
        match self {
            Self::JobFile(
                ConfigFileError::Engine(_) | ConfigFileError::ComponentNotLoaded { .. },
            )
            | Self::NewProject(NewProjectError::Write { .. })
            | Self::Sdk(SdkError::Remove { .. } | SdkError::Write(_))
            | Self::NoAnswer { .. }
            | Self::ToolsMissing { .. }
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
            )
            | Self::Sdk(
                SdkError::NoProject { .. } | SdkError::NoCopy { .. } | SdkError::Changed { .. },
            ) => exit_code::USAGE,
            Self::Job(error) | Self::Checkpoint(error) => of_kind(error.kind()),
            Self::Build(error) | Self::OperatorNotBuilt { source: error, .. } => of_build(error),
            Self::NoRunningJob { .. } | Self::OtherJobRuns { .. } => exit_code::NO_RUNNING_JOB,
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
        JobError::Record(record)
            if matches!(record.fault.cause, FaultCause::InvalidRecord { .. }) =>
        {
            Some(set_aside("operator", &record.fault.operator))
        }
        JobError::Connector {
            subtask,
            error: ConnectorError::InvalidRecord { .. },
        } => Some(set_aside("source", &subtask.operator)),
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
            "if this many records are invalid, raise `restarts` in [isolation]; run the job again \
             to continue from its last complete checkpoint"
                .to_owned(),
        ),
        JobError::OnlyDeadLetters { .. } => Some(
            "if this many records in a row are invalid, raise `in-a-row` in [isolation]; run the \
             job again to continue from its last complete checkpoint"
                .to_owned(),
        ),
        JobError::Store(StoreError::Corrupt { .. } | StoreError::NothingValid { .. }) => Some(
            "`tidegate checkpoint verify` reports which checkpoints are whole; name one of them, \
             or a savepoint, with --from"
                .to_owned(),
        ),
        JobError::Store(StoreError::NotACheckpoint { .. }) => Some(
            "if the job has already started from it, run the job without --from to continue"
                .to_owned(),
        ),
        JobError::UnknownOperator(unknown) => {
            let known = unknown.known.iter().map(String::as_str);
            suggest::expected(&unknown.name, known)
        }
        JobError::UnknownSource(unknown) => {
            let known = unknown.known.iter().map(String::as_str);
            suggest::expected(&unknown.name, known)
        }
        JobError::RestartsExhausted { last, .. } => of_job(last),
        JobError::NoRoom(no_room) => Some(no_room.advice()),
        JobError::NotReturned { failure, .. } => of_job(failure.as_ref()?),
        JobError::Store(_)
        | JobError::RecycledInVain { .. }
        | JobError::Connector { .. }
        | JobError::Publication { .. }
        | JobError::CheckpointsKeepFailing { .. }
        | JobError::Incompatible(_)
        | JobError::UnknownInput { .. }
        | JobError::TooLarge(_)
        | JobError::Unresponsive { .. }
        | JobError::NoThread { .. }
        | JobError::Panicked { .. }
        | JobError::Died { .. } => None,
    }
}

/// Returns the way to continue without the invalid records of a node.
fn set_aside(kind: &str, node: &str) -> String {
    format!(
        "to set such records aside, write `on-invalid-record = \"dead-letter\"` in \
         [{kind}.{node}], and let a sink read `{node}:dead-letter`"
    )
}

/// Returns the key of `limits` in the job file that governs a fault.
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

/// Returns names for people: `a`, `b`.
fn named(names: &[String]) -> String {
    let names = names.iter().map(|name| format!("`{name}`"));
    names.collect::<Vec<_>>().join(", ")
}

fn of_build(error: &BuildError) -> u8 {
    match error {
        BuildError::NoManifest { .. }
        | BuildError::NoComponent { .. }
        | BuildError::OneFileForMany { .. }
        | BuildError::OtherComponents { .. }
        | BuildError::SameName { .. } => exit_code::USAGE,
        BuildError::NotAnOperator { .. }
        | BuildError::OtherVersion { .. }
        | BuildError::MissingFunctions { .. }
        | BuildError::UngrantedImports { .. }
        | BuildError::NotAComponent { .. } => exit_code::COMPONENT_REFUSED,
        BuildError::NoToolchain { .. }
        | BuildError::OtherTool { .. }
        | BuildError::NoSdk { .. }
        | BuildError::NotStarted { .. }
        | BuildError::Project { .. }
        | BuildError::NotCompiled { .. }
        | BuildError::Read { .. }
        | BuildError::Write { .. } => exit_code::FAILED,
    }
}
