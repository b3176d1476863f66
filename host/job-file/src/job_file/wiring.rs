//! From entries that name each other to a [`JobGraph`]: looks up names and ports, applies the
//! defaults of parallelism and partitioning, and places rejections by the graph in the file. Pure.

use std::collections::{BTreeMap, HashMap, HashSet};

use tidegate_checkpoint::{
    DEAD_LETTER, DEAD_LETTER_PORT, Edge, GraphError, JobGraph, Node, NodeKind, Partitioning,
};
use tidegate_connector::source::FixedOption;
use tidegate_runtime::graph::GraphCost;
use toml::Spanned;

use super::document::{Document, InputEntry, NodeEntry, PartEntry};
use crate::config_file::problem::{Problem, Problems, Span};
use crate::config_file::setting::Placed;
use crate::config_file::suggest;

/// The most ports of an operator without `outputs`; more ports need names.
const UNNAMED_PORTS: u32 = 64;

/// Nodes and edges, each edge with a known upstream node and port.
pub(crate) struct Wiring {
    nodes: Vec<Node>,
    edges: Vec<Edge>,
}

/// The parts of nodes that are known once connectors are made and components are loaded, by node.
#[derive(Default)]
pub(crate) struct FoundParts {
    /// The digests of components.
    pub(crate) digests: BTreeMap<String, String>,
    /// The options that fix the records of sources.
    pub(crate) options: BTreeMap<String, Vec<FixedOption>>,
}

/// Looks up the names in the entries. `parallelism` is for nodes that set none.
pub(crate) fn wire(document: &Document<'_>, parallelism: u32, problems: &Problems) -> Wiring {
    let entries = &document.nodes.usable;
    check_names(entries, problems);
    let lookup = Lookup::new(document, problems);
    let mut ports: BTreeMap<&str, u32> = BTreeMap::new();
    let mut edges = Vec::new();
    for (entry, input) in entries
        .iter()
        .flat_map(|e| e.inputs.iter().map(move |i| (e, i)))
    {
        let Some((from, port)) = lookup.upstream(entry, input) else {
            continue;
        };
        if port != DEAD_LETTER_PORT {
            let most = ports.entry(from.name.get_ref()).or_default();
            *most = port.max(*most);
        }
        let parallelism_of = |entry: &NodeEntry<'_>| {
            entry
                .parallelism
                .as_ref()
                .map_or(parallelism, |own| *own.get_ref())
        };
        let default = if parallelism_of(from) == parallelism_of(entry) {
            Partitioning::Forward
        } else {
            Partitioning::Rebalance
        };
        edges.push(Edge {
            from: from.name.get_ref().clone(),
            port,
            to: entry.name.get_ref().clone(),
            partitioning: input
                .partition
                .as_ref()
                .map_or(default, |given| *given.get_ref()),
        });
    }
    check_dead_letters(document, &edges, problems);
    check_broadcasts(document, parallelism, problems);
    let node = |entry: &NodeEntry<'_>| Node {
        name: entry.name.get_ref().clone(),
        kind: entry.kind(),
        parallelism: entry
            .parallelism
            .as_ref()
            .map_or(parallelism, |own| *own.get_ref()),
        implementation: implementation(&entry.part),
        digest: None,
        options: Vec::new(),
        outputs: outputs(entry, ports.get(entry.name.get_ref().as_str()).copied()),
    };
    Wiring {
        nodes: entries.iter().map(node).collect(),
        edges,
    }
}

impl Wiring {
    /// Returns the graph, with the parts of its nodes that are known.
    pub(crate) fn graph(
        &self,
        document: &Document<'_>,
        found: &FoundParts,
    ) -> Result<JobGraph, GraphError> {
        let mut nodes = self.nodes.clone();
        for node in &mut nodes {
            node.digest = found.digests.get(&node.name).cloned();
            let options = found.options.get(&node.name).cloned();
            node.options = options.unwrap_or_default();
        }
        let max = document.defaults.max_parallelism.value;
        let graph = JobGraph::new(document.name.clone(), max, nodes, self.edges.clone())?;
        GraphCost::of(&graph).check()?;
        Ok(graph)
    }
}

