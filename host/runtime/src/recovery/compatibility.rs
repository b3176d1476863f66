//! Decides whether the state of a checkpoint has a place in the current job. Pure.
//!
//! A node's name is its identity. Parallelism and component versions may always change. Continuing
//! the same run needs the same edges, since a changed job graph over the same state is more often a
//! mistake than a wish; a start from a savepoint allows new edges and new nodes. State that would
//! be lost is refused unless its operator is named.

use thiserror::Error;
use tidegate_checkpoint::{Edge, JobGraph, Manifest, Node, Partitioning, SnapshotContents};

use super::changed_options::changed_options;
use super::resumed_subtasks::ended_subtasks;
use crate::CheckpointId;

/// The reason why a checkpoint can't be used for a job.
#[derive(Debug, Error, PartialEq, Eq)]
#[error(
    "checkpoint {checkpoint} of job `{job}` does not fit this job:\n    {}",
    .differences.join("\n    ")
)]
pub struct IncompatibleJob {
    /// The checkpoint.
    pub checkpoint: CheckpointId,
    /// The job that it belongs to.
    pub job: String,
    /// One line for each difference, with the action to take.
    pub differences: Vec<String>,
}

/// A name of an operator that neither exists nor existed, though its state may be dropped.
#[derive(Debug, Error, PartialEq, Eq)]
#[error(
    "state of `{name}` may be dropped, but neither the job nor the checkpoint that it starts from \
     has a node of that name"
)]
pub struct UnknownOperator {
    /// The name.
    pub name: String,
    /// All known names.
    pub known: Vec<String>,
}

/// The changes of a job, since a checkpoint, that do not stand in the way of continuing from it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AllowedChanges {
    /// Operators whose state in the checkpoint may be dropped because the graph lost them.
    pub dropped_state: Vec<String>,
    /// Sources that continue although options that fix their records have changed.
    pub changed_sources: Vec<String>,
}

/// The use of a checkpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Resume {
    /// The run continues from its own newest checkpoint.
    SameRun,
    /// A new run starts from a savepoint or checkpoint that the user named.
    NewRun,
}

/// Compares a checkpoint with the job that is to continue from it.
///
/// # Errors
///
/// [`IncompatibleJob`] lists every difference that stands in the way.
pub(crate) fn check_compatible(
    manifest: &Manifest,
    graph: &JobGraph,
    allowed: &AllowedChanges,
    resume: Resume,
) -> Result<(), IncompatibleJob> {
    let old = &manifest.graph;
    let mut differences = Vec::new();
    if old.job() != graph.job() {
        differences.push(format!(
            "- job `{}`\n    + job `{}`: it is the checkpoint of another job",
            old.job(),
            graph.job()
        ));
    }
    if old.max_parallelism() != graph.max_parallelism() {
        differences.push(format!(
            "- max-parallelism = {}\n    + max-parallelism = {}: it never changes in the life of a \
             job's state",
            old.max_parallelism(),
            graph.max_parallelism()
        ));
    }
    for node in old.nodes() {
        let kept = graph.node(&node.name);
        differences.extend(match kept {
            Some(new) => changed_node(node, new, allowed),
            None if allowed.dropped_state.contains(&node.name) => Vec::new(),
            None => dropped_node(manifest, node, resume).into_iter().collect(),
        });
    }
    if resume == Resume::SameRun {
        differences.extend(changed_wiring(old, graph));
    }
    let edges = graph.edges().iter();
    differences.extend(edges.filter_map(|edge| fed_after_end(manifest, graph, edge)));
    if differences.is_empty() {
        return Ok(());
    }
    Err(IncompatibleJob {
        checkpoint: manifest.checkpoint,
        job: old.job().to_owned(),
        differences,
    })
}

/// Checks the names of operators whose state may be dropped, so that a slip is found.
///
/// # Errors
///
/// The first name that no graph has.
pub(crate) fn check_dropped(
    allowed: &[String],
    graphs: &[&JobGraph],
) -> Result<(), UnknownOperator> {
    let known = |name: &String| graphs.iter().any(|graph| graph.node(name).is_some());
    let Some(unknown) = allowed.iter().find(|name| !known(name)) else {
        return Ok(());
    };
    let nodes = graphs.iter().flat_map(|graph| graph.nodes());
    let mut known: Vec<String> = nodes.map(|node| node.name.clone()).collect();
    known.sort();
    known.dedup();
    Err(UnknownOperator {
        name: unknown.clone(),
        known,
    })
}

