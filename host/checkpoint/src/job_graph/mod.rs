//! The job graph that the user has described. Pure.
//!
//! Every [`JobGraph`] is valid: names are unique, edges connect existing ports, there is no cycle,
//! and parallelisms fit. Every manifest stores it, so that a changed job can be compared with it.

mod error;
mod node_index;

use std::collections::{HashMap, HashSet};
use std::fmt;

use serde::{Deserialize, Serialize};
use tidegate_connector::source::FixedOption;

use self::node_index::NodeIndex;

pub use error::GraphError;

/// The most nodes of a job.
pub const MOST_NODES: u64 = 20_000;

/// The role of a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum NodeKind {
    /// Produces records; has no inputs and one output port.
    Source,
    /// A component; has inputs and output ports.
    Operator,
    /// Takes records; has no output port.
    Sink,
}

impl fmt::Display for NodeKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Source => "source",
            Self::Operator => "operator",
            Self::Sink => "sink",
        })
    }
}

/// The rule by which an edge picks the channel for a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Partitioning {
    /// Subtask i to subtask i.
    Forward,
    /// To the subtask that owns the key group of the record's key.
    Hash,
    /// To each subtask in turn, a batch at a time.
    Rebalance,
    /// To every subtask.
    Broadcast,
}

impl fmt::Display for Partitioning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Forward => "forward",
            Self::Hash => "hash",
            Self::Rebalance => "rebalance",
            Self::Broadcast => "broadcast",
        })
    }
}

/// A source, operator or sink.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Node {
    /// Its identity in checkpoints: 1 to 64 of `a-zA-Z0-9-_`.
    pub name: String,
    /// Its role.
    pub kind: NodeKind,
    /// The number of its subtasks.
    pub parallelism: u32,
    /// The connector's name, or `component`.
    pub implementation: String,
    /// BLAKE3 of the component's bytes, in hexadecimal; none for sources and sinks.
    pub digest: Option<String>,
    /// The names of its output ports, by port. A source has one, a sink none.
    pub outputs: Vec<String>,
    /// The options that fix the records of a source; empty for operators and sinks.
    pub options: Vec<FixedOption>,
}

/// The reserved output port of a source or operator for records that it can't process. A guest
/// can't emit to this port.
pub const DEAD_LETTER_PORT: u32 = u32::MAX;

/// The name of that port in job files, as in `count:dead-letter`.
pub const DEAD_LETTER: &str = "dead-letter";

/// The origin of the records of one input. Input `i` of a node is its `i`-th edge.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Edge {
    /// The upstream node's name.
    pub from: String,
    /// Its output port, or [`DEAD_LETTER_PORT`].
    pub port: u32,
    /// The downstream node's name.
    pub to: String,
    /// The rule that spreads records over the downstream subtasks.
    pub partitioning: Partitioning,
}

impl Edge {
    /// Returns the upstream end as text, with the port's number for its name: `count`, `count:1` or
    /// `count:dead-letter`.
    #[must_use]
    pub fn origin(&self) -> String {
        match self.port {
            0 => self.from.clone(),
            DEAD_LETTER_PORT => format!("{}:{DEAD_LETTER}", self.from),
            port => format!("{}:{port}", self.from),
        }
    }
}

/// A valid job graph.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "StoredGraph")]
pub struct JobGraph {
    job: String,
    max_parallelism: u32,
    nodes: Vec<Node>,
    edges: Vec<Edge>,
    #[serde(skip)]
    index: NodeIndex,
}

/// The form of a graph in a manifest.
#[derive(Deserialize)]
struct StoredGraph {
    job: String,
    max_parallelism: u32,
    nodes: Vec<Node>,
    edges: Vec<Edge>,
}

impl From<StoredGraph> for JobGraph {
    fn from(stored: StoredGraph) -> Self {
        Self {
            index: NodeIndex::of(&stored.nodes, &stored.edges),
            job: stored.job,
            max_parallelism: stored.max_parallelism,
            nodes: stored.nodes,
            edges: stored.edges,
        }
    }
}

