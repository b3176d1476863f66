//! The measured part of a job's status, as its control socket returns it.

use serde::Deserialize;

use crate::benchmark::CountedAt;

/// The job at one moment.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub(crate) struct JobStatus {
    /// Milliseconds from the start of the job to the moment of the counts.
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
    /// The time from trigger to commit.
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

/// The lags of records at a sink, since the start of the process.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
pub(crate) struct SinkLag {
    /// Cumulative buckets: each contains those before it.
    pub(crate) buckets: Vec<LagBucket>,
}

#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
pub(crate) struct LagBucket {
    pub(crate) at_most_seconds: f64,
    pub(crate) records: u64,
}

impl JobStatus {
    /// Returns the lags at the job's sink; `None` if no sink measures them.
    pub(crate) fn sink_lag(&self) -> Option<&SinkLag> {
        self.nodes.iter().find_map(|node| node.sink_lag.as_ref())
    }

    /// Returns the number of records so far.
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
