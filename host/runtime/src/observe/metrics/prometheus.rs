//! A job's status in the text format of Prometheus. Pure.

use std::fmt;
use std::fmt::Write as _;

use tidegate_connector::sink::SinkLag;
use tidegate_operator::shown_text;

use super::{METRICS, Metric, MetricValue, Samples};
use crate::observe::status::{GuestStatus, JobStatus};

/// The label that every sample has. Prometheus keeps `job` for itself.
pub(super) const JOB_LABEL: &str = "job_name";

/// Returns all metrics of a status as text for Prometheus. A family without samples is left out.
#[must_use]
pub fn prometheus_text(status: &JobStatus) -> String {
    let mut page = Page {
        job: label(&status.job),
        text: String::new(),
    };
    for metric in METRICS {
        page.family(metric, status);
    }
    page.text
}

/// The text, with the job's label in every line.
struct Page {
    job: String,
    text: String,
}

impl Page {
    fn family(&mut self, metric: &Metric, status: &JobStatus) {
        let (name, kind, help) = (metric.name, metric.kind.word(), metric.help);
        let start = self.text.len();
        self.line(format_args!("# HELP {name} {help}\n# TYPE {name} {kind}"));
        let head = self.text.len();
        self.samples(metric, status);
        if self.text.len() == head {
            self.text.truncate(start);
        }
    }

    fn samples(&mut self, metric: &Metric, status: &JobStatus) {
        let name = metric.name;
        match metric.samples {
            Samples::Job(value) => {
                if let Some(value) = value(status) {
                    self.sample(name, &[], &value);
                }
            }
            Samples::JobBy(key, values) => {
                for (of, value) in values(status) {
                    self.sample(name, &[(key, &of)], &value);
                }
            }
            Samples::Node(value) => {
                for node in &status.nodes {
                    if let Some(value) = value(node) {
                        self.sample(name, &[("operator", &node.name)], &value);
                    }
                }
            }
            Samples::NodeBy(key, values) => {
                for node in &status.nodes {
                    for (of, value) in values(node) {
                        self.sample(name, &[("operator", &node.name), (key, &of)], &value);
                    }
                }
            }
            Samples::Guest(value) => self.guests(name, status, value),
            Samples::Lag(lag) => {
                for node in &status.nodes {
                    if let Some(lag) = lag(node) {
                        self.histogram(name, &node.name, lag);
                    }
                }
            }
        }
    }

    fn guests(&mut self, name: &str, status: &JobStatus, value: fn(&GuestStatus) -> MetricValue) {
        for node in &status.nodes {
            for guest in &node.guests {
                let subtask = guest.subtask.to_string();
                let labels = [("operator", &*node.name), ("subtask", &subtask)];
                self.sample(name, &labels, &value(guest));
            }
        }
    }

    fn histogram(&mut self, name: &str, operator: &str, lag: &SinkLag) {
        let operator = ("operator", operator);
        let bucket = format!("{name}_bucket");
        for at_most in &lag.buckets {
            let bound = at_most.at_most_seconds.to_string();
            self.sample(&bucket, &[operator, ("le", &bound)], &at_most.records);
        }
        self.sample(&bucket, &[operator, ("le", "+Inf")], &lag.records);
        self.sample(&format!("{name}_sum"), &[operator], &lag.sum_seconds);
        self.sample(&format!("{name}_count"), &[operator], &lag.records);
    }

    fn sample(&mut self, name: &str, labels: &[(&str, &str)], value: &dyn fmt::Display) {
        let mut all = format!("{JOB_LABEL}=\"{}\"", self.job);
        for (key, of) in labels {
            all.push_str(&format!(",{key}=\"{}\"", label(of)));
        }
        self.line(format_args!("{name}{{{all}}} {value}"));
    }

    fn line(&mut self, line: fmt::Arguments<'_>) {
        writeln!(self.text, "{line}").expect("a string takes what is written to it");
    }
}

/// Returns the value of a label: one line that is fit to be shown, quoted for the format.
fn label(text: &str) -> String {
    shown_text(text)
        .to_string()
        .replace('\\', "\\\\")
        .replace('"', "\\\"")
}

#[cfg(test)]
mod tests;
