//! The format of records, for the parts of a job and for the model alike. Pure.
//!
//! Number 17 of split 1 of source `s0` is `s0/1:17`, under one of a few keys, at time 17. A count
//! is `o3@40=2`: operator, window, count.

use tidegate_operator::NO_TIMESTAMP;

/// The event time that one window covers.
const WINDOW: i64 = 10;

/// The origin of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Origin<'a> {
    /// The source's name.
    pub(crate) source: &'a str,
    /// The source's name and the split's number.
    pub(crate) split: &'a str,
    pub(crate) number: u64,
}

impl<'a> Origin<'a> {
    /// Parses a value; `None` for a count.
    pub(crate) fn of(value: &'a [u8]) -> Option<Self> {
        let value = std::str::from_utf8(value).ok()?;
        let (split, number) = value.split_once(':')?;
        let (source, _) = split.split_once('/')?;
        Some(Self {
            source,
            split,
            number: number.parse().ok()?,
        })
    }
}

/// Returns the value of a source's record.
pub(crate) fn value_of(source: &str, split: u64, number: u64) -> String {
    format!("{source}/{split}:{number}")
}

/// Returns the key of a number.
pub(crate) fn key_of(number: u64, keys: u64) -> String {
    // Not round robin: neighbours often have the same key.
    let mixed = number.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 33;
    format!("k{}", mixed % keys)
}

/// Returns the window of a record; records without a timestamp have a window of their own.
pub(crate) fn window_of(timestamp: i64) -> i64 {
    match timestamp {
        NO_TIMESTAMP => NO_TIMESTAMP,
        timestamp => timestamp.div_euclid(WINDOW) * WINDOW,
    }
}

/// Returns the last moment of a window.
pub(crate) fn end_of(window: i64) -> i64 {
    window.saturating_add(WINDOW - 1)
}

/// Returns the timestamp and value of a count.
pub(crate) fn told(operator: &str, window: i64, count: u64) -> (i64, String) {
    match window {
        NO_TIMESTAMP => (NO_TIMESTAMP, format!("{operator}@none={count}")),
        window => (end_of(window), format!("{operator}@{window}={count}")),
    }
}
