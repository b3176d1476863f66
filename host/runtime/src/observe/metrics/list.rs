//! The list of all metrics.

use tidegate_checkpoint::NodeKind;

use super::{FIRST, Metric, MetricKind, MetricValue, Samples};
use crate::observe::status::{CompletedSummary, JobState, JobStatus};

/// All metrics, in the order in which they are shown.
pub static METRICS: &[Metric] = &[
    Metric {
        name: "tidegate_build_info",
        kind: MetricKind::Gauge,
        help: "Version of the process.",
        samples: Samples::JobBy("version", |_| {
            vec![(env!("CARGO_PKG_VERSION").to_owned(), true.into())]
        }),
        column: None,
        since: FIRST,
    },
    Metric {
        name: "tidegate_job_state",
        kind: MetricKind::Gauge,
        help: "1 for the current state of the job, 0 for the others.",
        samples: Samples::JobBy("state", |job| {
            let states = JobState::ALL.into_iter();
            let state = |state: JobState| (state.to_string(), (state == job.state).into());
            states.map(state).collect()
        }),
        column: None,
        since: FIRST,
    },
    Metric {
        name: "tidegate_restarts_total",
        kind: MetricKind::Counter,
        help: "Restarts.",
        samples: Samples::Job(|job| Some(job.restarts.into())),
        column: None,
        since: FIRST,
    },
    Metric {
        name: "tidegate_isolation_restarts_total",
        kind: MetricKind::Counter,
        help: "Further restarts, only to isolate a record.",
        samples: Samples::Job(|job| Some(job.isolation_restarts.into())),
        column: None,
        since: FIRST,
    },
    Metric {
        name: "tidegate_records_invalid_total",
        kind: MetricKind::Counter,
        help: "Failures at a record, and records sent to a dead-letter port.",
        samples: Samples::JobBy("policy", |job| {
            let invalid = &job.invalid_records;
            vec![
                ("fail".to_owned(), invalid.failed.into()),
                ("dead-letter".to_owned(), invalid.dead_letters.into()),
            ]
        }),
        column: None,
        since: FIRST,
    },
    Metric {
        name: "tidegate_checkpoints_completed_total",
        kind: MetricKind::Counter,
        help: "Checkpoints that completed.",
        samples: Samples::Job(|job| Some(job.checkpoints.completed.into())),
        column: None,
        since: FIRST,
    },
    Metric {
        name: "tidegate_checkpoints_failed_total",
        kind: MetricKind::Counter,
        help: "Checkpoints that failed.",
        samples: Samples::Job(|job| Some(job.checkpoints.failed.into())),
        column: None,
        since: FIRST,
    },
    Metric {
        name: "tidegate_checkpoints_in_progress",
        kind: MetricKind::Gauge,
        help: "Checkpoints in progress.",
        samples: Samples::Job(|job| Some(job.checkpoints.in_progress.is_some().into())),
        column: None,
        since: FIRST,
    },
    Metric {
        name: "tidegate_checkpoint_drills_total",
        kind: MetricKind::Counter,
        help: "Restore drills, by result.",
        samples: Samples::JobBy("result", |job| {
            let drills = &job.checkpoints.drills;
            vec![
                ("proven".to_owned(), drills.proven.into()),
                ("failed".to_owned(), drills.failed.into()),
                ("skipped".to_owned(), drills.skipped.into()),
            ]
        }),
        column: None,
        since: FIRST,
    },
    Metric {
        name: "tidegate_checkpoint_last_proven_id",
        kind: MetricKind::Gauge,
        help: "Id of the newest checkpoint that a drill has proven.",
        samples: Samples::Job(|job| job.checkpoints.drills.last_proven.map(Into::into)),
        column: None,
        since: FIRST,
    },
    Metric {
        name: "tidegate_checkpoint_last_id",
        kind: MetricKind::Gauge,
        help: "Id of the newest complete checkpoint.",
        samples: Samples::Job(|job| of_last(job, |last| last.checkpoint.into())),
        column: None,
        since: FIRST,
    },
    Metric {
        name: "tidegate_checkpoint_bytes",
        kind: MetricKind::Gauge,
        help: "Bytes of state in the newest complete checkpoint.",
        samples: Samples::Job(|job| of_last(job, |last| last.state_bytes.into())),
        column: None,
        since: FIRST,
    },
    Metric {
        name: "tidegate_checkpoint_last_completed_timestamp_seconds",
        kind: MetricKind::Gauge,
        help: "Time at which the newest complete checkpoint completed, since 1970.",
        samples: Samples::Job(|job| {
            of_last(job, |last| {
                let millis = i64::try_from(last.completed_at_ms).unwrap_or(i64::MAX);
                MetricValue::Milliseconds(millis)
            })
        }),
        column: None,
        since: FIRST,
    },
    Metric {
        name: "tidegate_records_in_total",
        kind: MetricKind::Counter,
        help: "Records that came in.",
        samples: Samples::Node(|node| Some(node.records_in.into())),
        column: Some("IN"),
        since: FIRST,
    },
    Metric {
        name: "tidegate_records_out_total",
        kind: MetricKind::Counter,
        help: "Records that went out.",
        samples: Samples::Node(|node| Some(node.records_out.into())),
        column: Some("OUT"),
        since: FIRST,
    },
    Metric {
        name: "tidegate_batches_in_total",
        kind: MetricKind::Counter,
        help: "Batches that the records came in.",
        samples: Samples::Node(|node| Some(node.batches_in.into())),
        column: None,
        since: FIRST,
    },
    Metric {
        name: "tidegate_bytes_in_total",
        kind: MetricKind::Counter,
        help: "Bytes that came in.",
        samples: Samples::Node(|node| Some(node.bytes_in.into())),
        column: None,
        since: FIRST,
    },
    Metric {
        name: "tidegate_bytes_out_total",
        kind: MetricKind::Counter,
        help: "Bytes that went out.",
        samples: Samples::Node(|node| Some(node.bytes_out.into())),
        column: None,
        since: FIRST,
    },
    Metric {
        name: "tidegate_busy_seconds_total",
        kind: MetricKind::Counter,
        help: "Seconds of work, summed over subtasks.",
        samples: Samples::Node(|node| Some(MetricValue::Seconds(node.busy_seconds))),
        column: Some("BUSY s"),
        since: FIRST,
    },
    Metric {
        name: "tidegate_watermark_seconds",
        kind: MetricKind::Gauge,
        help: "Smallest watermark of the subtasks.",
        samples: Samples::Node(|node| node.watermark.map(MetricValue::Milliseconds)),
        column: Some("WATERMARK ms"),
        since: FIRST,
    },
    Metric {
        name: "tidegate_guest_memory_bytes",
        kind: MetricKind::Gauge,
        help: "Bytes that the instance occupied at the last barrier.",
        samples: Samples::Guest(|guest| guest.memory_bytes.into()),
        column: None,
        since: FIRST,
    },
    Metric {
        name: "tidegate_guest_memory_limit_bytes",
        kind: MetricKind::Gauge,
        help: "Bytes that the instance may occupy.",
        samples: Samples::Guest(|guest| guest.memory_limit_bytes.into()),
        column: None,
        since: FIRST,
    },
    Metric {
        name: "tidegate_guest_recycles_total",
        kind: MetricKind::Counter,
        help: "Replacements of the instance because of its memory.",
        samples: Samples::Guest(|guest| guest.recycles.into()),
        column: None,
        since: FIRST,
    },
    Metric {
        name: "tidegate_guest_recycle_seconds_total",
        kind: MetricKind::Counter,
        help: "Seconds spent on replacing the instance.",
        samples: Samples::Guest(|guest| MetricValue::Seconds(guest.recycle_seconds)),
        column: None,
        since: FIRST,
    },
    Metric {
        name: "tidegate_guest_counter_total",
        kind: MetricKind::Counter,
        help: "A counter that the component defines, in this attempt.",
        samples: Samples::NodeBy("name", |node| {
            let counters = node.counters.iter();
            let counters = counters.map(|(name, count)| (name.clone(), (*count).into()));
            counters.collect()
        }),
        column: None,
        since: FIRST,
    },
    Metric {
        name: "tidegate_guest_log_lines_dropped_total",
        kind: MetricKind::Counter,
        help: "Log lines of a component that were dropped, in this attempt.",
        samples: Samples::Node(|node| match node.kind {
            NodeKind::Operator => Some(node.dropped_log_lines.into()),
            NodeKind::Source | NodeKind::Sink => None,
        }),
        column: None,
        since: FIRST,
    },
    Metric {
        name: "tidegate_sink_lag_seconds",
        kind: MetricKind::Histogram,
        help: "Lag of records at a sink: time of arrival minus timestamp.",
        samples: Samples::Lag(|node| node.sink_lag.as_ref()),
        column: None,
        since: FIRST,
    },
];

/// Returns a figure of the newest complete checkpoint, if there is one.
fn of_last(job: &JobStatus, figure: fn(&CompletedSummary) -> MetricValue) -> Option<MetricValue> {
    job.checkpoints.last_completed.as_ref().map(figure)
}
