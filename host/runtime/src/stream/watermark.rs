//! The watermark of a subtask: the smallest of its input channels' watermarks, and the last
//! watermark that the subtask was told. Pure.
//!
//! A channel that has ended or is idle does not hold the others back. The merged watermark never
//! decreases, whatever a channel sends. Nor does the watermark that a subtask was told, also across
//! restores: it is in every snapshot.

use crate::ChannelIndex;

/// The watermark before any is known.
pub const MIN_WATERMARK: i64 = i64::MIN;
/// The watermark after the last record.
pub const MAX_WATERMARK: i64 = i64::MAX;

/// Merges the watermarks of the input channels of one subtask.
#[derive(Debug)]
pub struct WatermarkMerge {
    channels: Vec<Channel>,
    /// The smallest watermark of channels that are not idle; the maximum if all are.
    smallest: i64,
    /// The number of channels at `smallest` that are not idle: until all have left it, the merged
    /// watermark can't advance, so that a watermark costs the same with two channels or a thousand.
    at_smallest: usize,
    idle: usize,
    /// The last watermark that was returned.
    merged: i64,
}

#[derive(Clone, Copy, Debug)]
struct Channel {
    watermark: i64,
    is_idle: bool,
}

impl WatermarkMerge {
    /// Merges `channels` channels, none of which has sent a watermark yet.
    #[must_use]
    pub fn new(channels: usize) -> Self {
        let channel = Channel {
            watermark: MIN_WATERMARK,
            is_idle: false,
        };
        Self {
            channels: vec![channel; channels],
            smallest: MIN_WATERMARK,
            at_smallest: channels,
            idle: 0,
            merged: MIN_WATERMARK,
        }
    }

    /// Called when a channel sent its watermark, and so is not idle. Returns the merged watermark
    /// if it advanced.
    #[must_use]
    pub fn on_watermark(&mut self, channel: ChannelIndex, watermark: i64) -> Option<i64> {
        self.activate(channel);
        let slot = &mut self.channels[channel.0 as usize];
        if watermark > slot.watermark {
            let stood_at = std::mem::replace(&mut slot.watermark, watermark);
            self.leave(stood_at);
        }
        self.advance()
    }

    /// Called when a channel ended. Returns the merged watermark if it advanced.
    #[must_use]
    pub fn on_end(&mut self, channel: ChannelIndex) -> Option<i64> {
        self.on_watermark(channel, MAX_WATERMARK)
    }

    /// Called when a channel became idle: it no longer holds the others back. Returns the merged
    /// watermark if it advanced.
    #[must_use]
    pub fn on_idle(&mut self, channel: ChannelIndex) -> Option<i64> {
        let slot = &mut self.channels[channel.0 as usize];
        if std::mem::replace(&mut slot.is_idle, true) {
            return None;
        }
        self.idle += 1;
        let stood_at = slot.watermark;
        self.leave(stood_at);
        self.advance()
    }

    /// Called when a channel is not idle any more: it holds the others back as before. The merged
    /// watermark stays, so the channel's records may be late. Returns the merged watermark if it
    /// advanced, since time stood still while all were idle.
    #[must_use]
    pub fn on_active(&mut self, channel: ChannelIndex) -> Option<i64> {
        self.activate(channel);
        self.advance()
    }

    fn activate(&mut self, channel: ChannelIndex) {
        let slot = &mut self.channels[channel.0 as usize];
        if !std::mem::replace(&mut slot.is_idle, false) {
            return;
        }
        self.idle -= 1;
        let watermark = slot.watermark;
        if watermark < self.smallest {
            self.smallest = watermark;
            self.at_smallest = 0;
        }
        self.at_smallest += usize::from(watermark == self.smallest);
    }

    /// Returns true if no channel has input: some are idle, and all others have ended. Time stands
    /// still then, since the idle channels may still have records of any time.
    #[must_use]
    pub fn is_idle(&self) -> bool {
        self.idle > 0 && self.smallest == MAX_WATERMARK
    }

    /// Called when a channel has left this watermark.
    fn leave(&mut self, stood_at: i64) {
        if stood_at > self.smallest {
            return;
        }
        self.at_smallest -= 1;
        if self.at_smallest > 0 {
            return;
        }
        let active = || self.channels.iter().filter(|channel| !channel.is_idle);
        let watermarks = || active().map(|channel| channel.watermark);
        let smallest = watermarks().min().unwrap_or(MAX_WATERMARK);
        self.at_smallest = watermarks().filter(|w| *w == smallest).count();
        self.smallest = smallest;
    }

    fn advance(&mut self) -> Option<i64> {
        if self.smallest <= self.merged || self.is_idle() {
            return None;
        }
        self.merged = self.smallest;
        Some(self.merged)
    }
}

/// The last watermark that a subtask was told. It only rises, over restores too: after a rescale or
/// in a changed graph, upstream may begin below it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ToldWatermark(Option<i64>);

impl ToldWatermark {
    /// Takes over the watermark that a subtask was told at the checkpoint that it starts from;
    /// `None` if there was none.
    #[must_use]
    pub fn new(before: Option<i64>) -> Self {
        Self(before)
    }

    /// Returns true if the subtask is to be told `watermark` now; otherwise it knows this or a
    /// later one.
    #[must_use]
    pub fn rises_to(&mut self, watermark: i64) -> bool {
        let rises = self.0.is_none_or(|told| told < watermark);
        if rises {
            self.0 = Some(watermark);
        }
        rises
    }

    /// Returns the watermark for a snapshot, and for an instance that takes over.
    #[must_use]
    pub fn last(self) -> Option<i64> {
        self.0
    }
}

#[cfg(test)]
mod tests;
