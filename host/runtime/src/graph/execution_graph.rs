//! The execution graph: the job graph at its parallelism, as chains and the channels between
//! them. Pure.
//!
//! One thread runs a chain: a node's subtask and the subtasks that follow it by `forward` edges at
//! equal parallelism and that have no other input, up to a depth (see `chaining.rs`). Inside a
//! chain batches are passed directly; all others go through channels. Invariants: every subtask is
//! in exactly one chain; within a chain every link stands after the link that feeds it. The channel
//! indices of a chain are dense from 0 and grouped by input.

use std::collections::HashMap;

use tidegate_checkpoint::{DEAD_LETTER_PORT, Edge, JobGraph, Node, NodeKind, Partitioning};

use super::chaining::Chaining;
use crate::{ChainId, ChannelIndex, SubtaskId};

/// Everything that runs in one attempt.
#[derive(Debug)]
pub struct ExecutionGraph {
    /// The chains, by [`ChainId`].
    pub chains: Vec<ChainPlan>,
}

/// The links and inputs of one thread. The first link is a source or is fed by the input gate;
/// every other link is fed by an earlier link.
#[derive(Debug)]
pub struct ChainPlan {
    /// Its id.
    pub id: ChainId,
    /// Its subtasks, each after the subtask that feeds it.
    pub links: Vec<LinkPlan>,
    /// The input channels, by [`ChannelIndex`]; empty if the first link is a source.
    pub channels: Vec<ChainInput>,
}

impl ChainPlan {
    /// Returns true if the first link is a source.
    #[must_use]
    pub fn starts_with_source(&self) -> bool {
        self.links[0].kind == NodeKind::Source
    }

    /// Describes its subtasks for messages, as in `split[0] -> count[0]`.
    #[must_use]
    pub fn describe(&self) -> String {
        let names: Vec<String> = self.links.iter().map(|l| l.subtask.to_string()).collect();
        names.join(" -> ")
    }
}

/// A link of a chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct LinkPlace {
    /// The chain.
    pub chain: ChainId,
    /// The index of the link in the chain.
    pub link: u32,
}

/// One input channel of a chain. There may be a million.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ChainInput {
    /// The subtask that sends into it.
    pub from: LinkPlace,
    /// The input of the first link on which its batches arrive.
    pub input: u32,
}

/// One subtask in a chain.
#[derive(Debug)]
pub struct LinkPlan {
    /// The subtask.
    pub subtask: SubtaskId,
    /// The kind of its node.
    pub kind: NodeKind,
    /// The number of output ports that it declares.
    pub ports: usize,
    /// The destinations of its output, by port. The readers of its dead letters stand behind the
    /// declared ports.
    pub outputs: Vec<Vec<Downstream>>,
}

/// One destination of the records of a port.
#[derive(Debug, PartialEq, Eq)]
pub enum Downstream {
    /// To a later link of the same chain.
    Chained {
        /// Its index in the chain.
        link: usize,
    },
    /// Into channels.
    Routed(Route),
}

/// The distribution of records over channels.
#[derive(Debug, PartialEq, Eq)]
pub struct Route {
    /// The rule.
    pub partitioning: Partitioning,
    /// The channels, by downstream subtask (one only for `forward`).
    pub targets: Vec<(ChainId, ChannelIndex)>,
}

impl ExecutionGraph {
    /// Expands a job graph.
    #[must_use]
    pub fn new(graph: &JobGraph) -> Self {
        Expansion::new(graph).run()
    }

    /// Returns the ids of the chains that start with a source.
    #[must_use]
    pub fn source_chains(&self) -> Vec<ChainId> {
        let sources = self.chains.iter().filter(|c| c.starts_with_source());
        sources.map(|chain| chain.id).collect()
    }

    /// Returns the chain of each source subtask.
    #[must_use]
    pub fn source_subtasks(&self) -> HashMap<SubtaskId, ChainId> {
        let sources = self.chains.iter().filter(|c| c.starts_with_source());
        let heads = sources.map(|chain| (chain.links[0].subtask.clone(), chain.id));
        heads.collect()
    }
}

struct Expansion<'a> {
    graph: &'a JobGraph,
    chaining: Chaining<'a>,
    /// Node indices, each after all that it reads from.
    order: Vec<usize>,
    parallelism: HashMap<&'a str, u32>,
    chains: Vec<ChainPlan>,
    /// The places of each node's subtasks.
    places: HashMap<&'a str, Vec<LinkPlace>>,
}

