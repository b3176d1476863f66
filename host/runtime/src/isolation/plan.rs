//! The plan by which an attempt isolates the records that operators failed on before. Pure.
//!
//! The [`IsolationPlanner`](super::IsolationPlanner) makes a plan before the attempt. The chains of
//! the attempt share it, unchanged, and drop it when isolation is over.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::SubtaskId;
use crate::config::RecordPolicies;

/// The records at the end of a replay that a source reads one by one: a fault is close to the last
/// record that was read when it happened.
const READ_SINGLY: u64 = 1 << 16;

/// The isolation of one attempt.
#[derive(Debug, Default)]
pub(crate) struct IsolationPlan {
    /// The operators that failed, by name, with the policies for the records that they fail on.
    pub(crate) operators: BTreeMap<String, RecordPolicies>,
    /// The number of records that each source subtask replays: all that it had returned before the
    /// fault.
    pub(crate) replayed: BTreeMap<SubtaskId, u64>,
    /// See [`IsolationSettings::in_a_row`](crate::config::IsolationSettings::in_a_row).
    pub(crate) in_a_row: u32,
    /// The time without a fault after which isolation is over.
    pub(crate) calm: Duration,
}

impl IsolationPlan {
    /// Returns how many records a source subtask returns before it reads record by record.
    pub(crate) fn records_before_isolating(&self, source: &SubtaskId) -> u64 {
        let replayed = self.replayed.get(source).copied().unwrap_or(0);
        replayed.saturating_sub(READ_SINGLY)
    }
}
