//! HOW: a chain of subtasks, and the parts that move records through it.
//!
//! One thread owns a chain: a source or an input gate feeds it (`ChainLoop`), and its links are
//! called one after the other, so that an element passes through all links before the next element
//! arrives (`processing.rs`). A subtask that has ended gets no record, watermark or `finish` any
//! more, also not after a restore: `finish` happens once in the life of a job.

mod chain_loop;
mod dead_letter;
mod gate_feed;
mod guest;
mod isolating;
mod outbox;
mod persister;
mod processing;
mod recycle;
mod recycle_policy;
mod router;
mod snapshot;
mod source_feed;

use std::sync::Arc;

use tidegate_connector::sink::Sink;
use tidegate_connector::source::InvalidRecord;
use tidegate_operator::Batch;
use tokio_util::sync::CancellationToken;

use crate::channel::ChannelClosed;
use crate::observe::SubtaskMetrics;
use crate::protocol::Urgency;
use crate::stream::{RecordOrigin, ToldWatermark};
use crate::{CheckpointId, JobError, SubtaskId};

use isolating::ChainIsolation;
use processing::Pending;

pub use guest::{ComponentOperator, OperatorFactory, OperatorInstance};

pub(crate) use chain_loop::{ChainLines, ChainLoop, Feed};
pub(crate) use gate_feed::GateFeed;
pub(crate) use guest::{Guest, opened};
pub(crate) use outbox::Outbox;
pub(crate) use persister::Persister;
pub(crate) use router::Router;
pub(crate) use source_feed::SourceFeed;

/// The subtasks of one chain, and their output on its way to the channels.
pub(crate) struct Chain {
    /// The subtask of the source that feeds the chain, if there is one. The feed has the source
    /// itself.
    source: Option<Subtask>,
    /// The subtasks that are called, each after the subtask that feeds it.
    links: Vec<Link>,
    outbox: Outbox,
    /// The work left for the current element; the next step is last.
    pending: Vec<Pending>,
    /// Cancelled when the attempt is over; checked between two calls.
    cancelled: CancellationToken,
    /// `Some` only while records are isolated.
    isolation: Option<Box<ChainIsolation>>,
    /// The dead letters of the source since the last snapshot.
    rejected: u64,
    /// Set if a guest is to be replaced, which needs a barrier.
    wants_checkpoint: Option<Urgency>,
}

/// One subtask, open and restored: the parts that sources, operators and sinks share.
pub(crate) struct Subtask {
    pub(crate) id: SubtaskId,
    /// Destinations by port; the readers of dead letters stand behind the declared ports.
    pub(crate) outputs: Vec<Vec<Destination>>,
    /// The number of declared ports.
    pub(crate) ports: u32,
    pub(crate) metrics: Arc<SubtaskMetrics>,
    /// All inputs have ended and, in an operator, `finish` was called.
    pub(crate) has_ended: bool,
    /// The last watermark that reached the subtask.
    pub(crate) watermark: ToldWatermark,
}

/// A subtask that is called.
pub(crate) struct Link {
    pub(crate) subtask: Subtask,
    pub(crate) role: Role,
}

/// The work of a link.
pub(crate) enum Role {
    /// Calls a guest.
    Operator(Box<Guest>),
    /// Writes to a sink.
    Sink(Box<dyn Sink>),
}

/// A destination for the records of a port.
pub(crate) enum Destination {
    /// To a later link of this chain.
    Chained(usize),
    /// Into channels.
    Routed(Router),
}

/// A step that a feed passes to its chain.
enum Fed {
    /// Nothing: the element concerns the feed only.
    Nothing,
    /// Records of the source, or for an input of the first link.
    Batch {
        input: u32,
        batch: Batch,
        /// Their origin, while records are isolated.
        origin: Option<Arc<RecordOrigin>>,
    },
    /// Input that the source rejected, for its dead-letter port.
    Invalid {
        record: InvalidRecord,
        origin: Option<Arc<RecordOrigin>>,
    },
    /// The watermark of the chain's input, which has advanced.
    Watermark(i64),
    /// The barrier of this checkpoint, which has arrived on all channels: a snapshot is due.
    Barrier(CheckpointId),
    /// The end of the source or of a channel.
    End {
        /// The checkpoint that waited for this channel only: a snapshot is due first.
        barrier: Option<CheckpointId>,
        /// The watermark of the chain's input, if it has advanced.
        watermark: Option<i64>,
        /// True if nothing is left to read.
        is_over: bool,
    },
}

/// The reason why a chain leaves its loop.
pub(crate) enum Exit {
    /// The coordinator asked for it, or the attempt is over.
    Told,
    /// A neighbour is gone; the neighbour's own failure is the one to report.
    NeighbourGone,
    /// This chain failed.
    Failed(JobError),
}

impl From<ChannelClosed> for Exit {
    fn from(ChannelClosed: ChannelClosed) -> Self {
        Self::NeighbourGone
    }
}

impl From<JobError> for Exit {
    fn from(error: JobError) -> Self {
        Self::Failed(error)
    }
}

impl Chain {
    pub(crate) fn new(
        source: Option<Subtask>,
        links: Vec<Link>,
        outbox: Outbox,
        cancelled: CancellationToken,
    ) -> Self {
        Self {
            source,
            links,
            outbox,
            pending: Vec::new(),
            cancelled,
            isolation: None,
            rejected: 0,
            wants_checkpoint: None,
        }
    }

    /// Returns the first subtask: the source, or the first link.
    pub(crate) fn head(&self) -> &Subtask {
        self.source
            .as_ref()
            .unwrap_or_else(|| &self.links[0].subtask)
    }

    /// Returns true if the whole chain has ended.
    fn has_ended(&self) -> bool {
        let links = self.links.iter().map(|link| &link.subtask);
        self.source
            .iter()
            .chain(links)
            .all(|subtask| subtask.has_ended)
    }

    /// Leaves if the attempt is over. Called between two calls: a cancellation waits for one at
    /// most.
    fn leave_if_cancelled(&self) -> Result<(), Exit> {
        match self.cancelled.is_cancelled() {
            true => Err(Exit::Told),
            false => Ok(()),
        }
    }

    /// Asserts that no work is pending. A barrier, too, arrives only here: pending work is in no
    /// snapshot.
    fn assert_between_elements(&self) {
        assert!(
            self.pending.is_empty(),
            "{} has not finished the previous element",
            self.head().id
        );
    }
}
