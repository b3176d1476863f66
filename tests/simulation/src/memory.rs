//! Memory of an operator's instances. They leak at a rate that the seed decides, so that the
//! runtime replaces them at barriers; nothing else may observe the replacement.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tidegate_operator::StateChunk;
use tidegate_random::Random;
use tidegate_runtime::config::RecycleAt;

/// The most memory that an instance may occupy.
pub(crate) const LIMIT: u64 = 1_000;
/// The memory at which an instance is replaced.
const THRESHOLD: u64 = 750;
/// The threshold as a setting of the job.
pub(crate) const RECYCLE_AT: RecycleAt = RecycleAt::Percent(75);

/// The memory of all instances of one operator, in one life of the process.
#[derive(Clone, Debug)]
pub(crate) struct Memory {
    pub(crate) begins_with: u64,
    /// The memory that an instance leaks with each batch.
    pub(crate) leaks: u64,
    /// The last snapshots of instances that were due to be replaced, by subtask.
    given: Arc<Mutex<BTreeMap<u32, Vec<StateChunk>>>>,
    /// Subtasks that were notified of a complete checkpoint in this life.
    in_a_checkpoint: Arc<Mutex<BTreeSet<u32>>>,
}

impl Memory {
    pub(crate) fn new(random: &mut Random) -> Self {
        Self {
            // Some have so much state that replacing them does not help.
            begins_with: random.pick(&[0, 0, 0, 700, 800]),
            // The first batch must not fill an instance: that would be a fault.
            leaks: random.pick(&[0, 0, 2, 20, 140]),
            given: Arc::default(),
            in_a_checkpoint: Arc::default(),
        }
    }

    /// Notes that a checkpoint of this life is complete.
    pub(crate) fn on_complete(&self, subtask: u32) {
        let known = self.in_a_checkpoint.lock();
        known
            .unwrap_or_else(PoisonError::into_inner)
            .insert(subtask);
    }

    /// Returns true if every snapshot from which this subtask can be restored is from this life,
    /// hence of the same parallelism, and so has all chunks that a subtask writes.
    pub(crate) fn restores_own_snapshots(&self, subtask: u32) -> bool {
        let known = self.in_a_checkpoint.lock();
        known
            .unwrap_or_else(PoisonError::into_inner)
            .contains(&subtask)
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<u32, Vec<StateChunk>>> {
        self.given.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes the snapshot of an instance that occupies `memory`.
    pub(crate) fn on_snapshot(&self, subtask: u32, memory: u64, chunks: &[StateChunk]) {
        let mut given = self.lock();
        if memory >= THRESHOLD {
            given.insert(subtask, chunks.to_vec());
        } else {
            given.remove(&subtask);
        }
    }

    /// Notes that an instance is restored. Returns true if it replaces an instance that was due to
    /// be replaced.
    pub(crate) fn on_restore(&self, subtask: u32, chunks: &[StateChunk]) -> bool {
        let given = self.lock().remove(&subtask);
        given.is_some_and(|given| given == chunks)
    }
}
