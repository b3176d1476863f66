//! The checkpoint store, used as the runtime and the command line use it: on a real directory,
//! through its public interface.

#![expect(
    clippy::unwrap_used,
    reason = "clippy sees tests only in functions marked as such"
)]

mod support;

mod crash;
mod damage;
mod decoding;
mod disk_failure;
mod format;
mod fuzz;
mod locking;
mod proof;
mod round_trip;
mod savepoint;
