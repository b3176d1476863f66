//! A series of runs of one job: with checkpoints, without, its plain loops, its cold start, in
//! turns, so that a disturbance of the machine affects all of them alike.

use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use clap::ValueEnum as _;

use crate::args::{PlainArgs, RunArgs};
use crate::benchmark::Benchmark;
use crate::job_variant::{Changes, JobVariant};
use crate::latency::Latency;
use crate::plain::{Knowledge, PlainFigures};
use crate::report::{CheckpointResult, JobResult, LatencyResult, PlainResult};
use crate::running_job::{Compiled, RunningJob, StandardOutput};
use crate::statistics::Summary;
use crate::text;
use crate::throughput::{self, JobFigures, Window};
use crate::workspace::Workspace;

/// The number of rounds over the distinct keys before measuring, so that the state has its full
/// size.
const WARM_ROUNDS: u64 = 2;

/// The fraction of a job's highest rate at which its latency is measured.
const LOW_RATE: f64 = 0.1;

/// One job at one parallelism.
pub(crate) struct Series<'a> {
    workspace: &'a Workspace,
    benchmark: Benchmark,
    parallelism: Option<u32>,
    window: Window,
    changes: Changes,
    /// The input of the plain loop, for the benchmark that has one.
    plain: PlainArgs,
}

/// The figures of all runs, by kind.
#[derive(Default)]
struct Runs {
    jobs: Vec<JobFigures>,
    without_checkpoints: Vec<JobFigures>,
    at_low_rate: Vec<JobFigures>,
    cold_starts: Vec<Duration>,
    first_starts: Vec<Duration>,
    bytes: Vec<PlainFigures>,
    integers: Vec<PlainFigures>,
}

impl<'a> Series<'a> {
    pub(crate) fn new(
        workspace: &'a Workspace,
        benchmark: Benchmark,
        parallelism: Option<u32>,
        args: &RunArgs,
    ) -> Result<Self> {
        let text = match benchmark {
            Benchmark::WordCount => Some(text::prepare(workspace, args.text_bytes())?),
            Benchmark::ParitySum
            | Benchmark::KeyedSum
            | Benchmark::KeyedSum10M
            | Benchmark::Pipeline
            | Benchmark::FanIn => None,
        };
        let keys = benchmark.keys().map(|keys| keys.min(args.most_keys()));
        let window = Window {
            warm_up: args.warm_up(),
            warm_records: keys.map_or(0, |keys| keys * WARM_ROUNDS),
            measured: args.seconds(),
        };
        Ok(Self {
            workspace,
            benchmark,
            parallelism,
            window,
            changes: Changes {
                keys,
                text: text.as_ref().map(|text| text.glob.clone()),
                ..Changes::default()
            },
            plain: PlainArgs {
                benchmark,
                knowledge: Knowledge::Bytes,
                keys: keys.unwrap_or(0),
                text: text.map(|text| text.file),
                warm_up_ms: milliseconds(window.warm_up),
                warm_records: window.warm_records,
                measured_ms: milliseconds(window.measured),
            },
        })
    }

    /// Runs the series. Calls `tell` before each run.
    pub(crate) fn run(&self, runs: u32, mut tell: impl FnMut(&str)) -> Result<JobResult> {
        let mut all = Runs::default();
        let name = self.benchmark.name();
        let at = self
            .parallelism
            .map_or(String::new(), |p| format!(" at parallelism {p}"));
        for run in 1..=runs {
            let mut tell = |what: &str| tell(&format!("{name}{at}, run {run} of {runs}: {what}"));
            tell("job");
            all.jobs.push(self.job(&self.changes)?);
            tell("plain loop");
            all.bytes.extend(self.plain(Knowledge::Bytes)?);
            all.integers.extend(self.plain(Knowledge::Integers)?);
            tell("job without checkpoints");
            let changes = Changes {
                without_checkpoints: true,
                ..self.changes.clone()
            };
            all.without_checkpoints.push(self.job(&changes)?);
            if let Some(rate) = self.low_rate(&all.jobs) {
                tell("latency");
                let changes = Changes {
                    rate: Some(rate),
                    ..self.changes.clone()
                };
                all.at_low_rate.push(self.job(&changes)?);
            }
            tell("cold start");
            all.cold_starts.push(self.cold_start(Compiled::Kept)?);
            all.first_starts.push(self.cold_start(Compiled::Anew)?);
        }
        self.result(&all)
    }

    fn job(&self, changes: &Changes) -> Result<JobFigures> {
        let mut job = self.start(changes, StandardOutput::None, Compiled::Kept)?;
        let figures = throughput::measure(&mut job, self.benchmark.counted_at(), self.window)?;
        job.stop()?;
        Ok(figures)
    }

    /// Returns the rate for the latency; `None` if the source has no rate.
    fn low_rate(&self, jobs: &[JobFigures]) -> Option<u32> {
        self.benchmark.keys()?;
        let rates = jobs.iter().map(|figures| figures.records_per_second);
        let rate = Summary::of(rates)?.median * LOW_RATE;
        // A whole number; the fraction does not matter.
        format!("{rate:.0}").parse().ok()
    }

