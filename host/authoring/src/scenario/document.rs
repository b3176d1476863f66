//! What a scenario says. Every value has its type, and steps are in an order that makes sense.

use tidegate_operator::Limits;
use toml::Spanned;

use super::record::Record;

/// A scenario.
#[derive(Debug)]
pub(crate) struct Scenario {
    /// The component's path, as written.
    pub(crate) component: Spanned<String>,
    /// What an instance may use.
    pub(crate) limits: Limits,
    /// `config` as JSON text.
    pub(crate) config: String,
    /// Names of the inputs.
    pub(crate) inputs: Vec<String>,
    /// Names of the output ports.
    pub(crate) outputs: Vec<String>,
    /// How many subtasks there are at first.
    pub(crate) parallelism: u32,
    /// Number of key groups.
    pub(crate) max_parallelism: u32,
    /// What happens, in order. At least one.
    pub(crate) steps: Vec<Step>,
}

/// One thing that is done, and what must follow.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Step {
    /// Where it begins in the file, from 1.
    pub(crate) line: usize,
    /// What is done.
    pub(crate) action: Action,
    /// What must follow.
    pub(crate) expectation: Expectation,
}

/// What is done.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Action {
    /// Nothing.
    Nothing,
    /// Opens the instances, without state. Only the first step; it happens anyway.
    Open,
    /// Records arrive, in one batch for each subtask that gets any.
    Records {
        /// Index of the input.
        input: u32,
        /// Which subtasks get them.
        delivery: Delivery,
        /// The records.
        records: Vec<Record>,
    },
    /// Event time advances in every subtask.
    Watermark(i64),
    /// A checkpoint is taken and completes, and the instances go on.
    Checkpoint,
    /// A checkpoint is taken, and new instances are restored from it.
    Restart,
    /// The same, with another number of subtasks.
    Rescale(u32),
    /// All inputs end.
    Finish,
}

/// Which subtasks get the records of a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Delivery {
    /// The owner of each record's key group, as over an edge with `partition = "hash"`.
    ByKey,
    /// Every subtask gets all of them, as over an edge with `partition = "broadcast"`.
    Broadcast,
}

/// What must follow.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Expectation {
    /// Nothing is said about it; it must not fail.
    Nothing,
    /// Exactly this was emitted since the last step that said so: port and record.
    Output(Vec<(u32, Record)>),
    /// A record is refused: its number in the step, and what the reason must contain.
    InvalidRecord {
        /// From 0.
        row: u32,
        /// A part of the reason; empty if any will do.
        reason: String,
    },
    /// The action fails, with this in its message.
    Failure(String),
}
