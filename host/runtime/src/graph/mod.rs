//! WHAT RUNS: the cost of a job graph, and the execution graph that is made from it. Pure.

mod chaining;
mod cost;
mod execution_graph;

pub use chaining::DEEPEST_CHAIN;
pub use cost::{GraphCost, MOST_CHANNELS, MOST_SUBTASKS};
pub use execution_graph::{
    ChainInput, ChainPlan, Downstream, ExecutionGraph, LinkPlace, LinkPlan, Route,
};
