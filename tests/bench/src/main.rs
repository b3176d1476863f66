//! `tidegate-bench`: measures the real binary from outside, as any user could.
//!
//! It knows the command line, the job file and the control socket of `tidegate`, and none of its
//! internals. Timings are reported, never judged.

mod args;
mod benchmark;
mod comparison;
mod job_status;
mod job_variant;
mod latency;
mod machine;
mod plain;
mod process_figures;
mod recovery;
mod report;
mod results_index;
mod running_job;
mod series;
mod statistics;
mod text;
mod throughput;
mod wide;
mod workspace;

use std::io::Write as _;
use std::time::Duration;

use anyhow::{Context as _, Result};
use clap::Parser as _;

use args::{Cli, Command, Part, PlainArgs, RunArgs};
use machine::{Machine, Versions};
use report::{JobResult, Report, Style};
use series::Series;
use throughput::Window;
use workspace::Workspace;

fn main() -> Result<()> {
    let cli = Cli::parse();
    match cli.command {
        Some(Command::Plain(args)) => plain_loop(&args),
        Some(Command::Compare(args)) => print(&comparison::table(&args.base, &args.head)?),
        Some(Command::Index) => results_index::write(&workspace::results()),
        None => run(&cli.run),
    }
}

fn run(args: &RunArgs) -> Result<()> {
    let workspace = Workspace::new(args.binary.clone())?;
    let mut report = Report {
        date: machine::now(),
        machine: Machine::this()?,
        versions: Versions::of(&workspace)?,
        runs: args.run_count(),
        seconds: args.seconds().as_secs_f64(),
        jobs: Vec::new(),
        recovery: None,
        wide: None,
    };
    if args.measures(Part::Jobs) {
        report.jobs = jobs(&workspace, args)?;
    }
    if args.measures(Part::Recovery) {
        report.recovery = Some(recovery::measure(&workspace, args, tell)?);
    }
    if args.measures(Part::Wide) {
        report.wide = Some(wide::measure(&workspace, args, tell)?);
    }
    workspace.clean_up()?;
    if args.save {
        save(&report)?;
    }
    if args.json {
        print(&serde_json::to_string_pretty(&report)?)
    } else {
        print(&report::tables(&report, Style::Terminal))
    }
}

fn jobs(workspace: &Workspace, args: &RunArgs) -> Result<Vec<JobResult>> {
    let mut results = Vec::new();
    for benchmark in args.benchmarks() {
        let parallelisms = if benchmark.has_variable_parallelism() {
            args.parallelism.iter().copied().map(Some).collect()
        } else {
            vec![None]
        };
        for parallelism in parallelisms {
            let series = Series::new(workspace, benchmark, parallelism, args)?;
            results.push(series.run(args.run_count(), tell)?);
        }
    }
    Ok(results)
}

fn plain_loop(args: &PlainArgs) -> Result<()> {
    let step = plain::step(
        args.benchmark,
        args.knowledge,
        args.keys,
        args.text.as_deref(),
    )?;
    let window = Window {
        warm_up: Duration::from_millis(args.warm_up_ms),
        warm_records: args.warm_records,
        measured: Duration::from_millis(args.measured_ms),
    };
    let figures = step.map(|step| plain::measure(step, window)).transpose()?;
    print(&serde_json::to_string(&figures)?)
}

/// Writes `results/DATE-COMMIT.json`, the tables of these newest results beside it, and the index.
fn save(report: &Report) -> Result<()> {
    let directory = workspace::results();
    std::fs::create_dir_all(&directory)?;
    let day = report.date.split('T').next().unwrap_or_default();
    let commit = report.versions.commit.trim_end_matches('+');
    let file = directory.join(format!("{day}-{commit}.json"));
    let json = serde_json::to_string_pretty(report)? + "\n";
    std::fs::write(&file, json).with_context(|| format!("write {}", file.display()))?;
    let page = directory.join("README.md");
    std::fs::write(&page, report::markdown(report))
        .with_context(|| format!("write {}", page.display()))?;
    results_index::write(&directory)?;
    tell(&format!("kept in {}", file.display()));
    Ok(())
}

fn print(text: &str) -> Result<()> {
    writeln!(std::io::stdout(), "{text}").context("write to standard output")
}

/// Reports progress on standard error.
fn tell(line: &str) {
    // There may be no reader; the measurement continues.
    drop(writeln!(std::io::stderr(), "{line}"));
}
