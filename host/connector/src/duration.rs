//! Durations as people write them in job files, flags and the environment. Pure.
//!
//! The parser is total: any text is a duration of at most a year, or an error. Its arithmetic is
//! checked, because numbers here come from outside.

use std::time::Duration;

use schemars::JsonSchema;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};
use thiserror::Error;

/// The longest duration. A longer one is a mistake, and a sum of such could leave the range of the
/// clock.
const LONGEST: Duration = Duration::from_secs(366 * 24 * 3600);

/// The units, from the shortest, each with its nanoseconds.
const UNITS: [(&str, u64); 8] = [
    ("ns", 1),
    ("us", 1_000),
    ("ms", 1_000_000),
    ("s", 1_000_000_000),
    ("m", 60 * 1_000_000_000),
    ("h", 3_600 * 1_000_000_000),
    ("d", 24 * 3_600 * 1_000_000_000),
    ("w", 7 * 24 * 3_600 * 1_000_000_000),
];

/// A regular expression for the texts that [`parse`] accepts. It does not limit the length.
pub const PATTERN: &str = "^( *[0-9]+ *(ns|us|ms|s|m|h|d|w))+ *$";

/// The reason for rejecting a text as a duration.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum DurationError {
    /// The text is empty.
    #[error("it is empty; write a number and a unit: {units}", units = units())]
    Empty,
    /// Another character stands where a number must begin.
    #[error("a number was expected at {0:?}; units of numbers are {units}", units = units())]
    NoNumber(char),
    /// A number has no unit.
    #[error("a number has no unit; units are {units}", units = units())]
    NoUnit,
    /// The unit does not exist.
    #[error("{0:?} is not a unit; units are {units}", units = units())]
    UnknownUnit(String),
    /// Months and years have no fixed length, and `M` is mistaken for minutes.
    #[error("{0:?} has no fixed length; write `m` for minutes, or days such as \"30d\"")]
    Calendar(String),
    /// The duration is longer than a year.
    #[error("longer than a year")]
    TooLong,
}

/// Parses a text such as `"1s"`, `"500ms"` or `"1m 30s"`.
///
/// # Errors
///
/// A [`DurationError`] with the expected text.
pub fn parse(text: &str) -> Result<Duration, DurationError> {
    let mut rest = text.trim_start_matches(' ');
    if rest.is_empty() {
        return Err(DurationError::Empty);
    }
    let mut sum = Duration::ZERO;
    while let Some(first) = rest.chars().next() {
        let end = rest.find(|c: char| !c.is_ascii_digit());
        let (digits, after) = rest.split_at(end.unwrap_or(rest.len()));
        if digits.is_empty() {
            return Err(DurationError::NoNumber(first));
        }
        let after = after.trim_start_matches(' ');
        let end = after.find(|c: char| !c.is_alphabetic());
        let (unit, after) = after.split_at(end.unwrap_or(after.len()));
        let nanoseconds = nanoseconds_of(unit)?;
        // A number beyond 64 bits is longer than a year, whatever its unit.
        let number: u64 = digits.parse().map_err(|_| DurationError::TooLong)?;
        let term = number
            .checked_mul(nanoseconds)
            .ok_or(DurationError::TooLong)?;
        sum = sum
            .checked_add(Duration::from_nanos(term))
            .filter(|sum| *sum <= LONGEST)
            .ok_or(DurationError::TooLong)?;
        rest = after.trim_start_matches(' ');
    }
    Ok(sum)
}

/// A duration in the options of a connector: a text in the job file, such as "10s" or "1m 30s". At
/// most a year.
#[derive(Clone, Copy, Debug, PartialEq, Eq, JsonSchema)]
#[schemars(title = "duration")]
pub struct DurationText(#[schemars(with = "String", regex(pattern = PATTERN))] pub Duration);

impl<'de> Deserialize<'de> for DurationText {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let duration =
            parse(&text).map_err(|error| D::Error::custom(format!("{text:?}: {error}")))?;
        Ok(Self(duration))
    }
}