/// Returns the graph's error as a problem, at its place in the file.
pub(crate) fn place(
    error: &GraphError,
    document: &Document<'_>,
    parallelism: &Placed<u32>,
) -> Problem {
    let entry = |name: &str| {
        document
            .nodes
            .usable
            .iter()
            .find(|e| e.name.get_ref() == name)
    };
    let header = |name: &str| entry(name).map(|entry| entry.name.span());
    let inputs = |name: &str| entry(name).map(|entry| entry.inputs_span.clone());
    let span: Option<Span> = match error {
        GraphError::DuplicateName { node }
        | GraphError::BadName { node }
        | GraphError::SourceReads { node, .. } => header(node),
        GraphError::UnknownNode { node, .. }
        | GraphError::NoInputs { node }
        | GraphError::ReadsFromSink { node, .. }
        | GraphError::UnknownPort { node, .. }
        | GraphError::UnequalParallelism { node, .. } => inputs(node),
        // The last node is the first again: its `inputs` close the cycle.
        GraphError::Cycle { nodes } => nodes.last().and_then(|node| inputs(node)),
        GraphError::Parallelism { node, .. } => match entry(node) {
            Some(NodeEntry {
                parallelism: Some(own),
                ..
            }) => Some(own.span()),
            Some(_) | None => parallelism.span.clone(),
        },
        GraphError::MaxParallelism { .. } => document.defaults.max_parallelism.span.clone(),
        GraphError::Missing { .. } | GraphError::TooLarge { .. } => None,
    };
    let mut problem = Problem::of_file(error.to_string());
    problem.span = span;
    problem.help = match error {
        GraphError::Cycle { .. } => {
            Some("expected a graph without cycles: a barrier can't pass a cycle".to_owned())
        }
        GraphError::Missing { missing } => Some(format!("expected a table [{missing}.NAME]")),
        GraphError::TooLarge { .. } => Some(
            "expected a smaller `parallelism`, `forward` where records may stay in their \
             subtask, or several jobs"
                .to_owned(),
        ),
        GraphError::DuplicateName { .. }
        | GraphError::UnknownNode { .. }
        | GraphError::NoInputs { .. }
        | GraphError::ReadsFromSink { .. }
        | GraphError::UnknownPort { .. }
        | GraphError::UnequalParallelism { .. }
        | GraphError::Parallelism { .. }
        | GraphError::MaxParallelism { .. }
        | GraphError::BadName { .. }
        | GraphError::SourceReads { .. } => None,
    };
    problem
}

/// Reports dead letters that no node reads: such a record would be lost without a trace.
fn check_dead_letters(document: &Document<'_>, edges: &[Edge], problems: &Problems) {
    let nodes = &document.nodes;
    let letters = edges.iter().filter(|edge| edge.port == DEAD_LETTER_PORT);
    let read: HashSet<&str> = letters.map(|edge| edge.from.as_str()).collect();
    for entry in &nodes.usable {
        let (name, span) = (entry.name.get_ref(), &entry.dead_letter_span);
        // The reader may be a node that could not be parsed.
        let is_read = read.contains(name.as_str()) || !nodes.unusable.is_empty();
        if let (Some(span), false) = (span, is_read) {
            let message = format!("no node reads the dead letters of {}", entry.title());
            let input = format!("{{ from = \"{name}:{DEAD_LETTER}\" }}");
            let help = format!("expected a sink or operator with `inputs = [{input}]`");
            problems.push(Problem::at(span.clone(), message).help(help));
        }
    }
}

