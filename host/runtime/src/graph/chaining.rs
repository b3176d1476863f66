//! Decides which nodes run in the chain of their upstream node. Pure.
//!
//! A node is chained if it has one input, by `forward`. A chain is cut before it is deeper than
//! [`DEEPEST_CHAIN`]: one thread calls all of its links.

use std::collections::HashMap;

use tidegate_checkpoint::{Edge, JobGraph, Partitioning};

/// The most links from the first link of a chain to any other link, both counted.
pub const DEEPEST_CHAIN: u32 = 64;

/// The chained nodes of a job graph.
pub(super) struct Chaining<'a> {
    /// The edge by which each chained node is chained.
    edges: HashMap<&'a str, &'a Edge>,
}

impl<'a> Chaining<'a> {
    /// Takes the nodes in an `order` in which each comes after all that it reads from.
    pub(super) fn new(graph: &'a JobGraph, order: &[usize]) -> Self {
        let mut inputs: HashMap<&str, (usize, &Edge)> = HashMap::new();
        for edge in graph.edges() {
            inputs.entry(&*edge.to).or_insert((0, edge)).0 += 1;
        }
        let mut depths: HashMap<&str, u32> = HashMap::new();
        let mut edges = HashMap::new();
        for node in order.iter().map(|index| &graph.nodes()[*index]) {
            let above = match inputs.get(&*node.name) {
                Some((1, edge)) if edge.partitioning == Partitioning::Forward => {
                    Some((*edge, depths[&*edge.from]))
                }
                Some(_) | None => None,
            };
            let chained = above.filter(|(_, depth)| *depth < DEEPEST_CHAIN);
            depths.insert(&node.name, chained.map_or(1, |(_, depth)| depth + 1));
            if let Some((edge, _)) = chained {
                edges.insert(&*node.name, edge);
            }
        }
        Self { edges }
    }

    /// Returns the edge by which a node is chained to its upstream node, if it is.
    pub(super) fn edge_into(&self, node: &str) -> Option<&'a Edge> {
        self.edges.get(node).copied()
    }
}
