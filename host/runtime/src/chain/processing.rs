//! Record path, within a chain: what is left to do for the element at hand, and in which order.
//!
//! One call may emit a thousand batches, and the next link make 60 MiB of each. So links do not
//! call each other: what one gave is pending until it is done, the last thing first, so that all
//! that comes of one batch is over before the next batch is looked at. At any time there waits what
//! one call emitted for each link, and what one call sent; a chain goes on when the latter has
//! entered its channels. Between two calls it may be told to leave. A barrier can't come between
//! them, since what is pending is in nobody's snapshot.

use std::time::Instant;

use tidegate_operator::{Batch, Emission};

use super::isolating::{Singly, untraced_fault};
use super::{Chain, Output, Role};
use crate::JobError;
use crate::error::connector_failed;
use crate::stream::StreamElement;

/// Something left to do.
pub(super) enum Pending {
    /// A batch that goes into a link.
    Batch { at: usize, batch: Batch },
    /// What a call of a link emitted.
    Emissions {
        at: usize,
        rest: std::vec::IntoIter<Emission>,
    },
    /// A batch of a port, and the place that it goes to next.
    Places {
        at: usize,
        port: u32,
        place: usize,
        batch: Batch,
    },
    /// Records that an operator gets one by one.
    Singly(Box<Singly>),
    /// The watermark reaches a link.
    Watermark { at: usize, watermark: i64 },
    /// A restored link is told the watermark that it was told before.
    WatermarkAgain { at: usize, watermark: i64 },
    /// The watermark leaves a link, behind what the operator emitted for it.
    WatermarkBehind { at: usize, watermark: i64 },
    /// The input of a link ends.
    End { at: usize },
    /// The output of a link ends, behind what its `finish` emitted.
    EndBehind { at: usize },
}

impl Chain {
    /// True while there is something left to do for the element at hand.
    pub(crate) fn has_pending(&self) -> bool {
        !self.pending.is_empty()
    }

    /// Does what is pending, until an operator or a sink was called once or the outbox must wait.
    pub(crate) fn go_on(&mut self) -> Result<(), JobError> {
        while let Some(next) = self.pending.pop() {
            let has_called = self.perform(next)?;
            if has_called || self.outbox.must_wait() {
                break;
            }
        }
        Ok(())
    }

    /// True if an operator or a sink was called.
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
                at,
                port,
                place,
                batch,
            } => {
                self.emit_to(at, port, place, batch);
                Ok(false)
            }
            Pending::WatermarkBehind { at, watermark } => {
                let element = StreamElement::Watermark(watermark);
                self.forward(at, &element, |at| Pending::Watermark { at, watermark });
                Ok(false)
            }
            Pending::EndBehind { at } => {
                self.end_output(at);
                Ok(false)
            }
        }
    }

    fn is_operator(&self, at: usize) -> bool {
        matches!(self.links[at].role, Role::Operator(_))
    }

    pub(super) fn deliver(&mut self, at: usize, input: u32, batch: Batch) -> Result<(), JobError> {
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
                link.metrics.count_busy(started.elapsed());
                guest.show_counts(&link.metrics);
                self.look_at_memory(at)?;
                self.emit_all(at, emissions);
                Ok(())
            }
            Role::Sink(sink) => {
                let written = sink.write(&batch);
                link.metrics.count_busy(started.elapsed());
                written.map_err(|error| connector_failed(&link.subtask, error))
            }
        }
    }

    /// What a call of a link emitted, before anything else that is pending.
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
        self.emit(at, emission.port, emission.batch);
    }

    pub(super) fn emit(&mut self, at: usize, port: u32, batch: Batch) {
        let metrics = &self.links[at].metrics;
        metrics.count_out(batch.len(), batch.byte_size());
        self.emit_to(at, port, 0, batch);
    }

    /// Sends a batch to the places of its port from `place` on, as far as there is room.
    fn emit_to(&mut self, at: usize, port: u32, mut place: usize, batch: Batch) {
        let places = self.links[at].outputs[port as usize].len();
        let mut batch = Some(batch);
        while place < places {
            let is_last = place + 1 == places;
            let part = if is_last { batch.take() } else { batch.clone() };
            let part = part.expect("the batch is taken only by the last place");
            let output = &mut self.links[at].outputs[port as usize][place];
            place += 1;
            let next = match output {
                Output::Routed(router) => {
                    router.route(part, &mut self.outbox);
                    None
                }
                Output::Chained(at) => Some(Pending::Batch {
                    at: *at,
                    batch: part,
                }),
            };
            if next.is_none() && !self.outbox.must_wait() {
                continue;
            }
            // What goes to the other places comes after all that this one leads to.
            if let Some(batch) = batch.take() {
                self.pending.push(Pending::Places {
                    at,
                    port,
                    place,
                    batch,
                });
            }
            self.pending.extend(next);
            return;
        }
    }

    pub(super) fn watermark(&mut self, at: usize, watermark: i64) -> Result<(), JobError> {
        if !self.links[at].watermark.rises_to(watermark) {
            return Ok(());
        }
        self.pending
            .push(Pending::WatermarkBehind { at, watermark });
        self.tell_watermark(at, watermark)
    }

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
            self.emit_all(at, emissions);
        }
        Ok(())
    }

    pub(super) fn end_link(&mut self, at: usize) -> Result<(), JobError> {
        let link = &mut self.links[at];
        self.pending.push(Pending::EndBehind { at });
        if !link.has_ended
            && let Role::Operator(guest) = &mut link.role
        {
            let emissions = guest.instance.finish().map_err(Box::new)?;
            guest.show_counts(&link.metrics);
            self.emit_all(at, emissions);
        }
        Ok(())
    }

    fn end_output(&mut self, at: usize) {
        let link = &mut self.links[at];
        link.has_ended = true;
        link.metrics.set_ended();
        self.forward(at, &StreamElement::EndOfInput, |at| Pending::End { at });
    }

    /// Hands an element that concerns everyone to all that is downstream of a link.
    fn forward(&mut self, at: usize, element: &StreamElement, chained: impl Fn(usize) -> Pending) {
        let outputs = || self.links[at].outputs.iter().flatten();
        for output in outputs() {
            match output {
                Output::Routed(router) => router.broadcast(element.clone(), &mut self.outbox),
                Output::Chained(_) => {}
            }
        }
        // The first one is done first.
        for output in outputs().rev() {
            match output {
                Output::Routed(_) => {}
                Output::Chained(next) => self.pending.push(chained(*next)),
            }
        }
    }
}

#[cfg(test)]
mod tests;
