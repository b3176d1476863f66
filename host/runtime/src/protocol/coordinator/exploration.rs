//! Every order of events around the coordinator, for up to three chains and as many faults,
//! commands and checkpoints as [`BUDGETS`] and [`checkpoints`] say.
//!
//! In every state the model checks the actions of the coordinator, and that the job ends once
//! nothing fails any more.

use std::collections::HashSet;
use std::hash::{DefaultHasher, Hasher as _};
use std::time::Duration;

use super::super::pending::JobEnd;
use super::model::{End, Model, Topology};
use super::moves::{Budget, Move};
use crate::config::CheckpointSettings;

/// At most two together of: faults (decline, failed write, failed commit, timeout), requests,
/// stops, drains; then the wishes of guests.
const BUDGETS: [Budget; 9] = [
    budget(2, 0, 0, 0),
    budget(1, 1, 0, 0),
    budget(1, 0, 1, 0),
    budget(1, 0, 0, 1),
    budget(0, 1, 1, 0),
    budget(0, 0, 1, 1),
    wishing(2, budget(0, 0, 0, 0)),
    wishing(1, budget(1, 0, 0, 0)),
    wishing(1, budget(0, 0, 1, 0)),
];

/// A longer fair path leads nowhere.
const LONGEST_PATH: usize = 500;

const fn budget(faults: u32, requests: u32, stops: u32, drains: u32) -> Budget {
    Budget {
        faults,
        requests,
        wishes: 0,
        stops,
        drains,
        records: 0,
    }
}

const fn wishing(wishes: u32, budget: Budget) -> Budget {
    Budget { wishes, ..budget }
}

struct Exploration {
    checkpoints: u64,
    visited: HashSet<u64>,
    /// States from which the job is known to end.
    ending: HashSet<u64>,
    /// The moves that led to the last state, for messages.
    path: Vec<Move>,
    ends: HashSet<End>,
}

impl Exploration {
    fn explore(&mut self, model: &Model) {
        if !self.visited.insert(fingerprint(model)) {
            return;
        }
        self.check_that_it_ends(model);
        if model.started() > self.checkpoints {
            return;
        }
        for next in model.moves() {
            let mut model = model.clone();
            self.path.push(next);
            model.make(next);
            self.explore(&model);
            self.path.pop();
        }
    }

    /// Checks that the job ends once nothing fails any more.
    fn check_that_it_ends(&mut self, model: &Model) {
        let mut model = model.clone();
        let mut passed = Vec::new();
        while model.end.is_none() {
            let fingerprint = fingerprint(&model);
            if self.ending.contains(&fingerprint) {
                break;
            }
            passed.push(fingerprint);
            let next = model.fair_move();
            let next = next.unwrap_or_else(|| panic!("stuck: {model:#?}"));
            assert!(passed.len() < LONGEST_PATH, "it never ends: {model:#?}");
            model.make(next);
        }
        self.ends.extend(model.end);
        self.ending.extend(passed);
    }
}

impl Drop for Exploration {
    fn drop(&mut self) {
        if std::thread::panicking() {
            println!("after {:#?}", self.path);
        }
    }
}

/// Returns a hash of a state: at 2 million states, two collide with a probability below 10^-6.
fn fingerprint(model: &Model) -> u64 {
    let mut hasher = DefaultHasher::new();
    model.fingerprint(&mut hasher);
    hasher.finish()
}

/// Explores a topology with all [`BUDGETS`] and returns the number of states. One failure in a row
/// is tolerable; a checkpoint may be slower than its timeout, which is longer than the interval.
fn explore_all(topology: Topology) -> usize {
    let settings = CheckpointSettings {
        interval: Duration::from_secs(10),
        timeout: Duration::from_secs(15),
        min_pause: Duration::from_secs(2),
        retain: 1,
        tolerable_failures: 1,
        ..CheckpointSettings::default()
    };
    let mut states = 0;
    let mut ends = HashSet::new();
    for budget in BUDGETS {
        let mut exploration = Exploration {
            checkpoints: checkpoints(topology, budget),
            visited: HashSet::new(),
            ending: HashSet::new(),
            path: Vec::new(),
            ends: HashSet::new(),
        };
        exploration.explore(&Model::new(topology, &settings, budget));
        states += exploration.visited.len();
        ends.extend(std::mem::take(&mut exploration.ends));
    }
    println!("{topology:?}: {states} states");
    let expected = [JobEnd::Finished, JobEnd::Stopped].map(End::Done);
    assert_eq!(ends, HashSet::from([expected[0], expected[1], End::GaveUp]));
    states
}

/// Returns the number of checkpoints that one exploration starts; later ones are followed on the
/// fair path only.
fn checkpoints(topology: Topology, budget: Budget) -> u64 {
    match (topology.len(), budget.faults) {
        (1, _) => 4,
        (2, _) => 3,
        (_, 1) => 1,
        _ => 2,
    }
}

#[test]
fn a_source_alone_is_checkpointed_right_in_every_order_of_events() {
    assert!(explore_all(&[&[]]) > 5_000);
}

#[test]
fn two_chains_in_a_row_are_checkpointed_right_in_every_order_of_events() {
    assert!(explore_all(&[&[], &[0]]) > 30_000);
}

#[test]
fn two_sources_apart_are_checkpointed_right_in_every_order_of_events() {
    assert!(explore_all(&[&[], &[]]) > 100_000);
}

#[test]
fn three_chains_in_a_row_are_checkpointed_right_in_every_order_of_events() {
    assert!(explore_all(&[&[], &[0], &[1]]) > 50_000);
}

#[test]
fn two_sources_into_one_chain_are_checkpointed_right_in_every_order_of_events() {
    assert!(explore_all(&[&[], &[], &[0, 1]]) > 200_000);
}

#[test]
fn a_source_into_two_chains_is_checkpointed_right_in_every_order_of_events() {
    assert!(explore_all(&[&[], &[0], &[0]]) > 50_000);
}
