//! The errors of sources and sinks, grouped by the remedy.
//!
//! Connectors put file names into these texts unescaped; `Display` escapes them.

use std::io;

use thiserror::Error;
use tidegate_operator::shown_text;

/// A failure of a source or a sink. The variant decides what the job does next.
#[derive(Debug, Error)]
pub enum ConnectorError {
    /// The system failed: a disk, a closed pipe. The attempt ends; the restart strategy decides.
    #[error("{}: {source}", shown_text(action))]
    Io {
        /// The failed action with its path: "write to `output/part-1`".
        action: String,
        /// The error of the system.
        source: io::Error,
    },
    /// A piece of input is no record, and no node reads the dead letters of its source.
    #[error("{}: {}", shown_text(position), shown_text(reason))]
    InvalidRecord {
        /// The position: "input/a.txt 1234..1300".
        position: String,
        /// The reason why it is no record.
        reason: String,
    },
    /// A record is unusable. A restart does not help, so the attempt ends like a guest fault.
    #[error("{}: {}", shown_text(position), shown_text(reason))]
    Record {
        /// The record's position: "input/a.txt, byte 1234".
        position: String,
        /// The reason why the record is unusable.
        reason: String,
    },
    /// A checkpoint's position or pending output does not fit the files as they are now: a file
    /// shrank, newer output exists. The job ends at once with exit code 3, and has changed nothing.
    #[error("{}", shown_text(reason))]
    StateRefused {
        /// The mismatch and the remedy.
        reason: String,
    },
    /// Another run is using the place of output. The job ends at once with exit code 4, and has
    /// changed nothing.
    #[error("{} is in use by {}", shown_text(place), shown_text(holder))]
    InUse {
        /// The place: "output directory `output`".
        place: String,
        /// The run that uses the place: "process 42".
        holder: String,
    },
    /// The job can't run as described: a missing input, a directory with foreign output. The job
    /// ends at once with exit code 2, and has changed nothing.
    #[error("{}", shown_text(reason))]
    JobRefused {
        /// The problem and the remedy.
        reason: String,
    },
}

impl ConnectorError {
    /// Returns a function for `map_err` that makes [`ConnectorError::Io`].
    pub fn io(action: impl Into<String>) -> impl FnOnce(io::Error) -> Self {
        let action = action.into();
        move |source| Self::Io { action, source }
    }
}
