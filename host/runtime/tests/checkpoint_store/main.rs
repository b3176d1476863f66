//! The checkpoint store, used as the runtime and the command line use it: on a real directory,
//! through its public interface.

mod support;

mod crash;
mod damage;
mod decoding;
mod disk_failure;
mod format;
mod locking;
mod round_trip;
mod savepoint;
