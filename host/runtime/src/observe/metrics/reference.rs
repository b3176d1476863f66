//! The reference page of the metrics, made from their declarations.

use super::prometheus::JOB_LABEL;
use super::{METRICS, Metric, Samples};

const HEAD: &str = "\
# Metrics

<!-- Made from the list in host/runtime/src/observe/metrics/list.rs; do not edit. To write it again:
     make reference -->

A running job serves its metrics in the text format of Prometheus: `GET /metrics` on the socket
`control.sock` in its checkpoint directory. Times are in seconds and sizes in bytes. Counters count
from the start of the process, or of the attempt where the meaning says so. The label `operator`
names sources, operators and sinks.
";

/// Returns the page, in Markdown.
#[must_use]
pub fn metrics_reference() -> String {
    let mut page = HEAD.to_owned();
    for title in [OF_JOB, OF_NODES, OF_INSTANCES] {
        page.push_str(&format!("\n## {title}\n\n"));
        page.push_str("| name | type | labels | since | meaning |\n");
        page.push_str("| --- | --- | --- | --- | --- |\n");
        let metrics = METRICS.iter();
        for metric in metrics.filter(|metric| chapter(&metric.samples) == title) {
            page.push_str(&row(metric));
        }
    }
    page
}

const OF_JOB: &str = "Of the job";
const OF_NODES: &str = "Of each source, operator and sink";
const OF_INSTANCES: &str = "Of each instance of an operator";

fn chapter(samples: &Samples) -> &'static str {
    match samples {
        Samples::Job(_) | Samples::JobBy(..) => OF_JOB,
        Samples::Node(_) | Samples::NodeBy(..) | Samples::Lag(_) => OF_NODES,
        Samples::Guest(_) => OF_INSTANCES,
    }
}

fn row(metric: &Metric) -> String {
    let labels = std::iter::once(JOB_LABEL).chain(metric.samples.labels());
    let labels: Vec<String> = labels.map(|label| format!("`{label}`")).collect();
    format!(
        "| `{}` | {} | {} | {} | {} |\n",
        metric.name,
        metric.kind.word(),
        labels.join(", "),
        metric.since,
        metric.help
    )
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::observe::MetricKind;

    #[test]
    fn the_reference_page_is_the_one_that_the_declarations_make() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/reference/metrics.md");
        if std::env::var_os("TIDEGATE_WRITE_REFERENCE").is_some() {
            std::fs::write(&path, metrics_reference()).expect("the page can be written");
        }
        let committed = std::fs::read_to_string(&path).unwrap_or_default();
        assert!(
            committed == metrics_reference(),
            "docs/reference/metrics.md is out of date; write it again with `make reference`"
        );
    }

    #[test]
    fn every_metric_is_on_the_page_once() {
        let page = metrics_reference();
        for metric in METRICS {
            let name = format!("| `{}` |", metric.name);
            assert_eq!(page.matches(&name).count(), 1, "{name}");
        }
    }

    #[test]
    fn names_say_what_kind_of_metric_it_is() {
        for metric in METRICS {
            let Metric { name, kind, .. } = metric;
            assert!(name.starts_with("tidegate_"), "{name}");
            let is_counter = *kind == MetricKind::Counter;
            assert_eq!(name.ends_with("_total"), is_counter, "{name}");
            assert!(metric.help.ends_with('.'), "{name}");
            let is_of_nodes = matches!(metric.samples, Samples::Node(_));
            assert!(metric.column.is_none() || is_of_nodes, "{name}");
        }
    }
}
