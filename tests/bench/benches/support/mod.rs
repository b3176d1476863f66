//! What the micro-benchmarks with guests share.

mod operators;
mod records;

pub(crate) use operators::{SUM, SUM_CONFIG, component, instance};
pub(crate) use records::batch;
