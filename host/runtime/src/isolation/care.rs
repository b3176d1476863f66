//! What an attempt does differently after an operator has failed on a record. Pure.
//!
//! Made by the [`Quarantine`](super::Quarantine) before the attempt, shared by its chains, and
//! dropped by all of them when the care is over.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::SubtaskId;
use crate::config::RecordPolicies;

/// A source that replays more than this many records reads only the last of them one by one: a
/// fault is close to the end of what had been read when it happened.
const READ_CLOSELY: u64 = 1 << 16;

/// The care that an attempt takes.
#[derive(Debug, Default)]
pub(crate) struct CarePlan {
    /// The operators that failed, by name, and what becomes of the records that they fail on.
    pub(crate) operators: BTreeMap<String, RecordPolicies>,
    /// How many records each source subtask has to give before all that was given when the fault
    /// happened has been given again.
    pub(crate) replayed: BTreeMap<SubtaskId, u64>,
    /// See [`IsolationSettings::in_a_row`](crate::config::IsolationSettings::in_a_row).
    pub(crate) in_a_row: u32,
    /// How long no fault must come before the care is over.
    pub(crate) calm: Duration,
}

impl CarePlan {
    /// How many records a source subtask gives before it reads record by record.
    pub(crate) fn records_before_close_look(&self, source: &SubtaskId) -> u64 {
        let replayed = self.replayed.get(source).copied().unwrap_or(0);
        replayed.saturating_sub(READ_CLOSELY)
    }
}
