//! Random graphs under backpressure: channels of one byte, a checkpoint every few milliseconds, and
//! occasional failures. No job gets stuck, and every record arrives as often as there are ways for
//! it.

use std::collections::BTreeMap;
use std::time::Duration;

use tidegate_random::Random;
use tidegate_runtime::Outcome;

use crate::support::faults::{Call, Faults};
use crate::support::jobs::{JobBuilder, start};
use crate::support::operators::Kind;
use crate::support::oracle::assert_arrived;
use crate::support::random_graphs::{Reached, borrowed, parallelism, random_inputs};
use crate::support::sinks::Output;
use crate::support::sources::Numbers;

/// A job of 1 to 3 sources, up to 8 operators that pass their input on, and a sink that reads from
/// 1 to 3 of these.
struct RandomJob {
    job: JobBuilder,
    output: Output,
    expected: BTreeMap<String, usize>,
}

fn random_job(random: &mut Random, faults: &Faults) -> RandomJob {
    let mut job = JobBuilder::new(faults).settings(|settings| {
        settings.channel_capacity = 1;
        settings.checkpoint.interval = Duration::from_millis(2);
    });
    let mut nodes: Vec<Reached> = Vec::new();
    for index in 0..=random.index(3) {
        let (name, parallelism) = (format!("s{index}"), parallelism(random));
        let mut numbers = Numbers::new(&name, 60, faults);
        numbers.batch = 3;
        numbers.pace = (random.index(2) == 0).then_some(Duration::from_millis(1));
        job = job.source(&numbers, parallelism);
        let times = BTreeMap::from([(name.clone(), 1)]);
        nodes.push(Reached {
            name,
            parallelism,
            times,
        });
    }
    for index in 0..=random.index(8) {
        let (inputs, reached) = random_inputs(random, &nodes, format!("o{index}"));
        let parallelism = reached.parallelism;
        job = job.operator(&reached.name, Kind::Pass, parallelism, &borrowed(&inputs));
        nodes.push(reached);
    }
    let output = Output::new(faults);
    let (inputs, reached) = random_inputs(random, &nodes, "out".to_owned());
    job = job.sink("out", &output, reached.parallelism, &borrowed(&inputs));
    RandomJob {
        job,
        output,
        expected: reached.times,
    }
}

async fn run_random_job(seed: u64) -> usize {
    println!("seed={seed}");
    let mut random = Random::new(seed);
    let faults = Faults::none();
    let RandomJob {
        job,
        output,
        expected,
    } = random_job(&mut random, &faults);
    if random.index(2) == 0 {
        let calls = [Call::Process, Call::Poll, Call::Snapshot, Call::Write];
        let (call, nth) = (calls[random.index(4)], 1 + random.index(20));
        faults.add(call, nth as u64, crate::support::faults::How::Fails);
    }
    let directory = tempfile::tempdir().unwrap();
    let outcome = start(&job, directory.path()).end().await;
    let outcome = outcome.unwrap_or_else(|error| panic!("seed={seed}: {error}"));
    assert_eq!(outcome, Outcome::Finished, "seed={seed}");
    assert_arrived(&output, &faults, &expected, 60);
    faults.fired().len()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn random_jobs_never_get_stuck_and_lose_nothing() {
    let mut fired = 0;
    for ten_seeds in 0..8 {
        let mut runs = tokio::task::JoinSet::new();
        (0..10).for_each(|seed| drop(runs.spawn(run_random_job(ten_seeds * 10 + seed))));
        fired += runs.join_all().await.into_iter().sum::<usize>();
    }
    assert!(fired > 20, "only {fired} planned faults fired");
}
