//! Operators whose instances occupy more memory with every batch.

use std::sync::{Arc, Mutex, PoisonError};

use tidegate_runtime::config::RecycleAt;

/// The memory of an operator's instances, and observations of it. Shared by all of them.
#[derive(Clone, Debug)]
pub(crate) struct Leak {
    /// The limit, if the host knows it.
    pub(crate) limit: Option<u64>,
    pub(crate) recycle_at: RecycleAt,
    pub(crate) begins_with: u64,
    pub(crate) per_batch: u64,
    seen: Arc<Mutex<Seen>>,
}

#[derive(Debug, Default)]
struct Seen {
    opened: Vec<u32>,
    largest: u64,
}

impl Default for Leak {
    fn default() -> Self {
        Self {
            limit: None,
            recycle_at: RecycleAt::Never,
            begins_with: 0,
            per_batch: 0,
            seen: Arc::default(),
        }
    }
}

impl Leak {
    /// Returns a leak of 1 per batch, from 0, with a limit; instances are replaced at three
    /// quarters.
    pub(crate) fn of(limit: u64) -> Self {
        Self {
            limit: Some(limit),
            recycle_at: RecycleAt::Percent(75),
            per_batch: 1,
            ..Self::default()
        }
    }

    /// Returns the number of instances of a subtask that were opened.
    pub(crate) fn opened_of(&self, subtask: u32) -> usize {
        let opened = self.with(|seen| seen.opened.clone());
        opened.iter().filter(|of| **of == subtask).count()
    }

    /// Returns the most memory that any instance occupied.
    pub(crate) fn largest(&self) -> u64 {
        self.with(|seen| seen.largest)
    }

    /// Notes that an instance is opened; returns the memory that it occupies.
    pub(super) fn opened(&self, subtask: u32) -> u64 {
        self.with(|seen| seen.opened.push(subtask));
        self.begins_with
    }

    pub(super) fn note(&self, memory: u64) {
        self.with(|seen| seen.largest = seen.largest.max(memory));
    }

    fn with<T>(&self, change: impl FnOnce(&mut Seen) -> T) -> T {
        change(&mut self.seen.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
