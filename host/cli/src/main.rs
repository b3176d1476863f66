//! `tidegate`, the command line: commands, terminal and control socket.
//!
//! `main` reads the command line, carries out one command and turns its result into an exit code.
//! The crates below run the job; this one only connects them and shows the result.

mod args;
mod code_cache;
mod commands;
mod control;
mod failure;
mod met_limit;
mod process_limits;
mod terminal;

use std::process::ExitCode;

use tidegate_runtime::observe::TOLD;
use tracing_subscriber::EnvFilter;

use args::Cli;
use failure::Failure;
use terminal::Terminal;

fn main() -> ExitCode {
    Terminal::take_panics();
    Cli::complete();
    let cli = Cli::from_process();
    let terminal = Terminal::default();
    let done = process_limits::prepare(&terminal)
        .and_then(|()| log_to(&terminal, &cli.log))
        .and_then(|()| commands::execute(&cli.command, &terminal));
    let code = match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            terminal.report(&failure);
            ExitCode::from(failure.exit_code())
        }
    };
    terminal.flush_logs();
    code
}

/// Sends logs of the host and of guests to the terminal, without tearing a progress bar.
fn log_to(terminal: &Terminal, filter: &str) -> Result<(), Failure> {
    let filter = EnvFilter::try_new(filter).map_err(|error| Failure::Usage {
        message: format!("--log {filter}: {error}"),
    })?;
    // Progress reports these events; the log would repeat them.
    let told = format!("{TOLD}=off").parse();
    let filter = filter.add_directive(told.expect("a target and a level are a directive"));
    terminal.take_logs()?;
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(terminal.clone())
        .with_ansi(terminal.is_watched())
        .init();
    Ok(())
}
