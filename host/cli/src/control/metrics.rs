//! A job's status in the text format of Prometheus. Pure.

use std::fmt::Write as _;

use tidegate_checkpoint::NodeKind;
use tidegate_connector::sink::SinkLag;
use tidegate_operator::shown_text;
use tidegate_runtime::observe::{DrillStatus, GuestStatus, JobState, JobStatus, NodeStatus};

const STATES: [JobState; 8] = [
    JobState::Restoring,
    JobState::Running,
    JobState::Stopping,
    JobState::Restarting,
    JobState::Finished,
    JobState::Stopped,
    JobState::Cancelled,
    JobState::Failed,
];

/// All metrics that the status has.
pub(crate) fn text(status: &JobStatus) -> String {
    let mut page = Page {
        job: label(&status.job),
        text: String::new(),
    };
    page.family("tidegate_build_info", "gauge", "Version of the process.");
    page.labelled(
        "tidegate_build_info",
        "version",
        env!("CARGO_PKG_VERSION"),
        1,
    );
    page.family(
        "tidegate_job_state",
        "gauge",
        "1 for the state that the job is in.",
    );
    for state in STATES {
        let is_in = u8::from(state == status.state);
        page.labelled("tidegate_job_state", "state", &state.to_string(), is_in);
    }
    page.single(
        "tidegate_restarts_total",
        "counter",
        "Restarts.",
        status.restarts,
    );
    page.single(
        "tidegate_isolation_restarts_total",
        "counter",
        "Further restarts, only to isolate a record.",
        status.isolation_restarts,
    );
    let name = "tidegate_records_invalid_total";
    page.family(
        name,
        "counter",
        "Failures at a record, and records sent to a dead-letter port.",
    );
    page.labelled(name, "policy", "fail", status.invalid_records.failed);
    let dead_letters = status.invalid_records.dead_letters;
    page.labelled(name, "policy", "dead-letter", dead_letters);
    checkpoints(&mut page, status);
    nodes(&mut page, &status.nodes);
    page.text
}

fn checkpoints(page: &mut Page, status: &JobStatus) {
    let checkpoints = &status.checkpoints;
    let name = "tidegate_checkpoints_completed_total";
    page.single(
        name,
        "counter",
        "Checkpoints that completed.",
        checkpoints.completed,
    );
    let name = "tidegate_checkpoints_failed_total";
    page.single(
        name,
        "counter",
        "Checkpoints that failed.",
        checkpoints.failed,
    );
    let in_progress = u8::from(checkpoints.in_progress.is_some());
    let name = "tidegate_checkpoints_in_progress";
    page.single(
        name,
        "gauge",
        "Checkpoints that are being taken.",
        in_progress,
    );
    drills(page, &checkpoints.drills);
    let Some(last) = &checkpoints.last_completed else {
        return;
    };
    let name = "tidegate_checkpoint_last_id";
    page.single(
        name,
        "gauge",
        "Id of the newest complete checkpoint.",
        last.checkpoint,
    );
    let name = "tidegate_checkpoint_bytes";
    page.single(name, "gauge", "Bytes of state in it.", last.state_bytes);
    let name = "tidegate_checkpoint_last_completed_timestamp_seconds";
    page.single(
        name,
        "gauge",
        "When it completed.",
        Seconds(last.completed_at_ms),
    );
}

fn drills(page: &mut Page, drills: &DrillStatus) {
    let name = "tidegate_checkpoint_drills_total";
    page.family(name, "counter", "Restore drills, by result.");
    for (result, count) in [
        ("proven", drills.proven),
        ("failed", drills.failed),
        ("skipped", drills.skipped),
    ] {
        page.labelled(name, "result", result, count);
    }
    if let Some(last) = drills.last_proven {
        let name = "tidegate_checkpoint_last_proven_id";
        let help = "Id of the newest checkpoint that a drill has proven.";
        page.single(name, "gauge", help, last);
    }
}

fn nodes(page: &mut Page, nodes: &[NodeStatus]) {
    type Counter = fn(&NodeStatus) -> u64;
    let counters: [(&str, &str, Counter); 4] = [
        (
            "tidegate_records_in_total",
            "Records that came in.",
            |node| node.records_in,
        ),
        (
            "tidegate_records_out_total",
            "Records that went out.",
            |node| node.records_out,
        ),
        ("tidegate_bytes_in_total", "Bytes that came in.", |node| {
            node.bytes_in
        }),
        ("tidegate_bytes_out_total", "Bytes that went out.", |node| {
            node.bytes_out
        }),
    ];
    for (name, help, value) in counters {
        page.family(name, "counter", help);
        for node in nodes {
            page.labelled(name, "operator", &node.name, value(node));
        }
    }
    let name = "tidegate_busy_seconds_total";
    page.family(name, "counter", "Seconds of work, summed over subtasks.");
    for node in nodes {
        page.labelled(name, "operator", &node.name, node.busy_seconds);
    }
    let name = "tidegate_watermark_seconds";
    page.family(name, "gauge", "Smallest watermark of the subtasks.");
    for node in nodes {
        if let Some(watermark) = node.watermark {
            let sign = if watermark < 0 { "-" } else { "" };
            let seconds = format!("{sign}{}", Seconds(watermark.unsigned_abs()));
            page.labelled(name, "operator", &node.name, seconds);
        }
    }
    guests(page, nodes);
    counted_by_guests(page, nodes);
    sink_lags(page, nodes);
}

