//! The value of a sample.

use std::fmt;
use std::time::Duration;

/// The value of a sample.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum MetricValue {
    /// A number of things.
    Count(u64),
    /// A number of seconds.
    Seconds(f64),
    /// Milliseconds, which are shown as seconds without rounding.
    Milliseconds(i64),
}

impl From<u64> for MetricValue {
    fn from(count: u64) -> Self {
        Self::Count(count)
    }
}

impl From<u32> for MetricValue {
    fn from(count: u32) -> Self {
        Self::Count(count.into())
    }
}

impl From<bool> for MetricValue {
    fn from(holds: bool) -> Self {
        Self::Count(holds.into())
    }
}

/// Formats the value for Prometheus, in base units.
impl fmt::Display for MetricValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Count(count) => count.fmt(f),
            Self::Seconds(seconds) => seconds.fmt(f),
            Self::Milliseconds(millis) => {
                let sign = if *millis < 0 { "-" } else { "" };
                let time = Duration::from_millis(millis.unsigned_abs());
                let (seconds, millis) = (time.as_secs(), time.subsec_millis());
                write!(f, "{sign}{seconds}.{millis:03}")
            }
        }
    }
}

impl MetricValue {
    /// Formats the value for a column of a table for people: milliseconds stay milliseconds.
    #[must_use]
    pub fn in_table(&self) -> String {
        match self {
            Self::Count(count) => count.to_string(),
            Self::Seconds(seconds) => format!("{seconds:.1}"),
            Self::Milliseconds(millis) => millis.to_string(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn milliseconds_are_seconds_without_rounding() {
        for (millis, seconds) in [
            (0, "0.000"),
            (1_700_000_000_123, "1700000000.123"),
            (-1_500, "-1.500"),
            (-1, "-0.001"),
            (i64::MIN, "-9223372036854775.808"),
        ] {
            assert_eq!(MetricValue::Milliseconds(millis).to_string(), seconds);
        }
    }
}
