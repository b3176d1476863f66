//! Flags that depend on each other, where some are from the environment.

use clap::error::ErrorKind;
use clap::parser::ValueSource;
use clap::{ArgMatches, CommandFactory as _, FromArgMatches as _};

use super::{Cli, Command, GraphFormat};

impl Cli {
    /// Where two flags exclude each other, the one on the command line wins over the one from the
    /// environment.
    pub(super) fn settled(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let mut cli = Self::from_arg_matches(matches)?;
        let Some((_, matches)) = matches.subcommand() else {
            return Ok(cli);
        };
        let is_flag = |id| matches.value_source(id) == Some(ValueSource::CommandLine);
        match &mut cli.command {
            Command::Run(run) if run.from.is_none() && run.discard_newer_output => {
                run.discard_newer_output = false;
                if is_flag("discard_newer_output") {
                    let message = "--discard-newer-output needs --from PATH";
                    return Err(Self::command().error(ErrorKind::MissingRequiredArgument, message));
                }
            }
            Command::Run(run) if run.fresh && run.from.is_some() => {
                match (is_flag("from"), is_flag("fresh")) {
                    (true, false) => run.fresh = false,
                    (false, true) => run.from = None,
                    (true, true) | (false, false) => {
                        let message = "--fresh and --from PATH exclude each other";
                        return Err(Self::command().error(ErrorKind::ArgumentConflict, message));
                    }
                }
            }
            Command::Graph(graph) if graph.json => {
                if is_flag("json") || !is_flag("format") {
                    graph.format = GraphFormat::Json;
                }
            }
            Command::Run(_)
            | Command::Savepoint(_)
            | Command::Stop(_)
            | Command::Cancel(_)
            | Command::Status(_)
            | Command::Check(_)
            | Command::Graph(_)
            | Command::Checkpoint(_)
            | Command::Schema(_)
            | Command::Completions(_)
            | Command::Man(_)
            | Command::New(_)
            | Command::Sdk(_)
            | Command::Doctor(_)
            | Command::Build(_)
            | Command::Test(_)
            | Command::Dev(_) => {}
        }
        Ok(cli)
    }
}
