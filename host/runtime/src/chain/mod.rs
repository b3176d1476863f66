//! HOW: a chain of subtasks, and what moves records through it.
//!
//! Record path: source → channel → aligner → **chain** → router → sink.
//!
//! The subtasks of one chain, called one after the other on one thread: an element goes through all
//! of them before the next one comes. [`processing`] has the order. Nothing here waits: whoever
//! drives a chain calls [`Chain::go_on`] until nothing is pending, and waits between two calls
//! until what the chain produced is sent. A subtask that has ended gets no record, watermark or
//! `finish` any more, also not after a restore: `finish` happens once in the life of a job.

mod chain_context;
mod dead_letter;
mod guest;
mod isolating;
mod outbox;
mod persister;
mod processing;
mod recycle;
mod recycle_policy;
mod router;
mod scatter;
mod source_subtask;
mod subtask;

use std::sync::Arc;

use tidegate_connector::sink::Sink;
use tidegate_connector::source::SourceSplit;
use tidegate_operator::{Batch, GuestFault};
use tokio_util::sync::CancellationToken;

use crate::channel::ChannelClosed;
use crate::error::connector_failed;
use crate::observe::SubtaskMetrics;
use crate::protocol::Urgency;
use crate::stream::{CheckpointBarrier, Origin, StreamElement, ToldWatermark};
use crate::{CheckpointId, JobError, SubtaskId};

use isolating::Care;
use persister::{Part, PartContents};
use processing::Pending;
use recycle::DueGuest;

pub use guest::{ComponentOperator, OperatorFactory, OperatorInstance};

pub(crate) use chain_context::{ChainContext, Exit};
pub(crate) use guest::{Guest, opened};
pub(crate) use outbox::Outbox;
pub(crate) use persister::{PersistMessage, Persister};
pub(crate) use router::Router;
pub(crate) use source_subtask::SourceSubtask;
pub(crate) use subtask::Subtask;

/// What a subtask does with what reaches it.
pub(crate) enum Role {
    /// Feeds the chain; polled by the source subtask.
    Source,
    /// Calls a guest.
    Operator(Box<Guest>),
    /// Writes.
    Sink(Box<dyn Sink>),
}

/// One place where the records of a port go.
pub(crate) enum Output {
    /// To a later link of this chain.
    Chained(usize),
    /// Into channels.
    Routed(Router),
}

/// One subtask of the chain, open and restored.
pub(crate) struct Link {
    pub(crate) subtask: SubtaskId,
    pub(crate) role: Role,
    /// By port; what reads dead letters stands behind the declared ports.
    pub(crate) outputs: Vec<Vec<Output>>,
    /// How many ports it declares.
    pub(crate) ports: u32,
    pub(crate) metrics: Arc<SubtaskMetrics>,
    /// All inputs have ended and, in an operator, `finish` was called.
    pub(crate) has_ended: bool,
    /// The last one that reached it.
    pub(crate) watermark: ToldWatermark,
}

/// The subtasks of one chain.
pub(crate) struct Chain {
    links: Vec<Link>,
    outbox: Outbox,
    /// What is left to do for the element at hand, the next of it last.
    pending: Vec<Pending>,
    /// The attempt is over: looked at between two calls.
    cancelled: CancellationToken,
    /// Only while a record is being looked for.
    care: Option<Box<Care>>,
    /// A guest is to be replaced, for which it takes a barrier.
    wants_checkpoint: Option<Urgency>,
}

/// What became of a snapshot.
pub(crate) enum Snapshot {
    /// What has to be made durable, and what is to be done once the barrier is sent.
    Taken {
        parts: Vec<Part>,
        recycling: Vec<DueGuest>,
    },
    /// A guest could not give its state; it goes on.
    Declined(Box<GuestFault>),
}

impl Chain {
    pub(crate) fn new(links: Vec<Link>, outbox: Outbox, cancelled: CancellationToken) -> Self {
        Self {
            links,
            outbox,
            pending: Vec::new(),
            cancelled,
            care: None,
            wants_checkpoint: None,
        }
    }

    /// True if the whole chain has ended.
    pub(crate) fn has_ended(&self) -> bool {
        self.links.iter().all(|link| link.has_ended)
    }

    /// True if the first link had ended when it was restored.
    pub(crate) fn head_has_ended(&self) -> bool {
        self.links[0].has_ended
    }

    /// The subtask of the first link.
    pub(crate) fn head(&self) -> &SubtaskId {
        &self.links[0].subtask
    }

    /// A batch from the input gate for the first link. The first call only: see [`Self::go_on`].
    pub(crate) fn process(
        &mut self,
        input: u32,
        batch: Batch,
        origin: Option<Arc<Origin>>,
    ) -> Result<(), JobError> {
        self.begin(origin);
        self.deliver(0, input, batch)
    }

    /// A batch that the source, the first link, gave. See [`Self::go_on`].
    pub(crate) fn emit_from_source(&mut self, batch: Batch, origin: Option<Arc<Origin>>) {
        self.begin(origin);
        self.emit(0, 0, batch);
    }

    /// The merged watermark of the chain's input advanced. The first call only: see
    /// [`Self::go_on`].
    pub(crate) fn advance_watermark(&mut self, watermark: i64) -> Result<(), JobError> {
        self.begin(None);
        self.watermark(0, watermark)
    }

    /// All inputs of the chain have ended: operators finish, and the chain's output ends. The first
    /// call only: see [`Self::go_on`].
    pub(crate) fn end(&mut self) -> Result<(), JobError> {
        self.begin(None);
        self.end_link(0)
    }

