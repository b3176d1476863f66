//! The watermark of a subtask: the smallest of its input channels' watermarks, and the last one
//! that the subtask was told. Pure.
//!
//! A channel that has ended no longer holds the others back. The merged watermark never goes
//! back, whatever a channel says. Nor does the one that a subtask was told, whoever is restored
//! from whatever: it is in every snapshot.

use crate::ChannelIndex;

/// The watermark before any is known.
pub const MIN_WATERMARK: i64 = i64::MIN;
/// The watermark after the last record.
pub const MAX_WATERMARK: i64 = i64::MAX;

/// Merges the watermarks of the input channels of one subtask.
#[derive(Debug)]
pub struct WatermarkMerge {
    channels: Vec<i64>,
    /// The smallest of `channels`.
    smallest: i64,
    /// How many of `channels` stand at `smallest`: until all have left it, nothing advances, so
    /// that a watermark costs the same with two channels or a thousand.
    at_smallest: usize,
}

impl WatermarkMerge {
    /// For `channels` channels, none of which has told a watermark yet.
    #[must_use]
    pub fn new(channels: usize) -> Self {
        Self {
            channels: vec![MIN_WATERMARK; channels],
            smallest: MIN_WATERMARK,
            at_smallest: channels,
        }
    }

    /// A channel told its watermark. Gives the merged watermark if that advanced.
    #[must_use]
    pub fn on_watermark(&mut self, channel: ChannelIndex, watermark: i64) -> Option<i64> {
        let slot = &mut self.channels[channel.0 as usize];
        if watermark <= *slot {
            return None;
        }
        let stood_at = std::mem::replace(slot, watermark);
        if stood_at > self.smallest {
            return None;
        }
        self.at_smallest -= 1;
        if self.at_smallest > 0 {
            return None;
        }
        self.smallest = self.channels.iter().copied().min().unwrap_or(MAX_WATERMARK);
        let at_smallest = self.channels.iter().filter(|w| **w == self.smallest);
        self.at_smallest = at_smallest.count();
        Some(self.smallest)
    }

    /// A channel ended. Gives the merged watermark if that advanced.
    #[must_use]
    pub fn on_end(&mut self, channel: ChannelIndex) -> Option<i64> {
        self.on_watermark(channel, MAX_WATERMARK)
    }
}

/// The last watermark that a subtask was told. It only rises, over restores too: after a rescale or
/// in a changed graph, upstream may begin below it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ToldWatermark(Option<i64>);

impl ToldWatermark {
    /// For a subtask that was told `before` at the checkpoint that it starts from; none if it was
    /// told nothing.
    #[must_use]
    pub fn new(before: Option<i64>) -> Self {
        Self(before)
    }

    /// True if the subtask is to be told `watermark` now; otherwise it knows that or a later one.
    #[must_use]
    pub fn rises_to(&mut self, watermark: i64) -> bool {
        let rises = self.0.is_none_or(|told| told < watermark);
        if rises {
            self.0 = Some(watermark);
        }
        rises
    }

    /// What goes into a snapshot, and is told to an instance that takes over.
    #[must_use]
    pub fn last(self) -> Option<i64> {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_slowest_channel_decides() {
        let mut merge = WatermarkMerge::new(2);
        assert_eq!(merge.on_watermark(ChannelIndex(0), 10), None);
        assert_eq!(merge.on_watermark(ChannelIndex(1), 5), Some(5));
        assert_eq!(merge.on_watermark(ChannelIndex(1), 20), Some(10));
    }

    #[test]
    fn an_ended_channel_holds_nobody_back() {
        let mut merge = WatermarkMerge::new(2);
        assert_eq!(merge.on_watermark(ChannelIndex(0), 10), None);
        assert_eq!(merge.on_end(ChannelIndex(1)), Some(10));
        assert_eq!(merge.on_end(ChannelIndex(0)), Some(MAX_WATERMARK));
    }

    #[test]
    fn a_watermark_that_goes_back_is_ignored() {
        let mut merge = WatermarkMerge::new(1);
        assert_eq!(merge.on_watermark(ChannelIndex(0), 10), Some(10));
        assert_eq!(merge.on_watermark(ChannelIndex(0), 3), None);
        assert_eq!(merge.on_watermark(ChannelIndex(0), 11), Some(11));
    }

    #[test]
    fn a_restored_subtask_is_told_only_what_it_was_not_told_before() {
        let mut told = ToldWatermark::new(Some(10));
        assert!(!told.rises_to(MIN_WATERMARK));
        assert!(!told.rises_to(10));
        assert_eq!(told.last(), Some(10));
        assert!(told.rises_to(11));
        assert_eq!(told.last(), Some(11));
    }

    #[test]
    fn a_subtask_that_was_told_nothing_is_told_any_watermark() {
        let mut told = ToldWatermark::new(None);
        assert_eq!(told.last(), None);
        assert!(told.rises_to(MIN_WATERMARK));
        assert!(!told.rises_to(MIN_WATERMARK));
    }

    proptest! {
        #[test]
        fn the_merged_watermark_is_the_smallest_of_all_and_told_once(
            told in prop::collection::vec((0u32..4, 0i64..20), 0..100),
        ) {
            let mut merge = WatermarkMerge::new(4);
            let mut channels = [MIN_WATERMARK; 4];
            let mut last = MIN_WATERMARK;
            for (channel, watermark) in told {
                let slot = &mut channels[channel as usize];
                *slot = watermark.max(*slot);
                let smallest = channels.iter().copied().min().unwrap();
                let expected = (smallest > last).then_some(smallest);
                last = smallest;
                prop_assert_eq!(merge.on_watermark(ChannelIndex(channel), watermark), expected);
            }
        }
    }
}
