//! Command lines that are shown and not run: the names in them must exist.

use std::path::Path;

use tidegate_tests::{tidegate, workspace_root};

/// Reports every line that names a missing target, script, command or flag.
pub(super) fn check(text: &str) -> Result<(), String> {
    let joined = text.replace("\\\n", " ");
    let commands = joined.lines().flat_map(|line| line.split(" && "));
    let problems: Vec<String> = commands.filter_map(|line| problem(line).err()).collect();
    if problems.is_empty() {
        Ok(())
    } else {
        Err(problems.join("\n"))
    }
}

fn problem(line: &str) -> Result<(), String> {
    let code = line.split("  #").next().unwrap_or_default();
    let words: Vec<&str> = code.split_whitespace().collect();
    match words.as_slice() {
        [] => Ok(()),
        ["make", target, ..] => has_target(target),
        ["tidegate", arguments @ ..] => has_flags(arguments),
        [script, ..] if script.starts_with("scripts/") => {
            let path = workspace_root().join(Path::new(script));
            let missing = || format!("`{script}` is not there");
            path.is_file().then_some(()).ok_or_else(missing)
        }
        [program, ..] => Err(format!(
            "`{program}` can't be checked, run it in a `console` block or call the block `text`"
        )),
    }
}

fn has_target(target: &str) -> Result<(), String> {
    let makefile = workspace_root().join("Makefile");
    let makefile = std::fs::read_to_string(makefile).expect("there is a Makefile");
    let rule = format!("\n{target}:");
    let missing = || format!("`make {target}`: the Makefile has no such target");
    makefile.contains(&rule).then_some(()).ok_or_else(missing)
}

fn has_flags(arguments: &[&str]) -> Result<(), String> {
    let is_word = |word: &&&str| word.chars().all(|c| c.is_ascii_lowercase());
    let depth = if arguments.first() == Some(&"checkpoint") {
        2
    } else {
        1
    };
    let commands: Vec<&str> = arguments
        .iter()
        .take(depth)
        .take_while(is_word)
        .copied()
        .collect();
    let help = tidegate(
        &workspace_root(),
        &[&commands[..], &["--help"][..]].concat(),
    );
    let command = format!("tidegate {}", commands.join(" "));
    if help.code != Some(0) {
        return Err(format!("`{command}`: there is no such command"));
    }
    let is_end = |c: char| !(c.is_ascii_alphanumeric() || c == '-');
    let options: Vec<&str> = help.stdout.split(is_end).collect();
    for argument in arguments {
        let flag = argument.trim_matches(['[', ']']);
        if flag.starts_with("--") && !options.contains(&flag) {
            return Err(format!("`{command}`: its help has no `{flag}`"));
        }
    }
    Ok(())
}
