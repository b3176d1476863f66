//! What instances of an operator occupy: they leak at a pace that the seed says, so that the
//! runtime replaces them at barriers, which nothing else may tell.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tidegate_operator::StateChunk;
use tidegate_random::Random;
use tidegate_runtime::config::RecycleAt;

/// What an instance may occupy.
pub(crate) const LIMIT: u64 = 1_000;
/// From when on it is replaced.
const THRESHOLD: u64 = 750;
/// The same, as a job says it.
pub(crate) const RECYCLE_AT: RecycleAt = RecycleAt::Percent(75);

/// The memory of all instances of one operator, in one life of the process.
#[derive(Clone, Debug)]
pub(crate) struct Memory {
    pub(crate) begins_with: u64,
    /// With each batch.
    pub(crate) leaks: u64,
    /// What instances that were to be replaced gave last, by subtask.
    given: Arc<Mutex<BTreeMap<u32, Vec<StateChunk>>>>,
    /// Subtasks that heard of a complete checkpoint in this life.
    in_a_checkpoint: Arc<Mutex<BTreeSet<u32>>>,
}

impl Memory {
    pub(crate) fn new(random: &mut Random) -> Self {
        Self {
            // Some have so much state that it does not help to replace them.
            begins_with: random.pick(&[0, 0, 0, 700, 800]),
            // Never so much that the first batch fills an instance, which would be a fault.
            leaks: random.pick(&[0, 0, 2, 20, 140]),
            given: Arc::default(),
            in_a_checkpoint: Arc::default(),
        }
    }

    /// A checkpoint that this life took is complete.
    pub(crate) fn on_complete(&self, subtask: u32) {
        let known = self.in_a_checkpoint.lock();
        known
            .unwrap_or_else(PoisonError::into_inner)
            .insert(subtask);
    }

    /// True if every snapshot from which this subtask can be restored is one of this life, hence
    /// of the same parallelism, and so has all chunks that a subtask writes.
    pub(crate) fn restores_own_snapshots(&self, subtask: u32) -> bool {
        let known = self.in_a_checkpoint.lock();
        known
            .unwrap_or_else(PoisonError::into_inner)
            .contains(&subtask)
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<u32, Vec<StateChunk>>> {
        self.given.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// An instance that occupies so much gave its state.
    pub(crate) fn on_snapshot(&self, subtask: u32, memory: u64, chunks: &[StateChunk]) {
        let mut given = self.lock();
        if memory >= THRESHOLD {
            given.insert(subtask, chunks.to_vec());
        } else {
            given.remove(&subtask);
        }
    }

    /// An instance is restored. True if it takes the place of one that was to be replaced.
    pub(crate) fn on_restore(&self, subtask: u32, chunks: &[StateChunk]) -> bool {
        let given = self.lock().remove(&subtask);
        given.is_some_and(|given| given == chunks)
    }
}
