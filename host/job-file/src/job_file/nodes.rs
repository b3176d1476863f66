//! Reads `[source.*]`, `[operator.*]` and `[sink.*]`.

use tidegate_checkpoint::{DEAD_LETTER, NodeKind, Partitioning};
use tidegate_operator::Limits;
use tidegate_runtime::config::{RecordPolicies, RecordPolicy};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::document::{ConnectorEntry, InputEntry, NodeEntry, OperatorEntry, PartEntry};
use crate::config_file::problem::{Problem, Problems, Span};
use crate::config_file::reader::{TableReader, Zero, kind_of};
use crate::config_file::value;

/// More memories than any operator may have: wasmtime bounds them, too.
const MOST_MEMORIES: u32 = 100;
/// An operator may name this many output ports.
const MOST_PORTS: usize = 1_024;

const PARTITIONINGS: [(&str, Partitioning); 4] = [
    ("forward", Partitioning::Forward),
    ("hash", Partitioning::Hash),
    ("rebalance", Partitioning::Rebalance),
    ("broadcast", Partitioning::Broadcast),
];

const POLICIES: [(&str, RecordPolicy); 2] = [
    ("fail", RecordPolicy::Fail),
    (DEAD_LETTER, RecordPolicy::DeadLetter),
];

/// The nodes of a file, in its order.
#[derive(Debug, Default)]
pub(crate) struct Nodes<'i> {
    /// Those that have what a node can't do without.
    pub(crate) usable: Vec<NodeEntry<'i>>,
    /// Names of those that have not, so that nobody who reads from them is told off.
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
    let parallelism = reader.number("parallelism", 1..=1 << 15);
    let (mut inputs_span, mut inputs) = (name.span(), Vec::new());
    if kind != NodeKind::Source
        && let Some((span, entries)) = inputs_of(&mut reader, problems)
    {
        (inputs_span, inputs) = (span, entries);
    }
    let part = match kind {
        NodeKind::Source => connector(reader, table).map(PartEntry::Source),
        NodeKind::Operator => operator(reader, problems)
            .map(Box::new)
            .map(PartEntry::Operator),
        NodeKind::Sink => connector(reader, table).map(PartEntry::Sink),
    };
    Some(NodeEntry {
        name,
        parallelism,
        inputs,
        inputs_span,
        part: part?,
    })
}

fn inputs_of(
    reader: &mut TableReader<'_, '_>,
    problems: &Problems,
) -> Option<(Span, Vec<InputEntry>)> {
    let what = "a list such as [{ from = \"name\" }]";
    let found = reader.array("inputs", what);
    let (span, items) = reader.required(found, "inputs", what)?;
    let mut inputs = Vec::new();
    for item in items.iter() {
        let DeValue::Table(table) = item.get_ref() else {
            reader.wrong_type("inputs", item, "tables such as { from = \"name\" }");
            continue;
        };
        let title = format!("an input of {}", reader.title());
        let mut entry = TableReader::new(title, item.span(), table, problems);
        let what = "the name of a source or operator";
        let from = entry.text("from", what);
        let from = entry.required(from, "from", what);
        let partition = entry.choice("partition", &PARTITIONINGS);
        entry.finish();
        inputs.extend(from.map(|from| InputEntry { from, partition }));
    }
    Some((span, inputs))
}

/// What is left of the table after the keys that every node has is for the connector to read.
fn connector<'i>(
    mut reader: TableReader<'_, 'i>,
    table: &DeTable<'i>,
) -> Option<ConnectorEntry<'i>> {
    let what = "the name of a connector";
    let connector = reader.text("connector", what);
    let connector = reader.required(connector, "connector", what)?;
    let mut options = table.clone();
    for key in reader.known() {
        options.remove(*key);
    }
    Some(ConnectorEntry { connector, options })
}

