//! The metrics of a job, each declared once. The text for Prometheus, the table of
//! `tidegate status` and the reference page are made from [`METRICS`]. Pure.

mod list;
mod prometheus;
mod reference;
mod value;

use tidegate_connector::sink::SinkLag;

use super::status::{GuestStatus, JobStatus, NodeStatus};

pub use list::METRICS;
pub use prometheus::prometheus_text;
pub use reference::metrics_reference;
pub use value::MetricValue;

/// The version that introduced the first metrics.
const FIRST: &str = "0.1";

/// A family of samples that have one name and one meaning.
#[derive(Debug)]
pub struct Metric {
    /// Its name, with the unit and, for a counter, `_total` at its end.
    pub name: &'static str,
    /// The way in which its samples change.
    pub kind: MetricKind,
    /// Its meaning, as one sentence.
    pub help: &'static str,
    /// The samples: their labels, and their values in a status.
    pub samples: Samples,
    /// The heading of its column in the table of `tidegate status`; only for a metric of nodes.
    pub column: Option<&'static str>,
    /// The version of Tidegate that introduced it.
    pub since: &'static str,
}

/// The way in which the samples of a metric change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MetricKind {
    /// They grow, and start again at 0.
    Counter,
    /// They grow and fall.
    Gauge,
    /// They are counts by size.
    Histogram,
}

impl MetricKind {
    /// Returns the word that Prometheus uses for the kind.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Counter => "counter",
            Self::Gauge => "gauge",
            Self::Histogram => "histogram",
        }
    }
}

/// The samples of a metric: their labels, and their values in a status.
#[derive(Clone, Copy, Debug)]
pub enum Samples {
    /// One sample of the job.
    Job(fn(&JobStatus) -> Option<MetricValue>),
    /// One sample for each value of a label.
    JobBy(&'static str, fn(&JobStatus) -> Vec<(String, MetricValue)>),
    /// One sample of each node.
    Node(fn(&NodeStatus) -> Option<MetricValue>),
    /// One sample for each value of a label at each node.
    NodeBy(&'static str, fn(&NodeStatus) -> Vec<(String, MetricValue)>),
    /// One sample of each instance of an operator.
    Guest(fn(&GuestStatus) -> MetricValue),
    /// A histogram of each node.
    Lag(fn(&NodeStatus) -> Option<&SinkLag>),
}

impl Samples {
    /// Returns the labels that each sample has beside that of the job.
    #[must_use]
    pub fn labels(&self) -> Vec<&'static str> {
        match self {
            Self::Job(_) => Vec::new(),
            Self::JobBy(label, _) => vec![label],
            Self::Node(_) => vec!["operator"],
            Self::NodeBy(label, _) => vec!["operator", label],
            Self::Guest(_) => vec!["operator", "subtask"],
            Self::Lag(_) => vec!["operator", "le"],
        }
    }
}
