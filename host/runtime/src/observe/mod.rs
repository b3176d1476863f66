//! WHAT IS SEEN OF IT: the counters of subtasks, the status of a job made from them, and the
//! metrics made from the status.

mod counters;
mod metrics;
mod status;

pub use metrics::{
    METRICS, Metric, MetricKind, MetricValue, Samples, metrics_reference, prometheus_text,
};
pub use status::*;

pub(crate) use counters::{AttemptMetrics, SourceProgress, SubtaskMetrics};
