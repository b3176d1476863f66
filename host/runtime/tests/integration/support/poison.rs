//! Records that an operator can't process, however often it tries.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tidegate_operator::{FaultCause, TrapReport};

/// A failure of an operator on a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum How {
    /// The operator names the invalid record.
    Invalid,
    Trap,
    Timeout,
}

/// The records that an operator can't process. Shared by all its instances; counts how often each
/// was met.
#[derive(Clone, Debug, Default)]
pub(crate) struct Poison {
    /// By value: the failure, and which of the equal values that an instance sees (0: each).
    values: BTreeMap<Vec<u8>, (How, u32)>,
    everything: Option<How>,
    met: Arc<Mutex<BTreeMap<String, u64>>>,
}

impl Poison {
    pub(crate) fn of(how: How, values: &[&str]) -> Self {
        values.iter().fold(Self::default(), |poison, value| {
            poison.and(how, (*value).to_owned(), 0)
        })
    }

    /// Returns a poison for only the n-th of the equal values that an instance sees.
    pub(crate) fn nth(how: How, value: &str, nth: u32) -> Self {
        Self::default().and(how, value.to_owned(), nth)
    }

    pub(crate) fn everything(how: How) -> Self {
        Self {
            everything: Some(how),
            ..Self::default()
        }
    }

    /// Returns a poison without values, which counts together with this one.
    pub(crate) fn without_values(&self) -> Self {
        Self {
            met: Arc::clone(&self.met),
            ..Self::default()
        }
    }

    pub(crate) fn and(mut self, how: How, value: String, nth: u32) -> Self {
        self.values.insert(value.into_bytes(), (how, nth));
        self
    }

    /// Returns the cause why a record can't be processed, if it can't.
    pub(crate) fn meets(&self, value: &[u8], seen: u32, row: u32) -> Option<FaultCause> {
        let planned = self.values.get(value);
        let planned = planned.filter(|(_, nth)| *nth == 0 || *nth == seen);
        let how = planned.map(|(how, _)| *how).or(self.everything)?;
        let text = String::from_utf8(value.to_vec()).unwrap();
        let mut met = self.met.lock().unwrap_or_else(PoisonError::into_inner);
        *met.entry(text).or_default() += 1;
        Some(match how {
            How::Invalid => FaultCause::InvalidRecord {
                row,
                reason: "not to be had".to_owned(),
            },
            How::Trap => FaultCause::Trap(Box::new(TrapReport {
                kind: "a planned trap".to_owned(),
                ..TrapReport::default()
            })),
            How::Timeout => FaultCause::Timeout {
                limit: Duration::from_secs(1),
            },
        })
    }

    /// Returns how often each value was met.
    pub(crate) fn met(&self) -> BTreeMap<String, u64> {
        let met = self.met.lock().unwrap_or_else(PoisonError::into_inner);
        met.clone()
    }
}
