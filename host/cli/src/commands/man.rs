//! `tidegate man`: writes a man page for each command, made from the declarations of its flags.

use std::fs;
use std::path::Path;

use clap::CommandFactory as _;
use clap_mangen::Man;
use tidegate_operator::shown;

use crate::args::{Cli, ManArgs};
use crate::failure::Failure;
use crate::terminal::{Lines, Terminal};

/// Writes the pages, and prints their paths.
pub(crate) fn man(args: &ManArgs, terminal: &Terminal) -> Result<(), Failure> {
    let directory = &args.directory;
    let action = || format!("create {}", shown(directory));
    fs::create_dir_all(directory).map_err(Failure::io(action()))?;
    // `tidegate help COMMAND` shows a page of its own, which needs no manual.
    let mut command = Cli::command().disable_help_subcommand(true);
    command.build();
    write_with_subcommands(&command, directory, terminal)
}

/// Writes the page of a command and those of its subcommands.
fn write_with_subcommands(
    command: &clap::Command,
    directory: &Path,
    terminal: &Terminal,
) -> Result<(), Failure> {
    let page = Man::new(command.clone());
    let path = directory.join(page.get_filename());
    let mut text = Vec::new();
    page.render(&mut text)
        .and_then(|()| fs::write(&path, text))
        .map_err(Failure::io(format!("write {}", shown(&path))))?;
    terminal.data(&Lines::one(shown(&path)))?;
    for subcommand in command.get_subcommands() {
        write_with_subcommands(subcommand, directory, terminal)?;
    }
    Ok(())
}
