//! The expected state and output of a job, given the records that its sources have emitted:
//! computed from the plan alone, without barriers, channels or checkpoints. Pure.

use std::collections::BTreeMap;

use tidegate_checkpoint::Partitioning;
use tidegate_operator::NO_TIMESTAMP;

use crate::job::{Does, JobPlan, NodePlan};
use crate::operators::{Kind, port_of};
use crate::record::{key_of, told, value_of, window_of};

/// The numbers that each split of each source has emitted.
pub(crate) type Given = BTreeMap<(String, u64), Vec<u64>>;

/// The number of records by key, value and timestamp.
type Records = BTreeMap<(String, String, i64), u64>;

/// The number of copies of each line in a sink's output.
pub(crate) type Lines = BTreeMap<String, u64>;

/// The expected state and output, by node. A node is missing if it depends on more than the emitted
/// records, such as the progress of event time.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Expected {
    /// The state of each `Count`.
    pub(crate) counts: BTreeMap<String, BTreeMap<Vec<u8>, u64>>,
    /// The state of each `Tally`, all subtasks together.
    pub(crate) tallies: BTreeMap<String, u64>,
    /// The output of each sink.
    pub(crate) output: BTreeMap<String, Lines>,
}

/// Computes the expectation. `has_finished` is true if all sources have ended and every operator's
/// `finish` was called.
pub(crate) fn expected(plan: &JobPlan, given: &Given, has_finished: bool) -> Expected {
    let mut expected = Expected::default();
    // By node and port; `None` for records that the model can't predict.
    let mut all_ports: Vec<Option<Vec<Records>>> = Vec::new();
    for node in &plan.nodes {
        let ports = match node.does {
            Does::Give { keys, .. } => Some(vec![source_records(&node.name, keys, given)]),
            Does::Operate(kind) => arriving(node, &all_ports).and_then(|records| {
                note_state(node, kind, &records, &mut expected);
                let is_told = kind.passes() || has_finished;
                is_told.then(|| operator_output(&node.name, kind, records))
            }),
            Does::Publish => {
                if let Some(records) = arriving(node, &all_ports) {
                    expected.output.insert(node.name.clone(), lines(&records));
                }
                None
            }
        };
        all_ports.push(ports);
    }
    expected
}

fn source_records(name: &str, keys: u64, given: &Given) -> Records {
    let mut records = Records::new();
    for ((_, split), numbers) in given.iter().filter(|((source, _), _)| source == name) {
        for number in numbers {
            let timestamp = i64::try_from(*number).expect("a small number");
            let (key, value) = (key_of(*number, keys), value_of(name, *split, *number));
            *records.entry((key, value, timestamp)).or_default() += 1;
        }
    }
    records
}

/// Returns all records that arrive at a node.
fn arriving(node: &NodePlan, all_ports: &[Option<Vec<Records>>]) -> Option<Records> {
    let mut arriving = Records::new();
    for input in &node.inputs {
        let copies = match input.partitioning {
            Partitioning::Broadcast => u64::from(node.parallelism),
            Partitioning::Forward | Partitioning::Hash | Partitioning::Rebalance => 1,
        };
        let ports = all_ports[input.from].as_ref()?;
        for (record, times) in &ports[input.port] {
            *arriving.entry(record.clone()).or_default() += times * copies;
        }
    }
    Some(arriving)
}

fn note_state(node: &NodePlan, kind: Kind, records: &Records, expected: &mut Expected) {
    match kind {
        Kind::Tally => {
            let tally = records.values().sum();
            expected.tallies.insert(node.name.clone(), tally);
        }
        Kind::Count => {
            let mut counts: BTreeMap<Vec<u8>, u64> = BTreeMap::new();
            for ((key, _, _), times) in records {
                *counts.entry(key.clone().into_bytes()).or_default() += times;
            }
            expected.counts.insert(node.name.clone(), counts);
        }
        Kind::Pass | Kind::Split | Kind::Windows | Kind::Totals => {}
    }
}

fn operator_output(name: &str, kind: Kind, records: Records) -> Vec<Records> {
    match kind {
        Kind::Pass | Kind::Tally | Kind::Count => vec![records],
        Kind::Split => {
            let mut ports = vec![Records::new(), Records::new()];
            for (record, times) in records {
                let port = port_of(record.1.as_bytes());
                ports[port].insert(record, times);
            }
            ports
        }
        Kind::Windows => vec![counts(name, records, window_of)],
        Kind::Totals => vec![counts(name, records, |_| NO_TIMESTAMP)],
    }
}

/// Returns one record for each key and window.
fn counts(name: &str, records: Records, window: impl Fn(i64) -> i64) -> Records {
    let mut counts: BTreeMap<(String, i64), u64> = BTreeMap::new();
    for ((key, _, timestamp), times) in records {
        *counts.entry((key, window(timestamp))).or_default() += times;
    }
    let told = counts.into_iter().map(|((key, window), count)| {
        let (timestamp, value) = told(name, window, count);
        ((key, value, timestamp), 1)
    });
    told.collect()
}

fn lines(records: &Records) -> Lines {
    let mut lines = Lines::new();
    for ((key, value, _), times) in records {
        *lines.entry(format!("{key}\t{value}")).or_default() += times;
    }
    lines
}
