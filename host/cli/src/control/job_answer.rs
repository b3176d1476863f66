//! The answer of `GET /job`: the status of the job, in a size that does not grow with its
//! parallelism. Pure.

use serde::{Deserialize, Serialize};
use tidegate_runtime::observe::{JobStatus, NodeStatus};

/// The most instances shown one by one. With more, only the totals of each operator are shown.
const MOST_INSTANCES: usize = 1_000;
/// The most counters of guests shown. With more, they are only in the metrics.
const MOST_COUNTERS: usize = 10_000;

/// The status of the job.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct JobAnswer {
    /// Version of the process that runs the job.
    pub(crate) version: String,
    /// Its process id.
    pub(crate) pid: u32,
    /// The status. `guests` of its nodes is empty if [`Self::has_instances`] is false.
    #[serde(flatten)]
    pub(crate) status: JobStatus,
    /// False if there are so many instances that only their totals are shown.
    pub(crate) has_instances: bool,
    /// False if guests keep so many counters that none is shown.
    pub(crate) has_counters: bool,
    /// The totals over the instances of each operator.
    pub(crate) guest_totals: Vec<GuestTotals>,
}

/// Totals over all instances of an operator.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct GuestTotals {
    /// The operator.
    pub(crate) operator: String,
    /// The number of instances.
    pub(crate) instances: u32,
    /// Bytes that they occupied at the last barrier.
    pub(crate) memory_bytes: u64,
    /// Bytes that the largest of them occupied.
    pub(crate) largest_memory_bytes: u64,
    /// Bytes that each of them may occupy.
    pub(crate) memory_limit_bytes: u64,
    /// The number of times that an instance was replaced because of its memory.
    pub(crate) recycles: u64,
    /// The seconds that the replacements took.
    pub(crate) recycle_seconds: f64,
}

impl JobAnswer {
    /// Returns the answer of this process.
    pub(crate) fn of(mut status: JobStatus) -> Self {
        let guest_totals = status.nodes.iter().filter_map(GuestTotals::of).collect();
        let instances: usize = status.nodes.iter().map(|node| node.guests.len()).sum();
        let has_instances = instances <= MOST_INSTANCES;
        if !has_instances {
            for node in &mut status.nodes {
                node.guests.clear();
            }
        }
        let counters: usize = status.nodes.iter().map(|node| node.counters.len()).sum();
        let has_counters = counters <= MOST_COUNTERS;
        if !has_counters {
            for node in &mut status.nodes {
                node.counters.clear();
            }
        }
        Self {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            pid: std::process::id(),
            status,
            has_instances,
            has_counters,
            guest_totals,
        }
    }
}

impl GuestTotals {
    /// Returns the totals of a node, or `None` for a node without instances.
    fn of(node: &NodeStatus) -> Option<Self> {
        let first = node.guests.first()?;
        let mut totals = Self {
            operator: node.name.clone(),
            memory_limit_bytes: first.memory_limit_bytes,
            ..Self::default()
        };
        for guest in &node.guests {
            totals.instances = totals.instances.saturating_add(1);
            totals.memory_bytes = totals.memory_bytes.saturating_add(guest.memory_bytes);
            totals.largest_memory_bytes = totals.largest_memory_bytes.max(guest.memory_bytes);
            totals.recycles = totals.recycles.saturating_add(guest.recycles);
            totals.recycle_seconds += guest.recycle_seconds;
        }
        Some(totals)
    }
}

#[cfg(test)]
mod tests {
    use tidegate_checkpoint::NodeKind;
    use tidegate_runtime::observe::GuestStatus;

    use super::super::client::LONGEST_ANSWER;
    use super::*;

    fn status(nodes: u32, instances: u32) -> JobStatus {
        let mut status = JobStatus::new("sums");
        for node in 0..nodes {
            let guest = |subtask| GuestStatus {
                subtask,
                memory_bytes: 1 << 40,
                memory_limit_bytes: 1 << 41,
                recycles: 2,
                recycle_seconds: 0.123_456_789,
            };
            let name = format!("{node:064}");
            status.nodes.push(NodeStatus {
                records_in: u64::MAX,
                records_out: u64::MAX,
                bytes_in: u64::MAX,
                bytes_out: u64::MAX,
                busy_seconds: 0.123_456_789,
                watermark: Some(i64::MIN),
                guests: (0..instances).map(guest).collect(),
                ..NodeStatus::new(&name, NodeKind::Operator, instances)
            });
        }
        status
    }

    #[test]
    fn the_instances_of_a_small_job_are_shown_one_by_one_and_as_totals() {
        let answer = JobAnswer::of(status(2, 500));
        assert!(answer.has_instances);
        assert_eq!(answer.status.nodes[1].guests.len(), 500);
        assert_eq!(answer.guest_totals.len(), 2);
        let totals = &answer.guest_totals[1];
        assert_eq!((totals.instances, totals.recycles), (500, 1000));
        assert_eq!(totals.memory_bytes, 500 << 40);
        assert_eq!(totals.largest_memory_bytes, 1 << 40);
    }

    #[test]
    fn the_status_of_a_job_with_a_million_instances_is_small_enough_for_its_client() {
        for (nodes, instances) in [(1, 10_001), (32, 32_768), (10_000, 3)] {
            let answer = JobAnswer::of(status(nodes, instances));
            assert!(!answer.has_instances);
            let json = tidegate_job_file::json::compact(&answer).unwrap();
            assert!(json.len() < LONGEST_ANSWER, "{} bytes", json.len());
            let read: JobAnswer = serde_json::from_str(&json).unwrap();
            assert_eq!(read.guest_totals[0].instances, instances);
        }
    }

    #[test]
    fn counters_of_many_guests_do_not_make_the_status_too_large_for_its_client() {
        let mut status = status(2_000, 1);
        let counters = (0..256).map(|counter| (format!("{counter:0128}"), u64::MAX));
        for node in &mut status.nodes {
            node.counters = counters.clone().collect();
        }
        let answer = JobAnswer::of(status);
        assert!(!answer.has_counters);
        let json = tidegate_job_file::json::compact(&answer).unwrap();
        assert!(json.len() < LONGEST_ANSWER, "{} bytes", json.len());
    }
}
