//! The resources that a job takes from the machine, by its graph and its limits. Pure.

use tidegate_checkpoint::NodeKind;

use crate::graph::GraphCost;
use crate::job::Job;

/// The parts of a job in each attempt, and the memory that they may occupy.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct JobCost {
    /// The number of the parts.
    pub graph: GraphCost,
    /// Bytes that the memories and tables of all instances may have together, as far as limits
    /// are known.
    pub instance_bytes: u64,
    /// Bytes that all channels may hold together.
    pub channel_bytes: u64,
}

impl Job {
    /// Counts the cost, without creating anything.
    #[must_use]
    pub fn cost(&self) -> JobCost {
        let graph = GraphCost::of(&self.graph);
        let operators = self.graph.nodes().iter();
        let operators = operators.filter(|node| node.kind == NodeKind::Operator);
        let limits = operators.filter_map(|node| {
            let limit = self.operators.get(&node.name)?.factory.memory_limit()?;
            Some(limit.saturating_mul(u64::from(node.parallelism)))
        });
        let channels = usize::try_from(graph.channels).unwrap_or(usize::MAX);
        let of_one = u64::from(self.settings.bytes_of_one_channel(channels));
        JobCost {
            graph,
            instance_bytes: limits.fold(0, u64::saturating_add),
            channel_bytes: of_one.saturating_mul(graph.channels),
        }
    }
}
