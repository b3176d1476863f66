//! Record path: source → channel → aligner → **operator chain** → router → sink.
//!
//! The subtasks of one chain, called one after the other on one thread: a batch goes through all
//! of them before the next one comes. Nothing here waits; output for other chains is queued in the
//! outbox. A subtask that has ended gets no record, watermark or `finish` any more, also not after
//! a restore: `finish` happens once in the life of a job.

mod careful;
mod recycle;

use std::sync::Arc;
use std::time::Instant;

use tidegate_operator::{Batch, Emission, GuestFault};

use super::guest::Guest;
use super::outbox::Outbox;
use super::persister::{Part, PartContents};
use super::router::Router;
use crate::channel::ChannelClosed;
use crate::metrics::SubtaskMetrics;
use crate::sink::Sink;
use crate::source::SourceSplit;
use crate::stream::{CheckpointBarrier, Origin, StreamElement, ToldWatermark};
use crate::{CheckpointId, JobError, SubtaskId};
use careful::{Care, untraced_fault};
pub(crate) use recycle::DueGuest;

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
pub(crate) struct OpenLink {
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
pub(crate) struct OperatorChain {
    links: Vec<OpenLink>,
    outbox: Outbox,
    /// Only while a record is being looked for.
    care: Option<Box<Care>>,
    /// A guest is to be replaced, for which it takes a barrier.
    wants_checkpoint: bool,
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

impl OperatorChain {
    pub(crate) fn new(links: Vec<OpenLink>, outbox: Outbox) -> Self {
        Self {
            links,
            outbox,
            care: None,
            wants_checkpoint: false,
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

    /// A batch from the input gate for the first link.
    pub(crate) fn process(
        &mut self,
        input: u32,
        batch: Batch,
        origin: Option<Arc<Origin>>,
    ) -> Result<(), JobError> {
        self.set_origin(origin);
        self.deliver(0, input, batch)
    }

    /// A batch that the source, the first link, gave.
    pub(crate) fn emit_from_source(
        &mut self,
        batch: Batch,
        origin: Option<Arc<Origin>>,
    ) -> Result<(), JobError> {
        self.set_origin(origin);
        self.emit(0, 0, batch)
    }

    /// Where all records come from that the chain gives now.
    fn set_origin(&mut self, origin: Option<Arc<Origin>>) {
        // A batch that was sent before the care was over may still have one.
        self.outbox
            .set_origin(origin.filter(|_| self.care.is_some()));
    }

    /// The merged watermark of the chain's input advanced.
    pub(crate) fn advance_watermark(&mut self, watermark: i64) -> Result<(), JobError> {
        self.set_origin(None);
        self.watermark(0, watermark)
    }

    /// Tells every subtask the watermark that it was told before the checkpoint that it is restored
    /// from, and everything downstream as well: so each channel stands where it stood at the
    /// barrier. Called once, before anything else is processed.
    pub(crate) fn repeat_watermarks(&mut self) -> Result<(), JobError> {
        self.set_origin(None);
        let links = self.links.iter().enumerate();
        let told: Vec<(usize, i64)> = links
            .filter_map(|(at, link)| Some((at, link.watermark.last()?)))
            .collect();
        // The last first: what a link gives for it reaches only links that were told.
        for (at, watermark) in told.iter().rev() {
            self.tell_watermark(*at, *watermark)?;
        }
        told.iter()
            .try_for_each(|(at, watermark)| self.forward_watermark(*at, *watermark))
    }

    /// All inputs of the chain have ended: operators finish, and the chain's output ends.
    pub(crate) fn end(&mut self) -> Result<(), JobError> {
        self.set_origin(None);
        self.end_link(0)
    }

    /// Queues the barrier for every output channel, behind all that was produced before.
    pub(crate) fn broadcast_barrier(&mut self, checkpoint: CheckpointId) {
        let element = StreamElement::Barrier(CheckpointBarrier { checkpoint });
        for link in &self.links {
            for output in link.outputs.iter().flatten() {
                if let Output::Routed(router) = output {
                    router.broadcast(&element, &mut self.outbox);
                }
            }
        }
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
    ) -> Result<Snapshot, JobError> {
        // Guests first: a sink must not cut its output for a checkpoint that is declined.
        self.wants_checkpoint = false;
        let mut states = Vec::new();
        for link in &mut self.links {
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
                Err(fault) => return Err(Box::new(fault).into()),
            }
        }
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
    pub(crate) fn checkpoint_complete(&mut self, checkpoint: CheckpointId) -> Result<(), JobError> {
        for link in &mut self.links {
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
                Err(fault) => return Err(Box::new(fault).into()),
            }
        }
        Ok(())
    }

    fn deliver(&mut self, at: usize, input: u32, batch: Batch) -> Result<(), JobError> {
        let link = &mut self.links[at];
        assert!(
            !link.has_ended,
            "{} got records after its end",
            link.subtask
        );
        link.metrics.count_in(batch.len(), batch.byte_size());
        let started = Instant::now();
        match &mut link.role {
            Role::Source => unreachable!("nothing is delivered to a source"),
            Role::Operator(_) if self.care.is_some() => self.process_carefully(at, input, batch),
            Role::Operator(guest) => {
                let records = batch.len();
                let emissions = match guest.instance.process(input, batch) {
                    Ok(emissions) => emissions,
                    Err(fault) => {
                        let record = guest.instance.take_failed_record();
                        return Err(untraced_fault(fault, input, records, record));
                    }
                };
                self.wants_checkpoint |= guest.asks_for_checkpoint();
                guest.show_counts(&link.metrics);
                link.metrics.count_busy(started.elapsed());
                self.emit_all(at, emissions)
            }
            Role::Sink(sink) => {
                let written = sink.write(&batch);
                link.metrics.count_busy(started.elapsed());
                written.map_err(|error| connector_failed(&link.subtask, error))
            }
        }
    }

    fn emit_all(&mut self, at: usize, emissions: Vec<Emission>) -> Result<(), JobError> {
        let emissions = emissions.into_iter().filter(|e| !e.batch.is_empty());
        for emission in emissions {
            self.emit(at, emission.port, emission.batch)?;
        }
        Ok(())
    }

    fn emit(&mut self, at: usize, port: u32, batch: Batch) -> Result<(), JobError> {
        let link = &self.links[at];
        link.metrics.count_out(batch.len(), batch.byte_size());
        let places = link.outputs[port as usize].len();
        let mut batch = Some(batch);
        for place in 0..places {
            let is_last = place + 1 == places;
            let part = if is_last { batch.take() } else { batch.clone() };
            let part = part.expect("the batch is taken only by the last place");
            match &mut self.links[at].outputs[port as usize][place] {
                Output::Routed(router) => router.route(part, &mut self.outbox),
                Output::Chained(next) => {
                    let next = *next;
                    self.deliver(next, 0, part)?;
                }
            }
        }
        Ok(())
    }

    fn watermark(&mut self, at: usize, watermark: i64) -> Result<(), JobError> {
        if !self.links[at].watermark.rises_to(watermark) {
            return Ok(());
        }
        self.tell_watermark(at, watermark)?;
        self.forward_watermark(at, watermark)
    }

    /// Tells one link and hands on what it gives for it.
    fn tell_watermark(&mut self, at: usize, watermark: i64) -> Result<(), JobError> {
        let link = &mut self.links[at];
        link.metrics.set_watermark(watermark);
        if !link.has_ended
            && let Role::Operator(guest) = &mut link.role
        {
            let emissions = guest.instance.advance_watermark(watermark);
            guest.show_counts(&link.metrics);
            let emissions = emissions.map_err(Box::new)?;
            self.log_watermark(at, watermark);
            self.emit_all(at, emissions)?;
        }
        Ok(())
    }

    fn forward_watermark(&mut self, at: usize, watermark: i64) -> Result<(), JobError> {
        self.forward(at, &StreamElement::Watermark(watermark), |chain, next| {
            chain.watermark(next, watermark)
        })
    }

    fn end_link(&mut self, at: usize) -> Result<(), JobError> {
        let link = &mut self.links[at];
        if !link.has_ended
            && let Role::Operator(guest) = &mut link.role
        {
            let emissions = guest.instance.finish().map_err(Box::new)?;
            guest.show_counts(&link.metrics);
            self.emit_all(at, emissions)?;
        }
        let link = &mut self.links[at];
        link.has_ended = true;
        link.metrics.set_ended();
        self.forward(at, &StreamElement::EndOfInput, Self::end_link)
    }

    /// Hands an element that concerns everyone to all that is downstream of a link.
    fn forward(
        &mut self,
        at: usize,
        element: &StreamElement,
        mut chained: impl FnMut(&mut Self, usize) -> Result<(), JobError>,
    ) -> Result<(), JobError> {
        let mut next_links = Vec::new();
        for output in self.links[at].outputs.iter().flatten() {
            match output {
                Output::Routed(router) => router.broadcast(element, &mut self.outbox),
                Output::Chained(next) => next_links.push(*next),
            }
        }
        next_links
            .into_iter()
            .try_for_each(|next| chained(self, next))
    }
}

/// A connector's failure with the subtask that it happened in.
pub(crate) fn connector_failed(subtask: &SubtaskId, error: crate::ConnectorError) -> JobError {
    JobError::Connector {
        subtask: subtask.clone(),
        error,
    }
}
