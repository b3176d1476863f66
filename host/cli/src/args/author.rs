//! The commands of those who write operators: `new`, `build` and `test`.

use std::path::PathBuf;

use clap::Args;
use clap::builder::BoolishValueParser;
use tidegate_authoring::Language;

use super::OutputArgs;

/// Write a new operator project, which builds and passes its tests at once.
///
/// The project uses the SDK at --sdk. Without --sdk, it uses the SDK of the source checkout that
/// contains this binary or the current folder. Without such a checkout, it names the SDK of the
/// language's registry, in the version of this binary.
#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  tidegate new total --lang rust && tidegate test total")]
pub(crate) struct NewArgs {
    /// Name of the operator, and of the new folder for its project. Never overwrites a folder.
    #[arg(value_name = "NAME")]
    pub(crate) name: String,
    /// Language of the operator.
    #[arg(long, env = "TIDEGATE_LANG", value_enum, value_name = "LANG")]
    pub(crate) lang: Language,
    /// Folder of the SDK: guest-sdk/LANG in the sources of Tidegate.
    #[arg(long, env = "TIDEGATE_SDK", value_name = "PATH")]
    pub(crate) sdk: Option<PathBuf>,
}

/// Build operators into components.
///
/// PATH is a project, recognised by its manifest (such as Cargo.toml), or a folder with projects
/// anywhere below it. The compiler of its language compiles a project; if a tool is missing, the
/// message names the command that installs it. A component imports the interface of operators and
/// nothing else: a stand-in without clock, files or network answers a language's calls to WASI.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  tidegate build
  tidegate build operators/count --out .")]
pub(crate) struct BuildArgs {
    /// A project, or a folder of projects.
    #[arg(value_name = "PATH", default_value = ".")]
    pub(crate) path: PathBuf,
    /// Folder for the components. Default: next to the project's manifest.
    #[arg(long, env = "TIDEGATE_OUT", value_name = "DIR")]
    pub(crate) out: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) compiler: CompilerArgs,
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
    pub(crate) compiler: CompilerArgs,
    #[command(flatten)]
    pub(crate) output: OutputArgs,
}

/// How operators are compiled.
#[derive(Debug, Args)]
pub(crate) struct CompilerArgs {
    /// Folder for files that the compiler reuses.
    #[arg(long, env = "TIDEGATE_TARGET_DIR", value_name = "DIR")]
    pub(crate) target_dir: Option<PathBuf>,
    /// Use no network.
    #[arg(long, env = "TIDEGATE_OFFLINE", value_parser = BoolishValueParser::new())]
    pub(crate) offline: bool,
}