/// Keyed state contains only the key groups of its subtask. A broadcast record belongs to one of
/// them, and fails in all others; there is no broadcast state yet that could hold it.
fn check_broadcasts(document: &Document<'_>, parallelism: u32, problems: &Problems) {
    for entry in &document.nodes.usable {
        let has_input = |partitioning: Partitioning| {
            let mut given = entry.inputs.iter().filter_map(|i| i.partition.as_ref());
            given.any(|given| *given.get_ref() == partitioning)
        };
        let own = entry.parallelism.as_ref().map(|own| *own.get_ref());
        let is_alone = own.unwrap_or(parallelism) <= 1;
        let is_mixed = has_input(Partitioning::Hash) && has_input(Partitioning::Broadcast);
        if entry.kind() == NodeKind::Operator && is_mixed && !is_alone {
            let message = format!(
                "{} has an input with `partition = \"hash\"` and an input with `partition = \
                 \"broadcast\"`: a broadcast record reaches every subtask, but a subtask has \
                 state only for its own keys, and there is no broadcast state yet",
                entry.title()
            );
            let help = "expected `parallelism = 1`, so that one subtask has every key, or an \
                        operator for each of the two inputs";
            problems.push(Problem::at(entry.inputs_span.clone(), message).help(help));
        }
    }
}

