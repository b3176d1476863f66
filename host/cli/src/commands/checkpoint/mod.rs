//! `tidegate checkpoint`: inspects checkpoint directories and savepoints, read only and without
//! their lock.

mod difference;
mod drill;
mod inspection;

use std::time::{Duration, UNIX_EPOCH};

use bytesize::ByteSize;
use serde::Serialize;
use tidegate_checkpoint::{
    CheckpointDirectory, CheckpointKind, CheckpointReport, Manifest, StoreError, VerifyReport,
};
use tidegate_connector::CheckpointId;

use crate::args::{CheckpointArgs, CheckpointCommand, VerifyArgs};
use crate::failure::Failure;
use crate::terminal::{Lines, Terminal, chain, table};

use inspection::Inspection;

/// Carries out one of the commands.
pub(crate) fn checkpoint(command: &CheckpointCommand, terminal: &Terminal) -> Result<(), Failure> {
    match command {
        CheckpointCommand::List(args) => list(args, terminal),
        CheckpointCommand::Inspect(args) => inspect(args, terminal),
        CheckpointCommand::Verify(args) => verify(args, terminal),
        CheckpointCommand::Diff(args) => difference::diff(args, terminal),
    }
}

/// A checkpoint in the output of `list`.
#[derive(Debug, Serialize)]
struct ListedCheckpoint {
    checkpoint: CheckpointId,
    #[serde(flatten)]
    contents: Option<ListedContents>,
    /// The reason why it can't be restored, if any.
    problem: Option<String>,
    /// The time at which a restore drill beside the job proved it, in milliseconds since the Unix
    /// epoch.
    proven_at_ms: Option<u64>,
}

#[derive(Debug, Serialize)]
struct ListedContents {
    job: String,
    kind: CheckpointKind,
    attempt: u64,
    created_at_ms: u64,
    state_bytes: u64,
    subtasks: usize,
}

fn list(args: &CheckpointArgs, terminal: &Terminal) -> Result<(), Failure> {
    let directory = CheckpointDirectory::open(&args.path)?;
    let mut first_failure = None;
    let mut listed = Vec::new();
    for checkpoint in directory.ids()? {
        let (contents, problem) = match directory.load(checkpoint) {
            Ok(manifest) => (Some(contents(&manifest)), None),
            Err(error) => {
                let problem = chain(&error);
                first_failure.get_or_insert(error);
                (None, Some(problem))
            }
        };
        listed.push(ListedCheckpoint {
            checkpoint,
            contents,
            proven_at_ms: match &problem {
                None => directory.proven_at_ms(checkpoint)?,
                Some(_) => None,
            },
            problem,
        });
    }
    if args.output.json {
        terminal.json(&listed)?;
    } else {
        terminal.data(&list_text(&listed))?;
    }
    first_failure.map_or(Ok(()), |error: StoreError| Err(error.into()))
}

fn contents(manifest: &Manifest) -> ListedContents {
    ListedContents {
        job: manifest.graph.job().to_owned(),
        kind: manifest.kind,
        attempt: manifest.attempt,
        created_at_ms: manifest.created_at_ms,
        state_bytes: manifest.state_files().map(|(_, file)| file.length).sum(),
        subtasks: manifest.subtasks.len(),
    }
}

fn list_text(listed: &[ListedCheckpoint]) -> Lines {
    let rows = listed.iter().map(|line| {
        let mut row = vec![line.checkpoint.to_string()];
        match &line.contents {
            Some(contents) => row.extend([
                kind(contents.kind).to_owned(),
                time(contents.created_at_ms),
                contents.attempt.to_string(),
                ByteSize(contents.state_bytes).to_string(),
                line.proven_at_ms.map_or_else(|| "-".to_owned(), time),
                contents.job.clone(),
            ]),
            None => row.push("can't be restored".to_owned()),
        }
        row
    });
    table(
        &[
            "CHECKPOINT",
            "KIND",
            "CREATED",
            "ATTEMPT",
            "STATE",
            "PROVEN",
            "JOB",
        ],
        rows,
    )
}

fn inspect(args: &CheckpointArgs, terminal: &Terminal) -> Result<(), Failure> {
    let directory = CheckpointDirectory::open(&args.path)?;
    let manifest = directory.load(selected(&directory)?)?;
    let inspection = Inspection::of(&directory, &manifest)?;
    if args.output.json {
        terminal.json(&inspection)
    } else {
        terminal.data(&inspection.lines())
    }
}

fn verify(args: &VerifyArgs, terminal: &Terminal) -> Result<(), Failure> {
    if let Some(job) = &args.drill {
        return drill::drill(args, job, terminal);
    }
    let report = CheckpointDirectory::open(&args.path)?.verify()?;
    if args.output.json {
        terminal.json(&report)?;
    } else {
        terminal.data(&report_text(&report))?;
    }
    if report.is_ok() {
        return Ok(());
    }
    let is_bad = |checkpoint: &&_| !is_restorable(checkpoint);
    Err(Failure::VerificationFailed {
        bad: report.checkpoints.iter().filter(is_bad).count(),
        all: report.checkpoints.len(),
    })
}

fn is_restorable(checkpoint: &CheckpointReport) -> bool {
    checkpoint.problems.is_empty()
}

fn report_text(report: &VerifyReport) -> Lines {
    let mut lines = Lines::new();
    for checkpoint in &report.checkpoints {
        let (id, bytes) = (checkpoint.checkpoint, ByteSize(checkpoint.state_bytes));
        if is_restorable(checkpoint) {
            lines.line(format_args!("checkpoint {id}: ok, {bytes} of state"));
            continue;
        }
        lines.line(format_args!("checkpoint {id}: can't be restored"));
        for problem in &checkpoint.problems {
            lines.line(format_args!("  {}: {}", problem.file, problem.reason));
        }
    }
    for (names, what) in [
        (
            &report.orphans,
            "no checkpoint refers to it; retention removes it",
        ),
        (&report.unknown, "not written by tidegate; never touched"),
    ] {
        for name in names {
            lines.line(format_args!("{name}: {what}"));
        }
    }
    if lines.as_str().is_empty() {
        lines.line("no checkpoints");
    }
    lines
}

/// Returns the checkpoint that the path names, or else the newest.
fn selected(directory: &CheckpointDirectory) -> Result<CheckpointId, StoreError> {
    match directory.selected() {
        Some(checkpoint) => Ok(checkpoint),
        None => directory.newest(),
    }
}

fn kind(kind: CheckpointKind) -> &'static str {
    match kind {
        CheckpointKind::Start => "start",
        CheckpointKind::Imported => "imported",
        CheckpointKind::Running => "running",
        CheckpointKind::Final => "final",
    }
}

/// Returns milliseconds since the Unix epoch as a date, or unchanged if beyond the year 9999.
fn time(unix_ms: u64) -> String {
    const YEAR_10000_MS: u64 = 253_402_300_800_000;
    if unix_ms >= YEAR_10000_MS {
        return format!("{unix_ms} ms");
    }
    humantime::format_rfc3339_seconds(UNIX_EPOCH + Duration::from_millis(unix_ms)).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_of_any_value_can_be_shown() {
        assert_eq!(time(0), "1970-01-01T00:00:00Z");
        assert_eq!(time(253_402_300_799_999), "9999-12-31T23:59:59Z");
        assert_eq!(time(u64::MAX), format!("{} ms", u64::MAX));
    }
}
