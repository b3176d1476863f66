//! The differences between two manifests, for people and scripts. Pure.
//!
//! Source positions are the connectors' own bytes, so they are compared and shown as bytes.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::Serialize;
use tidegate_connector::CheckpointId;

use super::{CheckpointKind, Manifest, SnapshotContents};
use crate::job_graph::{Edge, JobGraph, Node};

/// The differences between two manifests. Ids and times always differ and are left out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ManifestDiff {
    /// The first checkpoint.
    pub before: CheckpointId,
    /// The second checkpoint.
    pub after: CheckpointId,
    /// Changed properties of the whole job: `job`, `lineage`, `max-parallelism`, `has-finished`.
    pub job: Vec<PropertyChange>,
    /// Names of nodes in the second only.
    pub nodes_added: Vec<String>,
    /// Names of nodes in the first only.
    pub nodes_removed: Vec<String>,
    /// Changed properties of nodes in both.
    pub nodes_changed: Vec<NodeChange>,
    /// Edges in the second only.
    pub edges_added: Vec<Edge>,
    /// Edges in the first only.
    pub edges_removed: Vec<Edge>,
    /// Source splits with a changed position, and splits in one of the two only.
    pub positions: Vec<PositionChange>,
    /// Operators with changed state.
    pub state: Vec<StateChange>,
}

/// A named value that has changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PropertyChange {
    /// Its name.
    pub property: String,
    /// In the first.
    pub before: String,
    /// In the second.
    pub after: String,
}

/// A changed property of a node.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct NodeChange {
    /// The node.
    pub node: String,
    /// The property: `kind`, `parallelism`, `implementation`, `digest`, `outputs` or
    /// `options`.
    #[serde(flatten)]
    pub change: PropertyChange,
}

/// A source split with a changed position.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PositionChange {
    /// The source.
    pub source: String,
    /// The split's name.
    pub split: String,
    /// The connector's bytes in the first, in hexadecimal; `None` if the first lacks the split.
    pub before: Option<String>,
    /// In the second.
    pub after: Option<String>,
}

/// An operator with changed state.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct StateChange {
    /// The operator.
    pub operator: String,
    /// Bytes of its state files in the first.
    pub bytes_before: u64,
    /// In the second.
    pub bytes_after: u64,
}

impl ManifestDiff {
    /// Compares two manifests, of the same job or not. The function calls `state_differs` once for
    /// each operator in both manifests. It must compare the chunks of their state, because the
    /// headers of the state files of two checkpoints always differ.
    #[must_use]
    pub fn between(
        before: &Manifest,
        after: &Manifest,
        state_differs: impl FnMut(&str) -> bool,
    ) -> Self {
        let (old, new) = (&before.graph, &after.graph);
        Self {
            before: before.checkpoint,
            after: after.checkpoint,
            job: job_changes(before, after),
            nodes_added: only_in(new, old),
            nodes_removed: only_in(old, new),
            nodes_changed: node_changes(old, new),
            edges_added: edges_only_in(new, old),
            edges_removed: edges_only_in(old, new),
            positions: position_changes(before, after),
            state: state_changes(before, after, state_differs),
        }
    }

    /// True if nothing differs but ids and times.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        let Self {
            before: _,
            after: _,
            job,
            nodes_added,
            nodes_removed,
            nodes_changed,
            edges_added,
            edges_removed,
            positions,
            state,
        } = self;
        let graph = [nodes_added, nodes_removed]
            .iter()
            .all(|names| names.is_empty())
            && [edges_added, edges_removed]
                .iter()
                .all(|edges| edges.is_empty());
        graph
            && job.is_empty()
            && nodes_changed.is_empty()
            && positions.is_empty()
            && state.is_empty()
    }
}

impl ManifestDiff {
    /// Returns a line for each difference, for people. Names may hold any character: the caller
    /// escapes every line.
    #[must_use]
    pub fn lines(&self) -> Vec<String> {
        let mut lines = vec![format!("checkpoint {} -> {}", self.before, self.after)];
        if self.is_empty() {
            lines.push("  no difference".to_owned());
            return lines;
        }
        lines.extend(self.job.iter().map(|change| format!("~ {change}")));
        let nodes = |sign: char, nodes: &[String]| -> Vec<String> {
            let line = |node: &String| format!("{sign} node {node}");
            nodes.iter().map(line).collect()
        };
        lines.extend(nodes('-', &self.nodes_removed));
        lines.extend(nodes('+', &self.nodes_added));
        let changed = self.nodes_changed.iter();
        lines.extend(changed.map(|NodeChange { node, change }| format!("~ node {node}: {change}")));
        lines.extend(self.edges_removed.iter().map(|edge| edge_line('-', edge)));
        lines.extend(self.edges_added.iter().map(|edge| edge_line('+', edge)));
        lines.extend(
            self.positions
                .iter()
                .map(|position| format!("~ {position}")),
        );
        lines.extend(self.state.iter().map(|state| format!("~ {state}")));
        lines
    }
}

impl fmt::Display for PropertyChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} -> {}", self.property, self.before, self.after)
    }
}

impl fmt::Display for PositionChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (before, after) = (self.before.as_deref(), self.after.as_deref());
        let (before, after) = (before.unwrap_or("none"), after.unwrap_or("none"));
        let Self { source, split, .. } = self;
        write!(
            f,
            "source {source}: position of {split} {before} -> {after}"
        )
    }
}

