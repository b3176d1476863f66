//! Record path: channel → **input gate** → aligner → operator instance.
//!
//! All input channels of one subtask: the next element of any channel that is neither parked nor
//! ended, in turn, so that no busy channel starves another. Which channel is parked is the
//! aligner's decision; the reader passes it on.

use std::future::poll_fn;
use std::sync::Arc;
use std::task::{Context, Poll};

use super::ChannelLimits;
use super::bounded::{Receiver, Shared, wake};
use super::inbox::Inbox;
use crate::ChannelIndex;
use crate::stream::StreamElement;

/// The input channels of one chain. Dropping it wakes every sender that waits.
#[derive(Debug)]
pub struct InputGate {
    shared: Arc<Shared>,
}

impl InputGate {
    pub(super) fn new(shared: Arc<Shared>) -> Self {
        Self { shared }
    }

    /// The next element and its channel. None if an upstream subtask is gone without having ended
    /// its channel: it has failed, and so has the attempt. Waits for ever if every channel is
    /// parked or has ended. Cancel-safe.
    pub async fn next(
        &mut self,
        is_parked: impl Fn(ChannelIndex) -> bool,
    ) -> Option<(ChannelIndex, StreamElement)> {
        poll_fn(|context| self.poll_next(&is_parked, context)).await
    }

    /// Reads on with this channel, when an alignment is complete: held-back records go first.
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