fn operator(mut reader: TableReader<'_, '_>, problems: &Problems) -> Option<OperatorEntry> {
    let what = "the path of a .wasm file, relative to the job file";
    let component = reader.text("component", what);
    let component = reader.required(component, "component", what);
    let limits = limits(&mut reader);
    let config = config(&mut reader, problems);
    let outputs = outputs(&mut reader, problems);
    let invalid = reader.choice("on-invalid-record", &POLICIES);
    let trap = reader.choice("on-trap", &POLICIES);
    let recycle_at = reader.recycle_at();
    let mut chosen = invalid.iter().chain(&trap);
    let dead_letter = chosen.find(|policy| *policy.get_ref() == RecordPolicy::DeadLetter);
    let dead_letter_span = dead_letter.map(Spanned::span);
    reader.finish();
    Some(OperatorEntry {
        component: component?,
        limits,
        config,
        outputs,
        policies: RecordPolicies {
            on_invalid_record: policy(invalid),
            on_trap: policy(trap),
        },
        recycle_at,
        dead_letter_span,
    })
}

fn policy(chosen: Option<Spanned<RecordPolicy>>) -> RecordPolicy {
    chosen.map_or(RecordPolicy::Fail, Spanned::into_inner)
}

/// `limits`, with the defaults of those that it does not set.
pub fn limits(reader: &mut TableReader<'_, '_>) -> Limits {
    let mut limits = Limits::default();
    let title = format!("limits of {}", reader.title());
    let Some(mut table) = reader.table("limits", &title) else {
        return limits;
    };
    let memory = table.size("memory");
    let call_timeout = table.duration("call-timeout", Zero::Refused);
    let output = table.size("output");
    let snapshot = table.size("snapshot");
    let memories = table.number("memories", 1..=MOST_MEMORIES);
    let log_lines = table.number("log-lines-per-second", 0..=u32::MAX);
    let log_bytes = table.size("log-bytes-per-second");
    table.finish();
    limits.memory = memory.unwrap_or(limits.memory);
    limits.call_timeout = call_timeout.unwrap_or(limits.call_timeout);
    limits.output = output.unwrap_or(limits.output);
    limits.snapshot = snapshot.unwrap_or(limits.snapshot);
    limits.memories = memories.map_or(limits.memories, Spanned::into_inner);
    limits.log_lines_per_second =
        log_lines.map_or(limits.log_lines_per_second, Spanned::into_inner);
    limits.log_bytes_per_second = log_bytes.unwrap_or(limits.log_bytes_per_second);
    limits
}

/// `config` as JSON text.
pub fn config(reader: &mut TableReader<'_, '_>, problems: &Problems) -> String {
    let none = "{}".to_owned();
    let Some((_, found)) = reader.entry("config") else {
        return none;
    };
    if !found.get_ref().is_table() {
        reader.wrong_type("config", found, "a table");
        return none;
    }
    match value::json(found) {
        Ok(json) => json.to_string(),
        Err(problem) => {
            problems.push(problem);
            none
        }
    }
}

/// The names of the output ports, if the table has them.
pub fn outputs(reader: &mut TableReader<'_, '_>, problems: &Problems) -> Option<Vec<String>> {
    let what = "the names of the output ports, such as [\"main\", \"late\"]";
    let (span, items) = reader.array("outputs", what)?;
    let mut names: Vec<String> = Vec::new();
    for item in items.iter() {
        let name = reader.as_string("outputs", item, "names in quotes")?;
        match refused_port(name.get_ref(), &names) {
            None => names.push(name.into_inner()),
            Some(reason) => {
                let message = format!("{} can't have that output: {reason}", reader.title());
                problems.push(Problem::at(name.span(), message).help(format!("expected {what}")));
                return None;
            }
        }
    }
    if names.is_empty() {
        let message = format!("`outputs` of {} is empty", reader.title());
        problems.push(Problem::at(span, message).help(format!("expected {what}")));
        return None;
    }
    Some(names)
}

fn refused_port(name: &str, before: &[String]) -> Option<&'static str> {
    if name == DEAD_LETTER {
        return Some("`dead-letter` is reserved");
    }
    if before.len() == MOST_PORTS {
        return Some("there can be 1,024");
    }
    if before.iter().any(|other| other == name) {
        return Some("two ports have that name");
    }
    // A number in `from` is a port's index, so a name can't be the number of another port.
    let is_misleading = name
        .parse::<usize>()
        .is_ok_and(|index| index != before.len());
    if is_misleading {
        return Some("its name is the number of another port");
    }
    let is_fine = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    if name.is_empty() || name.len() > 64 || !name.chars().all(is_fine) {
        return Some("a name is 1 to 64 of a-z, A-Z, 0-9, `-` and `_`");
    }
    None
}
