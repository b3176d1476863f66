//! Many subtasks: whether they run, and the cost of a waiting one.

use std::thread::sleep;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};

use crate::args::RunArgs;
use crate::job_variant::{Changes, JobVariant};
use crate::process_figures::rss_bytes;
use crate::report::WideResult;
use crate::running_job::{RunningJob, StandardOutput};
use crate::statistics::Summary;
use crate::workspace::Workspace;

const JOB: &str = "wide";
/// Records per second while the job idles, so that it is known to run.
const IDLE_RATE: u32 = 10;
/// The most time until all subtasks are open.
const START_TIMEOUT: Duration = Duration::from_secs(300);
/// The time from then until the memory is read: longer than a checkpoint takes.
const SETTLE: Duration = Duration::from_secs(3);

/// Runs the wide job to its end, and idle beside a narrow one. Calls `tell` before each.
pub(crate) fn measure(
    workspace: &Workspace,
    args: &RunArgs,
    tell: impl Fn(&str),
) -> Result<WideResult> {
    let width = args.width();
    let (mut seconds, mut memory) = (Vec::new(), Vec::new());
    let runs = args.run_count();
    for run in 1..=runs {
        tell(&format!("{width} subtasks to the end, run {run} of {runs}"));
        seconds.push(to_the_end(workspace, width)?.as_secs_f64());
        tell(&format!("{width} idle subtasks, run {run} of {runs}"));
        let (narrow, wide) = (idle(workspace, 1)?, idle(workspace, width)?);
        memory.push((wide - narrow) / f64::from(width - 1));
    }
    Ok(WideResult {
        subtasks: width,
        run_seconds: Summary::of(seconds).context("there was no run")?,
        idle_bytes_per_subtask: Summary::of(memory).context("there was no run")?,
    })
}

fn to_the_end(workspace: &Workspace, width: u32) -> Result<Duration> {
    let changes = Changes {
        width: Some(width),
        ..Changes::default()
    };
    let job = JobVariant::write(workspace, JOB, &changes)?;
    let job = RunningJob::start(workspace, &job, None, StandardOutput::None)?;
    let started = job.started;
    job.wait()?;
    Ok(started.elapsed())
}

/// Returns the resident bytes of a job that has almost no work.
fn idle(workspace: &Workspace, width: u32) -> Result<f64> {
    let changes = Changes {
        width: Some(width),
        endless: true,
        rate: Some(IDLE_RATE),
        ..Changes::default()
    };
    let job = JobVariant::write(workspace, JOB, &changes)?;
    let mut job = RunningJob::start(workspace, &job, None, StandardOutput::None)?;
    loop {
        ensure!(job.ended()?.is_none(), "the job ended: {}", job.said());
        ensure!(
            job.started.elapsed() < START_TIMEOUT,
            "the job does not start"
        );
        if job
            .status()?
            .is_some_and(|status| status.source_records > 0)
        {
            break;
        }
        sleep(Duration::from_millis(20));
    }
    sleep(SETTLE);
    let bytes = rss_bytes(job.pid())?;
    job.kill()?;
    Ok(bytes as f64)
}