    /// The next element. All records that come of it have its origin.
    fn begin(&mut self, origin: Option<Arc<Origin>>) {
        self.assert_between_elements();
        // A batch that was sent before the care was over may still have one.
        self.outbox
            .set_origin(origin.filter(|_| self.care.is_some()));
    }

    /// A barrier, too, stands only here: what is pending is in nobody's snapshot.
    fn assert_between_elements(&self) {
        assert!(
            self.pending.is_empty(),
            "{} has not done with the element before",
            self.head()
        );
    }

    /// Makes pending, for every subtask, the watermark that it was told before the checkpoint that
    /// it is restored from, and behind it for everything downstream as well: so each channel stands
    /// where it stood at the barrier. Called once, before anything else is processed.
    pub(crate) fn repeat_watermarks(&mut self) {
        self.begin(None);
        let links = self.links.iter().enumerate();
        let told: Vec<(usize, i64)> = links
            .filter_map(|(at, link)| Some((at, link.watermark.last()?)))
            .collect();
        // What is pending last is done first: all are told, the last link before the others, so
        // that what a link gives for it reaches only links that were told.
        let forwarded = told.iter().rev();
        let forwarded =
            forwarded.map(|&(at, watermark)| Pending::WatermarkBehind { at, watermark });
        self.pending.extend(forwarded);
        let again = told.iter();
        let again = again.map(|&(at, watermark)| Pending::WatermarkAgain { at, watermark });
        self.pending.extend(again);
    }

    /// Between two calls: whoever cancels waits for one of them at most.
    pub(crate) fn leave_if_cancelled(&self) -> Result<(), Exit> {
        match self.cancelled.is_cancelled() {
            true => Err(Exit::Told),
            false => Ok(()),
        }
    }

    /// Queues the barrier for every output channel, behind all that was produced before.
    pub(crate) fn broadcast_barrier(&mut self, checkpoint: CheckpointId) {
        self.assert_between_elements();
        let element = StreamElement::Barrier(CheckpointBarrier { checkpoint });
        for link in &self.links {
            for output in link.outputs.iter().flatten() {
                if let Output::Routed(router) = output {
                    router.broadcast(element.clone(), &mut self.outbox);
                }
            }
        }
    }

    /// See [`Outbox::must_wait`].
    pub(crate) fn must_wait(&self) -> bool {
        self.outbox.must_wait()
    }

    /// Sends what is queued. See [`Outbox::flush`].
    pub(crate) async fn flush(&mut self) -> Result<(), ChannelClosed> {
        self.outbox.flush().await
    }

    /// See [`Outbox::owes_wakes`].
    pub(crate) fn owes_wakes(&self) -> bool {
        self.outbox.owes_wakes()
    }

    /// See [`Outbox::wake_receivers`].
    pub(crate) fn wake_receivers(&mut self) {
        self.outbox.wake_receivers();
    }

    /// The state of every subtask as of now. `splits` are the source's positions.
    pub(crate) fn snapshot(
        &mut self,
        checkpoint: CheckpointId,
        mut splits: Option<Vec<SourceSplit>>,
    ) -> Result<Snapshot, Exit> {
        self.assert_between_elements();
        // Guests first: a sink must not cut its output for a checkpoint that is declined.
        self.wants_checkpoint = None;
        let mut states = Vec::new();
        for at in 0..self.links.len() {
            self.leave_if_cancelled()?;
            let link = &mut self.links[at];
            let Role::Operator(guest) = &mut link.role else {
                states.push(None);
                continue;
            };
            let taken = guest.instance.snapshot(checkpoint.0);
            guest.show_counts(&link.metrics);
            match taken {
                Ok(chunks) => states.push(Some(chunks)),
                Err(fault) if fault.instance_is_usable() => {
                    return Ok(Snapshot::Declined(Box::new(fault)));
                }
                Err(fault) => return Err(JobError::from(Box::new(fault)).into()),
            }
        }
        self.leave_if_cancelled()?;
        let recycling = self.due_guests(&states);
        let mut parts = Vec::new();
        for (link, state) in self.links.iter_mut().zip(states) {
            link.metrics.mark_snapshot();
            let contents = match &mut link.role {
                Role::Source => {
                    let splits = splits.take();
                    PartContents::Splits(splits.expect("a chain with a source has its splits"))
                }
                Role::Operator(_) => {
                    PartContents::State(state.expect("every operator gave its state above"))
                }
                Role::Sink(sink) => {
                    let pre_commit = sink.pre_commit(checkpoint);
                    let failed = |error| connector_failed(&link.subtask, error);
                    PartContents::Output(pre_commit.map_err(failed)?)
                }
            };
            parts.push(Part {
                subtask: link.subtask.clone(),
                has_ended: link.has_ended,
                watermark: link.watermark.last(),
                contents,
            });
        }
        Ok(Snapshot::Taken { parts, recycling })
    }

    /// Tells every operator that the checkpoint is complete.
    pub(crate) fn checkpoint_complete(&mut self, checkpoint: CheckpointId) -> Result<(), Exit> {
        for at in 0..self.links.len() {
            self.leave_if_cancelled()?;
            let link = &mut self.links[at];
            let Role::Operator(guest) = &mut link.role else {
                continue;
            };
            match guest.checkpoint_complete(checkpoint) {
                Ok(()) => {}
                // The notification is a courtesy: the checkpoint is complete whatever the guest
                // says, and its state is unharmed.
                Err(fault) if fault.instance_is_usable() => {
                    tracing::warn!(subtask = %link.subtask, %checkpoint, "{fault}");
                }
                Err(fault) => return Err(JobError::from(Box::new(fault)).into()),
            }
        }
        Ok(())
    }
}
