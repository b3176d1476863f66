//! The process and the system around it: refused threads and memory, too few open files, files that
//! may grow no further, exhausted processor time, and signals that are answered in every state.

mod limits;
mod memory;
mod processor_time;
mod stopping;
mod threads;

use std::time::Duration;

/// The time after which a test gives up: slowness is no failure, a missing end is.
const GENEROUS: Duration = Duration::from_secs(120);
