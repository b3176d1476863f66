//! The reasons for rejecting a job graph.

use thiserror::Error;

use super::Partitioning;

/// A reason for rejecting a job graph. Nothing runs.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum GraphError {
    /// Two nodes have one name, which is their identity in checkpoints.
    #[error("two nodes are named `{node}`; a node's name is its identity in checkpoints")]
    DuplicateName {
        /// The name.
        node: String,
    },
    /// An edge names a node that does not exist.
    #[error("`{node}` reads from `{from}`, which is not a source or operator of this job")]
    UnknownNode {
        /// The node with that input.
        node: String,
        /// The name in the edge.
        from: String,
    },
    /// A node that needs inputs has none.
    #[error("`{node}` has no inputs")]
    NoInputs {
        /// The node.
        node: String,
    },
    /// A sink's output is read.
    #[error("`{node}` reads from `{from}`, which is a sink; sinks have no output")]
    ReadsFromSink {
        /// The node with that input.
        node: String,
        /// The sink.
        from: String,
    },
    /// An edge leads into a source.
    #[error("`{node}` reads from `{from}`, but `{node}` is a source; sources have no inputs")]
    SourceReads {
        /// The source with that input.
        node: String,
        /// The name in the edge.
        from: String,
    },
    /// An edge names an output port that the node does not have.
    #[error("`{node}` reads from port {port} of `{from}`, which has {ports} output port(s)")]
    UnknownPort {
        /// The node with that input.
        node: String,
        /// The upstream node.
        from: String,
        /// The requested port.
        port: u32,
        /// The number of its ports.
        ports: usize,
    },
    /// Records would go round for ever, and aligned barriers would wait for themselves.
    #[error("the graph has a cycle: {}", .nodes.join(" -> "))]
    Cycle {
        /// The nodes of the cycle, the first repeated at the end.
        nodes: Vec<String>,
    },
    /// `forward` joins subtask i to subtask i, so both sides need the same number of them.
    #[error(
        "`{from}` has parallelism {from_parallelism} and `{node}` has {parallelism}, but \
         `{partitioning}` needs equal parallelism; use `rebalance` or `hash`"
    )]
    UnequalParallelism {
        /// The upstream node.
        from: String,
        /// Its parallelism.
        from_parallelism: u32,
        /// The downstream node.
        node: String,
        /// Its parallelism.
        parallelism: u32,
        /// The partitioning that does not fit.
        partitioning: Partitioning,
    },
    /// A parallelism is outside `1..=max-parallelism`.
    #[error("`{node}` has parallelism {parallelism}; it can be 1 to max-parallelism, {max}")]
    Parallelism {
        /// The node.
        node: String,
        /// The requested value.
        parallelism: u32,
        /// The job's `max-parallelism`.
        max: u32,
    },
    /// `max-parallelism` is part of the state format and bounded like Flink's.
    #[error("max-parallelism is {max}; it can be 1 to 32768")]
    MaxParallelism {
        /// The requested value.
        max: u32,
    },
    /// A job without a source or without a sink has nothing to do.
    #[error("the job has no {missing}")]
    Missing {
        /// `source` or `sink`.
        missing: &'static str,
    },
    /// The job is larger than one process can run.
    #[error("the job has {count} {of}; it can have at most {most}")]
    TooLarge {
        /// `nodes`, `subtasks` or `channels`.
        of: &'static str,
        /// The number that the job needs.
        count: u64,
        /// The largest number allowed.
        most: u64,
    },
    /// A name can't appear in file names and messages.
    #[error("`{node}` is not a name: use 1 to 64 of a-z, A-Z, 0-9, `-` and `_`")]
    BadName {
        /// The name.
        node: String,
    },
}
