//! HOW: a chain of subtasks, and what moves records through it.
//!
//! One thread owns a chain: a source or an input gate feeds it ([`ChainLoop`]), and its links are
//! called one after the other, so that an element goes through all of them before the next one
//! comes (`processing.rs`). A subtask that has ended gets no record, watermark or `finish` any
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
    /// The subtask of the source that feeds the chain, if one does. The feed has the source itself.
    source: Option<Subtask>,
    /// The subtasks that are called, each behind the one that feeds it.
    links: Vec<Link>,
    outbox: Outbox,
    /// What is left to do for the element at hand, the next of it last.
    pending: Vec<Pending>,
    /// The attempt is over: looked at between two calls.
    cancelled: CancellationToken,
    /// Only while records are isolated.
    isolation: Option<Box<ChainIsolation>>,
    /// A guest is to be replaced, for which it takes a barrier.
    wants_checkpoint: Option<Urgency>,
}

/// One subtask, open and restored, as far as sources, operators and sinks are alike.
pub(crate) struct Subtask {
    pub(crate) id: SubtaskId,
    /// By port; what reads dead letters stands behind the declared ports.
    pub(crate) outputs: Vec<Vec<Destination>>,
    /// How many ports it declares.
    pub(crate) ports: u32,
    pub(crate) metrics: Arc<SubtaskMetrics>,
    /// All inputs have ended and, in an operator, `finish` was called.
    pub(crate) has_ended: bool,
    /// The last one that reached it.
    pub(crate) watermark: ToldWatermark,
}

/// A subtask that is called.
pub(crate) struct Link {
    pub(crate) subtask: Subtask,
    pub(crate) role: Role,
}

/// What a link does with what reaches it.
pub(crate) enum Role {
    /// Calls a guest.
    Operator(Box<Guest>),
    /// Writes.
    Sink(Box<dyn Sink>),
}

/// A destination for the records of a port.
pub(crate) enum Destination {
    /// To a later link of this chain.
    Chained(usize),
    /// Into channels.
    Routed(Router),
}

/// What a feed hands to its chain.
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

/// Why a chain leaves its loop.
pub(crate) enum Exit {
    /// The coordinator said so, or the attempt is over.
    Told,
    /// A neighbour is gone; its own failure is the one to report.
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
            wants_checkpoint: None,
        }
    }

    /// The first subtask: the source, or the first link.
    pub(crate) fn head(&self) -> &Subtask {
        self.source
            .as_ref()
            .unwrap_or_else(|| &self.links[0].subtask)
    }

    /// True if the whole chain has ended.
    fn has_ended(&self) -> bool {
        let links = self.links.iter().map(|link| &link.subtask);
        self.source
            .iter()
            .chain(links)
            .all(|subtask| subtask.has_ended)
    }

    /// Between two calls: whoever cancels waits for one of them at most.
    fn leave_if_cancelled(&self) -> Result<(), Exit> {
        match self.cancelled.is_cancelled() {
            true => Err(Exit::Told),
            false => Ok(()),
        }
    }

    /// A barrier, too, stands only here: what is pending is in no snapshot.
    fn assert_between_elements(&self) {
        assert!(
            self.pending.is_empty(),
            "{} has not done with the element before",
            self.head().id
        );
    }
}
