//! WHAT RUNS: the job graph that the user asked for, and the execution graph that runs. Pure.

mod chaining;
mod cost;
mod error;
mod execution_graph;
mod job_graph;
mod key_groups;
mod node_index;

pub use chaining::DEEPEST_CHAIN;
pub use cost::{GraphCost, MOST_CHANNELS, MOST_NODES, MOST_SUBTASKS};
pub use error::GraphError;
pub use execution_graph::{Chain, ChainInput, Downstream, ExecutionGraph, Link, LinkPlace, Route};
pub use job_graph::{DEAD_LETTER, DEAD_LETTER_PORT, Edge, JobGraph, Node, NodeKind, Partitioning};
pub use key_groups::KeyGroups;
