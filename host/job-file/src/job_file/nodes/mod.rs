//! Reads `[source.*]`, `[operator.*]` and `[sink.*]`.

mod keys;
mod operator_keys;

use tidegate_checkpoint::NodeKind;
use tidegate_runtime::config::{RecordPolicies, RecordPolicy};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::document::{ConnectorEntry, NodeEntry, OperatorEntry, PartEntry};
use crate::config_file::problem::{Problem, Problems, Span};
use crate::config_file::reader::{TableReader, kind_of};

pub(crate) use keys::{INPUT, OPERATOR, SINK, SOURCE};
pub use operator_keys::{ConfigTable, config, outputs};

use keys::NodeKeys;
use operator_keys::OperatorKeys;

/// The nodes of a file, in its order.
#[derive(Debug, Default)]
pub(crate) struct Nodes<'i> {
    /// The nodes that have all required keys.
    pub(crate) usable: Vec<NodeEntry<'i>>,
    /// The names of all other nodes, so that their readers are not reported as well.
    pub(crate) unusable: Vec<String>,
}

/// Reads all nodes.
pub(crate) fn nodes<'i>(root: &mut TableReader<'_, 'i>, problems: &Problems) -> Nodes<'i> {
    let mut nodes = Nodes::default();
    for (kind, section) in [
        (NodeKind::Source, "source"),
        (NodeKind::Operator, "operator"),
        (NodeKind::Sink, "sink"),
    ] {
        let Some((_, found)) = root.entry(section) else {
            continue;
        };
        let DeValue::Table(table) = found.get_ref() else {
            root.wrong_type(section, found, &format!("tables such as [{section}.name]"));
            continue;
        };
        for (key, value) in table.iter() {
            let name = Spanned::new(key.span(), key.get_ref().clone().into_owned());
            match node(kind, name, value, problems) {
                Some(node) => nodes.usable.push(node),
                None => nodes.unusable.push(key.get_ref().clone().into_owned()),
            }
        }
    }
    nodes.usable.sort_by_key(|node| node.name.span().start);
    nodes
}

fn node<'i>(
    kind: NodeKind,
    name: Spanned<String>,
    value: &Spanned<DeValue<'i>>,
    problems: &Problems,
) -> Option<NodeEntry<'i>> {
    let title = format!("{kind} `{}`", name.get_ref());
    let DeValue::Table(table) = value.get_ref() else {
        let message = format!("{title} is {}", kind_of(value.get_ref()));
        let help = format!("expected a table [{kind}.{}]", name.get_ref());
        problems.push(Problem::at(value.span(), message).help(help));
        return None;
    };
    let mut reader = TableReader::new(title, name.span(), table, problems);
    let section = match kind {
        NodeKind::Source => &SOURCE,
        NodeKind::Operator => &OPERATOR,
        NodeKind::Sink => &SINK,
    };
    let keys = section.read(&mut reader);
    let dead_letter_span = dead_letter_span(&keys);
    let (inputs_span, inputs) = keys.inputs.unwrap_or_else(|| (name.span(), Vec::new()));
    let part = match kind {
        NodeKind::Source => connector(&reader, table, keys.connector).map(PartEntry::Source),
        NodeKind::Sink => connector(&reader, table, keys.connector).map(PartEntry::Sink),
        NodeKind::Operator => {
            reader.finish();
            let operator = operator(keys.operator, keys.on_invalid_record.value);
            operator.map(Box::new).map(PartEntry::Operator)
        }
    };
    Some(NodeEntry {
        name,
        parallelism: keys.parallelism,
        inputs,
        inputs_span,
        dead_letter_span,
        part: part?,
    })
}

/// Returns the place of the first "dead-letter" among the policies.
fn dead_letter_span(keys: &NodeKeys) -> Option<Span> {
    let policies = [&keys.on_invalid_record, &keys.operator.on_trap];
    let chosen = policies
        .into_iter()
        .find(|policy| policy.value == RecordPolicy::DeadLetter);
    chosen.and_then(|policy| policy.span.clone())
}

/// Returns the keys that are left for the connector, after those that every node has.
fn connector<'i>(
    reader: &TableReader<'_, 'i>,
    table: &DeTable<'i>,
    connector: Option<Spanned<String>>,
) -> Option<ConnectorEntry<'i>> {
    let mut options = table.clone();
    for key in reader.known() {
        options.remove(*key);
    }
    Some(ConnectorEntry {
        connector: connector?,
        options,
    })
}

fn operator(keys: OperatorKeys, on_invalid_record: RecordPolicy) -> Option<OperatorEntry> {
    Some(OperatorEntry {
        component: keys.component?,
        limits: keys.limits,
        config: keys.config,
        outputs: keys.outputs,
        policies: RecordPolicies {
            on_invalid_record,
            on_trap: keys.on_trap.value,
        },
        recycle_at: keys.recycle_at,
    })
}
