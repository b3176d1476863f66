//! Arguments that several commands have, each declared once.

use std::path::PathBuf;
use std::time::Duration;

use clap::builder::{BoolishValueParser, RangedI64ValueParser};
use clap::{Args, ValueEnum};
use clap_complete::engine::ArgValueCompleter;
use tidegate_connector::source::InputMove;
use tidegate_job_file::duration;
use tidegate_job_file::keys::MOST_KEY_GROUPS;
use tidegate_operator::Backtrace;
use tidegate_runtime::AllowedChanges;

/// The job that a command reads.
#[derive(Debug, Args)]
pub(crate) struct JobFileArgs {
    /// The job file.
    #[arg(value_name = "JOB.toml", default_value = "job.toml")]
    pub(crate) file: PathBuf,
}

/// The job that a command speaks to.
#[derive(Debug, Args)]
pub(crate) struct RunningJobArgs {
    /// The job file of the running job.
    #[arg(value_name = "JOB.toml", default_value = "job.toml")]
    pub(crate) file: PathBuf,
}

/// What wins over `[defaults]` of the job file.
#[derive(Debug, Args)]
pub(crate) struct DefaultsArgs {
    /// Parallelism of all nodes that set none; wins over `[defaults]` of the job file.
    #[arg(long, env = "TIDEGATE_PARALLELISM", value_name = "N", value_parser = parallelism())]
    pub(crate) parallelism: Option<u32>,
}

/// What happens with the state of a checkpoint.
#[derive(Debug, Args)]
pub(crate) struct StateArgs {
    /// Drop the state of this operator if the new graph has no place for it. Repeatable.
    #[arg(long, env = "TIDEGATE_ALLOW_DROPPED_STATE", value_name = "OPERATOR")]
    #[arg(value_delimiter = ',', add = ArgValueCompleter::new(super::candidates::operators))]
    pub(crate) allow_dropped_state: Vec<String>,
    /// Continue this source although options that fix its records, such as `path` or `format`, have
    /// changed. Repeatable.
    ///
    /// The source continues where the checkpoint says, and reads the rest of its input with the new
    /// options. The range of a generator stays that of the checkpoint.
    #[arg(long, env = "TIDEGATE_ACCEPT_CHANGED", value_name = "SOURCE")]
    #[arg(value_delimiter = ',')]
    pub(crate) accept_changed: Vec<String>,
}

impl StateArgs {
    /// Returns the changes that the user accepts.
    pub(crate) fn allowed(&self) -> AllowedChanges {
        AllowedChanges {
            dropped_state: self.allow_dropped_state.clone(),
            changed_sources: self.accept_changed.clone(),
        }
    }
}

/// Where the input of a checkpoint is now.
#[derive(Debug, Args)]
pub(crate) struct MovedInputArgs {
    /// Continue with input files that were moved from one path to another. Repeatable.
    ///
    /// FROM and TO are files or directories, written as in the job file. If `path` of the source
    /// has changed for it, too, add --accept-changed.
    #[arg(long, env = "TIDEGATE_MOVE_INPUT", value_name = "FROM=TO")]
    #[arg(value_parser = InputMove::parse, value_delimiter = ',')]
    pub(crate) move_input: Vec<InputMove>,
}

/// How the fault of an operator is shown.
#[derive(Debug, Args)]
pub(crate) struct FaultArgs {
    /// Frames that the fault of an operator shows.
    #[arg(long, env = "TIDEGATE_BACKTRACE", value_enum, value_name = "FRAMES")]
    #[arg(default_value = "own")]
    pub(crate) backtrace: BacktraceFrames,
}

/// Frames of a backtrace.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum BacktraceFrames {
    /// Those of the author's own code, with the files of the project.
    Own,
    /// All: also those of the SDK, of the language's runtime and of the engine.
    Full,
}

impl From<BacktraceFrames> for Backtrace {
    fn from(frames: BacktraceFrames) -> Self {
        match frames {
            BacktraceFrames::Own => Self::Own,
            BacktraceFrames::Full => Self::Full,
        }
    }
}

/// How long to wait.
#[derive(Debug, Args)]
pub(crate) struct WaitArgs {
    /// Wait no longer than this, such as "30s" or "1m 30s" (ns, us, ms, s, m, h, d, w); exit code 6
    /// then. Default: as long as it takes, also if the job is restarting.
    #[arg(long, env = "TIDEGATE_TIMEOUT", value_name = "DURATION")]
    #[arg(value_parser = duration::parse)]
    pub(crate) timeout: Option<Duration>,
}

/// How data is printed.
#[derive(Debug, Args)]
pub(crate) struct OutputArgs {
    /// Print JSON.
    #[arg(long, env = "TIDEGATE_JSON", value_parser = BoolishValueParser::new())]
    pub(crate) json: bool,
}

fn parallelism() -> RangedI64ValueParser<u32> {
    clap::value_parser!(u32).range(1..=MOST_KEY_GROUPS.into())
}

/// How a job is stopped.
#[derive(Debug, Args)]
pub(crate) struct StoppingArgs {
    /// Time that the job may take to stop after a signal.
    ///
    /// If a guest, a sink or the disk takes longer, the process ends with the exit code of a second
    /// signal. Nothing is lost: the job continues from its newest complete checkpoint.
    #[arg(
        long,
        env = "TIDEGATE_STOP_TIMEOUT",
        value_name = "DURATION",
        default_value = "1m"
    )]
    #[arg(value_parser = duration::parse)]
    pub(crate) stop_timeout: Duration,
}
