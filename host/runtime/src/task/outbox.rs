//! Record path: router → **outbox** → channel.
//!
//! What a chain has produced and not yet sent, in order. Guests and sinks are called without
//! waiting; what they produce is queued here, and only then does the chain wait for room in the
//! channels. Bounded by the output that one call may return.

use crate::channel::{ChannelClosed, ChannelSender};
use crate::stream::StreamElement;

/// A sender of one outbox, dense from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct SenderIndex(pub(crate) usize);

/// The output channels of one chain and what waits to enter them.
#[derive(Debug)]
pub(crate) struct Outbox {
    senders: Vec<ChannelSender>,
    queue: Vec<(SenderIndex, StreamElement)>,
}

impl Outbox {
    pub(crate) fn new(senders: Vec<ChannelSender>) -> Self {
        Self {
            senders,
            queue: Vec::new(),
        }
    }

    pub(crate) fn push(&mut self, sender: SenderIndex, element: StreamElement) {
        self.queue.push((sender, element));
    }

    #[cfg(test)]
    pub(crate) fn queued(&self) -> &[(SenderIndex, StreamElement)] {
        &self.queue
    }

    /// Sends everything, waiting for room. Not cancel-safe: what was queued is lost, so it is
    /// only dropped when the attempt is over.
    ///
    /// # Errors
    ///
    /// [`ChannelClosed`] if a downstream subtask is gone.
    pub(crate) async fn flush(&mut self) -> Result<(), ChannelClosed> {
        for (sender, element) in self.queue.drain(..) {
            self.senders[sender.0].send(element).await?;
        }
        Ok(())
    }
}
