//! The watermark of a subtask: the smallest of its input channels' watermarks. Pure.
//!
//! A channel that has ended no longer holds the others back. The merged watermark never goes
//! back, whatever a channel says.

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
