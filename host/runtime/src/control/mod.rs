//! WHO ACTS: the supervisor of attempts, the start and deployment of each, and the driver that
//! performs the coordinator's decisions.

mod attempt_end;
mod deploy;
mod discovery;
mod driver;
mod publication;
mod restore;
mod start;
mod supervisor;
mod waiters;
mod work;

pub use start::{check_continues, newer_output, prepare};
pub use supervisor::{run, run_on};
