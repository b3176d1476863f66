//! WHAT IS SEEN OF IT: what subtasks count, and the status of a job made of it.

mod metrics;
mod status;

pub use status::*;

pub(crate) use metrics::{AttemptMetrics, SourceProgress, SubtaskMetrics};
