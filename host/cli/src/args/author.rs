//! The commands of those who write operators: `new`, `sdk`, `doctor`, `build`, `test` and `dev`.

use std::path::PathBuf;

use clap::builder::BoolishValueParser;
use clap::{Args, Subcommand};
use tidegate_authoring::Language;
use tidegate_authoring::project::Template;

use super::{DefaultsArgs, FaultArgs, JobFileArgs, OutputArgs, StoppingArgs};

/// Write a new project with an operator and a job, which builds, passes its tests and runs at once.
///
/// The project has a job that reads a small input, and the output that the job prints. With
/// --job-only, it has such a job and no operator.
///
/// The project of an operator contains a copy of the SDK in its folder sdk/, in the version of this
/// binary. Commit the copy with the project: it needs no other package of Tidegate. `tidegate sdk
/// update` replaces the copy. With --sdk, the project has no copy and uses the SDK at that path.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  tidegate new total --lang rust && tidegate test total
  tidegate new deliveries --lang python --template two-inputs
  tidegate new readings --job-only")]
pub(crate) struct NewArgs {
    /// Name of the operator or job, and of the new folder for its project. Never overwrites a
    /// folder.
    #[arg(value_name = "NAME")]
    pub(crate) name: String,
    /// Language of the operator.
    #[arg(long, env = "TIDEGATE_LANG", value_enum, value_name = "LANG")]
    pub(crate) lang: Option<Language>,
    /// Template of the operator. Default: keyed-state.
    #[arg(long, env = "TIDEGATE_TEMPLATE", value_enum, value_name = "TEMPLATE")]
    pub(crate) template: Option<Template>,
    /// Write a job without an operator, for components that are built elsewhere.
    #[arg(long, env = "TIDEGATE_JOB_ONLY", value_parser = BoolishValueParser::new())]
    pub(crate) job_only: bool,
    /// Folder of an SDK to use instead of a copy: guest-sdk/LANG in the sources of Tidegate.
    #[arg(long, env = "TIDEGATE_SDK", value_name = "PATH")]
    pub(crate) sdk: Option<PathBuf>,
}

/// Update the SDK in a project.
#[derive(Debug, Subcommand)]
pub(crate) enum SdkCommand {
    Update(SdkUpdateArgs),
}

/// Replace a project's copy of the SDK by the SDK of this version of Tidegate.
///
/// `tidegate new` wrote the copy into the project's folder sdk/. The command replaces the files of
/// the SDK and keeps all others. It refuses to replace a copy that was changed since, and names
/// the changed file.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  tidegate sdk update total")]
pub(crate) struct SdkUpdateArgs {
    /// Folder of the project.
    #[arg(value_name = "PATH", default_value = ".")]
    pub(crate) path: PathBuf,
    /// Replace files of the SDK that were changed since `tidegate` wrote them, too.
    #[arg(long, env = "TIDEGATE_DISCARD_CHANGES", value_parser = BoolishValueParser::new())]
    pub(crate) discard_changes: bool,
}

/// Check the tools that build operators, and install them.
///
/// A line for each tool: whether it is ready, its version and path, and the place where `tidegate
/// build` found it; for a missing one, the command that installs it on this system. Without LANG,
/// the languages are those of the project in this folder, or of the projects directly below it;
/// without a project, all languages. Exit code 1 if a tool of a named language, or of a project's,
/// is missing.
///
/// --fix installs what needs no root, in exact versions with verified hashes: componentize-py and
/// Go by pip, componentize-qjs and esbuild by npm, the target of Rust by rustup. The tools go into
/// `$XDG_DATA_HOME/tidegate/tools` (~/.local/share/tidegate/tools), where `tidegate build` finds
/// them. Remove the folder to remove the tools.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  tidegate doctor
  tidegate doctor python --fix
  tidegate doctor rust c --json")]
pub(crate) struct DoctorArgs {
    /// Languages to check.
    #[arg(value_name = "LANG", value_enum)]
    pub(crate) languages: Vec<Language>,
    /// Install missing tools that need no root.
    #[arg(long, env = "TIDEGATE_FIX", value_parser = BoolishValueParser::new())]
    pub(crate) fix: bool,
    #[command(flatten)]
    pub(crate) output: OutputArgs,
}

