//! The lags of records at a sink, from two readings of its histogram. Pure.
//!
//! A lag counts from when the record was due by the source's schedule, whether or not the source
//! was held up, so a stall shows in all records that it delayed (no coordinated omission).

use serde::{Deserialize, Serialize};

use crate::job_status::{LagBucket, SinkLag};

/// Percentiles. Each is the upper bound of its bucket, so the true value is not above it.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Latency {
    pub(crate) records: u64,
    pub(crate) p50_ms: f64,
    pub(crate) p99_ms: f64,
    pub(crate) p999_ms: f64,
    pub(crate) max_ms: f64,
}

impl Latency {
    /// Returns the percentiles of the records that were counted after `before`, without those that
    /// were too late for every bucket: the last one is longer than any run. `None` if there are no
    /// records.
    pub(crate) fn between(before: &SinkLag, after: &SinkLag) -> Option<Self> {
        let counted_before = |at: usize| before.buckets.get(at).map_or(0, |b| b.records);
        let buckets = after.buckets.iter().enumerate();
        let new: Vec<LagBucket> = buckets
            .map(|(at, bucket)| LagBucket {
                records: bucket.records.saturating_sub(counted_before(at)),
                ..*bucket
            })
            .collect();
        let records = new.last().map(|bucket| bucket.records);
        let records = records.filter(|records| *records > 0)?;
        let percentile = |part: f64| {
            let needed = records as f64 * part;
            let bucket = new.iter().find(|bucket| bucket.records as f64 >= needed);
            bucket.map(|bucket| bucket.at_most_seconds * 1e3)
        };
        Some(Self {
            records,
            p50_ms: percentile(0.5)?,
            p99_ms: percentile(0.99)?,
            p999_ms: percentile(0.999)?,
            max_ms: percentile(1.0)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lag(counts: &[(f64, u64)]) -> SinkLag {
        let buckets = counts.iter().map(|&(at_most_seconds, records)| LagBucket {
            at_most_seconds,
            records,
        });
        SinkLag {
            buckets: buckets.collect(),
        }
    }

    #[test]
    fn percentiles_are_those_of_the_records_in_between() {
        let before = lag(&[(0.001, 0), (0.002, 7), (1.0, 7_000)]);
        let after = lag(&[(0.001, 980), (0.002, 997 + 7), (1.0, 1_000 + 7_000)]);
        let expected = Latency {
            records: 1_000,
            p50_ms: 1.0,
            p99_ms: 2.0,
            p999_ms: 1_000.0,
            max_ms: 1_000.0,
        };
        assert_eq!(Latency::between(&before, &after), Some(expected));
    }

    #[test]
    fn without_records_there_is_no_latency() {
        let same = lag(&[(0.001, 5), (0.002, 7)]);
        assert_eq!(Latency::between(&same, &same), None);
        assert_eq!(Latency::between(&lag(&[]), &lag(&[])), None);
    }
}
