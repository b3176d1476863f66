//! The speed of a warm job, and the cost of its checkpoints.

use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};

use crate::benchmark::CountedAt;
use crate::job_status::{CheckpointFigures, JobStatus};
use crate::latency::Latency;
use crate::process_figures::{cpu_seconds, peak_rss_bytes};
use crate::running_job::RunningJob;

/// The time after a status in which no new one is expected; the job makes four per second.
const QUIET: Duration = Duration::from_millis(220);
/// The time between two queries after that: short, so that the CPU time is read close to the
/// counts.
const POLL: Duration = Duration::from_millis(4);
/// The most time of a job's warm-up; a slower job is stuck.
const WARM_UP_TIMEOUT: Duration = Duration::from_secs(300);

/// The extent of a measurement.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Window {
    /// The least time before the measurement.
    pub(crate) warm_up: Duration,
    /// The least number of records before the measurement.
    pub(crate) warm_records: u64,
    /// The measured time.
    pub(crate) measured: Duration,
}

/// The figures of one run of a job.
#[derive(Clone, Debug)]
pub(crate) struct JobFigures {
    pub(crate) records_per_second: f64,
    pub(crate) cpu_ns_per_record: f64,
    pub(crate) peak_rss_bytes: u64,
    /// The checkpoints that completed during the measurement.
    pub(crate) checkpoints: Vec<CheckpointFigures>,
    pub(crate) failed_checkpoints: u64,
    /// The latency, if the sink measures lags.
    pub(crate) latency: Option<Latency>,
}

/// The job's counts and the process's CPU time at the same moment.
#[derive(Clone, Debug)]
struct Sample {
    status: JobStatus,
    cpu_seconds: f64,
}

/// Watches a job from its start; the job still runs afterwards, unless its input is over.
pub(crate) fn measure(
    job: &mut RunningJob,
    counted_at: CountedAt,
    window: Window,
) -> Result<JobFigures> {
    let mut sampler = Sampler { job, last: None };
    let first = loop {
        let sample = sampler.next()?;
        let sample = sample.with_context(|| sampler.too_short())?;
        let elapsed = sampler.job.started.elapsed();
        ensure!(
            elapsed < WARM_UP_TIMEOUT,
            "the job is not warm after {elapsed:?}"
        );
        let is_warm = sample.status.records(counted_at) >= window.warm_records.max(1);
        if is_warm && elapsed >= window.warm_up {
            break sample;
        }
    };
    let mut checkpoints = Vec::new();
    let (mut last, mut peak_rss) = (first.clone(), 0);
    let until = Instant::now() + window.measured;
    while Instant::now() < until {
        let Some(sample) = sampler.next()? else {
            break;
        };
        let newest = sample.status.checkpoints.last_completed;
        if newest != last.status.checkpoints.last_completed {
            checkpoints.extend(newest);
        }
        peak_rss = peak_rss_bytes(sampler.job.pid()).unwrap_or(peak_rss);
        last = sample;
    }
    let records = last.status.records(counted_at) - first.status.records(counted_at);
    let milliseconds = last.status.uptime_ms - first.status.uptime_ms;
    ensure!(records > 0 && milliseconds > 0, sampler.too_short());
    let cpu_seconds = last.cpu_seconds - first.cpu_seconds;
    Ok(JobFigures {
        records_per_second: records as f64 * 1e3 / milliseconds as f64,
        cpu_ns_per_record: cpu_seconds * 1e9 / records as f64,
        peak_rss_bytes: peak_rss,
        checkpoints,
        failed_checkpoints: last.status.checkpoints.failed - first.status.checkpoints.failed,
        latency: match (first.status.sink_lag(), last.status.sink_lag()) {
            (Some(before), Some(after)) => Latency::between(before, after),
            (None | Some(_), None | Some(_)) => None,
        },
    })
}

/// A sampler of each status that the job makes.
struct Sampler<'a> {
    job: &'a mut RunningJob,
    /// The time of the last status, by the job's clock and by ours.
    last: Option<(u64, Instant)>,
}

impl Sampler<'_> {
    /// Waits for the next status; `None` if the job has ended successfully.
    fn next(&mut self) -> Result<Option<Sample>> {
        if let Some((_, seen)) = self.last {
            sleep(QUIET.saturating_sub(seen.elapsed()));
        }
        loop {
            if let Some(status) = self.job.ended()? {
                ensure!(status.success(), "{status}: {}", self.job.said());
                return Ok(None);
            }
            if let Some(sample) = self.poll()? {
                return Ok(Some(sample));
            }
            sleep(POLL);
        }
    }

    fn poll(&mut self) -> Result<Option<Sample>> {
        let Some(status) = self.job.status()? else {
            return Ok(None);
        };
        let is_new = self
            .last
            .is_none_or(|(uptime, _)| uptime != status.uptime_ms);
        if !is_new {
            return Ok(None);
        }
        // A process that has just ended no longer has figures.
        let Ok(cpu_seconds) = cpu_seconds(self.job.pid()) else {
            return Ok(None);
        };
        self.last = Some((status.uptime_ms, Instant::now()));
        Ok(Some(Sample {
            status,
            cpu_seconds,
        }))
    }

    fn too_short(&self) -> String {
        format!(
            "the job ended before it could be measured: {}",
            self.job.said()
        )
    }
}
