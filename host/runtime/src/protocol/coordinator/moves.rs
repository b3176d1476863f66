//! The moves that can happen in the model, one step at a time.

use crate::protocol::Urgency;

/// The faults, commands and records that are still to come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Budget {
    pub(super) faults: u32,
    pub(super) requests: u32,
    /// Checkpoints that guests still want.
    pub(super) wishes: u32,
    pub(super) stops: u32,
    pub(super) drains: u32,
    /// Records that sources still return.
    pub(super) records: u32,
}

/// A move that can happen next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Move {
    /// The chain reads its next control message.
    Control {
        chain: usize,
        declines: bool,
    },
    /// The chain reads the next element of a channel.
    Element {
        chain: usize,
        channel: usize,
        declines: bool,
    },
    /// The source returns a record.
    Record {
        chain: usize,
    },
    /// The source's input is over.
    SourceEnds {
        chain: usize,
    },
    /// The oldest event of the chain's thread reaches the coordinator.
    ThreadEvent {
        chain: usize,
    },
    /// The chain's oldest snapshot becomes durable, or fails to.
    Persisted {
        chain: usize,
        fails: bool,
    },
    Committed {
        fails: bool,
    },
    Published,
    /// Time advances to the coordinator's next tick.
    Tick,
    Request,
    /// A guest wants a checkpoint.
    Wish(Urgency),
    Stop {
        drain: bool,
    },
}

impl Move {
    /// Returns the same move with a failure, if it can fail.
    pub(super) fn failing(self) -> Option<Self> {
        match self {
            Self::Control { chain, .. } => Some(Self::Control {
                chain,
                declines: true,
            }),
            Self::Element { chain, channel, .. } => Some(Self::Element {
                chain,
                channel,
                declines: true,
            }),
            Self::Persisted { chain, .. } => Some(Self::Persisted { chain, fails: true }),
            Self::Committed { .. } => Some(Self::Committed { fails: true }),
            Self::Record { .. }
            | Self::SourceEnds { .. }
            | Self::ThreadEvent { .. }
            | Self::Published
            | Self::Tick
            | Self::Request
            | Self::Wish(_)
            | Self::Stop { .. } => None,
        }
    }
}
