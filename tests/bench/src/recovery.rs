//! The time from a failure to the next record of output.

use std::io::{BufRead as _, BufReader, Read};
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};

use crate::args::RunArgs;
use crate::benchmark::Benchmark;
use crate::job_variant::{Changes, JobVariant};
use crate::report::RecoveryResult;
use crate::running_job::{RunningJob, StandardOutput};
use crate::statistics::Summary;
use crate::workspace::Workspace;

/// The benchmark whose state is restored after the kill.
const KILLED: Benchmark = Benchmark::KeyedSum;
/// The most time until a checkpoint has the complete state.
const TIMEOUT: Duration = Duration::from_secs(120);

/// Measures both kinds of failure, in turns. Calls `tell` before each.
pub(crate) fn measure(
    workspace: &Workspace,
    args: &RunArgs,
    tell: impl Fn(&str),
) -> Result<RecoveryResult> {
    let keys = KILLED.keys().context("the job has keys")?;
    let keys = keys.min(args.most_keys());
    let (mut after_trap, mut after_kill) = (Vec::new(), Vec::new());
    let runs = args.run_count();
    for run in 1..=runs {
        tell(&format!("recovery after a trap, run {run} of {runs}"));
        after_trap.push(from_trap(workspace)?);
        tell(&format!("recovery after a kill, run {run} of {runs}"));
        after_kill.push(from_kill(workspace, keys)?);
    }
    let milliseconds = |times: Vec<Duration>| {
        let times = times.into_iter().map(|time| time.as_secs_f64() * 1e3);
        Summary::of(times).context("there was no run")
    };
    Ok(RecoveryResult {
        after_trap_ms: milliseconds(after_trap)?,
        after_kill_ms: milliseconds(after_kill)?,
        keys_after_kill: keys,
    })
}

/// Returns the time from the last line before the trap, which is at most a batch of a millisecond
/// earlier, to the first line after it.
fn from_trap(workspace: &Workspace) -> Result<Duration> {
    let job = JobVariant::write(workspace, "recovery", &Changes::default())?;
    let mut job = RunningJob::start(workspace, &job, None, StandardOutput::Piped)?;
    let gap = gap_before_replay(job.take_output()?);
    let gap = gap?.with_context(|| format!("the job never recovered: {}", job.said()))?;
    job.kill()?;
    Ok(gap)
}

/// Reads ascending numbers, one per line, until a number is not its predecessor's successor: the
/// job then replays the input since the last checkpoint. Returns the time between the two lines;
/// `None` if the lines end first.
fn gap_before_replay(lines: impl Read) -> Result<Option<Duration>> {
    let mut last: Option<(u64, Instant)> = None;
    for line in BufReader::new(lines).lines() {
        let line = line.context("read the job's output")?;
        let number: u64 = line.parse().with_context(|| format!("read {line:?}"))?;
        let now = Instant::now();
        if let Some((before, seen)) = last
            && number != before + 1
        {
            return Ok(Some(now - seen));
        }
        last = Some((number, now));
    }
    Ok(None)
}

/// Returns the time from the start of the recovering process to its first byte of output.
fn from_kill(workspace: &Workspace, keys: u64) -> Result<Duration> {
    let changes = Changes {
        keys: Some(keys),
        to_stdout: true,
        ..Changes::default()
    };
    let job = JobVariant::write(workspace, KILLED.name(), &changes)?;
    let killed = RunningJob::start(workspace, &job, None, StandardOutput::None)?;
    await_full_checkpoint(&killed, keys)?;
    killed.kill()?;
    let mut next = RunningJob::start(workspace, &job, None, StandardOutput::Piped)?;
    let first = next.first_byte()?;
    next.kill()?;
    Ok(first)
}

/// Waits for a checkpoint that began after every key had been seen.
fn await_full_checkpoint(job: &RunningJob, keys: u64) -> Result<()> {
    let deadline = Instant::now() + TIMEOUT;
    let mut newest_before = None;
    while Instant::now() < deadline {
        if let Some(status) = job.status()? {
            let newest = status.checkpoints.last_completed.map(|c| c.checkpoint);
            match newest_before {
                None if status.source_records > 2 * keys => newest_before = Some(newest),
                // The first checkpoint after `before` may have begun earlier.
                Some(before) if newest > before.map(|before| before + 1).or(Some(1)) => {
                    return Ok(());
                }
                None | Some(_) => {}
            }
        }
        sleep(Duration::from_millis(20));
    }
    bail!("no checkpoint in {TIMEOUT:?}: {}", job.said());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_gap_ends_where_the_numbers_go_back() -> Result<()> {
        let lines = |text: &'static str| gap_before_replay(text.as_bytes());
        assert!(lines("1\n2\n3\n2\n")?.is_some());
        assert!(lines("1\n2\n3\n4\n")?.is_none());
        assert!(lines("1\ntwo\n").is_err());
        Ok(())
    }
}
