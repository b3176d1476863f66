//! Helpers that the micro-benchmarks with guests share.

mod instances;
mod operators;
mod records;

pub(crate) use instances::instance;
pub(crate) use operators::{SUM, SUM_CONFIG, component};
pub(crate) use records::batch;
