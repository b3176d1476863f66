//! Record path: channel → **input gate** → aligner → operator instance.
//!
//! All input channels of one subtask: the next element of any channel that is neither parked nor
//! ended, in turn, so that no busy channel starves another. Which channel is parked is the
//! aligner's decision; the gate asks it.

use std::future::poll_fn;
use std::task::{Context, Poll};

use crate::ChannelIndex;
use crate::channel::ChannelReceiver;
use crate::stream::StreamElement;
use crate::task::Aligner;

/// The input channels of one chain.
#[derive(Debug)]
pub struct InputGate {
    /// By channel index; none once the channel has ended.
    channels: Vec<Option<ChannelReceiver>>,
    /// Where the next turn begins.
    cursor: usize,
}

impl InputGate {
    /// A gate over these channels.
    #[must_use]
    pub fn new(channels: Vec<ChannelReceiver>) -> Self {
        Self {
            channels: channels.into_iter().map(Some).collect(),
            cursor: 0,
        }
    }

    /// The next element and its channel. None if an upstream subtask is gone without having ended
    /// its channel: it has failed, and so has the attempt. Waits for ever if every channel is
    /// parked or has ended. Cancel-safe.
    pub async fn next(&mut self, aligner: &Aligner) -> Option<(ChannelIndex, StreamElement)> {
        poll_fn(|context| self.poll_next(aligner, context)).await
    }

    /// Reads on with this channel, when an alignment is complete: held-back records go first.
    pub fn resume_with(&mut self, channel: ChannelIndex) {
        self.cursor = channel.0 as usize;
    }

    fn poll_next(
        &mut self,
        aligner: &Aligner,
        context: &mut Context<'_>,
    ) -> Poll<Option<(ChannelIndex, StreamElement)>> {
        let count = self.channels.len();
        for turn in 0..count {
            let at = (self.cursor + turn) % count;
            let index = ChannelIndex(u32::try_from(at).expect("fewer than 2^32 channels"));
            let Some(channel) = self.channels[at].as_mut() else {
                continue;
            };
            if aligner.is_parked(index) {
                continue;
            }
            let Poll::Ready(element) = channel.poll_recv(context) else {
                continue;
            };
            self.cursor = at + 1;
            if element == Some(StreamElement::EndOfInput) {
                self.channels[at] = None;
            }
            return Poll::Ready(element.map(|element| (index, element)));
        }
        Poll::Pending
    }
}