impl<'a> Expansion<'a> {
    fn new(graph: &'a JobGraph) -> Self {
        let order = graph.topological_order();
        let order = order.expect("a job graph that exists has no cycle");
        let nodes = graph.nodes().iter();
        Self {
            graph,
            chaining: Chaining::new(graph, &order),
            order,
            parallelism: nodes.map(|node| (&*node.name, node.parallelism)).collect(),
            chains: Vec::new(),
            places: HashMap::new(),
        }
    }

    fn run(mut self) -> ExecutionGraph {
        for node in std::mem::take(&mut self.order) {
            self.place(&self.graph.nodes()[node]);
        }
        let mut inputs_before: HashMap<&str, u32> = HashMap::new();
        for edge in self.graph.edges() {
            let input = inputs_before.entry(&*edge.to).or_default();
            match self.chaining.edge_into(&edge.to) {
                Some(_) => self.connect_chained(edge),
                None => self.connect_channels(edge, *input),
            }
            *input += 1;
        }
        ExecutionGraph {
            chains: self.chains,
        }
    }

    /// Puts each subtask of a node into its upstream chain or into a chain of its own.
    fn place(&mut self, node: &'a Node) {
        let chained = self.chaining.edge_into(&node.name);
        for index in 0..node.parallelism {
            let chain = match chained {
                Some(edge) => self.place_of(&edge.from, index).chain,
                None => self.new_chain(),
            };
            let subtask = SubtaskId {
                operator: node.name.clone(),
                index,
            };
            let links = &mut self.chains[chain.0 as usize].links;
            let place = LinkPlace {
                chain,
                link: u32::try_from(links.len()).expect("fewer than 2^32 links"),
            };
            links.push(LinkPlan {
                subtask,
                kind: node.kind,
                ports: node.outputs.len(),
                outputs: node.outputs.iter().map(|_| Vec::new()).collect(),
            });
            self.places.entry(&*node.name).or_default().push(place);
        }
    }

    fn new_chain(&mut self) -> ChainId {
        let id = ChainId(u32::try_from(self.chains.len()).expect("fewer than 2^32 chains"));
        self.chains.push(ChainPlan {
            id,
            links: Vec::new(),
            channels: Vec::new(),
        });
        id
    }

    fn place_of(&self, operator: &str, index: u32) -> LinkPlace {
        self.places[operator][index as usize]
    }

    fn connect_chained(&mut self, edge: &Edge) {
        for index in 0..self.parallelism(&edge.from) {
            let link = self.place_of(&edge.to, index).link as usize;
            self.add_downstream(edge, index, Downstream::Chained { link });
        }
    }

    /// Connects an edge; `input` is its number among the inputs of the downstream node.
    fn connect_channels(&mut self, edge: &Edge, input: u32) {
        for from_index in 0..self.parallelism(&edge.from) {
            let from = self.place_of(&edge.from, from_index);
            let to_indices = match edge.partitioning {
                Partitioning::Forward => from_index..from_index + 1,
                Partitioning::Hash | Partitioning::Rebalance | Partitioning::Broadcast => {
                    0..self.parallelism(&edge.to)
                }
            };
            let targets = to_indices
                .map(|to_index| {
                    let to = self.place_of(&edge.to, to_index);
                    self.new_channel(to.chain, ChainInput { from, input })
                })
                .collect();
            let route = Route {
                partitioning: edge.partitioning,
                targets,
            };
            self.add_downstream(edge, from_index, Downstream::Routed(route));
        }
    }

    fn new_channel(&mut self, chain: ChainId, input: ChainInput) -> (ChainId, ChannelIndex) {
        let channels = &mut self.chains[chain.0 as usize].channels;
        let index = u32::try_from(channels.len()).expect("fewer than 2^32 channels");
        channels.push(input);
        (chain, ChannelIndex(index))
    }

    fn add_downstream(&mut self, edge: &Edge, from_index: u32, downstream: Downstream) {
        let place = self.place_of(&edge.from, from_index);
        let link = &mut self.chains[place.chain.0 as usize].links[place.link as usize];
        let port = match edge.port {
            DEAD_LETTER_PORT => {
                link.outputs.resize_with(link.ports + 1, Vec::new);
                link.ports
            }
            port => port as usize,
        };
        link.outputs[port].push(downstream);
    }

    fn parallelism(&self, node: &str) -> u32 {
        self.parallelism[node]
    }
}
