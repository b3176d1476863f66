//! The content of a scenario. Every value has its type, and the steps are in a valid order.

use tidegate_operator::Limits;
use toml::Spanned;

use super::record::Record;

/// A scenario.
#[derive(Debug)]
pub(crate) struct Scenario {
    /// The component's path, as written.
    pub(crate) component: Spanned<String>,
    /// The resources that an instance may use.
    pub(crate) limits: Limits,
    /// `config` as JSON text.
    pub(crate) config: String,
    /// Names of the inputs.
    pub(crate) inputs: Vec<String>,
    /// Names of the output ports.
    pub(crate) outputs: Vec<String>,
    /// Number of subtasks at first.
    pub(crate) parallelism: u32,
    /// Number of key groups.
    pub(crate) max_parallelism: u32,
    /// The steps, in order. At least one.
    pub(crate) steps: Vec<Step>,
}

/// An action, and the result that must follow.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Step {
    /// Its first line in the file, from 1.
    pub(crate) line: usize,
    /// The action.
    pub(crate) action: Action,
    /// The result that must follow.
    pub(crate) expectation: Expectation,
}

/// An action on the operator.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Action {
    /// No action.
    Nothing,
    /// Opens the instances, without state. Only the first step can say so, and it need not.
    Open,
    /// Records arrive, in one batch for each subtask that receives any.
    Records {
        /// Index of the input.
        input: u32,
        /// The subtasks that receive them.
        delivery: Delivery,
        /// The records.
        records: Vec<Record>,
    },
    /// Event time advances in every subtask.
    Watermark(i64),
    /// A checkpoint completes, and the instances continue.
    Checkpoint,
    /// A checkpoint is taken, and new instances are restored from it.
    Restart,
    /// A restart with another number of subtasks.
    Rescale(u32),
    /// All inputs end.
    Finish,
}

/// The subtasks that receive the records of a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Delivery {
    /// The owner of each record's key group, as over an edge with `partition = "hash"`.
    ByKey,
    /// Every subtask, as over an edge with `partition = "broadcast"`.
    Broadcast,
}

/// The result that must follow an action.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Expectation {
    /// Any output; the action must not fail.
    Nothing,
    /// Exactly these records were emitted, each with its port, since the last step that expected
    /// output.
    Output(Vec<(u32, Record)>),
    /// A record is refused.
    InvalidRecord {
        /// The record's number in the step, from 0.
        row: u32,
        /// A part of the reason; empty if any reason is right.
        reason: String,
    },
    /// The action fails with this text in its message.
    Failure(String),
}