fn guests(page: &mut Page, nodes: &[NodeStatus]) {
    type Figure = fn(&GuestStatus) -> String;
    let figures: [(&str, &str, &str, Figure); 4] = [
        (
            "tidegate_guest_memory_bytes",
            "gauge",
            "Bytes that the instance occupied at the last barrier.",
            |guest| guest.memory_bytes.to_string(),
        ),
        (
            "tidegate_guest_memory_limit_bytes",
            "gauge",
            "Bytes that the instance may occupy.",
            |guest| guest.memory_limit_bytes.to_string(),
        ),
        (
            "tidegate_guest_recycles_total",
            "counter",
            "How often the instance was replaced because of its memory.",
            |guest| guest.recycles.to_string(),
        ),
        (
            "tidegate_guest_recycle_seconds_total",
            "counter",
            "Seconds that replacing the instance took.",
            |guest| guest.recycle_seconds.to_string(),
        ),
    ];
    if nodes.iter().all(|node| node.guests.is_empty()) {
        return;
    }
    for (name, kind, help, figure) in figures {
        page.family(name, kind, help);
        for node in nodes {
            for guest in &node.guests {
                page.of_subtask(name, &node.name, guest.subtask, figure(guest));
            }
        }
    }
}

/// Counters that guests keep themselves, and lines that they logged in vain.
fn counted_by_guests(page: &mut Page, nodes: &[NodeStatus]) {
    if nodes.iter().any(|node| !node.counters.is_empty()) {
        let name = "tidegate_guest_counter_total";
        let help = "A counter of the component's own, in this attempt.";
        page.family(name, "counter", help);
        for node in nodes {
            for (counter, count) in &node.counters {
                page.of_counter(name, &node.name, counter, *count);
            }
        }
    }
    let name = "tidegate_guest_log_lines_dropped_total";
    let help = "Log lines of a component that were dropped, in this attempt.";
    page.family(name, "counter", help);
    for node in nodes.iter().filter(|node| node.kind == NodeKind::Operator) {
        page.labelled(name, "operator", &node.name, node.dropped_log_lines);
    }
}

fn sink_lags(page: &mut Page, nodes: &[NodeStatus]) {
    let measured = |node: &'_ NodeStatus| node.sink_lag.is_some();
    if !nodes.iter().any(measured) {
        return;
    }
    let help = "How late records reached a sink: the time then minus their timestamps.";
    page.family("tidegate_sink_lag_seconds", "histogram", help);
    for node in nodes {
        if let Some(lag) = &node.sink_lag {
            page.histogram("tidegate_sink_lag_seconds", &node.name, lag);
        }
    }
}

/// The text, with the job's label in every line.
struct Page {
    job: String,
    text: String,
}

impl Page {
    fn family(&mut self, name: &str, kind: &str, help: &str) {
        self.line(format_args!("# HELP {name} {help}\n# TYPE {name} {kind}"));
    }

    fn single(&mut self, name: &str, kind: &str, help: &str, value: impl std::fmt::Display) {
        self.family(name, kind, help);
        let job = self.job.clone();
        self.line(format_args!("{name}{{job=\"{job}\"}} {value}"));
    }

    fn labelled(&mut self, name: &str, key: &str, of: &str, value: impl std::fmt::Display) {
        let (job, of) = (self.job.clone(), label(of));
        self.line(format_args!(
            "{name}{{job=\"{job}\",{key}=\"{of}\"}} {value}"
        ));
    }

    fn of_subtask(&mut self, name: &str, operator: &str, subtask: u32, value: String) {
        let labels = format!("job=\"{}\",operator=\"{}\"", self.job, label(operator));
        self.line(format_args!(
            "{name}{{{labels},subtask=\"{subtask}\"}} {value}"
        ));
    }

    fn of_counter(&mut self, name: &str, operator: &str, counter: &str, value: u64) {
        let labels = format!("job=\"{}\",operator=\"{}\"", self.job, label(operator));
        let counter = label(counter);
        self.line(format_args!(
            "{name}{{{labels},name=\"{counter}\"}} {value}"
        ));
    }

