//! Record path: channel → input gate → **subtask** → operator chain → router → channel.
//! Barrier path: aligner → **subtask** → snapshot → router.
//!
//! THE loop of the data path: takes the next stream element of any channel that is not parked and
//! does what it says. Every decision about barriers is the aligner's, every decision about event
//! time the watermark merge's.

use std::convert::Infallible;
use std::future::ready;

use super::chain_context::{ChainContext, Exit};
use crate::channel::InputGate;
use crate::protocol::{Aligner, Alignment, ControlMessage, EndOfChannel};
use crate::stream::{StreamElement, TracedBatch, WatermarkMerge};
use crate::{ChannelIndex, CheckpointId};

/// A chain that is fed by an input gate.
pub(crate) struct Subtask {
    context: ChainContext,
    gate: InputGate,
    aligner: Aligner,
    watermarks: WatermarkMerge,
    /// The input of the first link that each channel's batches arrive on.
    input_of_channel: Vec<u32>,
    /// The channel that was parked first in the alignment at hand.
    first_parked: Option<ChannelIndex>,
}

impl Subtask {
    pub(crate) fn new(context: ChainContext, gate: InputGate, input_of_channel: Vec<u32>) -> Self {
        Self {
            context,
            gate,
            aligner: Aligner::new(input_of_channel.len()),
            watermarks: WatermarkMerge::new(input_of_channel.len()),
            input_of_channel,
            first_parked: None,
        }
    }

    /// Runs until told to leave.
    pub(crate) async fn run(mut self) -> Exit {
        match self.run_until_exit().await {
            Ok(never) => match never {},
            Err(exit) => exit,
        }
    }

    async fn run_until_exit(&mut self) -> Result<Infallible, Exit> {
        loop {
            // Both branches are cancel-safe: a receive that is dropped has received nothing.
            tokio::select! {
                biased;
                () = self.context.cancelled.cancelled() => return Err(Exit::Told),
                message = self.context.control.recv() => match message {
                    Some(message) => self.on_control(message).await?,
                    None => return Err(Exit::NeighbourGone),
                },
                element = self.gate.next(|channel| self.aligner.is_parked(channel)),
                    if !self.aligner.all_ended() =>
                {
                    let (channel, element) = element.ok_or(Exit::NeighbourGone)?;
                    self.on_element(channel, element).await?;
                }
                // Only reached if there is nothing to do: the last thing before the chain sleeps.
                () = ready(()), if self.context.chain.owes_wakes() => {
                    self.context.chain.wake_receivers();
                }
            }
        }
    }

    async fn on_element(
        &mut self,
        channel: ChannelIndex,
        element: StreamElement,
    ) -> Result<(), Exit> {
        match element {
            StreamElement::Batch(batch) => {
                let input = self.input_of_channel[channel.0 as usize];
                self.context.chain.process(input, batch, None)?;
            }
            StreamElement::Traced(traced) => {
                let input = self.input_of_channel[channel.0 as usize];
                let TracedBatch { batch, origin } = *traced;
                self.context.chain.process(input, batch, Some(origin))?;
            }
            StreamElement::Watermark(watermark) => {
                let merged = self.watermarks.on_watermark(channel, watermark);
                if merged.is_some() {
                    return self.on_merged_watermark(merged).await;
                }
            }
            StreamElement::Barrier(barrier) => {
                match self.aligner.on_barrier(channel, barrier.checkpoint) {
                    Alignment::Park(channel) => {
                        self.first_parked.get_or_insert(channel);
                    }
                    Alignment::Complete(checkpoint) => self.on_aligned(checkpoint).await?,
                }
            }
            StreamElement::EndOfInput => self.on_end(channel).await?,
        }
        self.context.flush().await
    }

    async fn on_merged_watermark(&mut self, merged: Option<i64>) -> Result<(), Exit> {
        match merged {
            Some(watermark) => self.context.advance_watermark(watermark).await,
            None => Ok(()),
        }
    }

    async fn on_end(&mut self, channel: ChannelIndex) -> Result<(), Exit> {
        let end = self.aligner.on_end(channel);
        if let EndOfChannel::Complete(checkpoint) = end {
            // The snapshot comes before the watermark: what the end sets free is after the barrier.
            self.on_aligned(checkpoint).await?;
        }
        let merged = self.watermarks.on_end(channel);
        self.on_merged_watermark(merged).await?;
        if self.aligner.all_ended() {
            self.context.end().await?;
        }
        Ok(())
    }

    async fn on_aligned(&mut self, checkpoint: CheckpointId) -> Result<(), Exit> {
        if let Some(channel) = self.first_parked.take() {
            self.gate.resume_with(channel);
        }
        self.context.take_snapshot(checkpoint, None, true).await
    }

    async fn on_control(&mut self, message: ControlMessage) -> Result<(), Exit> {
        match message {
            ControlMessage::Trigger { checkpoint, .. } => {
                // Only a chain whose input is over is triggered directly; it may have taken part
                // already, by a barrier that came before the end.
                if checkpoint <= self.context.last_snapshot {
                    return Ok(());
                }
                assert!(
                    self.context.chain.has_ended(),
                    "{} was triggered before its end",
                    self.context.id
                );
                self.context.take_snapshot(checkpoint, None, false).await
            }
            ControlMessage::Complete(id) => self.context.checkpoint_complete(id).await,
            ControlMessage::EndCare => {
                self.context.chain.end_care();
                Ok(())
            }
            ControlMessage::AddSplits(_) => unreachable!("only sources are given splits"),
            ControlMessage::EndSources => unreachable!("only sources are told to end"),
            ControlMessage::Shutdown => Err(Exit::Told),
        }
    }
}
