//! HOW: chains of subtasks, and what moves records through them.

mod chain_context;
mod dead_letter;
mod guest;
mod operator;
mod operator_chain;
mod outbox;
mod persister;
mod recycling;
mod router;
mod scatter;
mod source_subtask;
mod subtask;

pub use operator::{ComponentOperator, OperatorFactory, OperatorInstance};

pub(crate) use chain_context::{ChainContext, Exit};
pub(crate) use guest::{Guest, opened};
pub(crate) use operator_chain::{OpenLink, OperatorChain, Output, Role};
pub(crate) use outbox::Outbox;
pub(crate) use persister::{PersistMessage, Persister};
pub(crate) use router::Router;
pub(crate) use source_subtask::SourceSubtask;
pub(crate) use subtask::Subtask;
