//! WHO DECIDES: the coordinator, its record of the checkpoint in flight, and the messages between
//! it and the chains. Pure.

mod aligner;
mod coordinator;
mod messages;
mod pending;
mod wishes;

pub use aligner::{Aligned, Aligner, Alignment, EndOfChannel};

pub(crate) use coordinator::{Action, Coordinator};
pub(crate) use messages::{Acknowledgement, ChainEvent, ControlMessage, Urgency};
pub(crate) use pending::{AcknowledgedCheckpoint, JobEnd};
