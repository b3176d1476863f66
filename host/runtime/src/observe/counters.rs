//! Counters of the running subtasks, and the status made from them.
//!
//! Each subtask counts for itself with relaxed atomics, once a batch; readers add up.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tidegate_checkpoint::{JobGraph, NodeKind};

use crate::SubtaskId;
use crate::observe::{GuestStatus, NodeStatus};
use crate::stream::MIN_WATERMARK;

/// The most counters of guests' own that one operator shows, all its subtasks together.
const COUNTERS: usize = 256;

/// The counters of one subtask.
#[derive(Debug, Default)]
pub(crate) struct SubtaskMetrics {
    records_in: AtomicU64,
    records_out: AtomicU64,
    batches_in: AtomicU64,
    bytes_in: AtomicU64,
    bytes_out: AtomicU64,
    busy_nanos: AtomicU64,
    watermark: Watermark,
    has_ended: AtomicBool,
    /// Bytes of the guest's instance, at the last barrier.
    guest_memory: AtomicU64,
    /// The limit of those bytes; 0 if there is none.
    guest_memory_limit: AtomicU64,
    recycles: AtomicU64,
    recycle_nanos: AtomicU64,
    /// The guest's own counters. Locked by its thread only after a call that counted.
    guest_counters: Mutex<BTreeMap<String, u64>>,
    dropped_log_lines: AtomicU64,
    /// `records_out` at the last snapshot, and at the last one of a complete checkpoint.
    out_at_snapshot: AtomicU64,
    out_at_checkpoint: AtomicU64,
}

/// The newest watermark; `MIN_WATERMARK` before the first.
#[derive(Debug)]
struct Watermark(AtomicI64);

impl Default for Watermark {
    fn default() -> Self {
        Self(AtomicI64::new(MIN_WATERMARK))
    }
}

impl SubtaskMetrics {
    pub(crate) fn count_in(&self, records: usize, bytes: usize) {
        self.records_in.fetch_add(records as u64, Ordering::Relaxed);
        self.batches_in.fetch_add(1, Ordering::Relaxed);
        self.bytes_in.fetch_add(bytes as u64, Ordering::Relaxed);
    }

    pub(crate) fn count_out(&self, records: usize, bytes: usize) {
        self.records_out
            .fetch_add(records as u64, Ordering::Relaxed);
        self.bytes_out.fetch_add(bytes as u64, Ordering::Relaxed);
    }

    pub(crate) fn count_busy(&self, time: Duration) {
        let nanos = u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
        self.busy_nanos.fetch_add(nanos, Ordering::Relaxed);
    }

    pub(crate) fn set_watermark(&self, watermark: i64) {
        self.watermark.0.store(watermark, Ordering::Relaxed);
    }

    /// Sets the bytes that a guest's instance occupies, and its limit.
    pub(crate) fn set_guest_memory(&self, bytes: u64, limit: u64) {
        self.guest_memory.store(bytes, Ordering::Relaxed);
        self.guest_memory_limit.store(limit, Ordering::Relaxed);
    }

    /// Counts a replacement of a guest's instance, and its time.
    pub(crate) fn count_recycled(&self, time: Duration) {
        let nanos = u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
        self.recycle_nanos.fetch_add(nanos, Ordering::Relaxed);
        self.recycles.fetch_add(1, Ordering::Relaxed);
    }

    /// Adds to the guest's own counters. Instances bound the number of their names.
    pub(crate) fn count_for_guest(&self, additions: Vec<(String, u64)>) {
        if additions.is_empty() {
            return;
        }
        let counters = self.guest_counters.lock();
        let mut counters = counters.unwrap_or_else(PoisonError::into_inner);
        for (name, addition) in additions {
            let counter = counters.entry(name).or_default();
            *counter = counter.saturating_add(addition);
        }
    }

    /// Adds the guest's counters to `sums`, which takes no more than [`COUNTERS`] names.
    fn add_guest_counters(&self, sums: &mut BTreeMap<String, u64>) {
        let counters = self.guest_counters.lock();
        for (name, count) in counters.unwrap_or_else(PoisonError::into_inner).iter() {
            if let Some(sum) = sums.get_mut(name) {
                *sum = sum.saturating_add(*count);
            } else if sums.len() < COUNTERS {
                sums.insert(name.clone(), *count);
            }
        }
    }

    /// Counts the dropped lines of a guest's log.
    pub(crate) fn count_dropped_log_lines(&self, lines: u64) {
        if lines > 0 {
            self.dropped_log_lines.fetch_add(lines, Ordering::Relaxed);
        }
    }

    fn guest_status(&self, subtask: u32) -> GuestStatus {
        let nanos = self.recycle_nanos.load(Ordering::Relaxed);
        GuestStatus {
            subtask,
            memory_bytes: self.guest_memory.load(Ordering::Relaxed),
            memory_limit_bytes: self.guest_memory_limit.load(Ordering::Relaxed),
            recycles: self.recycles.load(Ordering::Relaxed),
            recycle_seconds: Duration::from_nanos(nanos).as_secs_f64(),
        }
    }

    /// Marks that the subtask returned its part of a checkpoint.
    pub(crate) fn mark_snapshot(&self) {
        let given = self.records_out.load(Ordering::Relaxed);
        self.out_at_snapshot.store(given, Ordering::Relaxed);
    }

