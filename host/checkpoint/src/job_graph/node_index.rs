//! An index of a graph: the place of each node by name, and its edges. With it a question about
//! each node does not scan the whole graph each time. Pure.

use std::collections::HashMap;

use super::{Edge, Node};

/// The index, made once for each graph. It tolerates an invalid graph: of two nodes with one name
/// it contains the first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct NodeIndex {
    places: HashMap<String, Place>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Place {
    /// Its place in the list of nodes.
    node: usize,
    /// The places of its edges in the list of edges, in that order.
    inputs: Vec<usize>,
    outputs: Vec<usize>,
}

impl NodeIndex {
    pub(super) fn of(nodes: &[Node], edges: &[Edge]) -> Self {
        let mut places: HashMap<String, Place> = HashMap::with_capacity(nodes.len());
        for (at, node) in nodes.iter().enumerate() {
            let place = Place {
                node: at,
                ..Place::default()
            };
            places.entry(node.name.clone()).or_insert(place);
        }
        for (at, edge) in edges.iter().enumerate() {
            if let Some(place) = places.get_mut(&edge.to) {
                place.inputs.push(at);
            }
            if let Some(place) = places.get_mut(&edge.from) {
                place.outputs.push(at);
            }
        }
        Self { places }
    }

    pub(super) fn node(&self, name: &str) -> Option<usize> {
        self.places.get(name).map(|place| place.node)
    }

    pub(super) fn inputs_of(&self, name: &str) -> &[usize] {
        let place = self.places.get(name);
        place.map_or(&[], |place| &place.inputs)
    }

    pub(super) fn outputs_of(&self, name: &str) -> &[usize] {
        let place = self.places.get(name);
        place.map_or(&[], |place| &place.outputs)
    }
}

#[cfg(test)]
mod tests {
    use super::super::{JobGraph, NodeKind, Partitioning};
    use super::*;

    fn node(name: &str, kind: NodeKind) -> Node {
        Node {
            name: name.to_owned(),
            kind,
            parallelism: 1,
            implementation: "it".to_owned(),
            digest: None,
            options: Vec::new(),
            outputs: vec!["main".to_owned()],
        }
    }

    fn edge(from: &str, to: &str) -> Edge {
        Edge {
            from: from.to_owned(),
            port: 0,
            to: to.to_owned(),
            partitioning: Partitioning::Hash,
        }
    }

    /// Two ways from a source to a sink, which also reads the source.
    fn graph() -> JobGraph {
        let nodes = vec![
            node("out", NodeKind::Sink),
            node("left", NodeKind::Operator),
            node("in", NodeKind::Source),
            node("right", NodeKind::Operator),
        ];
        let edges = [
            ("in", "right"),
            ("left", "out"),
            ("in", "left"),
            ("in", "out"),
            ("right", "out"),
        ];
        let edges = edges.map(|(from, to)| edge(from, to)).into();
        JobGraph::new("job".to_owned(), 128, nodes, edges).unwrap()
    }

    #[test]
    fn every_node_is_found_with_its_edges_in_order_also_in_a_graph_that_was_read() {
        let made = graph();
        let json = serde_json::to_string(&made).unwrap();
        let read: JobGraph = serde_json::from_str(&json).unwrap();
        assert_eq!(read, made);
        for graph in [made, read] {
            for node in graph.nodes() {
                assert_eq!(graph.node(&node.name), Some(node));
                let edges = graph.edges().iter();
                let (name, all) = (&node.name, edges.clone());
                let into: Vec<&Edge> = edges.filter(|edge| edge.to == *name).collect();
                assert_eq!(graph.inputs_of(name).collect::<Vec<_>>(), into);
                let out_of: Vec<&Edge> = all.filter(|edge| edge.from == *name).collect();
                assert_eq!(graph.outputs_of(name).collect::<Vec<_>>(), out_of);
            }
            assert_eq!(graph.node("none"), None);
            assert_eq!(graph.inputs_of("none").count(), 0);
        }
    }

    #[test]
    fn of_two_nodes_with_one_name_the_first_is_found() {
        let twice = [node("a", NodeKind::Source), node("a", NodeKind::Sink)];
        assert_eq!(NodeIndex::of(&twice, &[]).node("a"), Some(0));
    }
}