/// Reports duplicate names: sources, operators and sinks share one namespace.
fn check_names(entries: &[NodeEntry<'_>], problems: &Problems) {
    let mut seen: BTreeMap<&str, &NodeEntry<'_>> = BTreeMap::new();
    for entry in entries {
        let name = entry.name.get_ref().as_str();
        if let Some(first) = seen.insert(name, entry) {
            let message = format!("{} has the same name as {}", entry.title(), first.title());
            let help = "expected another name: checkpoints identify nodes by their names";
            problems.push(Problem::at(entry.name.span(), message).help(help));
        }
    }
}

fn implementation(part: &PartEntry<'_>) -> String {
    match part {
        PartEntry::Source(entry) | PartEntry::Sink(entry) => entry.connector.get_ref().clone(),
        PartEntry::Operator(_) => "component".to_owned(),
    }
}

/// Returns the port names. An operator without `outputs` has as many ports as are read, and at
/// least one.
fn outputs(entry: &NodeEntry<'_>, most: Option<u32>) -> Vec<String> {
    match &entry.part {
        PartEntry::Source(_) => vec![MAIN.to_owned()],
        PartEntry::Sink(_) => Vec::new(),
        PartEntry::Operator(operator) => match &operator.outputs {
            Some(names) => names.clone(),
            None => (0..=most.unwrap_or(0)).map(unnamed_port).collect(),
        },
    }
}

/// The name of the first port of nodes that name none.
const MAIN: &str = "main";

fn unnamed_port(port: u32) -> String {
    match port {
        0 => MAIN.to_owned(),
        other => other.to_string(),
    }
}

/// Finds upstream nodes and their ports.
struct Lookup<'a, 'i> {
    document: &'a Document<'i>,
    by_name: HashMap<&'a str, &'a NodeEntry<'i>>,
    problems: &'a Problems,
}

impl<'a, 'i> Lookup<'a, 'i> {
    fn new(document: &'a Document<'i>, problems: &'a Problems) -> Self {
        let mut by_name = HashMap::new();
        for entry in &document.nodes.usable {
            by_name
                .entry(entry.name.get_ref().as_str())
                .or_insert(entry);
        }
        Self {
            document,
            by_name,
            problems,
        }
    }

    /// Returns the node and port that an input names, or `None` after reporting an unknown one.
    fn upstream(
        &self,
        entry: &NodeEntry<'_>,
        input: &InputEntry,
    ) -> Option<(&'a NodeEntry<'i>, u32)> {
        let written = input.from.get_ref().as_str();
        let (name, port) = match written.split_once(':') {
            Some((name, port)) => (name, Some(port)),
            None => (written, None),
        };
        let Some(from) = self.by_name.get(name).copied() else {
            let mut unusable = self.document.nodes.unusable.iter();
            if !unusable.any(|unusable| unusable == name) {
                self.unknown_node(entry, &input.from, name);
            }
            return None;
        };
        if from.kind() == NodeKind::Sink {
            let message = format!("{} reads from {}", entry.title(), from.title());
            let help = "expected a source or an operator: a sink has no output";
            self.problems
                .push(Problem::at(input.from.span(), message).help(help));
            return None;
        }
        match port.map_or(Ok(0), |port| port_of(from, port)) {
            Ok(port) => Some((from, port)),
            Err((reason, help)) => {
                let message = format!("{} reads from `{written}`: {reason}", entry.title());
                let mut problem = Problem::at(input.from.span(), message);
                problem.help = help;
                self.problems.push(problem);
                None
            }
        }
    }

    fn unknown_node(&self, entry: &NodeEntry<'_>, from: &Spanned<String>, name: &str) {
        let message = format!(
            "{} reads from `{name}`, which does not exist",
            entry.title()
        );
        let nodes = &self.document.nodes.usable;
        let readable = nodes.iter().filter(|node| node.kind() != NodeKind::Sink);
        let names = readable.map(|node| node.name.get_ref().as_str());
        let mut problem = Problem::at(from.span(), message);
        if !self.problems.is_full() {
            let others = names.filter(|name| *name != entry.name.get_ref());
            problem.help = suggest::expected(name, others);
        }
        self.problems.push(problem);
    }
}

/// Parses the number or name of a port; on failure returns the reason and the help.
fn port_of(from: &NodeEntry<'_>, port: &str) -> Result<u32, (String, Option<String>)> {
    if port == DEAD_LETTER {
        return dead_letter_port(from);
    }
    let names: Vec<&str> = match &from.part {
        PartEntry::Operator(operator) => match &operator.outputs {
            Some(names) => names.iter().map(String::as_str).collect(),
            None => return unnamed_port_of(from, port),
        },
        PartEntry::Source(_) | PartEntry::Sink(_) => vec![MAIN],
    };
    if let Some(index) = names.iter().position(|name| *name == port) {
        return Ok(u32::try_from(index).expect("a job file has fewer ports than bytes"));
    }
    let count = names.len();
    match port.parse::<u32>() {
        Ok(number) if (number as usize) < count => Ok(number),
        Ok(_) => {
            let reason = format!(
                "{} has {count} output port(s), numbered from 0",
                from.title()
            );
            Err((reason, None))
        }
        Err(_) => {
            let reason = format!("{} has no output port of that name", from.title());
            Err((reason, suggest::expected(port, names.iter().copied())))
        }
    }
}

fn unnamed_port_of(from: &NodeEntry<'_>, port: &str) -> Result<u32, (String, Option<String>)> {
    if port == MAIN {
        return Ok(0);
    }
    match port.parse::<u32>() {
        Ok(number) if number < UNNAMED_PORTS => Ok(number),
        Ok(_) => {
            let reason = format!("{} names no `outputs`", from.title());
            Err((
                reason,
                Some(format!("expected a port from 0 to {}", UNNAMED_PORTS - 1)),
            ))
        }
        Err(_) => {
            let reason = format!("{} names no `outputs`", from.title());
            let help = "expected a port number, or `outputs = [\"main\", ..]` with the port's name";
            Err((reason, Some(help.to_owned())))
        }
    }
}

/// Returns the reserved port of a source or operator that sends dead letters.
fn dead_letter_port(from: &NodeEntry<'_>) -> Result<u32, (String, Option<String>)> {
    if from.dead_letter_span.is_some() {
        return Ok(DEAD_LETTER_PORT);
    }
    let reason = format!("{} sends no dead letters", from.title());
    let keys: &[&str] = match from.kind() {
        NodeKind::Source | NodeKind::Sink => &["on-invalid-record"],
        NodeKind::Operator => &["on-invalid-record", "on-trap"],
    };
    let keys: Vec<String> = keys
        .iter()
        .map(|key| format!("`{key} = \"{DEAD_LETTER}\"`"))
        .collect();
    let table = format!("[{}.{}]", from.kind(), from.name.get_ref());
    let help = format!("expected {} in {table}", keys.join(" or "));
    Err((reason, Some(help)))
}
