//! Where the nodes of a graph stand, by name, and which edges are theirs: what is asked of a graph
//! for each of its nodes must not go through all of them. Pure.

use std::collections::HashMap;

use super::{Edge, Node};

/// Made once a graph. Tolerates a graph that is not valid: of two nodes with one name it knows the
/// first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct NodeIndex {
    places: HashMap<String, Place>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Place {
    /// In the list of nodes.
    node: usize,
    /// In the list of edges, in its order.
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
