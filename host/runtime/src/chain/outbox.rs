//! Record path: router → **outbox** → channel.
//!
//! The output that a chain has not sent yet, in order. Guests and sinks are called without waiting;
//! their output is sent at once where there is room. The rest is queued here, and the chain waits
//! for room before it sends another batch or makes another call: the queue holds a part of the
//! output of one call. A batch for many channels is queued once. A sleeping receiver may be left
//! asleep for a moment while more elements arrive, but never while this chain itself sleeps.

use std::ops::Range;
use std::sync::Arc;

use tidegate_operator::Batch;
use tokio::time::Instant;

use crate::channel::{ChannelClosed, ChannelSender, NotSent, Sent};
use crate::config::limits::WAKE_DELAY;
use crate::stream::{BatchWithOrigin, RecordOrigin, StreamElement};

/// A sender of one outbox, dense from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct SenderIndex(pub(crate) usize);

/// The output channels of one chain and what waits to enter them.
#[derive(Debug)]
pub(crate) struct Outbox {
    senders: Vec<ChannelSender>,
    /// Elements, each for the senders that have not sent it.
    queue: Vec<(Range<usize>, StreamElement)>,
    /// True if a downstream subtask was found to be gone.
    is_closed: bool,
    /// Senders whose receivers sleep though they have a little to read; more may come.
    owed: Vec<SenderIndex>,
    /// True, by sender, if the sender is in `owed`.
    is_owed: Vec<bool>,
    /// The last time at which no receiver was owed a wake, at the end of a call.
    settled_at: Instant,
    /// The origin of the records that are sent now; `None` in an ordinary attempt.
    origin: Option<Arc<RecordOrigin>>,
}

impl Outbox {
    pub(crate) fn new(senders: Vec<ChannelSender>) -> Self {
        Self {
            owed: Vec::new(),
            is_owed: vec![false; senders.len()],
            settled_at: Instant::now(),
            senders,
            queue: Vec::new(),
            is_closed: false,
            origin: None,
        }
    }

    /// Sets the origin of the batches that are pushed from now on.
    pub(crate) fn set_origin(&mut self, origin: Option<Arc<RecordOrigin>>) {
        self.origin = origin;
    }

    /// Returns the origin; see [`Self::set_origin`].
    pub(crate) fn origin(&self) -> Option<&Arc<RecordOrigin>> {
        self.origin.as_ref()
    }

    /// Sends an element, or queues it if it has to wait.
    pub(crate) fn push(&mut self, sender: SenderIndex, element: StreamElement) {
        let element = self.with_origin(element);
        // Queued elements go first, so that each channel keeps its order.
        if self.queue.is_empty() {
            self.try_send(sender.0..sender.0 + 1, element);
        } else {
            self.queue.push((sender.0..sender.0 + 1, element));
        }
    }

    /// Like [`Self::push`], for many senders: they send copies, one after the other.
    pub(crate) fn push_to_all(&mut self, mut senders: Range<usize>, element: StreamElement) {
        let element = self.with_origin(element);
        while self.queue.is_empty() && senders.len() > 1 {
            let next = senders.start;
            self.try_send(next..next + 1, element.clone());
            senders.start = next + 1;
        }
        if self.queue.is_empty() {
            self.try_send(senders, element);
        } else {
            self.queue.push((senders, element));
        }
    }

    /// Adds the current origin to a batch.
    fn with_origin(&self, element: StreamElement) -> StreamElement {
        match (&self.origin, element) {
            (Some(origin), StreamElement::Batch(batch)) => {
                let origin = Arc::clone(origin);
                StreamElement::BatchWithOrigin(Box::new(BatchWithOrigin { batch, origin }))
            }
            (_, element) => element,
        }
    }

    /// Sends or queues an element; the queue is empty before it.
    fn try_send(&mut self, sender: Range<usize>, element: StreamElement) {
        match self.senders[sender.start].try_send(element) {
            Ok(sent) => self.note(SenderIndex(sender.start), sent),
            Err(NotSent::Full(element)) => self.queue.push((sender, element)),
            Err(NotSent::Closed) => self.is_closed = true,
        }
    }

    /// Returns true if the chain must produce nothing more before [`Self::send_queued`]: an element
    /// waits for room, or a downstream subtask is gone.
    pub(crate) fn must_wait(&self) -> bool {
        !self.queue.is_empty() || self.is_closed
    }

    /// Like [`Self::push`], for records that the channel copies.
    pub(crate) fn push_copy(&mut self, sender: SenderIndex, batch: &Batch) {
        // The copy would lose its origin.
        let goes_now = self.queue.is_empty() && self.origin.is_none();
        let sent = goes_now.then(|| self.senders[sender.0].try_send_copy(batch));
        match sent.flatten() {
            Some(sent) => self.note(sender, sent),
            None => self.push(sender, StreamElement::Batch(batch.clone())),
        }
    }

    /// Returns true if receivers with something to read sleep. The chain must not sleep then.
    pub(crate) fn owes_wakes(&self) -> bool {
        !self.owed.is_empty()
    }

    /// Wakes all receivers that have something to read.
    pub(crate) fn wake_receivers(&mut self) {
        for sender in self.owed.drain(..) {
            self.is_owed[sender.0] = false;
            self.senders[sender.0].wake_receiver();
        }
    }

    fn note(&mut self, sender: SenderIndex, sent: Sent) {
        match sent {
            Sent::Done => {}
            Sent::WakeOwed => {
                if !std::mem::replace(&mut self.is_owed[sender.0], true) {
                    self.owed.push(sender);
                }
            }
        }
    }

    /// Sends the queue, waiting for room. Not cancel-safe: queued elements are lost, so it is only
    /// dropped when the attempt is over.
    ///
    /// # Errors
    ///
    /// [`ChannelClosed`] if a downstream subtask is gone.
    pub(crate) async fn send_queued(&mut self) -> Result<(), ChannelClosed> {
        if self.is_closed {
            return Err(ChannelClosed);
        }
        if !self.queue.is_empty() || self.settled_at.elapsed() >= WAKE_DELAY {
            self.wake_receivers();
        }
        for (mut senders, element) in self.queue.drain(..) {
            let last = senders.next_back();
            for sender in senders {
                self.senders[sender].send(element.clone()).await?;
            }
            if let Some(last) = last {
                self.senders[last].send(element).await?;
            }
        }
        if self.owed.is_empty() {
            self.settled_at = Instant::now();
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
