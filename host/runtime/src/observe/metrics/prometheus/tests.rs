//! Tests of `prometheus`.

use tidegate_checkpoint::NodeKind;
use tidegate_connector::sink::LagBucket;

use super::*;
use crate::observe::{CompletedSummary, JobState, NodeStatus};

fn status() -> JobStatus {
    let mut status = JobStatus::new("sums");
    status.state = JobState::Running;
    status.invalid_records.dead_letters = 2;
    status.checkpoints.completed = 3;
    status.checkpoints.drills.proven = 2;
    status.checkpoints.drills.last_proven = Some(3);
    status.checkpoints.last_completed = Some(CompletedSummary {
        checkpoint: 3,
        duration_ms: 12.0,
        longest_snapshot_ms: 1.0,
        state_bytes: 4096,
        completed_at_ms: 1_700_000_000_123,
    });
    status.nodes.push(NodeStatus {
        records_in: 10,
        records_out: 5,
        batches_in: 4,
        bytes_in: 100,
        bytes_out: 50,
        busy_seconds: 0.5,
        watermark: Some(-1500),
        sink_lag: Some(SinkLag {
            records: 3,
            sum_seconds: 0.25,
            buckets: vec![LagBucket {
                at_most_seconds: 0.0005,
                records: 2,
            }],
        }),
        guests: vec![GuestStatus {
            subtask: 1,
            memory_bytes: 65_536,
            memory_limit_bytes: 1_048_576,
            recycles: 3,
            recycle_seconds: 0.25,
        }],
        counters: [("orders rejected".to_owned(), 7)].into(),
        dropped_log_lines: 4,
        ..NodeStatus::new("count", NodeKind::Operator, 2)
    });
    status
}

#[test]
fn every_sample_has_a_type_and_the_job() {
    let text = prometheus_text(&status());
    let mut families = Vec::new();
    for line in text.lines() {
        if let Some(family) = line.strip_prefix("# TYPE ") {
            families.push(family.split(' ').next().unwrap_or_default().to_owned());
        } else if !line.starts_with('#') {
            let name = line.split('{').next().unwrap_or_default();
            let parts = ["_bucket", "_sum", "_count"];
            let name = match parts.iter().find_map(|part| name.strip_suffix(part)) {
                Some(histogram) => histogram,
                None => name,
            };
            assert_eq!(families.last().map(String::as_str), Some(name), "{line}");
            assert!(line.contains("{job_name=\"sums\""), "{line}");
        }
    }
    assert!(families.len() > 10, "{families:?}");
}

#[test]
fn values_have_base_units() {
    let text = prometheus_text(&status());
    for line in [
        "tidegate_job_state{job_name=\"sums\",state=\"running\"} 1",
        "tidegate_job_state{job_name=\"sums\",state=\"failed\"} 0",
        "tidegate_records_invalid_total{job_name=\"sums\",policy=\"fail\"} 0",
        "tidegate_records_invalid_total{job_name=\"sums\",policy=\"dead-letter\"} 2",
        "tidegate_checkpoints_completed_total{job_name=\"sums\"} 3",
        "tidegate_checkpoint_last_completed_timestamp_seconds\
         {job_name=\"sums\"} 1700000000.123",
        "tidegate_checkpoint_drills_total{job_name=\"sums\",result=\"proven\"} 2",
        "tidegate_checkpoint_drills_total{job_name=\"sums\",result=\"failed\"} 0",
        "tidegate_checkpoint_last_proven_id{job_name=\"sums\"} 3",
        "tidegate_records_in_total{job_name=\"sums\",operator=\"count\"} 10",
        "tidegate_batches_in_total{job_name=\"sums\",operator=\"count\"} 4",
        "tidegate_busy_seconds_total{job_name=\"sums\",operator=\"count\"} 0.5",
        "tidegate_watermark_seconds{job_name=\"sums\",operator=\"count\"} -1.500",
        "tidegate_sink_lag_seconds_bucket\
         {job_name=\"sums\",operator=\"count\",le=\"0.0005\"} 2",
        "tidegate_sink_lag_seconds_bucket{job_name=\"sums\",operator=\"count\",le=\"+Inf\"} 3",
        "tidegate_sink_lag_seconds_sum{job_name=\"sums\",operator=\"count\"} 0.25",
        "tidegate_sink_lag_seconds_count{job_name=\"sums\",operator=\"count\"} 3",
        "tidegate_guest_memory_bytes{job_name=\"sums\",operator=\"count\",subtask=\"1\"} 65536",
        "tidegate_guest_memory_limit_bytes\
         {job_name=\"sums\",operator=\"count\",subtask=\"1\"} 1048576",
        "tidegate_guest_counter_total\
         {job_name=\"sums\",operator=\"count\",name=\"orders rejected\"} 7",
        "tidegate_guest_log_lines_dropped_total{job_name=\"sums\",operator=\"count\"} 4",
        "tidegate_guest_recycles_total{job_name=\"sums\",operator=\"count\",subtask=\"1\"} 3",
        "tidegate_guest_recycle_seconds_total\
         {job_name=\"sums\",operator=\"count\",subtask=\"1\"} 0.25",
    ] {
        assert!(
            text.lines().any(|found| found == line),
            "{line} is not in\n{text}"
        );
    }
}
