//! What can go wrong in a source or a sink, by what helps against it.
//!
//! Connectors put names of files into these texts unescaped; `Display` escapes them.

use std::io;

use thiserror::Error;
use tidegate_operator::shown_text;

/// A failure of a source or a sink. The variant decides what the job does next.
#[derive(Debug, Error)]
pub enum ConnectorError {
    /// The world failed: a disk, a closed pipe. The attempt ends; the restart strategy decides.
    #[error("{}: {source}", shown_text(action))]
    Io {
        /// What was being done, with the path: "write to `output/part-1`".
        action: String,
        /// What the system said.
        source: io::Error,
    },
    /// A record can't be taken. Restarting does not help: the attempt ends like a guest fault.
    #[error("{}: {}", shown_text(position), shown_text(reason))]
    Record {
        /// Where it stands: "input/a.txt, byte 1234".
        position: String,
        /// Why it can't be taken.
        reason: String,
    },
    /// A checkpoint's position or pending output does not fit what is there now: a file shrank,
    /// newer output exists. The job ends at once, exit code 3, and nothing was changed.
    #[error("{}", shown_text(reason))]
    StateRefused {
        /// What does not fit, and what to do.
        reason: String,
    },
    /// Another run has the place of output. The job ends at once, exit code 4, and nothing was
    /// changed.
    #[error("{} is in use by {}", shown_text(place), shown_text(holder))]
    InUse {
        /// The place: "output directory `output`".
        place: String,
        /// The run that has it: "process 42".
        holder: String,
    },
    /// The job as described can't run: a missing input, a directory with foreign output. The job
    /// ends at once, exit code 2, and nothing was changed.
    #[error("{}", shown_text(reason))]
    JobRefused {
        /// What is wrong, and what to do.
        reason: String,
    },
}

impl ConnectorError {
    /// An [`ConnectorError::Io`] for use in `map_err`.
    pub fn io(action: impl Into<String>) -> impl FnOnce(io::Error) -> Self {
        let action = action.into();
        move |source| Self::Io { action, source }
    }
}
