//! WHAT IS SEEN OF IT: what subtasks count, the status of a job made of it, and the metrics made of
//! the status.

mod counters;
mod metrics;
mod status;

pub use metrics::{
    METRICS, Metric, MetricKind, MetricValue, Samples, metrics_reference, prometheus_text,
};
pub use status::*;

pub(crate) use counters::{AttemptMetrics, SourceProgress, SubtaskMetrics};
