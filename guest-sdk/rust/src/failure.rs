//! The reasons why a call into an operator fails.

use std::error::Error;
use std::fmt;

/// The reason why a call into an operator failed. The job's reaction depends on the variant.
///
/// `?` makes [`Failure::Other`] from a `String` or `&str`; failed conversions of a
/// [`Record`](crate::Record) are [`Failure::InvalidRecord`] with the right row already.
///
/// ```
/// use tidegate_sdk::prelude::*;
///
/// fn limit(text: &str) -> Result<u32, Failure> {
///     text.parse().map_err(|error| Failure::other(format!("limit `{text}`: {error}")))
/// }
///
/// assert_eq!(
///     limit("many").unwrap_err().to_string(),
///     "limit `many`: invalid digit found in string",
/// );
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Failure {
    /// One record can't be processed. The job's policy decides whether the job fails or the
    /// record goes to the dead-letter output. Made by [`Record::invalid`](crate::Record::invalid).
    InvalidRecord {
        /// The row of the batch.
        row: u32,
        /// The reason, for the user.
        reason: String,
    },
    /// The restored state can't be read by this version of the operator. The job does not start.
    IncompatibleState(String),
    /// Any other failure. The attempt ends, and the job restarts from its last checkpoint.
    Other(String),
}

impl Failure {
    /// Makes a [`Failure::Other`]: the attempt can't continue, for this reason.
    ///
    /// ```
    /// use tidegate_sdk::Failure;
    /// assert_eq!(Failure::other("no rates loaded").to_string(), "no rates loaded");
    /// ```
    #[must_use]
    pub fn other(reason: impl Into<String>) -> Self {
        Self::Other(reason.into())
    }

    /// Makes a [`Failure::IncompatibleState`]: the restored state can't be read, for this reason.
    ///
    /// ```
    /// use tidegate_sdk::Failure;
    /// let failure = Failure::incompatible_state("version 7 is from the future");
    /// assert_eq!(failure.to_string(), "incompatible state: version 7 is from the future");
    /// ```
    #[must_use]
    pub fn incompatible_state(reason: impl Into<String>) -> Self {
        Self::IncompatibleState(reason.into())
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::InvalidRecord { row, reason } => {
                write!(formatter, "invalid record {row}: {reason}")
            }
            Self::IncompatibleState(reason) => write!(formatter, "incompatible state: {reason}"),
            Self::Other(reason) => formatter.write_str(reason),
        }
    }
}

impl Error for Failure {}

impl From<String> for Failure {
    fn from(reason: String) -> Self {
        Self::Other(reason)
    }
}

impl From<&str> for Failure {
    fn from(reason: &str) -> Self {
        Self::Other(reason.to_owned())
    }
}
