//! The command line: commands, flags, and their help.
//!
//! Every flag `--foo-bar` can also be set by `TIDEGATE_FOO_BAR`; a test holds them to it. An empty
//! variable counts as unset.

mod author;
mod candidates;
mod environment;
mod flattened;
#[cfg(test)]
mod fuzz;
mod installed;
#[cfg(test)]
mod reference;
mod settled;
mod shown;

use std::path::PathBuf;

use clap::builder::BoolishValueParser;
use clap::{Args, CommandFactory as _, Parser, Subcommand, ValueEnum};
use clap_complete::CompleteEnv;
use clap_complete::engine::ArgValueCompleter;

pub(crate) use author::{
    BuildArgs, CompilerArgs, DevArgs, DoctorArgs, NewArgs, SdkCommand, TestArgs,
};
pub(crate) use flattened::{
    DefaultsArgs, FaultArgs, JobFileArgs, MovedInputArgs, OutputArgs, RunningJobArgs, StateArgs,
    StoppingArgs, WaitArgs,
};
pub(crate) use installed::{CompletionsArgs, ManArgs};

/// The variable with which a shell's script asks for completions.
pub(crate) const COMPLETE: &str = "TIDEGATE_COMPLETE";
/// Warnings, and what guests say.
const DEFAULT_LOG: &str = "warn,tidegate::guest=info";

/// Stream processing with sandboxed operators and exactly-once state.
#[derive(Debug, Parser)]
#[command(name = "tidegate", version, max_term_width = 100)]
#[command(after_help = "\
Every flag --foo-bar can be set by the environment variable TIDEGATE_FOO_BAR; flags win, and an
empty variable counts as unset.

Exit codes: 0 done or stopped as asked, 1 the job failed, 2 wrong usage, job file or scenario,
3 the state can't be used, 4 the directory is in use, 5 no such running job, 6 timed out waiting,
7 a test or verification failed, 8 a component was refused, 130, 143 and 129 for a second Ctrl-C,
SIGTERM or SIGHUP, or for a first one that did not stop the job in time.

Begin with `tidegate new NAME --lang LANG` for an operator, or `tidegate check JOB.toml` for a
job.")]
pub(crate) struct Cli {
    /// Log filter: `level` or `target=level`, separated by commas.
    ///
    /// Levels are error, warn, info, debug, trace and off. Default: warn, and info for the lines of
    /// operators (`warn,tidegate::guest=info`).
    #[arg(long, global = true, env = "TIDEGATE_LOG", value_name = "FILTER")]
    #[arg(default_value = DEFAULT_LOG, hide_default_value = true)]
    pub(crate) log: String,
    /// The command to run.
    #[command(subcommand)]
    pub(crate) command: Command,
}

impl Cli {
    /// Answers a shell that asks for completions, and ends the process then.
    pub(crate) fn complete() {
        let asked = CompleteEnv::with_factory(Self::command).var(COMPLETE);
        asked.bin("tidegate").completer("tidegate").complete();
    }

    /// The process's command line and environment. Ends the process if they make no sense, or
    /// after `--help`.
    pub(crate) fn from_process() -> Self {
        let matches = environment::without_empty(Self::command()).try_get_matches();
        let settled = matches.and_then(|matches| Self::settled(&matches));
        settled.unwrap_or_else(|error| shown::escaped(error).exit())
    }
}

/// The commands.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Run(RunArgs),
    Savepoint(SavepointArgs),
    Stop(StopArgs),
    Cancel(CancelArgs),
    Status(StatusArgs),
    Check(CheckArgs),
    Graph(GraphArgs),
    /// List, inspect, verify and compare checkpoints and savepoints; never change them.
    #[command(subcommand)]
    Checkpoint(CheckpointCommand),
    Schema(SchemaArgs),
    Completions(CompletionsArgs),
    Man(ManArgs),
    New(NewArgs),
    /// Update the SDK in a project.
    #[command(subcommand)]
    Sdk(SdkCommand),
    Doctor(DoctorArgs),
    Build(BuildArgs),
    Test(TestArgs),
    Dev(DevArgs),
}

/// Run a job, or continue it from its newest complete checkpoint.
///
/// The first Ctrl-C, SIGTERM or SIGHUP stops the job: it takes a last checkpoint, publishes all
/// output that the checkpoint covers, and ends with exit code 0. A second signal ends the process
/// at once, and so does a stop that takes longer than --stop-timeout. The same command then
/// continues the job from its newest complete checkpoint.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  tidegate run job.toml
  tidegate run job.toml --from savepoints/savepoint-12
  tidegate run job.toml --from 12 --discard-newer-output
  tidegate run job.toml --parallelism 4 --quiet
  tidegate run --build
  tidegate run job.toml --from old-state --allow-dropped-state count
  tidegate run job.toml --move-input input=/data/input --accept-changed lines")]
