//! Drives a fuzz target: replays its corpus, then runs it on mutations of the corpus.
//!
//! The targets are tests of the crates whose code they reach. The compiler on stable has no
//! coverage to steer by, so a target names the *features* of each run, such as the error that it
//! returned; an input with a new feature is kept and mutated further. `tests/fuzz/README.md`
//! explains how to run and replay it.

mod corpus;
mod features;
mod mutation;
mod target;

pub use features::{shape, size_class};
pub use target::{Budget, Report, Target};
