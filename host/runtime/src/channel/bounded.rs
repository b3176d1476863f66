//! Record path: outbox → **channel** → gate feed. Barrier path: never overtakes.
//!
//! A FIFO between two subtasks, bounded by the bytes of the batches in it: a sender waits while the
//! channel is full (backpressure). Barriers and the end weigh nothing, so a barrier is never
//! refused for lack of room, but it keeps its place behind the records sent before it. A batch
//! larger than the whole capacity is let in when the channel is empty. All channels of one input
//! gate share an inbox, behind a lock that is held for one element and never across a wait.
//!
//! The gate reads all input channels of one chain: the next element of any channel that is neither
//! parked nor ended, in turn, so that no busy channel starves another. The aligner decides which
//! channel is parked; the reader passes the decision on.

use std::collections::BTreeMap;
use std::future::poll_fn;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use tidegate_operator::Batch;

use super::ChannelLimits;
use super::inbox::Inbox;
use crate::ChannelIndex;
use crate::stream::StreamElement;

/// The other end is gone: its subtask has failed or was stopped.
#[derive(Debug, PartialEq, Eq)]
pub struct ChannelClosed;

/// Creates the channels of one input gate, all within `limits`: a sender for each, and the gate.
#[must_use]
pub fn bounded(channels: usize, limits: ChannelLimits) -> (Vec<ChannelSender>, InputGate) {
    let shared = Arc::new(Shared {
        ends: Mutex::new(Ends {
            inbox: Inbox::new(channels, limits.sensible()),
            receiver: Receiver::Busy,
            waiting_senders: BTreeMap::new(),
        }),
    });
    let indices = 0..u32::try_from(channels).expect("fewer than 2^32 channels");
    let sender = |index| ChannelSender {
        shared: Arc::clone(&shared),
        channel: ChannelIndex(index),
    };
    (indices.map(sender).collect(), InputGate { shared })
}

/// The state that the two ends of every channel of a gate share.
#[derive(Debug)]
struct Shared {
    ends: Mutex<Ends>,
}

#[derive(Debug)]
struct Ends {
    inbox: Inbox,
    receiver: Receiver,
    /// Senders that wait for room; none in most channels.
    waiting_senders: BTreeMap<ChannelIndex, Waker>,
}

/// The state of the reading chain.
#[derive(Debug)]
enum Receiver {
    /// The chain does other work; it looks for elements when it is done.
    Busy,
    /// The chain waits for an element.
    Waiting(Waker),
    /// The chain is gone.
    Gone,
}

impl Shared {
    /// Locks the ends. Only our own assertions can panic under the lock, and they end the attempt:
    /// a poisoned lock is as good as any.
    fn lock(&self) -> MutexGuard<'_, Ends> {
        self.ends.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Wakes a task. Called after the lock is released: the task may want it at once.
fn wake(waiting: Option<Waker>) {
    if let Some(waker) = waiting {
        waker.wake();
    }
}

impl Ends {
    fn take_waiting_receiver(&mut self) -> Option<Waker> {
        match std::mem::replace(&mut self.receiver, Receiver::Busy) {
            Receiver::Waiting(waker) => Some(waker),
            Receiver::Busy => None,
            Receiver::Gone => {
                self.receiver = Receiver::Gone;
                None
            }
        }
    }
}

/// The obligation that a sent element leaves.
#[must_use]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sent {
    /// The receiver knows of the element or will look.
    Done,
    /// The receiver sleeps, and little waits for it: [`ChannelSender::wake_receiver`] must be
    /// called soon, and before the sender itself waits for anything.
    WakeOwed,
}

/// The reason why an element was not sent at once.
#[derive(Debug)]
pub enum NotSent {
    /// There is no room; the element is returned.
    Full(StreamElement),
    /// See [`ChannelClosed`].
    Closed,
}

/// The upstream end. Owned by one chain.
#[derive(Debug)]
pub struct ChannelSender {
    shared: Arc<Shared>,
    channel: ChannelIndex,
}

impl ChannelSender {
    /// Waits for room and sends. Cancel-safe: dropped before it is ready, nothing was sent.
    ///
    /// # Errors
    ///
    /// [`ChannelClosed`] if the receiver is gone.
    pub async fn send(&self, element: StreamElement) -> Result<(), ChannelClosed> {
        let mut unsent = Some(element);
        poll_fn(|context| {
            let element = unsent.take().expect("a future is not polled after its end");
            match self.offer(element, Some(context)) {
                Ok(sent) => {
                    if sent == Sent::WakeOwed {
                        self.wake_receiver();
                    }
                    Poll::Ready(Ok(()))
                }
                Err(NotSent::Closed) => Poll::Ready(Err(ChannelClosed)),
                Err(NotSent::Full(element)) => {
                    unsent = Some(element);
                    Poll::Pending
                }
            }
        })
        .await
    }

