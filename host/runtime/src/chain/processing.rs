//! Record path: feed → chain loop → **processing** → guest or sink → **processing** → router.
//!
//! The consequences of an element within a chain, and their order.
//!
//! One call may emit a thousand batches, and the next link may make 60 MiB of each. So links do not
//! call each other: the output of a call is pending, and the chain works on the newest output
//! first, so that all consequences of one batch are over before it looks at the next batch. At any
//! time the chain holds the output of one call for each link, and the sent output of one call; it
//! continues when the latter has entered its channels. Between two calls the chain may be told to
//! leave. A barrier can't come between them, since pending work is in no snapshot.

use std::sync::Arc;
use std::time::Instant;

use tidegate_connector::source::InvalidRecord;
use tidegate_operator::{Batch, Emission};

use super::dead_letter::rejected_letter;
use super::isolating::{Singly, fault_without_origin};
use super::{Chain, Destination, Link, Role, Subtask};
use crate::JobError;
use crate::error::connector_failed;
use crate::stream::{RecordOrigin, StreamElement};

/// A subtask of the chain as a producer of elements.
#[derive(Clone, Copy, Debug)]
pub(super) enum Producer {
    Source,
    Link(usize),
}

/// A step that is left to do.
pub(super) enum Pending {
    /// A batch that goes into a link.
    Batch { at: usize, batch: Batch },
    /// The output of a call of a link.
    Emissions {
        at: usize,
        rest: std::vec::IntoIter<Emission>,
    },
    /// A batch of a port, and its next destination.
    Places {
        of: Producer,
        port: u32,
        place: usize,
        batch: Batch,
    },
    /// Records that an operator gets one by one.
    Singly(Box<Singly>),
    /// The watermark reaches a link.
    Watermark { at: usize, watermark: i64 },
    /// A restored link is told again the watermark from before the checkpoint.
    WatermarkAgain { at: usize, watermark: i64 },
    /// The watermark leaves a subtask, behind what the operator emitted for it.
    WatermarkBehind { of: Producer, watermark: i64 },
    /// The input of a link ends.
    End { at: usize },
    /// The output of a subtask ends, behind what its `finish` emitted.
    EndBehind { of: Producer },
}

impl Chain {
    /// Processes records from the feed: those of the source, or for an input of the first link.
    /// Makes the first call only: see [`Self::go_on`].
    pub(super) fn process(
        &mut self,
        input: u32,
        batch: Batch,
        origin: Option<Arc<RecordOrigin>>,
    ) -> Result<(), JobError> {
        self.begin(origin);
        match self.source {
            Some(_) => {
                self.emit(Producer::Source, 0, batch);
                Ok(())
            }
            None => self.deliver(0, input, batch),
        }
    }

    /// Sends input that the source rejected to its dead-letter port, which has a reader.
    pub(super) fn reject(&mut self, record: &InvalidRecord, origin: Option<Arc<RecordOrigin>>) {
        self.begin(origin);
        let source = self.source.as_ref().expect("only a source rejects input");
        let (letter, port) = (rejected_letter(record, &source.id), source.ports);
        self.rejected += 1;
        self.emit(Producer::Source, port, letter);
    }

    /// Returns the number of dead letters of the source since the last call.
    pub(super) fn take_rejected(&mut self) -> u64 {
        std::mem::take(&mut self.rejected)
    }

    /// Advances the watermark of the chain's input. Makes the first call only: see [`Self::go_on`].
    pub(super) fn advance_watermark(&mut self, watermark: i64) -> Result<(), JobError> {
        self.begin(None);
        let Some(source) = &mut self.source else {
            return self.watermark(0, watermark);
        };
        if source.watermark.rises_to(watermark) {
            source.metrics.set_watermark(watermark);
            let of = Producer::Source;
            self.pending
                .push(Pending::WatermarkBehind { of, watermark });
        }
        Ok(())
    }

    /// Ends the input of the chain: operators finish, and the chain's output ends. Makes the first
    /// call only: see [`Self::go_on`].
    pub(super) fn end(&mut self) -> Result<(), JobError> {
        self.begin(None);
        match self.source {
            Some(_) => {
                let of = Producer::Source;
                self.pending.push(Pending::EndBehind { of });
                Ok(())
            }
            None => self.end_link(0),
        }
    }