impl JobGraph {
    /// Checks a graph and wraps it. The edges of one node must be in the order of its inputs.
    ///
    /// # Errors
    ///
    /// The first [`GraphError`] found.
    pub fn new(
        job: String,
        max_parallelism: u32,
        nodes: Vec<Node>,
        edges: Vec<Edge>,
    ) -> Result<Self, GraphError> {
        let graph = Self {
            index: NodeIndex::of(&nodes, &edges),
            job,
            max_parallelism,
            nodes,
            edges,
        };
        graph.check_nodes()?;
        graph.check_edges()?;
        graph.check_acyclic()?;
        Ok(graph)
    }

    /// The job's name.
    #[must_use]
    pub fn job(&self) -> &str {
        &self.job
    }

    /// Number of key groups.
    #[must_use]
    pub fn max_parallelism(&self) -> u32 {
        self.max_parallelism
    }

    /// All nodes, in the order given.
    #[must_use]
    pub fn nodes(&self) -> &[Node] {
        &self.nodes
    }

    /// All edges, in the order given.
    #[must_use]
    pub fn edges(&self) -> &[Edge] {
        &self.edges
    }

    /// The node of that name.
    #[must_use]
    pub fn node(&self, name: &str) -> Option<&Node> {
        self.index.node(name).map(|at| &self.nodes[at])
    }

    /// The edges into a node, in the order of its inputs.
    pub fn inputs_of(&self, name: &str) -> impl Iterator<Item = &Edge> {
        let edges = self.index.inputs_of(name).iter();
        edges.map(|at| &self.edges[*at])
    }

    /// The edges out of a node.
    pub fn outputs_of(&self, name: &str) -> impl Iterator<Item = &Edge> {
        let edges = self.index.outputs_of(name).iter();
        edges.map(|at| &self.edges[*at])
    }

    fn check_nodes(&self) -> Result<(), GraphError> {
        let max = self.max_parallelism;
        if !(1..=1 << 15).contains(&max) {
            return Err(GraphError::MaxParallelism { max });
        }
        let nodes = self.nodes.len() as u64;
        if nodes > MOST_NODES {
            return Err(GraphError::TooLarge {
                of: "nodes",
                count: nodes,
                most: MOST_NODES,
            });
        }
        let mut seen = HashSet::new();
        for node in &self.nodes {
            if !is_name(&node.name) {
                let node = node.name.clone();
                return Err(GraphError::BadName { node });
            }
            if !seen.insert(&node.name) {
                let node = node.name.clone();
                return Err(GraphError::DuplicateName { node });
            }
            if !(1..=max).contains(&node.parallelism) {
                return Err(GraphError::Parallelism {
                    node: node.name.clone(),
                    parallelism: node.parallelism,
                    max,
                });
            }
        }
        for (kind, missing) in [(NodeKind::Source, "source"), (NodeKind::Sink, "sink")] {
            if !self.nodes.iter().any(|node| node.kind == kind) {
                return Err(GraphError::Missing { missing });
            }
        }
        Ok(())
    }

    fn check_edges(&self) -> Result<(), GraphError> {
        let by_name: HashMap<&str, &Node> = self.nodes.iter().map(|n| (&*n.name, n)).collect();
        for edge in &self.edges {
            let unknown = || GraphError::UnknownNode {
                node: edge.to.clone(),
                from: edge.from.clone(),
            };
            let from = by_name.get(&*edge.from).ok_or_else(unknown)?;
            let to = by_name.get(&*edge.to).ok_or_else(unknown)?;
            check_edge(edge, from, to)?;
        }
        let readers: HashSet<&str> = self.edges.iter().map(|edge| &*edge.to).collect();
        for node in &self.nodes {
            if node.kind != NodeKind::Source && !readers.contains(&*node.name) {
                let node = node.name.clone();
                return Err(GraphError::NoInputs { node });
            }
        }
        Ok(())
    }