    /// Sends if there is room.
    ///
    /// # Errors
    ///
    /// [`NotSent`].
    pub fn try_send(&self, element: StreamElement) -> Result<Sent, NotSent> {
        self.offer(element, None)
    }

    /// Sends a copy of a batch. Returns `None` if there is no room, or the receiver is gone.
    pub fn try_send_copy(&self, batch: &Batch) -> Option<Sent> {
        let mut ends = self.shared.lock();
        let is_gone = matches!(ends.receiver, Receiver::Gone);
        if is_gone || !ends.inbox.offer_copy(self.channel, batch) {
            return None;
        }
        Some(self.entered(ends, false))
    }

    /// Wakes the receiver if it sleeps.
    pub fn wake_receiver(&self) {
        let receiver = self.shared.lock().take_waiting_receiver();
        wake(receiver);
    }

    /// Called when an element has entered the channel. For little, the receiver is not woken at
    /// once: a sender that continues will soon have more.
    fn entered(&self, mut ends: MutexGuard<'_, Ends>, is_urgent: bool) -> Sent {
        if !matches!(ends.receiver, Receiver::Waiting(_)) {
            return Sent::Done;
        }
        if !is_urgent && !ends.inbox.is_worth_waking(self.channel) {
            return Sent::WakeOwed;
        }
        let receiver = ends.take_waiting_receiver();
        drop(ends);
        wake(receiver);
        Sent::Done
    }

    fn offer(&self, element: StreamElement, waiter: Option<&Context<'_>>) -> Result<Sent, NotSent> {
        let mut ends = self.shared.lock();
        if matches!(ends.receiver, Receiver::Gone) {
            return Err(NotSent::Closed);
        }
        let is_urgent = match &element {
            StreamElement::Batch(_)
            | StreamElement::BatchWithOrigin(_)
            | StreamElement::Watermark(_)
            | StreamElement::Activity(_) => false,
            StreamElement::Barrier(_) | StreamElement::EndOfInput => true,
        };
        if let Err(element) = ends.inbox.offer(self.channel, element) {
            if let Some(context) = waiter {
                let waker = context.waker().clone();
                ends.waiting_senders.insert(self.channel, waker);
            }
            return Err(NotSent::Full(element));
        }
        Ok(self.entered(ends, is_urgent))
    }
}

/// Without an end in the channel, the receiver takes the drop for a failure.
impl Drop for ChannelSender {
    fn drop(&mut self) {
        let mut ends = self.shared.lock();
        ends.waiting_senders.remove(&self.channel);
        if matches!(ends.receiver, Receiver::Gone) {
            return;
        }
        ends.inbox.close(self.channel);
        let receiver = ends.take_waiting_receiver();
        drop(ends);
        wake(receiver);
    }
}

/// The input channels of one chain. Dropping it wakes every sender that waits.
#[derive(Debug)]
pub struct InputGate {
    shared: Arc<Shared>,
}

impl InputGate {
    /// Returns the next element and its channel. Returns `None` if an upstream subtask is gone
    /// without having ended its channel: the subtask has failed, and so has the attempt. Waits for
    /// ever if every channel is parked or has ended. Cancel-safe.
    pub async fn next(
        &mut self,
        is_parked: impl Fn(ChannelIndex) -> bool,
    ) -> Option<(ChannelIndex, StreamElement)> {
        poll_fn(|context| self.poll_next(&is_parked, context)).await
    }

    /// Resumes with this channel when an alignment is complete: held-back records go first.
    pub fn resume_with(&mut self, channel: ChannelIndex) {
        self.shared.lock().inbox.resume_with(channel);
    }

    fn poll_next(
        &self,
        is_parked: impl Fn(ChannelIndex) -> bool,
        context: &Context<'_>,
    ) -> Poll<Option<(ChannelIndex, StreamElement)>> {
        let mut ends = self.shared.lock();
        let Some(taken) = ends.inbox.take(is_parked) else {
            ends.receiver = Receiver::Waiting(context.waker().clone());
            return Poll::Pending;
        };
        let sender = match taken.has_room {
            true => ends.waiting_senders.remove(&taken.channel),
            false => None,
        };
        drop(ends);
        wake(sender);
        let channel = taken.channel;
        Poll::Ready(taken.element.map(|element| (channel, element)))
    }
}

impl Drop for InputGate {
    fn drop(&mut self) {
        let mut ends = self.shared.lock();
        ends.receiver = Receiver::Gone;
        let inbox = std::mem::replace(&mut ends.inbox, Inbox::new(0, ChannelLimits::default()));
        let senders = std::mem::take(&mut ends.waiting_senders);
        drop(ends);
        drop(inbox);
        senders.into_values().for_each(|waker| waker.wake());
    }
}

#[cfg(test)]
mod tests;
