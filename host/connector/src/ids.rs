//! The ids that connectors, checkpoints and the runtime share.
//!
//! Each is a newtype, so that an index of one kind can't be taken for another. Only a lineage has
//! logic: names and seeds are derived from it.

use std::fmt;

use serde::{Deserialize, Serialize};

/// One parallel instance of a node of the job graph. Only the execution graph makes these.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct SubtaskId {
    /// The node's name, its identity in checkpoints.
    pub operator: String,
    /// The index among the parallel instances, from 0.
    pub index: u32,
}

impl fmt::Display for SubtaskId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}[{}]", self.operator, self.index)
    }
}

/// The number of a checkpoint, monotonic in the life of a checkpoint directory. Only the
/// coordinator assigns these. Checkpoint 0 is the start of a job, before its first record.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, Default,
)]
#[serde(transparent)]
pub struct CheckpointId(pub u64);

/// The largest number of a checkpoint or an attempt. No job counts this far: a larger number that
/// is read is forged, and would soon wrap and end the order that keeps older attempts out. So the
/// reader rejects it.
pub const LARGEST_NUMBER: u64 = u64::MAX >> 1;

impl CheckpointId {
    /// Returns the next id.
    ///
    /// # Panics
    ///
    /// On the largest `u64`, which no store lists.
    #[must_use]
    pub fn next(self) -> Self {
        let next = self.0.checked_add(1);
        Self(next.expect("every id that is read is far from the largest"))
    }
}

impl fmt::Display for CheckpointId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

/// The life of a job that state and output belong to. A fresh start draws a new lineage, and so
/// does a start from a savepoint; every later checkpoint keeps it. Two jobs started from one
/// savepoint differ.
///
/// Only checkpoints contain it. The seeds of hash tables are derived from it, so no reader of the
/// output or writer of records may learn it: sinks get the [published](Self::published) form.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Lineage(pub [u8; 16]);

impl Lineage {
    /// Returns the lineage's name for the output of sinks, which does not reveal the lineage
    /// itself.
    #[must_use]
    pub fn published(self) -> Self {
        let mut name = [0; 16];
        derive("tidegate 2026 published lineage", &self.0, &mut name);
        Self(name)
    }

    /// Returns the seed of one subtask's hash tables. Each subtask has its own, so that a guest
    /// can't choose keys that collide in the next subtask.
    #[must_use]
    pub fn hash_seed(self, subtask: &SubtaskId, use_of: HashSeedUse) -> u64 {
        let purpose = match use_of {
            HashSeedUse::Run => "tidegate 2026 hash seed of a run",
            HashSeedUse::Drill => "tidegate 2026 hash seed of a drill",
        };
        let mut material = self.0.to_vec();
        material.extend(subtask.index.to_le_bytes());
        material.extend(subtask.operator.as_bytes());
        let mut seed = [0; 8];
        derive(purpose, &material, &mut seed);
        u64::from_le_bytes(seed)
    }
}

/// Fills `derived` with bytes that do not reveal `secret`.
fn derive(purpose: &str, secret: &[u8], derived: &mut [u8]) {
    let mut hasher = blake3::Hasher::new_derive_key(purpose);
    hasher.update(secret);
    hasher.finalize_xof().fill(derived);
}

/// The instance that a hash seed is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HashSeedUse {
    /// An instance that processes records: the same seed in every attempt.
    Run,
    /// An instance whose snapshot is compared with the run's, and must not depend on the seed.
    Drill,
}

impl fmt::Display for Lineage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn subtask(operator: &str, index: u32) -> SubtaskId {
        let operator = operator.to_owned();
        SubtaskId { operator, index }
    }

    #[test]
    fn every_subtask_has_a_hash_seed_of_its_own_that_stays_the_same() {
        let lineages = [Lineage([0; 16]), Lineage([1; 16])];
        let subtasks = [subtask("a", 0), subtask("a", 1), subtask("b", 0)];
        let uses = [HashSeedUse::Run, HashSeedUse::Drill];
        let seeds = || -> Vec<u64> {
            let of = |lineage: Lineage| {
                let of = move |subtask| uses.map(|use_of| lineage.hash_seed(subtask, use_of));
                subtasks.iter().flat_map(of).collect::<Vec<_>>()
            };
            lineages.into_iter().flat_map(of).collect()
        };
        let all = seeds();
        assert_eq!(all, seeds());
        let different: std::collections::BTreeSet<_> = all.iter().collect();
        assert_eq!(different.len(), 12);
    }

    #[test]
    fn a_published_lineage_is_another_one() {
        let [first, second] = [Lineage([0; 16]), Lineage([1; 16])].map(Lineage::published);
        assert!(first != second && first != Lineage([0; 16]) && second != Lineage([1; 16]));
        assert_eq!(first, Lineage([0; 16]).published());
    }
}
