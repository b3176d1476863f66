//! Whole jobs under a seeded scheduler, virtual time and a simulated disk: see `README.md`.

mod trace;

mod faults;

mod disk;
mod panics;
mod scheduler;

mod job;
mod operators;
mod person;
mod record;
mod rival;
mod source;
mod told;

mod memory;
mod model;
mod oracle;

mod schedule;
mod suite;

pub use faults::Fault;
pub use schedule::{Report, run_schedule, tell_schedule};
pub use suite::{Suite, Summary};