pub(crate) struct RunArgs {
    #[command(flatten)]
    pub(crate) job: JobFileArgs,
    /// Start from this savepoint or checkpoint: its directory, the manifest of a checkpoint, or the
    /// number of one of the job's own checkpoints.
    ///
    /// Without it, the job continues from the newest complete checkpoint of its own directory. The
    /// same command continues a job that has started from there.
    #[arg(long, env = "TIDEGATE_FROM", value_name = "PATH")]
    #[arg(add = ArgValueCompleter::new(candidates::starts))]
    pub(crate) from: Option<PathBuf>,
    /// With --from: remove the output that is newer than that checkpoint.
    ///
    /// Without it, a sink that holds newer output refuses the start, since the job would write it a
    /// second time. Lists the files and asks before it removes them.
    #[arg(long, env = "TIDEGATE_DISCARD_NEWER_OUTPUT", value_parser = BoolishValueParser::new())]
    pub(crate) discard_newer_output: bool,
    /// Do not ask before output is removed.
    #[arg(long, env = "TIDEGATE_YES", value_parser = BoolishValueParser::new())]
    pub(crate) yes: bool,
    /// Ignore existing checkpoints and start with empty state.
    ///
    /// A sink that already holds output of this job refuses such a start.
    #[arg(long, env = "TIDEGATE_FRESH", value_parser = BoolishValueParser::new())]
    pub(crate) fresh: bool,
    #[command(flatten)]
    pub(crate) defaults: DefaultsArgs,
    #[command(flatten)]
    pub(crate) state: StateArgs,
    #[command(flatten)]
    pub(crate) moved: MovedInputArgs,
    /// Show only events such as start, restart and end, and no progress.
    #[arg(long, short, env = "TIDEGATE_QUIET", value_parser = BoolishValueParser::new())]
    pub(crate) quiet: bool,
    /// Recompile the components, and cache no compiled components for the next start.
    #[arg(long, env = "TIDEGATE_NO_CODE_CACHE", value_parser = BoolishValueParser::new())]
    pub(crate) no_code_cache: bool,
    #[command(flatten)]
    pub(crate) stopping: StoppingArgs,
    /// Show file and line in the backtrace of an operator that traps.
    ///
    /// The host then keeps the debug information of the components in memory, and reads it within
    /// bounds after a trap. `tidegate test` always does so.
    #[arg(long, env = "TIDEGATE_DEBUG_INFO", value_parser = BoolishValueParser::new())]
    pub(crate) debug_info: bool,
    #[command(flatten)]
    pub(crate) faults: FaultArgs,
    /// Build the operators whose sources changed since they were built, before the start.
    #[arg(long, env = "TIDEGATE_BUILD", value_parser = BoolishValueParser::new())]
    pub(crate) build: bool,
    #[command(flatten, next_help_heading = "With --build")]
    pub(crate) compiler: CompilerArgs,
}

/// Take a savepoint of the running job and print its path.
///
/// The job continues. The command waits until the savepoint is complete and durable.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  tidegate savepoint job.toml savepoints/")]
pub(crate) struct SavepointArgs {
    /// The job file of the running job.
    #[arg(value_name = "JOB.toml")]
    pub(crate) job_file: PathBuf,
    /// Directory that receives the savepoint as a new directory; created if missing.
    #[arg(value_name = "DIR")]
    pub(crate) directory: PathBuf,
    #[command(flatten)]
    pub(crate) wait: WaitArgs,
    #[command(flatten)]
    pub(crate) output: OutputArgs,
}

/// Stop the running job with a last checkpoint.
///
/// The job takes a last checkpoint, publishes all output that the checkpoint covers, and ends with
/// exit code 0. `tidegate run` continues it later.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  tidegate stop
  tidegate stop job.toml --savepoint savepoints/ --timeout 1m")]
pub(crate) struct StopArgs {
    #[command(flatten)]
    pub(crate) job: RunningJobArgs,
    /// Also take a savepoint, as a new directory inside DIR.
    #[arg(long, env = "TIDEGATE_SAVEPOINT", value_name = "DIR")]
    pub(crate) savepoint: Option<PathBuf>,
    /// End event time first: sources end, windows fire, and operators finish.
    ///
    /// A drained job is finished: `tidegate run` does not continue it.
    #[arg(long, env = "TIDEGATE_DRAIN", value_parser = BoolishValueParser::new())]
    pub(crate) drain: bool,
    #[command(flatten)]
    pub(crate) wait: WaitArgs,
    #[command(flatten)]
    pub(crate) output: OutputArgs,
}

