//! Record path: source → channel → aligner → operator instance → router → **sink**.
//!
//! The delay between the timestamps of records and their arrival at a sink, for timestamps of the
//! wall clock. The clock comes in as an argument.

use std::sync::atomic::{AtomicU64, Ordering};

use serde::{Deserialize, Serialize};

/// Upper bounds of the buckets in microseconds, inclusive; in steps of 0.5 ms up to 10 ms.
const BOUNDS_MICROS: [u64; 38] = [
    500, 1_000, 1_500, 2_000, 2_500, 3_000, 3_500, 4_000, 4_500, 5_000, 5_500, 6_000, 6_500, 7_000,
    7_500, 8_000, 8_500, 9_000, 9_500, 10_000, 12_000, 15_000, 20_000, 25_000, 30_000, 40_000,
    50_000, 75_000, 100_000, 150_000, 200_000, 300_000, 500_000, 1_000_000, 2_000_000, 5_000_000,
    10_000_000, 60_000_000,
];

/// Counts lags. Shared by the subtasks of a sink; each adds once per run of equal timestamps.
#[derive(Debug)]
pub struct LagHistogram {
    /// The count of each bound, not cumulative.
    buckets: [AtomicU64; BOUNDS_MICROS.len()],
    records: AtomicU64,
    sum_micros: AtomicU64,
}

impl Default for LagHistogram {
    fn default() -> Self {
        Self {
            buckets: std::array::from_fn(|_| AtomicU64::new(0)),
            records: AtomicU64::new(0),
            sum_micros: AtomicU64::new(0),
        }
    }
}

impl LagHistogram {
    /// Counts the records of a batch. `timestamps` are in milliseconds since the epoch;
    /// `now_micros`, the current time, is in microseconds. Records without a timestamp are not
    /// counted; a lag below 0 counts as 0.
    ///
    /// ```
    /// use tidegate_connector::sink::LagHistogram;
    ///
    /// let lag = LagHistogram::default();
    /// lag.count(&[1_000, 1_000, 1_003, i64::MIN], 1_004_200);
    /// let status = lag.status();
    /// assert_eq!((status.records, status.sum_seconds), (3, 0.0096));
    /// ```
    pub fn count(&self, timestamps: &[i64], now_micros: i64) {
        for run in timestamps.chunk_by(|a, b| a == b) {
            if run[0] != tidegate_operator::NO_TIMESTAMP {
                let sent_micros = run[0].saturating_mul(1_000);
                let lag = now_micros.saturating_sub(sent_micros);
                self.add(u64::try_from(lag).unwrap_or(0), run.len() as u64);
            }
        }
    }

    fn add(&self, lag_micros: u64, records: u64) {
        let bucket = BOUNDS_MICROS.partition_point(|bound| *bound < lag_micros);
        if let Some(bucket) = self.buckets.get(bucket) {
            bucket.fetch_add(records, Ordering::Relaxed);
        }
        self.records.fetch_add(records, Ordering::Relaxed);
        let sum = lag_micros.saturating_mul(records);
        self.sum_micros.fetch_add(sum, Ordering::Relaxed);
    }

    /// Returns the counts so far.
    #[must_use]
    pub fn status(&self) -> SinkLag {
        let mut records_so_far = 0;
        let buckets = BOUNDS_MICROS.iter().zip(&self.buckets);
        let buckets = buckets.map(|(bound, bucket)| {
            records_so_far += bucket.load(Ordering::Relaxed);
            LagBucket {
                at_most_seconds: *bound as f64 / 1e6,
                records: records_so_far,
            }
        });
        let buckets: Vec<LagBucket> = buckets.collect();
        let in_buckets = buckets.last().map_or(0, |bucket| bucket.records);
        SinkLag {
            // Counted a moment later than the buckets, so kept from falling below their sum.
            records: self.records.load(Ordering::Relaxed).max(in_buckets),
            sum_seconds: self.sum_micros.load(Ordering::Relaxed) as f64 / 1e6,
            buckets,
        }
    }
}

/// The lags of records with timestamps: the time of arrival at a sink minus the timestamp.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct SinkLag {
    /// The number of records counted.
    pub records: u64,
    /// The sum of all lags, in seconds.
    pub sum_seconds: f64,
    /// The buckets, by ascending bound.
    pub buckets: Vec<LagBucket>,
}

/// A bucket of a [`SinkLag`], which includes the buckets before it.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct LagBucket {
    /// The largest lag of the bucket, in seconds.
    pub at_most_seconds: f64,
    /// The number of records with at most this lag.
    pub records: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns the counts of the buckets that are not empty, not cumulative, by bound in
    /// milliseconds.
    fn filled(status: &SinkLag) -> Vec<(f64, u64)> {
        let before = std::iter::once(0).chain(status.buckets.iter().map(|b| b.records));
        let counts = status.buckets.iter().zip(before);
        let counts = counts.map(|(b, before)| (b.at_most_seconds * 1e3, b.records - before));
        counts.filter(|(_, count)| *count > 0).collect()
    }

    #[test]
    fn a_lag_is_in_the_bucket_whose_bound_it_does_not_pass() {
        let lag = LagHistogram::default();
        lag.count(&[100, 100, 98, 99], 100_500);
        assert_eq!(filled(&lag.status()), [(0.5, 2), (1.5, 1), (2.5, 1)]);
    }

    #[test]
    fn what_is_too_late_for_every_bucket_is_counted_all_the_same() {
        let lag = LagHistogram::default();
        lag.count(&[i64::MIN + 1, i64::MAX, i64::MIN], 0);
        let status = lag.status();
        assert_eq!((status.records, filled(&status)), (2, vec![(0.5, 1)]));
    }

    #[test]
    fn bounds_ascend() {
        assert!(BOUNDS_MICROS.is_sorted_by(|a, b| a < b));
    }
}
