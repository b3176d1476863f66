//! A failed `process` call, and as much of the record behind it as is known. Pure.
//!
//! A guest is called with many records at a time, so the first fault reveals little: their number,
//! and the record itself only if the guest named it or got no other. The next attempt reveals more;
//! see [`IsolationPlanner`](super::IsolationPlanner).

use std::fmt;
use std::sync::Arc;

use tidegate_operator::{Batch, FaultCause, GuestFault};

use crate::config::{RecordPolicies, RecordPolicy};
use crate::stream::RecordOrigin;

/// A key is shown up to this many bytes.
const SHOWN_KEY_BYTES: usize = 64;

/// The beginning of the line about the record.
const ABOUT_RECORD: &str = "\n    record: ";

/// The failure of a guest on a record.
#[derive(Debug)]
pub struct RecordFault {
    /// The fault of the guest.
    pub fault: Box<GuestFault>,
    /// The operator's input on which the call's records arrived.
    pub input: u32,
    /// The number of records in the call.
    pub records: usize,
    /// The record, as a batch of one, if it is known.
    pub record: Option<Batch>,
    /// The origin of the records. `None` in an ordinary attempt, and for records that no source
    /// returned, such as those made at a watermark.
    pub origin: Option<Arc<RecordOrigin>>,
}

impl RecordFault {
    /// Splits the text of a failure into the fault and the lines about its record, which are empty
    /// if the failure concerns no record.
    #[must_use]
    pub fn split_text(failure: &str) -> (&str, &str) {
        failure.split_at(failure.rfind(ABOUT_RECORD).unwrap_or(failure.len()))
    }

    /// Returns the policy that applies. The attempt fails if the guest gives up for another reason
    /// than the record, or if the host has a bug.
    #[must_use]
    pub fn policy(&self, policies: &RecordPolicies) -> RecordPolicy {
        match &self.fault.cause {
            FaultCause::InvalidRecord { .. } => policies.on_invalid_record,
            FaultCause::Trap(_)
            | FaultCause::Timeout { .. }
            | FaultCause::MemoryLimit { .. }
            | FaultCause::OutputLimit { .. }
            | FaultCause::StackOverflow
            | FaultCause::MalformedColumn { .. }
            | FaultCause::MalformedBatch { .. }
            | FaultCause::UndeclaredPort { .. }
            | FaultCause::UnknownRecord { .. } => policies.on_trap,
            FaultCause::SnapshotLimit { .. }
            | FaultCause::MalformedSnapshot(_)
            | FaultCause::IncompatibleState(_)
            | FaultCause::Failed(_)
            | FaultCause::Cancelled
            | FaultCause::ThreadStack { .. }
            | FaultCause::SystemRefused { .. }
            | FaultCause::HostPanic { .. }
            | FaultCause::InstanceSpent => RecordPolicy::Fail,
        }
    }
}

impl fmt::Display for RecordFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{ABOUT_RECORD}", self.fault)?;
        match &self.record {
            Some(record) => {
                let key = shown_key(record.keys().row(0));
                let bytes = record.values().row(0).len();
                write!(
                    f,
                    "key {key}, value of {bytes} bytes, on input {}",
                    self.input
                )?;
            }
            None => write!(f, "one of {} on input {}", self.records, self.input)?,
        }
        match (&self.origin, &self.fault.cause) {
            (Some(origin), _) => write!(f, ", from {origin}"),
            (None, FaultCause::InvalidRecord { row, .. }) if self.records > 1 => {
                write!(f, ", row {row} of a batch of {}", self.records)
            }
            (None, _) => Ok(()),
        }
    }
}

impl std::error::Error for RecordFault {}

/// Shows a key as text for a message: escaped, and not longer than a line.
fn shown_key(key: &[u8]) -> String {
    if key.is_empty() {
        return "empty".to_owned();
    }
    let shown = &key[..key.len().min(SHOWN_KEY_BYTES)];
    let more = match key.len() - shown.len() {
        0 => String::new(),
        more => format!(" and {more} bytes more"),
    };
    format!("`{}`{more}", shown.escape_ascii())
}

#[cfg(test)]
mod tests;
