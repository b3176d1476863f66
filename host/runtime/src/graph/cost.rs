//! The parts that a job graph creates when it runs: counted from its parallelisms, so that a job
//! that no machine can run is refused before anything is created. Pure.

use std::collections::HashMap;

use tidegate_checkpoint::{GraphError, JobGraph, NodeKind, Partitioning};

use super::chaining::Chaining;

/// The most subtasks of a job.
pub const MOST_SUBTASKS: u64 = 100_000;
/// The most channels of a job.
pub const MOST_CHANNELS: u64 = 1_000_000;

/// The parts that a job graph creates in each attempt.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct GraphCost {
    /// Subtasks of all nodes.
    pub subtasks: u64,
    /// Subtasks of operators, each with an instance of its component.
    pub instances: u64,
    /// Chains, each with a thread.
    pub chains: u64,
    /// Channels between chains.
    pub channels: u64,
}

impl GraphCost {
    /// Counts the parts of a graph. Takes time in proportion to nodes and edges, whatever their
    /// parallelism.
    #[must_use]
    pub fn of(graph: &JobGraph) -> Self {
        let order = graph.topological_order();
        let order = order.expect("a job graph that exists has no cycle");
        let chaining = Chaining::new(graph, &order);
        let mut cost = Self::default();
        let mut parallelism = HashMap::new();
        for node in graph.nodes() {
            let subtasks = u64::from(node.parallelism);
            parallelism.insert(&*node.name, subtasks);
            cost.subtasks += subtasks;
            if node.kind == NodeKind::Operator {
                cost.instances += subtasks;
            }
            if chaining.edge_into(&node.name).is_none() {
                cost.chains += subtasks;
            }
        }
        for edge in graph.edges() {
            if chaining.edge_into(&edge.to).is_some() {
                continue;
            }
            let senders = parallelism[&*edge.from];
            let receivers = match edge.partitioning {
                Partitioning::Forward => 1,
                Partitioning::Hash | Partitioning::Rebalance | Partitioning::Broadcast => {
                    parallelism[&*edge.to]
                }
            };
            cost.channels = cost.channels.saturating_add(senders * receivers);
        }
        cost
    }

    /// Checks the counts against the limits of a job.
    ///
    /// # Errors
    ///
    /// [`GraphError::TooLarge`], with the numbers.
    pub fn check(&self) -> Result<(), GraphError> {
        let counts = [
            ("subtasks", self.subtasks, MOST_SUBTASKS),
            ("channels", self.channels, MOST_CHANNELS),
        ];
        let over = counts.into_iter().find(|(_, count, most)| count > most);
        over.map_or(Ok(()), |(of, count, most)| {
            Err(GraphError::TooLarge { of, count, most })
        })
    }
}
