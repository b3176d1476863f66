//! `tidegate checkpoint verify --drill`: tests whether a checkpoint restores. Writes nothing:
//! components are compiled again, so that even the cache of compiled ones is not touched.

use std::path::Path;

use bytesize::ByteSize;
use tidegate_checkpoint::CheckpointDirectory;
use tidegate_connectors::built_in;
use tidegate_job_file::{JobFile, Loading};
use tidegate_runtime::drill::{DrillReport, DrilledComponent, OperatorDrill, Verdict};

use super::selected;
use crate::args::VerifyArgs;
use crate::failure::Failure;
use crate::terminal::{Lines, Terminal, table};

/// Restores every subtask of the checkpoint with the operators of the job file at `job`.
pub(crate) fn drill(args: &VerifyArgs, job: &Path, terminal: &Terminal) -> Result<(), Failure> {
    let directory = CheckpointDirectory::open(&args.path)?;
    let checkpoint = selected(&directory)?;
    let loading = Loading::new(built_in());
    let loaded = JobFile::read(job)?.load(args.defaults.parallelism, loading)?;
    let allowed = args.state.allowed();
    let report = tidegate_runtime::drill::drill(&loaded.job, &directory, checkpoint, &allowed)?;
    if args.output.json {
        terminal.json(&report)?;
    } else {
        terminal.data(&text(&report))?;
    }
    match report.problems().count() {
        0 => Ok(()),
        bad => {
            let subtasks = report.operators.iter().map(|o| o.subtasks.len());
            Err(Failure::DrillFailed {
                checkpoint,
                bad,
                all: subtasks.sum(),
            })
        }
    }
}

fn text(report: &DrillReport) -> Lines {
    let mut lines = Lines::new();
    for operator in &report.operators {
        if let Some(remark) = remark(operator) {
            lines.line(remark);
        }
    }
    let rows = report.operators.iter().flat_map(|operator| {
        operator.subtasks.iter().map(|subtask| {
            vec![
                format!("{}[{}]", operator.operator, subtask.subtask),
                subtask.chunks.to_string(),
                ByteSize(subtask.bytes).to_string(),
                first_line(&subtask.verdict),
            ]
        })
    });
    lines.append(&table(&["SUBTASK", "CHUNKS", "STATE", "RESTORED"], rows));
    for problem in report.problems() {
        lines.paragraph(problem);
    }
    let id = report.checkpoint;
    lines.line(match report.problems().count() {
        0 => format!("checkpoint {id}: every subtask restores"),
        bad => format!("checkpoint {id}: {bad} subtask(s) can't be restored"),
    });
    lines
}

/// Returns the first line of a verdict. The full reasons follow below the table.
fn first_line(verdict: &Verdict) -> String {
    match verdict {
        Verdict::Same => "same",
        Verdict::Changed => "changed, as allowed",
        Verdict::Differs { .. } => "DIFFERS",
        Verdict::Unstable { .. } => "UNSTABLE",
        Verdict::Failed { .. } => "FAILED",
    }
    .to_owned()
}

/// Describes a change of the operator since the checkpoint was taken.
fn remark(operator: &OperatorDrill) -> Option<String> {
    let name = &operator.operator;
    match operator.component {
        DrilledComponent::New => {
            return Some(format!(
                "{name}: not in the checkpoint, starts without state"
            ));
        }
        DrilledComponent::Other => {
            return Some(format!(
                "{name}: the component differs from the checkpoint's"
            ));
        }
        DrilledComponent::Same => {}
    }
    let (before, now) = (operator.checkpoint_parallelism, operator.parallelism);
    (before != now).then(|| format!("{name}: {before} subtask(s) in the checkpoint, {now} now"))
}