impl fmt::Display for StateChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (operator, before, after) = (&self.operator, self.bytes_before, self.bytes_after);
        write!(f, "state of {operator}: {before} -> {after} bytes")
    }
}

fn edge_line(sign: char, edge: &Edge) -> String {
    let Edge {
        from,
        port,
        to,
        partitioning,
    } = edge;
    format!("{sign} edge {from}:{port} -> {to} ({partitioning})")
}

fn changed(property: &str, before: impl ToString, after: impl ToString) -> Option<PropertyChange> {
    let (before, after) = (before.to_string(), after.to_string());
    (before != after).then(|| PropertyChange {
        property: property.to_owned(),
        before,
        after,
    })
}

fn job_changes(before: &Manifest, after: &Manifest) -> Vec<PropertyChange> {
    let (old, new) = (&before.graph, &after.graph);
    [
        changed("job", old.job(), new.job()),
        changed("lineage", before.lineage, after.lineage),
        changed(
            "max-parallelism",
            old.max_parallelism(),
            new.max_parallelism(),
        ),
        changed("has-finished", has_finished(before), has_finished(after)),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn has_finished(manifest: &Manifest) -> bool {
    manifest.kind == CheckpointKind::Final
}

fn only_in(one: &JobGraph, other: &JobGraph) -> Vec<String> {
    let names = one.nodes().iter().map(|node| &node.name);
    names
        .filter(|name| other.node(name).is_none())
        .cloned()
        .collect()
}

fn edges_only_in(one: &JobGraph, other: &JobGraph) -> Vec<Edge> {
    let edges = one.edges().iter();
    edges
        .filter(|edge| !other.edges().contains(edge))
        .cloned()
        .collect()
}

fn node_changes(before: &JobGraph, after: &JobGraph) -> Vec<NodeChange> {
    let mut changes = Vec::new();
    for old in before.nodes() {
        let Some(new) = after.node(&old.name) else {
            continue;
        };
        let properties = property_changes(old, new);
        changes.extend(properties.map(|change| NodeChange {
            node: old.name.clone(),
            change,
        }));
    }
    changes
}

fn property_changes(old: &Node, new: &Node) -> impl Iterator<Item = PropertyChange> {
    let digest = |node: &Node| node.digest.clone().unwrap_or_else(|| "none".to_owned());
    [
        changed("kind", old.kind, new.kind),
        changed("parallelism", old.parallelism, new.parallelism),
        changed("implementation", &old.implementation, &new.implementation),
        changed("digest", digest(old), digest(new)),
        changed("outputs", old.outputs.join(", "), new.outputs.join(", ")),
        changed("options", options(old), options(new)),
    ]
    .into_iter()
    .flatten()
}

/// Returns the options of a node in one line.
fn options(node: &Node) -> String {
    let options = node.options.iter();
    let options = options.map(|option| format!("{} = {}", option.key, option.value));
    options.collect::<Vec<_>>().join(", ")
}

/// Returns the positions by source and split, regardless of the subtask that reads a split.
fn positions_of(manifest: &Manifest) -> BTreeMap<(&str, &str), &[u8]> {
    let mut positions = BTreeMap::new();
    for snapshot in &manifest.subtasks {
        if let SnapshotContents::Source { splits } = &snapshot.contents {
            for split in splits {
                let source = &*snapshot.subtask.operator;
                positions.insert((source, &*split.name), &*split.position);
            }
        }
    }
    positions
}

fn position_changes(before: &Manifest, after: &Manifest) -> Vec<PositionChange> {
    let (old, new) = (positions_of(before), positions_of(after));
    let splits: BTreeSet<_> = old.keys().chain(new.keys()).copied().collect();
    let differs = |split: &(&str, &str)| old.get(split) != new.get(split);
    let change = |split: (&str, &str)| PositionChange {
        source: split.0.to_owned(),
        split: split.1.to_owned(),
        before: old.get(&split).map(|position| hexadecimal(position)),
        after: new.get(&split).map(|position| hexadecimal(position)),
    };
    splits.into_iter().filter(differs).map(change).collect()
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Returns the bytes of state files by operator, without operators that have no state.
fn state_bytes_of(manifest: &Manifest) -> BTreeMap<&str, u64> {
    let mut bytes = BTreeMap::new();
    for (subtask, file) in manifest.state_files() {
        *bytes.entry(&*subtask.operator).or_default() += file.length;
    }
    bytes
}

fn state_changes(
    before: &Manifest,
    after: &Manifest,
    mut state_differs: impl FnMut(&str) -> bool,
) -> Vec<StateChange> {
    let (old, new) = (state_bytes_of(before), state_bytes_of(after));
    let operators: BTreeSet<_> = old.keys().chain(new.keys()).copied().collect();
    let mut differs = |operator: &&str| match (old.get(operator), new.get(operator)) {
        (Some(before), Some(after)) => before != after || state_differs(operator),
        (None, _) | (_, None) => true,
    };
    let change = |operator: &str| StateChange {
        operator: operator.to_owned(),
        bytes_before: old.get(operator).copied().unwrap_or(0),
        bytes_after: new.get(operator).copied().unwrap_or(0),
    };
    operators
        .into_iter()
        .filter(|operator| differs(operator))
        .map(change)
        .collect()
}
