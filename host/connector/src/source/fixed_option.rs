//! The options of a source that fix its records. Pure.
//!
//! Every checkpoint has them beside the positions. A job that continues with another value would
//! read positions of one input as those of another, so it is rejected unless the user accepts.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The longest value that a checkpoint holds as it is, in bytes.
const MOST_VALUE_BYTES: usize = 256;

/// An option that decides which records a source produces, or from where. A pace or a batch size is
/// none.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FixedOption {
    /// The key in the job file.
    pub key: String,
    /// The value, as people write it in the job file. A long value is cut and ends with its digest.
    pub value: String,
}

impl FixedOption {
    /// Makes the option from its key and from its value as people write it.
    #[must_use]
    pub fn new(key: &str, value: impl fmt::Display) -> Self {
        Self {
            key: key.to_owned(),
            value: bounded(value.to_string()),
        }
    }
}

/// Returns the value, or its beginning with a digest of the whole.
fn bounded(value: String) -> String {
    if value.len() <= MOST_VALUE_BYTES {
        return value;
    }
    let digest = blake3::hash(value.as_bytes()).to_hex();
    let (beginning, _) = value.split_at(value.floor_char_boundary(MOST_VALUE_BYTES / 2));
    format!(
        "{beginning}… ({} bytes, BLAKE3 {})",
        value.len(),
        &digest[..32]
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_value_is_cut_and_two_that_differ_behind_the_cut_still_differ() {
        let long = |last: char| FixedOption::new("columns", format!("{}{last}", "é".repeat(5_000)));
        let (a, b) = (long('a'), long('b'));
        assert_ne!(a, b);
        assert_eq!(a, long('a'));
        for option in [a, b] {
            assert!(option.value.len() <= MOST_VALUE_BYTES, "{}", option.value);
            assert!(option.value.contains("10001 bytes"), "{}", option.value);
        }
        assert_eq!(FixedOption::new("to", 7).value, "7");
    }
}