    fn check_acyclic(&self) -> Result<(), GraphError> {
        match self.topological_order() {
            Ok(_) => Ok(()),
            Err(in_cycle) => Err(GraphError::Cycle {
                nodes: self.trace_cycle(&in_cycle),
            }),
        }
    }

    /// Returns the node indices in topological order, upstream nodes first (Kahn 1962).
    ///
    /// # Errors
    ///
    /// The nodes on a cycle or downstream of one.
    pub fn topological_order(&self) -> Result<Vec<usize>, Vec<usize>> {
        let index: HashMap<&str, usize> = self
            .nodes
            .iter()
            .enumerate()
            .map(|(i, node)| (&*node.name, i))
            .collect();
        let mut downstream = vec![Vec::new(); self.nodes.len()];
        let mut waits_for = vec![0usize; self.nodes.len()];
        for edge in &self.edges {
            downstream[index[&*edge.from]].push(index[&*edge.to]);
            waits_for[index[&*edge.to]] += 1;
        }
        let mut order: Vec<usize> = (0..waits_for.len())
            .filter(|node| waits_for[*node] == 0)
            .collect();
        let mut done = 0;
        while let Some(node) = order.get(done).copied() {
            done += 1;
            for next in &downstream[node] {
                waits_for[*next] -= 1;
                if waits_for[*next] == 0 {
                    order.push(*next);
                }
            }
        }
        if order.len() == self.nodes.len() {
            Ok(order)
        } else {
            Err((0..waits_for.len()).filter(|n| waits_for[*n] > 0).collect())
        }
    }

    /// Walks upstream among the unordered nodes until it meets a node twice. Each of them reads
    /// from another of them, so the walk can't end otherwise.
    fn trace_cycle(&self, in_cycle: &[usize]) -> Vec<String> {
        let names: HashSet<&str> = in_cycle.iter().map(|i| &*self.nodes[*i].name).collect();
        let waiting = self.edges.iter().filter(|edge| names.contains(&*edge.from));
        let upstream: HashMap<&str, &str> = waiting.map(|e| (&*e.to, &*e.from)).collect();
        let mut at = &*self.nodes[in_cycle[0]].name;
        let mut walk = Vec::new();
        let mut place_in_walk = HashMap::new();
        while !place_in_walk.contains_key(at) {
            place_in_walk.insert(at, walk.len());
            walk.push(at.to_owned());
            let up = upstream.get(at);
            at = up.expect("a node that can't be ordered waits for another one");
        }
        let mut cycle = walk.split_off(place_in_walk[at]);
        cycle.push(at.to_owned());
        cycle.reverse();
        cycle
    }
}

fn check_edge(edge: &Edge, from: &Node, to: &Node) -> Result<(), GraphError> {
    if from.kind == NodeKind::Sink {
        return Err(GraphError::ReadsFromSink {
            node: to.name.clone(),
            from: from.name.clone(),
        });
    }
    if to.kind == NodeKind::Source {
        return Err(GraphError::SourceReads {
            node: to.name.clone(),
            from: from.name.clone(),
        });
    }
    if edge.port != DEAD_LETTER_PORT && edge.port as usize >= from.outputs.len() {
        return Err(GraphError::UnknownPort {
            node: to.name.clone(),
            from: from.name.clone(),
            port: edge.port,
            ports: from.outputs.len(),
        });
    }
    if edge.partitioning == Partitioning::Forward && from.parallelism != to.parallelism {
        return Err(GraphError::UnequalParallelism {
            from: from.name.clone(),
            from_parallelism: from.parallelism,
            node: to.name.clone(),
            parallelism: to.parallelism,
            partitioning: edge.partitioning,
        });
    }
    Ok(())
}

/// Returns whether `name` may appear in names of state files and in messages without quotes.
fn is_name(name: &str) -> bool {
    (1..=64).contains(&name.len())
        && name
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
}
