//! The destination of the log lines of guests.
//!
//! Lines are escaped, cut and limited in rate before a sink gets them. By default they go to
//! `tracing`; an embedder with a log of its own implements [`GuestLogSink`]. The host's own
//! remarks, such as one about a counter that is not kept, always go to `tracing`.

use std::fmt::Debug;

use tracing::{debug, error, info, trace, warn};

/// Writes the log lines of guests.
///
/// The host calls a sink on the thread that calls the guest, while the guest waits: a sink should
/// not block, and needs to work with 64 KiB of stack. A sink that panics fails the guest's call.
pub trait GuestLogSink: Debug + Send + Sync {
    /// Writes a line. Called for each line that is within the limits of its instance.
    fn write(&self, source: LogSource<'_>, level: LogLevel, line: &str);

    /// Reports that the host dropped lines, since their instance logged too many or too long ones.
    /// Called before the next line.
    fn report_dropped(&self, source: LogSource<'_>, lines: u64);
}

/// The operator instance that logs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LogSource<'a> {
    /// The operator's name.
    pub operator: &'a str,
    /// The index of the subtask.
    pub subtask: u32,
}

/// The level of a log line, as the guest chose it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum LogLevel {
    /// Every detail.
    Trace,
    /// Help for finding mistakes.
    Debug,
    /// Ordinary events.
    Info,
    /// Problems that the operator handles.
    Warn,
    /// Problems that the operator can't handle.
    Error,
}

/// The default sink: `tracing`, under the target `tidegate::guest`.
#[derive(Clone, Copy, Debug, Default)]
pub struct TracingSink;

impl GuestLogSink for TracingSink {
    fn write(&self, source: LogSource<'_>, level: LogLevel, line: &str) {
        let LogSource { operator, subtask } = source;
        match level {
            LogLevel::Trace => trace!(target: "tidegate::guest", operator, subtask, "{line}"),
            LogLevel::Debug => debug!(target: "tidegate::guest", operator, subtask, "{line}"),
            LogLevel::Info => info!(target: "tidegate::guest", operator, subtask, "{line}"),
            LogLevel::Warn => warn!(target: "tidegate::guest", operator, subtask, "{line}"),
            LogLevel::Error => error!(target: "tidegate::guest", operator, subtask, "{line}"),
        }
    }

    fn report_dropped(&self, source: LogSource<'_>, lines: u64) {
        let LogSource { operator, subtask } = source;
        warn!(
            target: "tidegate::guest", operator, subtask, dropped = lines, "log lines were dropped"
        );
    }
}
