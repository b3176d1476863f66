//! Parts and tools that the tests of the runtime share.

pub(crate) mod faults;
pub(crate) mod jobs;
pub(crate) mod leak;
pub(crate) mod operators;
pub(crate) mod oracle;
pub(crate) mod poison;
pub(crate) mod random_graphs;
pub(crate) mod shelf;
pub(crate) mod sinks;
pub(crate) mod sources;
pub(crate) mod stream_notation;
