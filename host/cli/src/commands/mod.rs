//! The commands, one file each.

mod build;
mod check;
mod checkpoint;
mod dev;
mod doctor;
mod graph;
mod job_projects;
mod man;
mod new;
mod run;
mod running_job;
mod sdk;
mod test;

use tidegate_authoring::scenario;

use crate::args::Command;
use crate::failure::Failure;
use crate::terminal::Terminal;

/// Carries out a command.
pub(crate) fn execute(command: &Command, terminal: &Terminal) -> Result<(), Failure> {
    match command {
        Command::Run(args) => run::run(args, terminal),
        Command::Savepoint(args) => running_job::savepoint(args, terminal),
        Command::Stop(args) => running_job::stop(args, terminal),
        Command::Cancel(args) => running_job::cancel(args, terminal),
        Command::Status(args) => running_job::status(args, terminal),
        Command::Check(args) => check::check(args, terminal),
        Command::Graph(args) => graph::graph(args, terminal),
        Command::Checkpoint(command) => checkpoint::checkpoint(command, terminal),
        Command::Schema(args) if args.scenario => terminal.json(&scenario::schema()),
        Command::Schema(_) => {
            terminal.json(&tidegate_job_file::schema(&tidegate_connectors::built_in()))
        }
        Command::Completions(args) => terminal.completions(args.shell),
        Command::Man(args) => man::man(args, terminal),
        Command::New(args) => new::new(args, terminal),
        Command::Sdk(command) => sdk::sdk(command, terminal),
        Command::Doctor(args) => doctor::doctor(args, terminal),
        Command::Build(args) => build::build(args, terminal),
        Command::Test(args) => test::test(args, terminal),
        Command::Dev(args) => dev::dev(args, terminal),
    }
}
