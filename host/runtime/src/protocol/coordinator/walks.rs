//! Random walks through the model: deeper and wider topologies than [`super::exploration`] can
//! exhaust, with records in the channels, more faults, and several commands.
//!
//! A walk takes random moves for a while and then only moves that come by themselves. The model
//! checks each action of the walk, and the cut at each commit; in the end the job must be over. A
//! seed repeats its walk: `TIDEGATE_TEST_SEED=7 cargo test --workspace --lib walks`.

use std::collections::BTreeMap;
use std::time::Duration;

use tidegate_random::{Random, SEED_VARIABLE, given_seed};

use super::super::pending::JobEnd;
use super::model::{End, Model, Topology};
use super::moves::{Budget, Move};
use crate::config::CheckpointSettings;

/// The number of walks, in all threads together.
const WALKS: u64 = 1_000_000;
/// The number of different topologies.
const TOPOLOGIES: u64 = 5_000;
const THREADS: u64 = 2;
/// A longer fair path leads nowhere.
const LONGEST_PATH: usize = 3_000;

/// Returns 1 to 3 sources and up to 7 chains that read from 1 to 3 earlier ones. Leaks its result.
fn random_topology(seed: u64) -> Topology {
    let mut random = Random::new(seed);
    let sources = 1 + random.index(3);
    let chains = sources + random.index(8);
    let mut topology: Vec<&'static [usize]> = Vec::new();
    for chain in 0..chains {
        let inputs = match chain < sources {
            true => 0,
            false => 1 + random.index(3),
        };
        let inputs: Vec<usize> = (0..inputs)
            .map(|_| random.index(chain).max(random.index(chain)))
            .collect();
        topology.push(inputs.leak());
    }
    topology.leak()
}

/// Counts of the events on walks.
#[derive(Debug, Default)]
struct Seen {
    moves: u64,
    /// The number of declines, failed writes, failed commits and timeouts.
    faults: u64,
    commands: u64,
    wishes: u64,
    checkpoints: u64,
    ends: BTreeMap<&'static str, u64>,
}

impl Seen {
    fn add(&mut self, other: &Self) {
        self.moves += other.moves;
        self.faults += other.faults;
        self.commands += other.commands;
        self.wishes += other.wishes;
        self.checkpoints += other.checkpoints;
        for (end, times) in &other.ends {
            *self.ends.entry(end).or_default() += times;
        }
    }
}

/// Reports how to repeat a walk that panics.
struct Walking {
    seed: u64,
    path: Vec<Move>,
}

impl Drop for Walking {
    fn drop(&mut self) {
        if std::thread::panicking() {
            println!("{SEED_VARIABLE}={} after {:?}", self.seed, self.path);
        }
    }
}

fn random_model(random: &mut Random, topology: Topology) -> Model {
    let settings = CheckpointSettings {
        interval: Duration::from_secs(10),
        timeout: Duration::from_secs(5 + random.below(15)),
        min_pause: Duration::from_secs(random.below(4)),
        retain: 1,
        tolerable_failures: random.up_to(3),
        drill_every: None,
    };
    let budget = Budget {
        faults: random.up_to(4),
        requests: random.up_to(2),
        wishes: random.up_to(3),
        stops: random.up_to(1),
        drains: random.up_to(1),
        records: random.up_to(12),
    };
    Model::new(topology, &settings, budget)
}

fn walk(seed: u64, topology: Topology, seen: &mut Seen) {
    let mut random = Random::new(seed ^ 0x5851_f42d_4c95_7f2d);
    let mut model = random_model(&mut random, topology);
    let before = model.budget;
    let mut walking = Walking {
        seed,
        path: Vec::new(),
    };
    for _ in 0..random.below(80) {
        let moves = model.moves();
        if moves.is_empty() {
            break;
        }
        let next = moves[random.index(moves.len())];
        walking.path.push(next);
        model.make(next);
    }
    while model.end.is_none() {
        let next = model.fair_move();
        let next = next.unwrap_or_else(|| panic!("stuck: {model:#?}"));
        walking.path.push(next);
        let passed = walking.path.len();
        assert!(passed < LONGEST_PATH, "it never ends: {model:#?}");
        model.make(next);
    }
    let left = model.budget;
    seen.moves += walking.path.len() as u64;
    seen.faults += u64::from(before.faults - left.faults);
    seen.commands += u64::from(before.requests - left.requests);
    seen.wishes += u64::from(before.wishes - left.wishes);
    seen.commands += u64::from(before.stops + before.drains - left.stops - left.drains);
    seen.checkpoints += model.started();
    let end = match model.end {
        Some(End::Done(JobEnd::Finished)) => "finished",
        Some(End::Done(JobEnd::Stopped)) => "stopped",
        Some(End::GaveUp) => "gave up",
        None => unreachable!("the walk went on until the end"),
    };
    *seen.ends.entry(end).or_default() += 1;
}

#[test]
fn a_million_walks_end_well() {
    if let Some(seed) = given_seed() {
        let topology = random_topology(seed % TOPOLOGIES);
        println!("{topology:?}");
        walk(seed, topology, &mut Seen::default());
        return;
    }
    let topologies: Vec<Topology> = (0..TOPOLOGIES).map(random_topology).collect();
    let share = |first: u64| {
        let mut seen = Seen::default();
        // Topologies recur at a fixed distance of seeds, as when a walk is repeated.
        for (seed, topology) in (0..WALKS).zip(topologies.iter().copied().cycle()) {
            if seed % THREADS == first {
                walk(seed, topology, &mut seen);
            }
        }
        seen
    };
    let mut seen = Seen::default();
    std::thread::scope(|scope| {
        let share = &share;
        let threads: Vec<_> = (0..THREADS)
            .map(|first| scope.spawn(move || share(first)))
            .collect();
        for thread in threads {
            seen.add(&thread.join().expect("no walk panics"));
        }
    });
    println!("{seen:?}");
    assert_eq!(seen.ends.values().sum::<u64>(), WALKS);
    let ends: Vec<_> = seen.ends.keys().copied().collect();
    assert_eq!(ends, ["finished", "gave up", "stopped"]);
    assert!(seen.faults > WALKS, "{seen:?}");
    assert!(seen.commands > WALKS, "{seen:?}");
    assert!(seen.wishes > WALKS, "{seen:?}");
}
