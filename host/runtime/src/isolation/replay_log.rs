//! The state that an instance was restored from and its calls since, so that another instance can
//! be brought to the same state. Pure.
//!
//! The log lives in memory while the records of a failed operator are isolated. A new snapshot cuts
//! the log when a replay would cost more than a restore from the snapshot: a fault costs time in
//! proportion to the state, not to all records since the last checkpoint, and the log has a
//! greatest length.

use tidegate_operator::{Batch, StateChunk};

/// A log that weighs less is not worth a snapshot, however small the state is.
const LEAST_WEIGHT: u64 = 64 << 10;
/// The same for a log that was just replayed after a fault: another replay may follow soon.
const LEAST_WEIGHT_AFTER_FAULT: u64 = 4 << 10;
/// A log never weighs much more, however large the state is.
const MOST_WEIGHT: u64 = 16 << 20;
/// Weights of a record and of a call, beside their bytes.
const WEIGHT_OF_RECORD: u64 = 32;
const WEIGHT_OF_CALL: u64 = 128;

/// One call that an instance got, and that succeeded.
#[derive(Clone, Debug)]
pub(crate) enum ReplayedCall {
    /// `process`.
    Process {
        /// The operator's input.
        input: u32,
        /// The records.
        batch: Batch,
    },
    /// `advance-watermark`.
    Watermark(i64),
}

/// See the module.
#[derive(Debug)]
pub(crate) struct ReplayLog {
    state: Vec<StateChunk>,
    watermark: Option<i64>,
    calls: Vec<ReplayedCall>,
    weight: u64,
    state_weight: u64,
}

impl ReplayLog {
    /// Creates the log of an instance that was just restored from `state` and told `watermark`.
    pub(crate) fn new(state: Vec<StateChunk>, watermark: Option<i64>) -> Self {
        let bytes =
            |chunk: &StateChunk| (chunk.name.len() + chunk.bytes.len()) as u64 + WEIGHT_OF_RECORD;
        Self {
            state_weight: state.iter().map(bytes).sum(),
            state,
            watermark,
            calls: Vec::new(),
            weight: 0,
        }
    }

    /// Returns the state from which a new instance is restored.
    pub(crate) fn state(&self) -> &[StateChunk] {
        &self.state
    }

    /// Returns the watermark that the new instance is told then, if there is one.
    pub(crate) fn watermark(&self) -> Option<i64> {
        self.watermark
    }

    /// Returns the calls that the new instance gets after that, in this order.
    pub(crate) fn calls(&self) -> &[ReplayedCall] {
        &self.calls
    }

    /// Logs a call of the instance.
    pub(crate) fn push(&mut self, call: ReplayedCall) {
        self.weight += WEIGHT_OF_CALL;
        if let ReplayedCall::Process { batch, .. } = &call {
            self.weight += batch.byte_size() as u64 + WEIGHT_OF_RECORD * batch.len() as u64;
        }
        self.calls.push(call);
    }

    /// Returns true if a new snapshot is due before the next call.
    pub(crate) fn is_long(&self) -> bool {
        self.weight >= self.state_weight.clamp(LEAST_WEIGHT, MOST_WEIGHT)
    }

    /// Returns true if a new snapshot is due now that the log was replayed.
    pub(crate) fn is_long_after_fault(&self) -> bool {
        let least = self.state_weight.max(LEAST_WEIGHT_AFTER_FAULT);
        self.weight >= least.min(MOST_WEIGHT)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn log(state: u64) -> ReplayLog {
        let bytes = vec![0; usize::try_from(state - WEIGHT_OF_RECORD).unwrap()];
        let chunk = StateChunk {
            name: String::new(),
            schema_version: 1,
            key_group: Some(0),
            bytes,
        };
        ReplayLog::new(vec![chunk], None)
    }

    /// Returns the weight at which a log over a state of this size is cut.
    fn cut_at(state: u64, is_long: fn(&ReplayLog) -> bool) -> u64 {
        let mut log = log(state);
        while !is_long(&log) {
            log.push(ReplayedCall::Watermark(0));
        }
        log.weight
    }

    #[test]
    fn a_log_grows_until_it_weighs_as_much_as_the_state_within_bounds() {
        let cut = [100, 1 << 20, 32 << 20].map(|state| cut_at(state, ReplayLog::is_long));
        assert_eq!(cut, [64 << 10, 1 << 20, 16 << 20]);
    }

    #[test]
    fn after_a_fault_a_small_state_is_taken_anew_early() {
        let states = [100, 1 << 20, 32 << 20];
        let cut = states.map(|state| cut_at(state, ReplayLog::is_long_after_fault));
        assert_eq!(cut, [4 << 10, 1 << 20, 16 << 20]);
    }
}
