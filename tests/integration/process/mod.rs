//! The process and the system around it: refused threads and memory, too few open files, files
//! that may grow no further, processor time that is used up, and signals that are answered in every
//! state.

mod limits;
mod memory;
mod processor_time;
mod stopping;
mod threads;

use std::time::Duration;

/// An end that never comes is the failure, not one that is slow.
const GENEROUS: Duration = Duration::from_secs(120);
