//! Flags from the environment: an empty variable counts as unset.
//!
//! One mechanism for every flag. Shells, containers and service managers write `VARIABLE=` where
//! they mean "not set", and neither a number nor a path nor a switch is empty.

use std::ffi::OsStr;

use clap::Command;
use clap::builder::Resettable;

/// `command`, in which no flag of any subcommand looks at a variable that is set to nothing.
pub(crate) fn without_empty(command: Command) -> Command {
    unless_empty(command, &|name| {
        std::env::var_os(name).is_some_and(|value| value.is_empty())
    })
}

fn unless_empty(command: Command, is_empty: &dyn Fn(&OsStr) -> bool) -> Command {
    command
        .mut_args(|argument| match argument.get_env() {
            Some(name) if is_empty(name) => argument.env(Resettable::Reset),
            Some(_) | None => argument,
        })
        .mut_subcommands(|subcommand| unless_empty(subcommand, is_empty))
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;
    use crate::args::Cli;

    fn variables(command: &Command) -> Vec<String> {
        let own = command.get_arguments().filter_map(clap::Arg::get_env);
        let own = own.map(|name| name.to_string_lossy().into_owned());
        let below = command.get_subcommands().flat_map(variables);
        own.chain(below).collect()
    }

    #[test]
    fn every_flag_ignores_its_variable_if_it_is_empty() {
        let all = variables(&Cli::command());
        assert!(all.len() > 30, "{all:?}");
        let none = unless_empty(Cli::command(), &|_| true);
        assert_eq!(variables(&none), Vec::<String>::new());
        let others = unless_empty(Cli::command(), &|name| name == "TIDEGATE_TIMEOUT");
        let expected: Vec<&String> = all.iter().filter(|v| *v != "TIDEGATE_TIMEOUT").collect();
        assert_eq!(variables(&others).iter().collect::<Vec<_>>(), expected);
    }
}