/// Returns the text that [`parse`] reads as this duration, in the largest unit that divides it.
#[must_use]
pub fn shown(duration: Duration) -> String {
    let nanoseconds = duration.as_nanos();
    let mut units = UNITS.iter().rev();
    let unit =
        units.find(|(_, unit)| nanoseconds > 0 && nanoseconds.is_multiple_of((*unit).into()));
    match unit {
        Some((name, unit)) => format!("{}{name}", nanoseconds / u128::from(*unit)),
        None => "0s".to_owned(),
    }
}

fn nanoseconds_of(unit: &str) -> Result<u64, DurationError> {
    if let Some((_, nanoseconds)) = UNITS.iter().find(|(name, _)| *name == unit) {
        return Ok(*nanoseconds);
    }
    match unit {
        "" => Err(DurationError::NoUnit),
        "M" | "mo" | "month" | "months" | "y" | "Y" | "year" | "years" => {
            Err(DurationError::Calendar(unit.to_owned()))
        }
        _ => Err(DurationError::UnknownUnit(unit.chars().take(16).collect())),
    }
}

fn units() -> String {
    UNITS.map(|(name, _)| name).join(", ")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn durations_are_read_as_people_write_them() {
        for (text, millis) in [
            ("1s", 1_000),
            ("500ms", 500),
            ("1m 30s", 90_000),
            ("1m30s", 90_000),
            (" 2 h ", 7_200_000),
            ("1w 1d", 8 * 24 * 3_600_000),
            ("1000000ns 1000us", 2),
            ("0s", 0),
            ("366d", 366 * 24 * 3_600_000),
        ] {
            assert_eq!(parse(text), Ok(Duration::from_millis(millis)), "{text}");
        }
    }

    #[test]
    fn a_duration_is_shown_in_its_largest_unit_and_is_read_again() {
        for (millis, text) in [
            (0, "0s"),
            (100, "100ms"),
            (1_000, "1s"),
            (90_000, "90s"),
            (600_000, "10m"),
            (3_600_000, "1h"),
        ] {
            let duration = Duration::from_millis(millis);
            assert_eq!(shown(duration), text);
            assert_eq!(parse(text), Ok(duration));
        }
    }

    #[test]
    fn months_and_years_are_refused_and_never_taken_for_minutes() {
        for text in ["1M", "1 month", "2months", "1y", "1year", "3 years"] {
            let error = parse(text).unwrap_err();
            assert!(
                matches!(error, DurationError::Calendar(_)),
                "{text}: {error}"
            );
            assert!(
                error.to_string().contains("write `m` for minutes"),
                "{error}"
            );
        }
    }

    #[test]
    fn no_number_is_too_large_to_be_refused() {
        let digits = "9".repeat(100_000);
        for text in [
            "18446744073709551615s 1000000000ns",
            "18446744073709551615ns 18446744073709551615ns",
            "18446744073709551615w",
            "18446744073709551616ns",
            "367d",
            "366d 1ns",
            &format!("{digits}s"),
        ] {
            assert_eq!(parse(text), Err(DurationError::TooLong));
        }
    }

    #[test]
    fn text_of_other_kinds_says_what_is_missing() {
        for (text, error) in [
            ("", DurationError::Empty),
            ("  ", DurationError::Empty),
            ("1", DurationError::NoUnit),
            ("1.5s", DurationError::NoUnit),
            ("s", DurationError::NoNumber('s')),
            ("-1s", DurationError::NoNumber('-')),
            ("1 parsec", DurationError::UnknownUnit("parsec".to_owned())),
            ("1e9s", DurationError::UnknownUnit("e".to_owned())),
        ] {
            assert_eq!(parse(text), Err(error), "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_a_duration_of_at_most_a_year_or_an_error(text in ".{0,40}") {
            if let Ok(duration) = parse(&text) {
                prop_assert!(duration <= LONGEST);
            }
        }

        #[test]
        fn numbers_and_units_in_any_order_are_read_or_refused(
            text in "(([0-9]{0,21}| |ns|us|ms|s|m|h|d|w|M|y|\\.|é)){0,9}",
        ) {
            if let Ok(duration) = parse(&text) {
                prop_assert!(duration <= LONGEST);
            }
        }
    }
}