    fn histogram(&mut self, name: &str, operator: &str, lag: &SinkLag) {
        let labels = format!("job=\"{}\",operator=\"{}\"", self.job, label(operator));
        for bucket in &lag.buckets {
            let (bound, records) = (bucket.at_most_seconds, bucket.records);
            self.line(format_args!(
                "{name}_bucket{{{labels},le=\"{bound}\"}} {records}"
            ));
        }
        let (records, sum) = (lag.records, lag.sum_seconds);
        self.line(format_args!(
            "{name}_bucket{{{labels},le=\"+Inf\"}} {records}"
        ));
        self.line(format_args!("{name}_sum{{{labels}}} {sum}"));
        self.line(format_args!("{name}_count{{{labels}}} {records}"));
    }

    fn line(&mut self, line: std::fmt::Arguments<'_>) {
        writeln!(self.text, "{line}").expect("a string takes what is written to it");
    }
}

/// Milliseconds, shown as seconds without rounding.
struct Seconds(u64);

impl std::fmt::Display for Seconds {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{:03}", self.0 / 1000, self.0 % 1000)
    }
}

/// The value of a label: one line that is fit to be shown, quoted as the format wants it.
fn label(text: &str) -> String {
    shown_text(text)
        .to_string()
        .replace('\\', "\\\\")
        .replace('"', "\\\"")
}

#[cfg(test)]
mod tests {
    use tidegate_connector::sink::LagBucket;
    use tidegate_runtime::observe::CompletedSummary;

    use super::*;

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
            name: "count".to_owned(),
            kind: NodeKind::Operator,
            parallelism: 2,
            records_in: 10,
            records_out: 5,
            bytes_in: 100,
            bytes_out: 50,
            busy_seconds: 0.5,
            watermark: Some(-1500),
            ended_subtasks: 0,
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
        });
        status
    }

    #[test]
    fn every_sample_has_a_type_and_the_job() {
        let text = text(&status());
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
                assert!(line.contains("{job=\"sums\""), "{line}");
            }
        }
        assert!(families.len() > 10, "{families:?}");
    }

    #[test]
    fn values_have_base_units() {
        let text = text(&status());
        for line in [
            "tidegate_job_state{job=\"sums\",state=\"running\"} 1",
            "tidegate_job_state{job=\"sums\",state=\"failed\"} 0",
            "tidegate_records_invalid_total{job=\"sums\",policy=\"fail\"} 0",
            "tidegate_records_invalid_total{job=\"sums\",policy=\"dead-letter\"} 2",
            "tidegate_checkpoints_completed_total{job=\"sums\"} 3",
            "tidegate_checkpoint_last_completed_timestamp_seconds{job=\"sums\"} 1700000000.123",
            "tidegate_checkpoint_drills_total{job=\"sums\",result=\"proven\"} 2",
            "tidegate_checkpoint_drills_total{job=\"sums\",result=\"failed\"} 0",
            "tidegate_checkpoint_last_proven_id{job=\"sums\"} 3",
            "tidegate_records_in_total{job=\"sums\",operator=\"count\"} 10",
            "tidegate_busy_seconds_total{job=\"sums\",operator=\"count\"} 0.5",
            "tidegate_watermark_seconds{job=\"sums\",operator=\"count\"} -1.500",
            "tidegate_sink_lag_seconds_bucket{job=\"sums\",operator=\"count\",le=\"0.0005\"} 2",
            "tidegate_sink_lag_seconds_bucket{job=\"sums\",operator=\"count\",le=\"+Inf\"} 3",
            "tidegate_sink_lag_seconds_sum{job=\"sums\",operator=\"count\"} 0.25",
            "tidegate_sink_lag_seconds_count{job=\"sums\",operator=\"count\"} 3",
            "tidegate_guest_memory_bytes{job=\"sums\",operator=\"count\",subtask=\"1\"} 65536",
            "tidegate_guest_memory_limit_bytes\
             {job=\"sums\",operator=\"count\",subtask=\"1\"} 1048576",
            "tidegate_guest_counter_total\
             {job=\"sums\",operator=\"count\",name=\"orders rejected\"} 7",
            "tidegate_guest_log_lines_dropped_total{job=\"sums\",operator=\"count\"} 4",
            "tidegate_guest_recycles_total{job=\"sums\",operator=\"count\",subtask=\"1\"} 3",
            "tidegate_guest_recycle_seconds_total\
             {job=\"sums\",operator=\"count\",subtask=\"1\"} 0.25",
        ] {
            assert!(
                text.lines().any(|found| found == line),
                "{line} is not in\n{text}"
            );
        }
    }
}
