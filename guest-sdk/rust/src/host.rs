//! The functions that the host lends an operator: a log and counters.
//!
//! Inside WebAssembly the calls go to the host. In a native test they go to a recorder of the
//! current thread, which [`Harness`](crate::testing::Harness) reads.

#[cfg(not(target_arch = "wasm32"))]
pub(crate) mod recorder;

use std::fmt::Display;

/// The severity of a log message. The job's settings decide which messages are shown.
///
/// ```
/// use tidegate_sdk::Level;
/// tidegate_sdk::log(Level::Warn, "no rate for today");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// Every step.
    Trace,
    /// Details that help to find a fault.
    Debug,
    /// Facts that a user may want to know.
    Info,
    /// Facts that a user should know.
    Warn,
    /// A failure. Just before a trap the message becomes part of the host's error message.
    Error,
}

/// Writes a message to the job's log, under the operator's and the subtask's name.
///
/// The host cuts long messages and drops messages above the operator's log rate.
///
/// ```
/// use tidegate_sdk::{Level, log};
/// log(Level::Info, format_args!("{} rates loaded", 12));
/// ```
pub fn log(level: Level, message: impl Display) {
    backend::log(level, &message.to_string());
}

/// Adds to a counter that the job's metrics show under the operator's name.
///
/// A counter starts at 0 with each attempt of the job and is no part of the state. A call costs
/// about as much as a record: add up over a batch, rather than count each record.
///
/// ```
/// tidegate_sdk::count("late_records", 1);
/// ```
pub fn count(metric: &str, delta: u64) {
    backend::count(metric, delta);
}

#[cfg(target_arch = "wasm32")]
mod backend {
    use super::Level;
    use crate::bindings::tidegate::operator::host;

    pub(super) fn log(level: Level, message: &str) {
        let level = match level {
            Level::Trace => host::Level::Trace,
            Level::Debug => host::Level::Debug,
            Level::Info => host::Level::Info,
            Level::Warn => host::Level::Warn,
            Level::Error => host::Level::Error,
        };
        host::log(level, message);
    }

    pub(super) fn count(metric: &str, delta: u64) {
        host::count(metric, delta);
    }
}

#[cfg(not(target_arch = "wasm32"))]
mod backend {
    pub(super) use super::recorder::{count, log};
}
