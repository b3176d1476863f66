//! `tidegate status`, `savepoint`, `stop` and `cancel`: the requests to a running job.

use std::path::{Path, PathBuf};
use std::time::Duration;

use bytesize::ByteSize;
use tidegate_job_file::JobFile;
use tidegate_job_file::json::JsonPath;
use tidegate_operator::{headline, shown};
use tidegate_runtime::observe::{DrillStatus, METRICS, NodeStatus, Samples};

use crate::args::{CancelArgs, SavepointArgs, StatusArgs, StopArgs};
use crate::control::Client;
use crate::control::api::StopRequest;
use crate::control::job_answer::{GuestTotals, JobAnswer};
use crate::failure::Failure;
use crate::terminal::{Lines, Terminal, table};

/// Takes a savepoint and prints its path.
pub(crate) fn savepoint(args: &SavepointArgs, terminal: &Terminal) -> Result<(), Failure> {
    let directory = absolute(&args.directory)?;
    let answer = client_of_named(&args.job_file, args.wait.timeout)?.savepoint(directory)?;
    if args.output.json {
        return terminal.json(&answer);
    }
    terminal.data(&Lines::one(shown(&answer.savepoint)))
}

/// Stops the job and prints the savepoint's path, if one was requested.
pub(crate) fn stop(args: &StopArgs, terminal: &Terminal) -> Result<(), Failure> {
    let request = StopRequest {
        savepoint: args
            .savepoint
            .as_deref()
            .map(absolute)
            .transpose()?
            .map(JsonPath),
        drain: args.drain,
    };
    let answer = client_of_named(&args.job.file, args.wait.timeout)?.stop(&request)?;
    if args.output.json {
        return terminal.json(&answer);
    }
    terminal.say(format_args!("the job is {}", answer.state));
    match answer.savepoint {
        Some(savepoint) => terminal.data(&Lines::one(shown(&savepoint))),
        None => Ok(()),
    }
}

/// Ends the job without a checkpoint.
pub(crate) fn cancel(args: &CancelArgs, terminal: &Terminal) -> Result<(), Failure> {
    let answer = client_of_named(&args.job.file, args.wait.timeout)?.cancel()?;
    if args.output.json {
        return terminal.json(&answer);
    }
    terminal.say(format_args!("the job is {}", answer.state));
    Ok(())
}

/// Shows the status of the job.
pub(crate) fn status(args: &StatusArgs, terminal: &Terminal) -> Result<(), Failure> {
    let answer = client(&args.job.file, args.wait.timeout)?.status()?;
    if args.output.json {
        return terminal.json(&answer);
    }
    terminal.data(&text(&answer))
}

fn client(job: &Path, timeout: Option<Duration>) -> Result<Client, Failure> {
    let (directory, _) = JobFile::read(job)?.address()?;
    Ok(Client::new(&directory, timeout))
}

/// Returns a client for a command that changes the job. The running job must be the one in the job
/// file: two jobs may name one checkpoint directory by mistake.
fn client_of_named(job: &Path, timeout: Option<Duration>) -> Result<Client, Failure> {
    let (directory, name) = JobFile::read(job)?.address()?;
    let client = Client::new(&directory, timeout);
    let Some(expected) = name else {
        return Ok(client);
    };
    let running = client.status()?.status.job;
    if running != expected {
        return Err(Failure::OtherJobRuns {
            directory,
            expected,
            running,
        });
    }
    Ok(client)
}

/// Makes a path absolute: the process of the job has its own working directory.
fn absolute(path: &Path) -> Result<PathBuf, Failure> {
    let action = format!("make {} absolute", shown(path));
    std::path::absolute(path).map_err(Failure::io(action))
}

/// Adds a line if a drill was made, and another if one failed.
fn drills(drills: &DrillStatus, lines: &mut Lines) {
    if *drills == DrillStatus::default() {
        return;
    }
    let DrillStatus {
        proven,
        failed,
        skipped,
        ..
    } = drills;
    let mut text = format!("restore drills: {proven} proven, {failed} failed, {skipped} skipped");
    if let Some(last) = drills.last_proven {
        text.push_str(&format!("; the last proven is {last}"));
    }
    lines.line(text);
    if let Some(failure) = &drills.last_failure {
        lines.paragraph(format_args!("FAILED DRILL: {failure}"));
    }
}