/// Build operators into components.
///
/// PATH is a project, recognised by its manifest (such as Cargo.toml), a folder with projects
/// anywhere below it, or a job file, whose components are built. The project of a component is the
/// one in its folder; a component without a project stays as it is. The compiler of its language
/// compiles a project. Tools are taken from the environment, the project, `tidegate doctor --fix`,
/// `make setup` of a checkout, and the PATH, in this order. A component imports the interface of
/// operators and
/// nothing else: a stand-in without clock, files or network answers a language's calls to WASI.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  tidegate build
  tidegate build job.toml
  tidegate build operators/count --out .")]
pub(crate) struct BuildArgs {
    /// A project, a folder of projects, or a job file.
    #[arg(value_name = "PATH", default_value = ".")]
    pub(crate) path: PathBuf,
    /// Folder for the components. Default: next to the project's manifest.
    #[arg(long, env = "TIDEGATE_OUT", value_name = "DIR")]
    pub(crate) out: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) compiler: CompilerArgs,
    /// Name the tools that were used, with their paths.
    #[arg(long, short, env = "TIDEGATE_VERBOSE", value_parser = BoolishValueParser::new())]
    pub(crate) verbose: bool,
    #[command(flatten)]
    pub(crate) output: OutputArgs,
}

/// Run an operator's scenarios against its component.
///
/// A scenario lists steps: records and event time that arrive, restarts from a checkpoint, changes
/// of parallelism, and the output that must follow. It runs against the component, so it is the
/// same for every language. PATH is a project, a scenario, or a folder of scenarios. A project is
/// built first, and its scenarios are tests/*.toml.
///
/// Every snapshot is also taken twice, and the two must be equal; an instance that is restored from
/// a snapshot must return it unchanged. `tidegate schema --scenario` prints the JSON Schema of a
/// scenario. Exit code 7 if a scenario fails.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  tidegate test
  tidegate test operators/count --no-build
  tidegate test operators/count/tests/scenario.toml --json")]
pub(crate) struct TestArgs {
    /// A project, a scenario, or a folder of scenarios.
    #[arg(value_name = "PATH", default_value = ".")]
    pub(crate) path: PathBuf,
    /// Do not build the project first.
    #[arg(long, env = "TIDEGATE_NO_BUILD", value_parser = BoolishValueParser::new())]
    pub(crate) no_build: bool,
    #[command(flatten)]
    pub(crate) faults: FaultArgs,
    #[command(flatten)]
    pub(crate) compiler: CompilerArgs,
    #[command(flatten)]
    pub(crate) output: OutputArgs,
}

/// Run a job while you edit it: build, test, run, and continue with the new code after each change.
///
/// The command builds the operators whose sources changed, runs their scenarios, and runs the job.
/// It watches the sources of the operators, their scenarios and the job file. After a change, it
/// builds and tests while the job continues, stops the job with a checkpoint, and continues with
/// the new code from there, so the state is kept. If a build or a scenario fails, or the job file
/// is wrong, the running code continues. A change that leaves the built components as they were,
/// such as one of a comment, leaves the job alone.
///
/// A job whose input has ended runs again from the beginning after the next change, and replaces
/// the output that it has written since `dev` began. Ctrl-C stops the job with a checkpoint, as it
/// stops `tidegate run`, which then continues the job.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  tidegate dev
  tidegate dev jobs/clicks.toml --offline")]
pub(crate) struct DevArgs {
    #[command(flatten)]
    pub(crate) job: JobFileArgs,
    #[command(flatten)]
    pub(crate) defaults: DefaultsArgs,
    /// Show only events such as builds, starts and ends, and no progress.
    #[arg(long, short, env = "TIDEGATE_QUIET", value_parser = BoolishValueParser::new())]
    pub(crate) quiet: bool,
    #[command(flatten)]
    pub(crate) faults: FaultArgs,
    #[command(flatten)]
    pub(crate) stopping: StoppingArgs,
    #[command(flatten)]
    pub(crate) compiler: CompilerArgs,
}

/// How operators are compiled.
#[derive(Clone, Debug, Args)]
pub(crate) struct CompilerArgs {
    /// Folder for files that the compiler reuses. Default: for Rust, `tidegate` below
    /// `$XDG_CACHE_HOME` (~/.cache), else `target` in the project.
    #[arg(long, env = "TIDEGATE_TARGET_DIR", value_name = "DIR")]
    pub(crate) target_dir: Option<PathBuf>,
    /// Use no network.
    #[arg(long, env = "TIDEGATE_OFFLINE", value_parser = BoolishValueParser::new())]
    pub(crate) offline: bool,
}