    /// Called when the checkpoint of the last snapshot is complete.
    fn settle_snapshot(&self) {
        let given = self.out_at_snapshot.load(Ordering::Relaxed);
        self.out_at_checkpoint.store(given, Ordering::Relaxed);
    }

    /// Returns true if it has returned that many records, or has no more.
    pub(crate) fn has_given(&self, records: u64) -> bool {
        let has_ended = self.has_ended.load(Ordering::Relaxed);
        has_ended || self.records_out.load(Ordering::Relaxed) >= records
    }

    pub(crate) fn records_out(&self) -> u64 {
        self.records_out.load(Ordering::Relaxed)
    }

    fn given(&self) -> SourceProgress {
        let covered = self.out_at_checkpoint.load(Ordering::Relaxed);
        let all = self.records_out.load(Ordering::Relaxed);
        SourceProgress {
            covered,
            since: all.saturating_sub(covered),
        }
    }

    pub(crate) fn set_ended(&self) {
        self.has_ended.store(true, Ordering::Relaxed);
    }
}

/// The number of records that a source subtask returned in an attempt.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct SourceProgress {
    /// Records up to the newest complete checkpoint of the attempt.
    pub(crate) covered: u64,
    /// Records after that checkpoint.
    pub(crate) since: u64,
}

/// The counters of all subtasks of one attempt.
#[derive(Clone, Debug)]
pub(crate) struct AttemptMetrics {
    /// The counters by node in the order of the graph, then by subtask. Shared by all chains.
    nodes: Arc<[Vec<Arc<SubtaskMetrics>>]>,
}

impl AttemptMetrics {
    pub(crate) fn new(graph: &JobGraph) -> Self {
        let of_node = |parallelism| (0..parallelism).map(|_| Arc::default()).collect();
        let nodes = graph.nodes().iter().map(|node| of_node(node.parallelism));
        Self {
            nodes: nodes.collect(),
        }
    }

    /// Returns the counters of one subtask.
    pub(crate) fn subtask(&self, node: usize, index: u32) -> Arc<SubtaskMetrics> {
        Arc::clone(&self.nodes[node][index as usize])
    }

    /// Called when a checkpoint is complete. There is no snapshot of a later one yet.
    pub(crate) fn on_checkpoint_complete(&self) {
        let subtasks = self.nodes.iter().flatten();
        subtasks.for_each(|subtask| subtask.settle_snapshot());
    }

    /// Returns the counters of each source subtask.
    pub(crate) fn sources(&self, graph: &JobGraph) -> BTreeMap<SubtaskId, Arc<SubtaskMetrics>> {
        let nodes = graph.nodes().iter().zip(self.nodes.iter());
        let sources = nodes.filter(|(node, _)| node.kind == NodeKind::Source);
        let subtasks = sources.flat_map(|(node, subtasks)| {
            let id = |index| SubtaskId {
                operator: node.name.clone(),
                index,
            };
            (0u32..).map(id).zip(subtasks.iter().map(Arc::clone))
        });
        subtasks.collect()
    }

    /// Returns the progress of each source subtask in the attempt.
    pub(crate) fn given(&self, graph: &JobGraph) -> BTreeMap<SubtaskId, SourceProgress> {
        let sources = self.sources(graph).into_iter();
        sources.map(|(id, metrics)| (id, metrics.given())).collect()
    }

    /// Returns the sums by node.
    pub(crate) fn node_status(&self, graph: &JobGraph) -> Vec<NodeStatus> {
        let nodes = graph.nodes().iter().zip(self.nodes.iter());
        nodes
            .map(|(node, subtasks)| {
                let sum = |counter: fn(&SubtaskMetrics) -> &AtomicU64| -> u64 {
                    let loads = subtasks.iter().map(|s| counter(s).load(Ordering::Relaxed));
                    loads.sum()
                };
                let watermarks = subtasks
                    .iter()
                    .map(|s| s.watermark.0.load(Ordering::Relaxed));
                let ended = subtasks
                    .iter()
                    .filter(|s| s.has_ended.load(Ordering::Relaxed));
                let mut counters = BTreeMap::new();
                for subtask in subtasks {
                    subtask.add_guest_counters(&mut counters);
                }
                NodeStatus {
                    records_in: sum(|s| &s.records_in),
                    records_out: sum(|s| &s.records_out),
                    batches_in: sum(|s| &s.batches_in),
                    bytes_in: sum(|s| &s.bytes_in),
                    bytes_out: sum(|s| &s.bytes_out),
                    busy_seconds: Duration::from_nanos(sum(|s| &s.busy_nanos)).as_secs_f64(),
                    watermark: watermarks.min().filter(|w| *w != MIN_WATERMARK),
                    ended_subtasks: u32::try_from(ended.count()).unwrap_or(u32::MAX),
                    guests: guests(node.kind, subtasks),
                    counters,
                    dropped_log_lines: sum(|s| &s.dropped_log_lines),
                    ..NodeStatus::new(&node.name, node.kind, node.parallelism)
                }
            })
            .collect()
    }
}

/// Returns the guests of a node whose memory is known.
fn guests(kind: NodeKind, subtasks: &[Arc<SubtaskMetrics>]) -> Vec<GuestStatus> {
    if kind != NodeKind::Operator {
        return Vec::new();
    }
    let guests = (0u32..).zip(subtasks);
    let guests = guests.map(|(index, subtask)| subtask.guest_status(index));
    guests
        .filter(|guest| guest.memory_limit_bytes > 0)
        .collect()
}

#[cfg(test)]
mod tests;
