//! Record path: router → **channel** → input gate. Barrier path: never overtakes.
//!
//! A FIFO between two subtasks, bounded by the bytes of the batches in it: a sender waits while the
//! channel is full (backpressure). Barriers and the end weigh nothing, so a barrier is never
//! refused for lack of room, but it keeps its place behind the records sent before it. A batch
//! larger than the whole capacity is let in when the channel is empty.

use std::sync::Arc;
use std::task::{Context, Poll};

use tokio::sync::{Semaphore, mpsc};

use crate::stream::StreamElement;

/// What a watermark takes of a channel's capacity, in bytes.
const WATERMARK_WEIGHT: u32 = 64;

/// The other end is gone: its subtask has failed or was stopped.
#[derive(Debug, PartialEq, Eq)]
pub struct ChannelClosed;

struct Envelope {
    element: StreamElement,
    weight: u32,
}

/// A channel that holds at most `capacity` bytes of batches, at least 1: one batch at a time.
#[must_use]
pub fn bounded(capacity: u32) -> (ChannelSender, ChannelReceiver) {
    let capacity = capacity.max(1);
    // The queue itself needs no bound: an element enters only with its weight in credits.
    let (queue, receiver) = mpsc::unbounded_channel();
    let credits = Arc::new(Semaphore::new(capacity as usize));
    let sender = ChannelSender {
        queue,
        credits: Arc::clone(&credits),
        capacity,
    };
    (
        sender,
        ChannelReceiver {
            queue: receiver,
            credits,
        },
    )
}

/// The upstream end. Owned by one chain.
#[derive(Debug)]
pub struct ChannelSender {
    queue: mpsc::UnboundedSender<Envelope>,
    credits: Arc<Semaphore>,
    capacity: u32,
}

impl ChannelSender {
    /// Waits for room and sends. Cancel-safe: dropped before it is ready, nothing was sent.
    ///
    /// # Errors
    ///
    /// [`ChannelClosed`] if the receiver is gone.
    pub async fn send(&self, element: StreamElement) -> Result<(), ChannelClosed> {
        let weight = self.weight(&element);
        if weight > 0 {
            let credits = self.credits.acquire_many(weight).await;
            // The receiver gives them back when it takes the element out.
            credits.map_err(|_| ChannelClosed)?.forget();
        }
        let envelope = Envelope { element, weight };
        self.queue.send(envelope).map_err(|_| ChannelClosed)
    }

    fn weight(&self, element: &StreamElement) -> u32 {
        match element {
            StreamElement::Batch(batch) => {
                u32::try_from(batch.byte_size()).map_or(self.capacity, |b| b.min(self.capacity))
            }
            // Next to nothing, but not nothing: a filter that drops every record still sends them.
            StreamElement::Watermark(_) => WATERMARK_WEIGHT.min(self.capacity),
            StreamElement::Barrier(_) | StreamElement::EndOfInput => 0,
        }
    }
}

/// The downstream end. Owned by one input gate; dropping it wakes a waiting sender.
#[derive(Debug)]
pub struct ChannelReceiver {
    queue: mpsc::UnboundedReceiver<Envelope>,
    credits: Arc<Semaphore>,
}

impl ChannelReceiver {
    /// The next element; `Ready(None)` if the sender is gone.
    pub fn poll_recv(&mut self, context: &mut Context<'_>) -> Poll<Option<StreamElement>> {
        self.queue.poll_recv(context).map(|envelope| {
            let envelope = envelope?;
            self.credits.add_permits(envelope.weight as usize);
            Some(envelope.element)
        })
    }
}

impl Drop for ChannelReceiver {
    fn drop(&mut self) {
        self.credits.close();
    }
}

impl std::fmt::Debug for Envelope {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Envelope")
            .field("weight", &self.weight)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt as _;
    use tidegate_operator::{Batch, NO_TIMESTAMP};

    use super::*;
    use crate::CheckpointId;
    use crate::stream::CheckpointBarrier;

    fn batch(bytes: usize) -> StreamElement {
        let mut batch = Batch::default();
        batch.push(NO_TIMESTAMP, b"", &vec![b'x'; bytes]);
        StreamElement::Batch(batch)
    }

    fn take(receiver: &mut ChannelReceiver) -> Option<Option<StreamElement>> {
        std::future::poll_fn(|context| receiver.poll_recv(context)).now_or_never()
    }

    #[test]
    fn a_full_channel_makes_the_sender_wait() {
        let (sender, mut receiver) = bounded(1000);
        assert_eq!(sender.send(batch(900)).now_or_never(), Some(Ok(())));
        assert_eq!(sender.send(batch(900)).now_or_never(), None);
        assert_eq!(take(&mut receiver), Some(Some(batch(900))));
        assert_eq!(sender.send(batch(900)).now_or_never(), Some(Ok(())));
    }

    #[test]
    fn a_barrier_enters_a_full_channel_and_stays_behind_its_records() {
        let (sender, mut receiver) = bounded(1000);
        let barrier = StreamElement::Barrier(CheckpointBarrier {
            checkpoint: CheckpointId(1),
        });
        assert_eq!(sender.send(batch(990)).now_or_never(), Some(Ok(())));
        assert_eq!(sender.send(barrier.clone()).now_or_never(), Some(Ok(())));
        assert_eq!(take(&mut receiver), Some(Some(batch(990))));
        assert_eq!(take(&mut receiver), Some(Some(barrier)));
        assert_eq!(take(&mut receiver), None);
    }

    #[test]
    fn a_batch_larger_than_the_channel_passes_through_it_alone() {
        let (sender, mut receiver) = bounded(100);
        assert_eq!(sender.send(batch(5000)).now_or_never(), Some(Ok(())));
        assert_eq!(sender.send(batch(1)).now_or_never(), None);
        assert_eq!(take(&mut receiver), Some(Some(batch(5000))));
        assert_eq!(sender.send(batch(1)).now_or_never(), Some(Ok(())));
    }

    #[test]
    fn a_channel_of_no_capacity_still_takes_one_batch_at_a_time() {
        let (sender, mut receiver) = bounded(0);
        assert_eq!(sender.send(batch(1)).now_or_never(), Some(Ok(())));
        assert_eq!(sender.send(batch(1)).now_or_never(), None);
        assert_eq!(take(&mut receiver), Some(Some(batch(1))));
        assert_eq!(sender.send(batch(1)).now_or_never(), Some(Ok(())));
    }

    #[test]
    fn watermarks_alone_fill_a_channel_too() {
        let (sender, _receiver) = bounded(1000);
        let sent = (0..100).take_while(|at| {
            let watermark = StreamElement::Watermark(*at);
            sender.send(watermark).now_or_never() == Some(Ok(()))
        });
        assert_eq!(sent.count(), 1000 / 64);
    }

    #[test]
    fn dropping_the_receiver_wakes_a_waiting_sender() {
        let (sender, receiver) = bounded(100);
        assert_eq!(sender.send(batch(100)).now_or_never(), Some(Ok(())));
        let mut waiting = Box::pin(sender.send(batch(100)));
        assert_eq!(waiting.as_mut().now_or_never(), None);
        drop(receiver);
        assert_eq!(waiting.now_or_never(), Some(Err(ChannelClosed)));
    }
}
