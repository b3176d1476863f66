//! The reference page of the command line, made from the definition of its commands.

use clap::{Arg, ArgAction, Command};

const HEAD: &str = "\
# The command line

<!-- Made from the commands in host/cli/src/args; do not edit. To write it again:
     make reference -->
";

/// Columns of a line of prose.
const COLUMNS: usize = 100;

/// Returns the page, in Markdown.
fn reference(mut command: Command) -> String {
    command.build();
    let mut page = HEAD.to_owned();
    add(&mut page, &command, command.get_name(), 0);
    page
}

/// Adds the chapter of a command and those of its subcommands.
fn add(page: &mut String, command: &Command, name: &str, depth: usize) {
    page.push_str(&format!("\n{} `{name}`\n", "#".repeat(depth.min(1) + 2)));
    let about = command.get_long_about().or_else(|| command.get_about());
    for paragraph in about
        .into_iter()
        .flat_map(|about| paragraphs(&about.to_string()))
    {
        page.push_str(&format!("\n{}\n", wrapped(&sentence(&paragraph))));
    }
    let usage = command.clone().render_usage().to_string();
    let usage = usage.trim_start_matches("Usage: ");
    page.push_str(&format!("\n```text\n{usage}\n```\n"));
    arguments(page, command, depth);
    if let Some(after) = command.get_after_help() {
        page.push_str(&format!("\n```text\n{after}\n```\n"));
    }
    let shown = command.get_subcommands();
    for subcommand in shown.filter(|subcommand| subcommand.get_name() != "help") {
        let name = format!("{name} {}", subcommand.get_name());
        add(page, subcommand, &name, depth + 1);
    }
}

/// A table of the arguments. A flag that every command has stands at the top only.
fn arguments(page: &mut String, command: &Command, depth: usize) {
    let is_shown = |argument: &&Arg| {
        let is_help = matches!(
            argument.get_action(),
            ArgAction::Help | ArgAction::HelpShort | ArgAction::HelpLong | ArgAction::Version
        );
        !is_help && !argument.is_hide_set() && (depth == 0 || !argument.is_global_set())
    };
    let rows: String = command.get_arguments().filter(is_shown).map(row).collect();
    if !rows.is_empty() {
        let head = "| argument | default | meaning |\n| --- | --- | --- |\n";
        page.push_str(&format!("\n{head}{rows}"));
    }
}

fn row(argument: &Arg) -> String {
    let takes_value = argument.get_action().takes_values();
    let defaults = argument.get_default_values().iter();
    let defaults = defaults.filter(|_| takes_value);
    let defaults = defaults.map(|value| format!("`{}`", value.to_string_lossy()));
    let cells = [
        format!("`{}`", form(argument)),
        defaults.collect::<Vec<_>>().join(", "),
        meaning(argument),
    ];
    let cells = cells.map(|cell| cell.split_whitespace().collect::<Vec<_>>().join(" "));
    let cells = cells.map(|cell| cell.replace('|', "\\|"));
    format!("| {} |\n", cells.join(" | "))
}

/// The help of an argument, and the words that its value can be.
fn meaning(argument: &Arg) -> String {
    let help = argument.get_long_help().or_else(|| argument.get_help());
    let help = sentence(&help.map(ToString::to_string).unwrap_or_default());
    let mut text = match argument.get_help_heading() {
        Some(heading) => format!("{heading}: {help}"),
        None => help,
    };
    let takes_value = argument.get_action().takes_values();
    let words = argument.get_possible_values().into_iter();
    for word in words.filter(|_| takes_value) {
        text.push_str(&format!("<br>`{}`", word.get_name()));
        if let Some(help) = word.get_help() {
            text.push_str(&format!(": {}", sentence(&help.to_string())));
        }
    }
    text
}

/// The text with a full stop: clap takes that of a single sentence away.
fn sentence(text: &str) -> String {
    match text.ends_with('.') {
        true => text.to_owned(),
        false => format!("{text}."),
    }
}

/// How an argument is written: `--from PATH`, `JOB.toml`.
fn form(argument: &Arg) -> String {
    let takes_value = argument.get_action().takes_values();
    let names = argument.get_value_names().unwrap_or_default().iter();
    let values: Vec<&str> = names.filter(|_| takes_value).map(|name| &**name).collect();
    let short = argument.get_short().map(|short| format!("-{short}, "));
    let long = argument.get_long().map(|long| format!("--{long}"));
    let flag = format!("{}{}", short.unwrap_or_default(), long.unwrap_or_default());
    format!("{flag} {}", values.join(" ")).trim().to_owned()
}

fn paragraphs(text: &str) -> Vec<String> {
    text.split("\n\n").map(str::to_owned).collect()
}

/// A paragraph in lines of [`COLUMNS`] at most.
fn wrapped(paragraph: &str) -> String {
    let mut lines: Vec<String> = Vec::new();
    for word in paragraph.split_whitespace() {
        match lines.last_mut() {
            Some(line) if line.chars().count() + 1 + word.chars().count() <= COLUMNS => {
                line.push(' ');
                line.push_str(word);
            }
            Some(_) | None => lines.push(word.to_owned()),
        }
    }
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use clap::CommandFactory as _;

    use super::*;
    use crate::args::Cli;

    #[test]
    fn the_reference_page_is_the_one_that_the_commands_make() {
        let page = reference(Cli::command());
        let path = Path::new(env!("CARGO_MANIFEST_DIR"));
        let path = path.join("../../docs/reference/command-line.md");
        if std::env::var_os("TIDEGATE_WRITE_REFERENCE").is_some() {
            std::fs::write(&path, &page).expect("the page can be written");
        }
        let committed = std::fs::read_to_string(&path).unwrap_or_default();
        assert!(
            committed == page,
            "docs/reference/command-line.md is out of date; write it again with `make reference`"
        );
    }

    #[test]
    fn every_command_and_every_flag_is_on_the_page() {
        fn check(page: &str, command: &Command, name: &str) {
            assert!(page.contains(&format!("# `{name}`\n")), "{name}");
            for argument in command.get_arguments() {
                let is_shown = argument.get_action().takes_values() && !argument.is_hide_set();
                assert!(!is_shown || page.contains(&form(argument)), "{argument}");
            }
            for subcommand in command.get_subcommands() {
                check(
                    page,
                    subcommand,
                    &format!("{name} {}", subcommand.get_name()),
                );
            }
        }
        let page = reference(Cli::command());
        check(&page, &Cli::command(), "tidegate");
        assert!(
            page.contains("| `--stop-timeout DURATION` | `1m` |"),
            "{page}"
        );
    }

    #[test]
    fn prose_is_wrapped_and_no_word_is_lost() {
        let text = "word ".repeat(100);
        let lines = wrapped(&text);
        assert!(lines.lines().all(|line| line.len() <= COLUMNS));
        assert_eq!(lines.split_whitespace().count(), 100);
    }
}
