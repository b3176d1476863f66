//! WHO DECIDES: the coordinator, what it knows of the checkpoint in flight, and what it and the
//! chains say to each other. Pure.

mod aligner;
mod coordinator;
mod messages;
mod pending;
mod wishes;

pub use aligner::{Aligned, Aligner, Alignment, EndOfChannel};

pub(crate) use coordinator::{Action, Coordinator};
pub(crate) use messages::{Acknowledgement, ChainEvent, ControlMessage, Urgency};
pub(crate) use pending::{AcknowledgedCheckpoint, JobEnd};
