//! Runs the tools of languages: compilers and their companions.

use std::process::{Command, Output};

use super::error::BuildError;

/// Runs a tool to its end. `command` decides where the output goes.
pub(super) fn run(command: &mut Command, remedy: &str) -> Result<Output, BuildError> {
    command.output().map_err(|source| BuildError::NotStarted {
        program: command.get_program().to_string_lossy().into_owned(),
        remedy: remedy.to_owned(),
        source,
    })
}
