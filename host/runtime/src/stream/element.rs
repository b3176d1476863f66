//! Record path and barrier path: what a channel carries.

use tidegate_operator::Batch;

use super::BatchWithOrigin;
use crate::CheckpointId;

/// The marker of a checkpoint in a channel: what is before it belongs to the checkpoint, what is
/// after it does not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CheckpointBarrier {
    /// The checkpoint that it marks.
    pub checkpoint: CheckpointId,
}

/// Whether the sender of a channel has input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Activity {
    /// It has none now: it holds no watermark back until it is active again.
    Idle,
    /// It has some again. Stands before the records that come of it.
    Active,
}

/// What a channel carries, in order.
#[derive(Clone, Debug, PartialEq)]
pub enum StreamElement {
    /// Records.
    Batch(Batch),
    /// Records with their origin, while records are isolated. Never joined with others.
    BatchWithOrigin(Box<BatchWithOrigin>),
    /// No record with an older timestamp follows on this channel; milliseconds since the epoch.
    Watermark(i64),
    /// The sender became idle, or active again; a channel begins active.
    Activity(Activity),
    /// See [`CheckpointBarrier`].
    Barrier(CheckpointBarrier),
    /// Nothing follows on this channel.
    EndOfInput,
}