/// End the running job without a checkpoint.
///
/// The job ends after at most one call of each operator. `tidegate run` continues it from its
/// newest complete checkpoint, and processes the records since then again.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  tidegate cancel")]
pub(crate) struct CancelArgs {
    #[command(flatten)]
    pub(crate) job: RunningJobArgs,
    #[command(flatten)]
    pub(crate) wait: WaitArgs,
    #[command(flatten)]
    pub(crate) output: OutputArgs,
}

/// Show state, checkpoints and figures of the running job.
///
/// For each node: subtasks, records in and out, time spent processing, and the watermark. With
/// --json, all figures.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  tidegate status
  tidegate status job.toml --json | jq .checkpoints.completed")]
pub(crate) struct StatusArgs {
    #[command(flatten)]
    pub(crate) job: RunningJobArgs,
    #[command(flatten)]
    pub(crate) wait: WaitArgs,
    #[command(flatten)]
    pub(crate) output: OutputArgs,
}

/// Check a job without running it: job file, graph, components, configs, inputs.
///
/// Reports up to 20 mistakes of a job file at once, with their places. Opens an instance of every
/// operator in the sandbox, since an operator checks its own `config`. For a valid job, prints its
/// cost (subtasks, threads, channels, memory limits) and the components, and warns of sources that
/// find no input and of components that are older than their sources. `check` looks at no output:
/// `tidegate run` also refuses a job whose sink finds files of something else in its directory.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  tidegate check job.toml && tidegate run job.toml")]
pub(crate) struct CheckArgs {
    #[command(flatten)]
    pub(crate) job: JobFileArgs,
    #[command(flatten)]
    pub(crate) defaults: DefaultsArgs,
    #[command(flatten)]
    pub(crate) faults: FaultArgs,
    #[command(flatten)]
    pub(crate) output: OutputArgs,
}

/// Print the job graph: nodes, edges, parallelism and partitioning.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  tidegate graph job.toml
  tidegate graph job.toml --format dot | dot -Tsvg > job.svg")]
pub(crate) struct GraphArgs {
    #[command(flatten)]
    pub(crate) job: JobFileArgs,
    /// Output format.
    #[arg(long, env = "TIDEGATE_FORMAT", value_enum, default_value_t = GraphFormat::Text)]
    pub(crate) format: GraphFormat,
    #[command(flatten)]
    pub(crate) defaults: DefaultsArgs,
    /// Same as --format json.
    #[arg(long, env = "TIDEGATE_JSON", value_parser = BoolishValueParser::new())]
    pub(crate) json: bool,
}

/// Output formats of a graph.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum GraphFormat {
    /// Lines of text.
    Text,
    /// Graphviz.
    Dot,
    /// A Mermaid flowchart.
    Mermaid,
    /// JSON.
    Json,
}

/// The commands for checkpoints and savepoints.
#[derive(Debug, Subcommand)]
pub(crate) enum CheckpointCommand {
    /// List the complete checkpoints of a directory.
    #[command(after_help = "Example:\n  tidegate checkpoint list state")]
    List(CheckpointArgs),
    /// Show the subtasks of one checkpoint, and the chunks of their state.
    #[command(after_help = "Example:\n  tidegate checkpoint inspect state/checkpoints/12")]
    Inspect(CheckpointArgs),
    /// Check every byte of every checkpoint, or restore one; exit code 7 if a check fails.
    Verify(VerifyArgs),
    /// Show the differences between two checkpoints.
    Diff(DiffArgs),
}

/// A checkpoint directory, savepoint or manifest.
#[derive(Debug, Args)]
pub(crate) struct CheckpointArgs {
    /// A checkpoint directory, a savepoint, or the manifest of a checkpoint.
    #[arg(value_name = "PATH", add = ArgValueCompleter::new(candidates::checkpoints))]
    pub(crate) path: PathBuf,
    #[command(flatten)]
    pub(crate) output: OutputArgs,
}

/// Arguments of `checkpoint verify`.
#[derive(Debug, Args)]
#[command(after_help = "\
With --drill, the command restores every subtask of one checkpoint into a fresh instance of the
job's operators, takes a snapshot of the instance, and compares the two byte for byte. It writes
nothing and opens no source or sink. Another parallelism or another version of a component may
explain a difference: operator state that was redistributed, or state of another schema version.
The command reports such a difference, which is not a failure, but a second restore must then
return the same bytes.