fn text(answer: &JobAnswer) -> Lines {
    let status = &answer.status;
    let uptime = humantime::format_duration(Duration::from_millis(status.uptime_ms));
    let restored = match status.restored_checkpoint {
        None | Some(0) => "started fresh".to_owned(),
        Some(checkpoint) => format!("restored from checkpoint {checkpoint}"),
    };
    let mut lines = Lines::one(format_args!(
        "{}: {} for {uptime}, process {}, attempt {}, {restored}, {} restart(s)",
        status.job, status.state, answer.pid, status.attempt, status.restarts
    ));
    let checkpoints = &status.checkpoints;
    let (completed, failed) = (checkpoints.completed, checkpoints.failed);
    let mut text = format!("checkpoints: {completed} completed, {failed} failed");
    if let Some(last) = &checkpoints.last_completed {
        let (id, ms) = (last.checkpoint, last.duration_ms);
        let bytes = ByteSize(last.state_bytes);
        text.push_str(&format!(
            "; the last, {id}, took {ms:.0} ms and has {bytes}"
        ));
    }
    lines.line(text);
    drills(&checkpoints.drills, &mut lines);
    let (letters, isolating) = (
        status.invalid_records.dead_letters,
        status.isolation_restarts,
    );
    if letters > 0 || isolating > 0 {
        lines.line(format_args!(
            "dead letters: {letters}, after {isolating} restart(s) to isolate records"
        ));
    }
    recycled(&answer.guest_totals, &mut lines);
    counted(&status.nodes, &mut lines);
    if let Some(failure) = &status.last_failure {
        // The job's own output has all of it.
        lines.line(format_args!("last failure: {}", headline(failure)));
    }
    lines.append(&nodes(&status.nodes));
    lines
}

/// Returns a table with a line for each node and a column for each metric that has a heading.
fn nodes(nodes: &[NodeStatus]) -> Lines {
    let columns = METRICS.iter().filter_map(|metric| match metric.samples {
        Samples::Node(value) => metric.column.map(|heading| (heading, value)),
        Samples::Job(_)
        | Samples::JobBy(..)
        | Samples::NodeBy(..)
        | Samples::Guest(_)
        | Samples::Lag(_) => None,
    });
    let (headings, values): (Vec<_>, Vec<_>) = columns.unzip();
    let rows = nodes.iter().map(|node| {
        let cells = values.iter().map(|value| {
            let value = value(node);
            value.map_or_else(|| "-".to_owned(), |value| value.in_table())
        });
        let (kind, parallelism) = (node.kind.to_string(), node.parallelism.to_string());
        let first = [node.name.clone(), kind, parallelism];
        first.into_iter().chain(cells).collect()
    });
    let header = ["NODE", "KIND", "PARALLELISM"];
    let header: Vec<&str> = header.into_iter().chain(headings).collect();
    table(&header, rows)
}

/// Adds a line for each operator that had instances replaced because of their memory.
fn recycled(totals: &[GuestTotals], lines: &mut Lines) {
    for totals in totals.iter().filter(|totals| totals.recycles > 0) {
        lines.line(format_args!(
            "recycled: {} {} time(s), an instance now has up to {} of {}",
            totals.operator,
            totals.recycles,
            ByteSize(totals.largest_memory_bytes),
            ByteSize(totals.memory_limit_bytes)
        ));
    }
}

/// Adds a line for each operator with counters, and one for each that logged too much.
fn counted(nodes: &[NodeStatus], lines: &mut Lines) {
    for node in nodes {
        if !node.counters.is_empty() {
            let counters = node.counters.iter();
            let counters = counters.map(|(name, count)| format!("{name} {count}"));
            let counters: Vec<String> = counters.collect();
            lines.line(format_args!(
                "counted: {}: {}",
                node.name,
                counters.join(", ")
            ));
        }
        if node.dropped_log_lines > 0 {
            let (name, dropped) = (&node.name, node.dropped_log_lines);
            lines.line(format_args!("dropped log lines: {name}: {dropped}"));
        }
    }
}

#[cfg(test)]
mod tests {
    use tidegate_checkpoint::NodeKind;

    use super::*;

    #[test]
    fn the_table_has_a_column_for_each_metric_with_a_heading() {
        let numbers = NodeStatus {
            records_out: 12,
            ..NodeStatus::new("numbers", NodeKind::Source, 1)
        };
        let count = NodeStatus {
            records_in: 12,
            records_out: 3,
            busy_seconds: 0.5,
            watermark: Some(-1500),
            ..NodeStatus::new("count", NodeKind::Operator, 2)
        };
        assert_eq!(
            nodes(&[numbers, count]).as_str(),
            "NODE     KIND      PARALLELISM  IN  OUT  BUSY s  WATERMARK ms\n\
             numbers  source    1            0   12   0.0     -\n\
             count    operator  2            12  3    0.5     -1500\n"
        );
    }
}
