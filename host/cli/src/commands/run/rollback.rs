//! `tidegate run --from`: the checkpoint to start from, and the removal of output that is newer.

use std::io::{self, BufRead as _, IsTerminal as _};
use std::path::{Path, PathBuf};

use bytesize::ByteSize;
use tidegate_checkpoint::{CheckpointDirectory, CheckpointStore};
use tidegate_connector::CheckpointId;
use tidegate_connector::sink::NewerOutput;
use tidegate_runtime::{Job, JobError, RunOptions, newer_output};

use crate::failure::Failure;
use crate::terminal::{Lines, Terminal};

/// The largest number of files listed of a sink.
const MOST_LISTED: usize = 20;
/// The longest answer that is read.
const LONGEST_ANSWER: u64 = 100;

/// Returns the path that `--from` names: a number is a checkpoint of the job's own `directory`.
pub(super) fn start_path(from: &Path, directory: &Path) -> Result<PathBuf, Failure> {
    let number = from.to_str().filter(|text| !text.starts_with('+'));
    let Some(Ok(number)) = number.map(str::parse) else {
        return Ok(from.to_owned());
    };
    let checkpoint = CheckpointId(number);
    let path = CheckpointDirectory::manifest_path(directory, checkpoint);
    if path.exists() {
        return Ok(path);
    }
    let kept = CheckpointDirectory::open(directory)
        .and_then(|directory| directory.ids())
        .map_err(JobError::from)?;
    let kept: Vec<String> = kept.iter().map(CheckpointId::to_string).collect();
    Err(Failure::Usage {
        message: format!(
            "--from {checkpoint}: the job has no checkpoint {checkpoint}; it has {}. Write \
             ./{checkpoint} for a directory of that name",
            kept.join(", ")
        ),
    })
}

/// Asks the user before a start that removes output, unless `is_agreed`.
pub(super) fn confirm(
    job: &Job,
    store: &dyn CheckpointStore,
    options: &RunOptions,
    is_agreed: bool,
    terminal: &Terminal,
) -> Result<(), Failure> {
    if !options.discard_newer_output {
        return Ok(());
    }
    let newer = newer_output(job, store, options)?;
    let (files, bytes) = totals(&newer);
    if files == 0 {
        return Ok(());
    }
    terminal.show(listed(&newer));
    if is_agreed {
        return Ok(());
    }
    let total = format!("{files} file(s) of {}", ByteSize(bytes));
    if !io::stdin().is_terminal() {
        return Err(Failure::Usage {
            message: format!(
                "this start removes {total}, which is newer than the checkpoint; agree with --yes"
            ),
        });
    }
    terminal.say(format_args!(
        "remove {total}? Type yes, or anything else to change nothing:"
    ));
    let mut answer = String::new();
    let mut input = io::Read::take(io::stdin().lock(), LONGEST_ANSWER);
    let read = input.read_line(&mut answer);
    read.map_err(Failure::io("read the answer"))?;
    match answer.trim() {
        "yes" => Ok(()),
        _ => Err(Failure::Usage {
            message: "nothing was changed".to_owned(),
        }),
    }
}

fn totals(newer: &[(String, Vec<NewerOutput>)]) -> (usize, u64) {
    let outputs = || newer.iter().flat_map(|(_, outputs)| outputs);
    (
        outputs().count(),
        outputs().map(|output| output.bytes).sum(),
    )
}

fn listed(newer: &[(String, Vec<NewerOutput>)]) -> Lines {
    let mut lines = Lines::new();
    for (sink, outputs) in newer.iter().filter(|(_, outputs)| !outputs.is_empty()) {
        lines.line(format_args!("newer output of sink `{sink}`:"));
        for output in outputs.iter().take(MOST_LISTED) {
            let size = ByteSize(output.bytes);
            lines.line(format_args!("  {} ({size})", output.place));
        }
        if outputs.len() > MOST_LISTED {
            lines.line(format_args!("  and {} more", outputs.len() - MOST_LISTED));
        }
    }
    lines
}