Examples:
  tidegate checkpoint verify state
  tidegate checkpoint verify --drill job.toml state
  tidegate checkpoint verify --drill upgraded.toml savepoint-word-count-7 --parallelism 4")]
pub(crate) struct VerifyArgs {
    /// A checkpoint directory, a savepoint, or the manifest of a checkpoint.
    #[arg(value_name = "PATH", add = ArgValueCompleter::new(candidates::checkpoints))]
    pub(crate) path: PathBuf,
    /// Restore the checkpoint, or the newest one of PATH, with the operators of this job file;
    /// exit code 8 if a component is refused.
    #[arg(long, env = "TIDEGATE_DRILL", value_name = "JOB.toml")]
    pub(crate) drill: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) output: OutputArgs,
    #[command(flatten, next_help_heading = "With --drill")]
    pub(crate) defaults: DefaultsArgs,
    #[command(flatten, next_help_heading = "With --drill")]
    pub(crate) state: StateArgs,
}

/// Two checkpoints.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  tidegate checkpoint diff state/checkpoints/3 state/checkpoints/7
  tidegate checkpoint diff state          (the two newest)")]
pub(crate) struct DiffArgs {
    /// The first checkpoint; or, alone, a directory whose two newest checkpoints are compared.
    #[arg(value_name = "PATH", add = ArgValueCompleter::new(candidates::checkpoints))]
    pub(crate) before: PathBuf,
    /// The second checkpoint.
    #[arg(value_name = "PATH", add = ArgValueCompleter::new(candidates::checkpoints))]
    pub(crate) after: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) output: OutputArgs,
}

/// Print the JSON Schema of the job file or of a scenario, for editors.
#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  tidegate schema > tidegate.schema.json

As the first line of a job file, for editors that know TOML schemas:
  #:schema ./tidegate.schema.json")]
pub(crate) struct SchemaArgs {
    /// Print the schema of a scenario of `tidegate test`.
    #[arg(long, env = "TIDEGATE_SCENARIO", value_parser = BoolishValueParser::new())]
    pub(crate) scenario: bool,
    /// Does nothing: the schema is JSON anyway.
    #[arg(long, env = "TIDEGATE_JSON", value_parser = BoolishValueParser::new(), hide = true)]
    pub(crate) json: bool,
}

#[cfg(test)]
mod tests {
    use clap::ArgAction;
    use clap::error::ErrorKind;

    use super::*;

    fn check(command: &clap::Command) {
        for argument in command
            .get_arguments()
            .filter(|argument| !argument.is_positional())
        {
            let is_help = matches!(
                argument.get_action(),
                ArgAction::Help | ArgAction::HelpShort | ArgAction::HelpLong | ArgAction::Version
            );
            if !is_help {
                let flag = argument.get_long().expect("every flag has a long form");
                let variable = format!("TIDEGATE_{}", flag.to_uppercase().replace('-', "_"));
                let env = argument.get_env().and_then(|env| env.to_str());
                assert_eq!(env, Some(&*variable), "{} --{flag}", command.get_name());
            }
        }
        command.get_subcommands().for_each(check);
    }

    #[test]
    fn every_flag_can_be_set_by_the_environment_variable_of_its_name() {
        check(&Cli::command());
    }

    fn parse(arguments: &[&str]) -> Result<Command, clap::Error> {
        let arguments = std::iter::once(&"tidegate").chain(arguments);
        Cli::settled(&Cli::command().try_get_matches_from(arguments)?).map(|cli| cli.command)
    }

    #[test]
    fn fresh_and_from_exclude_each_other() {
        let error = parse(&["run", "job.toml", "--fresh", "--from", "x"]).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ArgumentConflict);
        assert_eq!(error.exit_code(), 2);
    }

    #[test]
    fn states_to_drop_can_be_given_one_by_one_or_in_a_list() {
        let flags = ["--allow-dropped-state", "a,b", "--allow-dropped-state", "c"];
        let arguments: Vec<&str> = ["run", "job.toml"].into_iter().chain(flags).collect();
        let Ok(Command::Run(run)) = parse(&arguments) else {
            panic!("these flags are understood");
        };
        assert_eq!(run.state.allow_dropped_state, ["a", "b", "c"]);
    }

    #[test]
    fn the_definition_of_the_command_line_is_sound() {
        Cli::command().debug_assert();
    }
}
