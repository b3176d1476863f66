//! The runtime from outside: its pure parts by exhaustion, and whole jobs in one process.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "clippy sees tests only in functions marked as such"
)]

mod aligner;
mod continuing;
mod discovering;
mod drill;
mod event_time;
mod exactly_once;
mod graph;
mod poison;
mod poisoned_jobs;
mod protocol;
mod publishing;
mod random_jobs;
mod recycling;
mod refusing;
mod rejecting;
mod restarting;
mod shutting_down;
mod support;