    /// Makes the watermark pending that each subtask was told before the checkpoint it is restored
    /// from, and then the same for all that is downstream: so each channel stands where it stood at
    /// the barrier. Called once, before any element is processed.
    pub(super) fn repeat_watermarks(&mut self) {
        self.begin(None);
        let source = self.source.iter().map(|source| (Producer::Source, source));
        let links = self.links.iter().enumerate();
        let links = links.map(|(at, link)| (Producer::Link(at), &link.subtask));
        let told: Vec<(Producer, i64)> = source
            .chain(links)
            .filter_map(|(of, subtask)| Some((of, subtask.watermark.last()?)))
            .collect();
        // The last pending step is done first: all links are told, the last link before the others,
        // so that a link's output for the watermark reaches only links that were told.
        let forwarded = told.iter().rev();
        let forwarded =
            forwarded.map(|&(of, watermark)| Pending::WatermarkBehind { of, watermark });
        self.pending.extend(forwarded);
        for (of, watermark) in told {
            match of {
                Producer::Source => self.subtask(of).metrics.set_watermark(watermark),
                Producer::Link(at) => {
                    self.pending.push(Pending::WatermarkAgain { at, watermark });
                }
            }
        }
    }

    /// Begins the next element. All records that result from it have its origin.
    pub(super) fn begin(&mut self, origin: Option<Arc<RecordOrigin>>) {
        self.assert_between_elements();
        // A batch that was sent before isolation ended may still have an origin.
        self.outbox
            .set_origin(origin.filter(|_| self.isolation.is_some()));
    }

    fn subtask(&mut self, of: Producer) -> &mut Subtask {
        producer(&mut self.source, &mut self.links, of)
    }

    /// Returns true while there is work left for the current element.
    pub(super) fn has_pending(&self) -> bool {
        !self.pending.is_empty()
    }

    /// Performs pending steps until an operator or a sink was called once or the outbox must wait.
    pub(super) fn go_on(&mut self) -> Result<(), JobError> {
        while let Some(next) = self.pending.pop() {
            let has_called = self.perform(next)?;
            if has_called || self.outbox.must_wait() {
                break;
            }
        }
        Ok(())
    }

    /// Performs one step. Returns true if an operator or a sink was called.
    fn perform(&mut self, next: Pending) -> Result<bool, JobError> {
        match next {
            Pending::Batch { at, batch } => self.deliver(at, 0, batch).map(|()| true),
            Pending::Singly(singly) => self.process_next(singly).map(|()| true),
            Pending::Watermark { at, watermark } => {
                self.watermark(at, watermark)?;
                Ok(self.is_operator(at))
            }
            Pending::WatermarkAgain { at, watermark } => {
                self.tell_watermark(at, watermark)?;
                Ok(self.is_operator(at))
            }
            Pending::End { at } => {
                self.end_link(at)?;
                Ok(self.is_operator(at))
            }
            Pending::Emissions { at, rest } => {
                self.emit_next(at, rest);
                Ok(false)
            }
            Pending::Places {
                of,
                port,
                place,
                batch,
            } => {
                self.emit_to(of, port, place, batch);
                Ok(false)
            }
            Pending::WatermarkBehind { of, watermark } => {
                let element = StreamElement::Watermark(watermark);
                self.forward(of, &element, |at| Pending::Watermark { at, watermark });
                Ok(false)
            }
            Pending::EndBehind { of } => {
                self.end_output(of);
                Ok(false)
            }
        }
    }

    fn is_operator(&self, at: usize) -> bool {
        matches!(self.links[at].role, Role::Operator(_))
    }

    pub(super) fn deliver(&mut self, at: usize, input: u32, batch: Batch) -> Result<(), JobError> {
        let Link { subtask, role } = &mut self.links[at];
        let id = &subtask.id;
        assert!(!subtask.has_ended, "{id} got records after its end");
        subtask.metrics.count_in(batch.len(), batch.byte_size());
        let started = Instant::now();
        match role {
            Role::Operator(_) if self.isolation.is_some() => {
                self.process_isolating(at, input, batch)
            }
            Role::Operator(guest) => {
                let records = batch.len();
                let emissions = match guest.instance().process(input, batch) {
                    Ok(emissions) => emissions,
                    Err(fault) => {
                        let record = guest.instance().take_failed_record();
                        return Err(fault_without_origin(fault, input, records, record));
                    }
                };
                subtask.metrics.count_busy(started.elapsed());
                guest.show_counts(&subtask.metrics);
                self.look_at_memory(at)?;
                self.emit_all(at, emissions);
                Ok(())
            }
            Role::Sink(sink) => {
                let written = sink.write(&batch);
                subtask.metrics.count_busy(started.elapsed());
                written.map_err(|error| connector_failed(id, error))
            }
        }
    }

    /// Emits the output of a call of a link, before all other pending work.
    pub(super) fn emit_all(&mut self, at: usize, emissions: Vec<Emission>) {
        if !emissions.is_empty() {
            self.emit_next(at, emissions.into_iter());
        }
    }

