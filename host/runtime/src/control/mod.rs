//! WHO ACTS: the supervisor of attempts, where one starts, how it is deployed, and the driver that
//! does what the coordinator decides.

mod deploy;
mod driver;
mod publication;
mod restore;
mod start;
mod supervisor;
mod waiters;
mod work;

pub use start::prepare;
pub use supervisor::{run, run_on};
