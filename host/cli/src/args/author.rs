//! The commands of those who write operators: `new`, `build` and `test`.

use std::path::PathBuf;

use clap::Args;
use clap::builder::BoolishValueParser;
use tidegate_authoring::Language;

use super::OutputArgs;

/// Write a project for an operator of your own, which builds and passes its tests at once.
///
/// The SDK that the project uses is the one at --sdk; without it, the one of the source checkout
/// that holds this binary or the current folder; else the one on the language's registry, in the
/// version of this binary.
#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  tidegate new total --lang rust && tidegate test total")]
pub(crate) struct NewArgs {
    /// The project, a folder of that name here, and the operator. Nothing is overwritten.
    #[arg(value_name = "NAME")]
    pub(crate) name: String,
    /// What it is written in.
    #[arg(long, env = "TIDEGATE_LANG", value_enum, value_name = "LANG")]
    pub(crate) lang: Language,
    /// The folder of the SDK, which is guest-sdk/LANG in the sources of Tidegate.
    #[arg(long, env = "TIDEGATE_SDK", value_name = "PATH")]
    pub(crate) sdk: Option<PathBuf>,
}

/// Build operators into components.
///
/// PATH is a project, which is known by its manifest, such as Cargo.toml; or a folder with projects
/// somewhere below it. What compiles a project is the compiler of its language; what is missing is
/// named with the command that installs it. A component imports nothing but what every operator is
/// given: what a language wants of WASI is answered by a stand-in without clock, files or network.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  tidegate build
  tidegate build operators/count --out .")]
pub(crate) struct BuildArgs {
    /// A project, or a folder of projects.
    #[arg(value_name = "PATH", default_value = ".")]
    pub(crate) path: PathBuf,
    /// Where the components go. Default: next to the project's manifest.
    #[arg(long, env = "TIDEGATE_OUT", value_name = "DIR")]
    pub(crate) out: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) compiler: CompilerArgs,
    #[command(flatten)]
    pub(crate) output: OutputArgs,
}

/// Run an operator's scenarios against its component.
///
/// A scenario says what arrives (records, event time), what happens (a restart from a checkpoint,
/// another parallelism) and what must come of it. It is the same for every language: what runs is
/// the component. PATH is a project, which is built first and has its scenarios in tests/*.toml; a
/// scenario; or a folder of scenarios. Beyond what a scenario says, every snapshot is taken twice
/// and must be the same, and what is restored from it must give it back unchanged.
///
/// `tidegate schema --scenario` prints the JSON Schema of a scenario. Exit code 7 if one fails.
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
    /// Where the compiler keeps what it can use again.
    #[arg(long, env = "TIDEGATE_TARGET_DIR", value_name = "DIR")]
    pub(crate) target_dir: Option<PathBuf>,
    /// Use no network.
    #[arg(long, env = "TIDEGATE_OFFLINE", value_parser = BoolishValueParser::new())]
    pub(crate) offline: bool,
}
