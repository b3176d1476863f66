//! Record path: channel → **gate feed** → chain loop → processing. Barrier path: channel → **gate
//! feed** → aligner → snapshot.
//!
//! Reads the channels that end in the first link of a chain. The aligner makes every decision about
//! barriers, and the watermark merge every decision about event time.

use super::{Exit, Fed};
use crate::channel::InputGate;
use crate::protocol::{Aligned, Aligner, Alignment, EndOfChannel};
use crate::stream::{Activity, BatchWithOrigin, StreamElement, WatermarkMerge};
use crate::{ChannelIndex, CheckpointId};

/// The input gate that feeds a chain.
pub(crate) struct GateFeed {
    gate: InputGate,
    aligner: Aligner,
    watermarks: WatermarkMerge,
    /// The input of the first link on which each channel's batches arrive.
    input_of_channel: Vec<u32>,
}

impl GateFeed {
    /// Feeds from `gate`, whose channels have these inputs of the first link.
    pub(crate) fn new(gate: InputGate, input_of_channel: Vec<u32>) -> Self {
        Self {
            gate,
            aligner: Aligner::new(input_of_channel.len()),
            watermarks: WatermarkMerge::new(input_of_channel.len()),
            input_of_channel,
        }
    }

    /// Returns true until every channel has ended.
    pub(super) fn is_open(&self) -> bool {
        !self.aligner.all_ended()
    }

    /// Returns true while no channel has input, though some may have again.
    pub(super) fn is_idle(&self) -> bool {
        self.watermarks.is_idle()
    }

    /// Waits for the next element of a channel that is not parked. Cancel-safe.
    pub(super) async fn next(&mut self) -> Result<Fed, Exit> {
        let is_parked = |channel| self.aligner.is_parked(channel);
        let next = self.gate.next(is_parked).await;
        let (channel, element) = next.ok_or(Exit::NeighbourGone)?;
        Ok(self.on_element(channel, element))
    }

    fn on_element(&mut self, channel: ChannelIndex, element: StreamElement) -> Fed {
        match element {
            StreamElement::Batch(batch) => Fed::Batch {
                input: self.input_of_channel[channel.0 as usize],
                batch,
                origin: None,
            },
            StreamElement::BatchWithOrigin(records) => {
                let BatchWithOrigin { batch, origin } = *records;
                Fed::Batch {
                    input: self.input_of_channel[channel.0 as usize],
                    batch,
                    origin: Some(origin),
                }
            }
            StreamElement::Watermark(watermark) => {
                let merged = self.watermarks.on_watermark(channel, watermark);
                merged.map_or(Fed::Nothing, Fed::Watermark)
            }
            StreamElement::Activity(activity) => {
                let merged = match activity {
                    Activity::Idle => self.watermarks.on_idle(channel),
                    Activity::Active => self.watermarks.on_active(channel),
                };
                merged.map_or(Fed::Nothing, Fed::Watermark)
            }
            StreamElement::Barrier(barrier) => {
                match self.aligner.on_barrier(channel, barrier.checkpoint) {
                    Alignment::Park(_) => Fed::Nothing,
                    Alignment::Complete(aligned) => Fed::Barrier(self.resume(aligned)),
                }
            }
            StreamElement::EndOfInput => {
                let barrier = match self.aligner.on_end(channel) {
                    EndOfChannel::OthersRemain | EndOfChannel::AllEnded => None,
                    EndOfChannel::Complete(aligned) => Some(self.resume(aligned)),
                };
                Fed::End {
                    barrier,
                    watermark: self.watermarks.on_end(channel),
                    is_over: self.aligner.all_ended(),
                }
            }
        }
    }

    /// Resumes the parked channels.
    fn resume(&mut self, aligned: Aligned) -> CheckpointId {
        if let Some(channel) = aligned.first_parked {
            self.gate.resume_with(channel);
        }
        aligned.checkpoint
    }
}
