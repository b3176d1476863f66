//! Parts of the native operators that stand in for guests in tests: [`Contract`] checks how the
//! host calls an instance, and makes the failures that a test plans.
//!
//! The operators themselves belong to their suites. Those of the runtime fail on chosen records and
//! calls; those of the simulation check the order of their records against a model.

mod contract;

pub use contract::Contract;
