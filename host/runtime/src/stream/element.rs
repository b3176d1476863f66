//! Record path and barrier path: the elements of a channel.

use tidegate_operator::Batch;

use super::BatchWithOrigin;
use crate::CheckpointId;

/// The marker of a checkpoint in a channel: the elements before it belong to the checkpoint, those
/// after it do not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CheckpointBarrier {
    /// The checkpoint that it marks.
    pub checkpoint: CheckpointId,
}

/// The activity of a channel's sender: with or without input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Activity {
    /// The sender has no input now: it holds no watermark back until it is active again.
    Idle,
    /// The sender has input again. Stands before the records that result from it.
    Active,
}

/// An element of a channel. Elements keep their order.
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