fn describe(node: &Node) -> String {
    format!("{} `{}` ({})", node.kind, node.name, node.implementation)
}

fn changed_node(old: &Node, new: &Node, allowed: &AllowedChanges) -> Vec<String> {
    if old.kind != new.kind || old.implementation != new.implementation {
        return vec![format!(
            "- {}\n    + {}: give the new one another name",
            describe(old),
            describe(new)
        )];
    }
    match allowed.changed_sources.contains(&new.name) {
        true => Vec::new(),
        false => changed_options(old, new),
    }
}

fn dropped_node(manifest: &Manifest, node: &Node, resume: Resume) -> Option<String> {
    let mut own = manifest.snapshots_of(&node.name).iter();
    let has_state = own.any(|snapshot| match &snapshot.contents {
        SnapshotContents::Source { .. } => true,
        SnapshotContents::Operator { state } => state.is_some(),
        SnapshotContents::Sink { pending } => !pending.is_empty(),
    });
    let advice = format!("to drop it, add --allow-dropped-state {}", node.name);
    if has_state {
        let line = format!(
            "- {}: the checkpoint has state of it; {advice}",
            describe(node)
        );
        return Some(line);
    }
    (resume == Resume::SameRun).then(|| {
        format!(
            "- {}: it is gone from the job; stop with a savepoint and start --from it, or {advice}",
            describe(node)
        )
    })
}

/// Returns the inputs of a node as lines. `forward` and `rebalance` are alike here: the default of
/// an edge depends on the parallelism, which may change.
fn wiring(graph: &JobGraph, node: &str) -> Vec<String> {
    let inputs = graph.inputs_of(node);
    let origin = |edge: &Edge| match edge.port {
        0 => format!("{}:0", edge.from),
        _ => edge.origin(),
    };
    let lines = inputs.map(|edge| match edge.partitioning {
        Partitioning::Forward | Partitioning::Rebalance => origin(edge),
        Partitioning::Hash | Partitioning::Broadcast => {
            format!("{} ({})", origin(edge), edge.partitioning)
        }
    });
    lines.collect()
}

fn changed_wiring(old: &JobGraph, new: &JobGraph) -> Vec<String> {
    let mut differences = Vec::new();
    let advice = "stop with a savepoint and start --from it";
    for node in new.nodes() {
        if old.node(&node.name).is_none() {
            differences.push(format!("+ {}: it is new; {advice}", describe(node)));
            continue;
        }
        let (before, now) = (wiring(old, &node.name), wiring(new, &node.name));
        if before != now {
            differences.push(format!(
                "- `{name}` reads from {}\n    + `{name}` reads from {}: {advice}",
                before.join(", "),
                now.join(", "),
                name = node.name,
            ));
        }
    }
    differences
}

/// Returns the difference if an edge leads from a subtask that has not finished into one that has:
/// `finish` is called once in the life of a job, so nothing may reach the latter any more.
fn fed_after_end(manifest: &Manifest, graph: &JobGraph, edge: &Edge) -> Option<String> {
    let from = ended_now(manifest, graph, &edge.from);
    let to = ended_now(manifest, graph, &edge.to);
    let mut ended = (0..to.len()).filter(|index| to[*index]);
    let is_fed = |index: usize| match edge.partitioning {
        Partitioning::Forward => !from[index],
        Partitioning::Hash | Partitioning::Rebalance | Partitioning::Broadcast => {
            from.contains(&false)
        }
    };
    ended.any(is_fed).then(|| {
        format!(
            "+ `{to}` reads from `{from}`: the inputs of `{to}` have ended and it has finished, \
             but `{from}` has not; give `{to}` another name to start it afresh",
            to = edge.to,
            from = edge.from,
        )
    })
}

/// Returns which subtasks of a node have ended, at the parallelism of the current job. If only some
/// have and the parallelism has changed, a source or sink continues with the rest; an operator is
/// refused elsewhere.
fn ended_now(manifest: &Manifest, graph: &JobGraph, node: &str) -> Vec<bool> {
    let old = manifest.snapshots_of(node);
    let parallelism = graph.node(node).map_or(0, |node| node.parallelism);
    ended_subtasks(old, parallelism).unwrap_or_else(|| vec![false; parallelism as usize])
}