    /// Returns the time from the start of the process to its first byte of output.
    fn cold_start(&self, compiled: Compiled) -> Result<Duration> {
        let changes = Changes {
            to_stdout: true,
            ..self.changes.clone()
        };
        let mut job = self.start(&changes, StandardOutput::Piped, compiled)?;
        let first = job.first_byte()?;
        job.kill()?;
        Ok(first)
    }

    fn start(
        &self,
        changes: &Changes,
        output: StandardOutput,
        compiled: Compiled,
    ) -> Result<RunningJob> {
        let variant = JobVariant::write(self.workspace, self.benchmark.name(), changes)?;
        RunningJob::start_with(self.workspace, &variant, self.parallelism, output, compiled)
    }

    /// Runs the plain loop in its own process, so that it has its own memory.
    fn plain(&self, knowledge: Knowledge) -> Result<Option<PlainFigures>> {
        let args = PlainArgs {
            knowledge,
            ..self.plain.clone()
        };
        let mut command = Command::new(std::env::current_exe()?);
        command.arg("plain").args(args.to_arguments());
        let output = command
            .output()
            .with_context(|| format!("run {command:?}"))?;
        let said = String::from_utf8_lossy(&output.stderr);
        ensure!(output.status.success(), "{command:?}: {said}");
        serde_json::from_slice(&output.stdout).context("read the plain loop's figures")
    }

    fn result(&self, all: &Runs) -> Result<JobResult> {
        let missing = || format!("{} was not measured", self.benchmark.name());
        let of_jobs = |figure: fn(&JobFigures) -> f64| {
            Summary::of(all.jobs.iter().map(figure)).with_context(missing)
        };
        let milliseconds = |times: &[Duration]| {
            let times = times.iter().map(|time| time.as_secs_f64() * 1e3);
            Summary::of(times).with_context(missing)
        };
        let pairs = all.jobs.iter().zip(&all.without_checkpoints);
        let losses =
            pairs.map(|(with, without)| 1.0 - with.records_per_second / without.records_per_second);
        let cpu = of_jobs(|figures| figures.cpu_ns_per_record)?;
        Ok(JobResult {
            job: self.benchmark,
            parallelism: self.parallelism,
            records_per_second: of_jobs(|figures| figures.records_per_second)?,
            cpu_ns_per_record: cpu,
            peak_rss_bytes: of_jobs(|figures| figures.peak_rss_bytes as f64)?,
            cold_start_ms: milliseconds(&all.cold_starts)?,
            first_start_ms: milliseconds(&all.first_starts)?,
            checkpoints: checkpoints(&all.jobs),
            lost_to_checkpoints: Summary::of(losses).with_context(missing)?,
            latency: latency(&all.at_low_rate),
            plain_bytes: plain(&all.bytes, cpu),
            plain_integers: plain(&all.integers, cpu),
        })
    }
}

fn checkpoints(jobs: &[JobFigures]) -> Option<CheckpointResult> {
    let all = || jobs.iter().flat_map(|figures| &figures.checkpoints);
    Some(CheckpointResult {
        duration_ms: Summary::of(all().map(|c| c.duration_ms))?,
        pause_ms: Summary::of(all().map(|c| c.longest_snapshot_ms))?,
        state_bytes: Summary::of(all().map(|c| c.state_bytes as f64))?,
        failed: jobs.iter().map(|figures| figures.failed_checkpoints).sum(),
    })
}

fn latency(runs: &[JobFigures]) -> Option<LatencyResult> {
    let of_runs = |figure: fn(&Latency) -> f64| {
        let latencies = runs.iter().filter_map(|figures| figures.latency.as_ref());
        Summary::of(latencies.map(figure))
    };
    Some(LatencyResult {
        records_per_second: Summary::of(runs.iter().map(|run| run.records_per_second))?,
        p50_ms: of_runs(|latency| latency.p50_ms)?,
        p99_ms: of_runs(|latency| latency.p99_ms)?,
        p999_ms: of_runs(|latency| latency.p999_ms)?,
        max_ms: of_runs(|latency| latency.max_ms)?,
    })
}

fn plain(runs: &[PlainFigures], job_cpu: Summary) -> Option<PlainResult> {
    let of_runs = |figure: fn(&PlainFigures) -> f64| Summary::of(runs.iter().map(figure));
    let cpu = of_runs(|figures| figures.cpu_ns_per_record)?;
    Some(PlainResult {
        records_per_second: of_runs(|figures| figures.records_per_second)?,
        cpu_ns_per_record: cpu,
        peak_rss_bytes: of_runs(|figures| figures.peak_rss_bytes as f64)?,
        ratio_per_core: cpu.median / job_cpu.median,
    })
}

fn milliseconds(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

impl PlainArgs {
    fn to_arguments(&self) -> Vec<String> {
        let name = |value: Option<clap::builder::PossibleValue>| {
            value.map_or(String::new(), |value| value.get_name().to_owned())
        };
        let mut arguments = vec![
            self.benchmark.name().to_owned(),
            name(self.knowledge.to_possible_value()),
            format!("--keys={}", self.keys),
            format!("--warm-up-ms={}", self.warm_up_ms),
            format!("--warm-records={}", self.warm_records),
            format!("--measured-ms={}", self.measured_ms),
        ];
        if let Some(text) = &self.text {
            arguments.push(format!("--text={}", text.display()));
        }
        arguments
    }
}
