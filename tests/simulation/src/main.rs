//! Runs schedules for a given time, or one schedule again.

#![expect(clippy::print_stdout, reason = "a program for people")]

use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use tidegate_sim::{Suite, tell_schedule};

/// Runs whole jobs under a seeded scheduler, virtual time and a simulated disk
#[derive(Parser)]
#[command(name = "tidegate-sim")]
struct Args {
    /// The seed of the first schedule; the others follow it
    #[arg(long, env = "TIDEGATE_TEST_SEED")]
    seed: Option<u64>,
    /// The number of schedules
    #[arg(long)]
    schedules: Option<u64>,
    /// Begin no new schedule after this time, such as 8h
    #[arg(long = "for", value_parser = humantime::parse_duration)]
    for_at_most: Option<Duration>,
    /// The number of schedules that run at once
    #[arg(long, default_value_t = 2)]
    threads: usize,
    /// Run the first schedule only, and print its job and what happened
    #[arg(long)]
    tell: bool,
}

/// Returns a first seed that differs from run to run, for runs without a given one.
fn any_seed() -> u64 {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    now.map_or(0, |elapsed| elapsed.as_secs()) * 1_000_000
}

fn main() -> ExitCode {
    let args = Args::parse();
    let first = args.seed.unwrap_or_else(any_seed);
    if args.tell {
        println!("{}", tell_schedule(first).join("\n"));
        return ExitCode::SUCCESS;
    }
    let suite = Suite {
        first,
        schedules: args.schedules.unwrap_or(match args.for_at_most {
            Some(_) => u64::MAX,
            None => 10_000,
        }),
        for_at_most: args.for_at_most,
        threads: args.threads,
    };
    println!("seed {first}");
    let summary = suite.run();
    println!("{summary}");
    match summary.failed.is_empty() {
        true => ExitCode::SUCCESS,
        false => ExitCode::FAILURE,
    }
}
