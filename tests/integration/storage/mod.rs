//! Storage faults and ends of the process, on the real binary: rows B and C of the threat model,
//! mapped to tests in `tests/README.md`.

mod damage;
mod directory;
mod faults;
mod full_disk;
mod golden;
mod locking;
mod lost;
mod older;
mod owners;
mod rewritten;
mod signals;
mod sources;
mod standard_streams;
