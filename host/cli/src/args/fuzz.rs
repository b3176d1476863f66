//! Fuzz target `command-line`: any bytes as arguments, a line each. A value from the environment
//! takes the same way through the same parsers as that of its flag. Nothing panics.

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt as _;

use clap::CommandFactory as _;
use tidegate_fuzz::{Target, shape};
use tracing_subscriber::EnvFilter;

use super::Cli;

const WORDS: [&str; 35] = [
    "\n",
    "\n--",
    "run\n",
    "job.toml\n",
    "savepoint\n",
    "stop\n",
    "status\n",
    "checkpoint\n",
    "verify\n",
    "diff\n",
    "graph\n",
    "new\n",
    "--timeout\n",
    "--timeout=",
    "--stop-timeout=",
    "--parallelism=",
    "--from=",
    "--fresh",
    "--json=",
    "--log=",
    "--format=",
    "--lang=",
    "--allow-dropped-state=a,b",
    "18446744073709551615s",
    "1000000000ns",
    "1M",
    "1m 30s",
    "4294967296",
    "tidegate=info",
    "tidegate[span{field=1}]=trace",
    "[{",
    "true",
    "\u{1b}[2J",
    "\u{202e}",
    "99999999999999999999",
];

#[test]
fn fuzz_command_line() {
    Target::new("command-line", 3_000)
        .seed("run\njob.toml\n--parallelism\n4\n--quiet")
        .seed("stop\njob.toml\n--timeout=1m 30s\n--savepoint\nsavepoints")
        .seed("stop\njob.toml\n--timeout=18446744073709551615s 1000000000ns")
        .seed("run\njob.toml\n--stop-timeout=18446744073709551615s 1000000000ns")
        .seed("check\njob.toml\n--log=warn,tidegate=debug")
        .words(WORDS.iter().map(|word| word.as_bytes()))
        .run(|input| {
            let arguments = input.split(|byte| *byte == b'\n');
            let arguments = arguments.map(|argument| OsString::from_vec(argument.to_vec()));
            let all = std::iter::once(OsString::from("tidegate")).chain(arguments);
            let matches = match Cli::command().try_get_matches_from(all) {
                Ok(matches) => matches,
                Err(error) => return told(&error),
            };
            let command = matches.subcommand_name().unwrap_or_default().to_owned();
            match Cli::settled(&matches) {
                Ok(cli) => match EnvFilter::try_new(&cli.log) {
                    Ok(_) => vec![command],
                    Err(_) => vec![command, "a bad log filter".to_owned()],
                },
                Err(error) => told(&error),
            }
        });
}

fn told(error: &clap::Error) -> Vec<String> {
    drop(error.render().to_string());
    vec![shape(&error.kind())]
}
