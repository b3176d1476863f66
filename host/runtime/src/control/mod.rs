//! WHO ACTS: the supervisor of attempts, where one starts, how it is deployed, and the driver that
//! does what the coordinator decides.

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

pub use start::prepare;
pub use supervisor::{run, run_on};