    fn emit_next(&mut self, at: usize, mut rest: std::vec::IntoIter<Emission>) {
        let Some(emission) = rest.find(|emission| !emission.batch.is_empty()) else {
            return;
        };
        if rest.len() > 0 {
            self.pending.push(Pending::Emissions { at, rest });
        }
        self.emit(Producer::Link(at), emission.port, emission.batch);
    }

    fn emit(&mut self, of: Producer, port: u32, batch: Batch) {
        let metrics = &self.subtask(of).metrics;
        metrics.count_out(batch.len(), batch.byte_size());
        self.emit_to(of, port, 0, batch);
    }

    /// Sends a batch to the places of its port from `place` on, as far as there is room.
    fn emit_to(&mut self, of: Producer, port: u32, mut place: usize, batch: Batch) {
        let subtask = producer(&mut self.source, &mut self.links, of);
        let outputs = &mut subtask.outputs[port as usize];
        let places = outputs.len();
        let mut batch = Some(batch);
        while place < places {
            let is_last = place + 1 == places;
            let part = if is_last { batch.take() } else { batch.clone() };
            let part = part.expect("the batch is taken only by the last place");
            let output = &mut outputs[place];
            place += 1;
            let next = match output {
                Destination::Routed(router) => {
                    router.route(part, &mut self.outbox);
                    None
                }
                Destination::Chained(at) => Some(Pending::Batch {
                    at: *at,
                    batch: part,
                }),
            };
            if next.is_none() && !self.outbox.must_wait() {
                continue;
            }
            // The other places get the batch after all consequences of this place are done.
            if let Some(batch) = batch.take() {
                self.pending.push(Pending::Places {
                    of,
                    port,
                    place,
                    batch,
                });
            }
            self.pending.extend(next);
            return;
        }
    }

    fn watermark(&mut self, at: usize, watermark: i64) -> Result<(), JobError> {
        if !self.links[at].subtask.watermark.rises_to(watermark) {
            return Ok(());
        }
        let of = Producer::Link(at);
        self.pending
            .push(Pending::WatermarkBehind { of, watermark });
        self.tell_watermark(at, watermark)
    }

    fn tell_watermark(&mut self, at: usize, watermark: i64) -> Result<(), JobError> {
        let Link { subtask, role } = &mut self.links[at];
        subtask.metrics.set_watermark(watermark);
        if !subtask.has_ended
            && let Role::Operator(guest) = role
        {
            let emissions = guest.instance().advance_watermark(watermark);
            guest.show_counts(&subtask.metrics);
            let emissions = emissions.map_err(Box::new)?;
            self.log_watermark(at, watermark);
            self.emit_all(at, emissions);
        }
        Ok(())
    }

    fn end_link(&mut self, at: usize) -> Result<(), JobError> {
        let Link { subtask, role } = &mut self.links[at];
        let of = Producer::Link(at);
        self.pending.push(Pending::EndBehind { of });
        if !subtask.has_ended
            && let Role::Operator(guest) = role
        {
            let emissions = guest.instance().finish().map_err(Box::new)?;
            guest.show_counts(&subtask.metrics);
            self.emit_all(at, emissions);
        }
        Ok(())
    }

    fn end_output(&mut self, of: Producer) {
        let subtask = self.subtask(of);
        subtask.has_ended = true;
        subtask.metrics.set_ended();
        self.forward(of, &StreamElement::EndOfInput, |at| Pending::End { at });
    }

    /// Forwards an element to every destination downstream of a subtask.
    fn forward(
        &mut self,
        of: Producer,
        element: &StreamElement,
        chained: impl Fn(usize) -> Pending,
    ) {
        let subtask = &*producer(&mut self.source, &mut self.links, of);
        let outputs = || subtask.outputs.iter().flatten();
        for output in outputs() {
            match output {
                Destination::Routed(router) => router.broadcast(element.clone(), &mut self.outbox),
                Destination::Chained(_) => {}
            }
        }
        // The first one is done first.
        for output in outputs().rev() {
            match output {
                Destination::Routed(_) => {}
                Destination::Chained(next) => self.pending.push(chained(*next)),
            }
        }
    }
}

fn producer<'a>(
    source: &'a mut Option<Subtask>,
    links: &'a mut [Link],
    of: Producer,
) -> &'a mut Subtask {
    match of {
        Producer::Source => source.as_mut().expect("only a source feeds as one"),
        Producer::Link(at) => &mut links[at].subtask,
    }
}

#[cfg(test)]
mod tests;
