//! The part of a job's status, as its control socket gives it, that is measured.

use serde::Deserialize;

use crate::benchmark::CountedAt;

/// The job at one moment.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub(crate) struct JobStatus {
    /// Milliseconds since the process started the job: when the counts were taken.
    pub(crate) uptime_ms: u64,
    pub(crate) source_records: u64,
    pub(crate) checkpoints: Checkpoints,
    pub(crate) nodes: Vec<Node>,
}

#[derive(Clone, Debug, PartialEq, Deserialize)]
pub(crate) struct Checkpoints {
    pub(crate) failed: u64,
    pub(crate) last_completed: Option<CheckpointFigures>,
}

/// Figures of a complete checkpoint.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
pub(crate) struct CheckpointFigures {
    pub(crate) checkpoint: u64,
    /// From trigger to commit.
    pub(crate) duration_ms: f64,
    /// The longest pause of processing in one subtask.
    pub(crate) longest_snapshot_ms: f64,
    pub(crate) state_bytes: u64,
}

#[derive(Clone, Debug, PartialEq, Deserialize)]
pub(crate) struct Node {
    pub(crate) name: String,
    pub(crate) records_in: u64,
    #[serde(default)]
    pub(crate) sink_lag: Option<SinkLag>,
}

/// How late records reached a sink, from the start of the process.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
pub(crate) struct SinkLag {
    /// Each contains those before it.
    pub(crate) buckets: Vec<LagBucket>,
}

#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
pub(crate) struct LagBucket {
    pub(crate) at_most_seconds: f64,
    pub(crate) records: u64,
}

impl JobStatus {
    /// The lags at the job's sink; none if it has none that measures.
    pub(crate) fn sink_lag(&self) -> Option<&SinkLag> {
        self.nodes.iter().find_map(|node| node.sink_lag.as_ref())
    }

    /// Records so far.
    pub(crate) fn records(&self, counted_at: CountedAt) -> u64 {
        match counted_at {
            CountedAt::Sources => self.source_records,
            CountedAt::Operator(name) => {
                let node = self.nodes.iter().find(|node| node.name == name);
                node.map_or(0, |node| node.records_in)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_are_counted_where_the_benchmark_says() {
        let text = r#"{
            "version": "0.1.0", "job": "a", "uptime_ms": 5, "source_records": 10,
            "checkpoints": { "failed": 0, "last_completed": null },
            "nodes": [{ "name": "count", "kind": "operator", "records_in": 70 }]
        }"#;
        let status: JobStatus = serde_json::from_str(text).expect("it is a status");
        assert_eq!(status.records(CountedAt::Sources), 10);
        assert_eq!(status.records(CountedAt::Operator("count")), 70);
        assert_eq!(status.records(CountedAt::Operator("split")), 0);
    }
}
