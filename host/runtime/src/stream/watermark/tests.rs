//! Tests of `watermark`.

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

#[test]
fn an_idle_channel_holds_nobody_back_until_it_is_active_again() {
    let mut merge = WatermarkMerge::new(2);
    assert_eq!(merge.on_watermark(ChannelIndex(0), 10), None);
    assert_eq!(merge.on_idle(ChannelIndex(1)), Some(10));
    assert_eq!(merge.on_watermark(ChannelIndex(0), 12), Some(12));
    assert_eq!(merge.on_active(ChannelIndex(1)), None);
    assert_eq!(merge.on_watermark(ChannelIndex(0), 20), None);
    assert_eq!(
        merge.on_watermark(ChannelIndex(1), 11),
        None,
        "behind what was merged"
    );
    assert_eq!(merge.on_watermark(ChannelIndex(1), 15), Some(15));
}

#[test]
fn time_stands_still_while_all_channels_are_idle_or_have_ended() {
    let mut merge = WatermarkMerge::new(3);
    assert_eq!(merge.on_watermark(ChannelIndex(0), 10), None);
    assert_eq!(merge.on_idle(ChannelIndex(1)), None);
    assert_eq!(merge.on_end(ChannelIndex(2)), Some(10));
    assert!(!merge.is_idle());
    assert_eq!(merge.on_idle(ChannelIndex(0)), None);
    assert!(merge.is_idle());
    assert_eq!(
        merge.on_end(ChannelIndex(0)),
        None,
        "the other may have records"
    );
    assert_eq!(merge.on_end(ChannelIndex(1)), Some(MAX_WATERMARK));
    assert!(!merge.is_idle());
}

/// An event of one of four channels.
#[derive(Clone, Copy, Debug)]
enum Event {
    Watermark(i64),
    Idle,
    Active,
    End,
}

fn event() -> impl Strategy<Value = Event> {
    prop_oneof![
        8 => (0i64..20).prop_map(Event::Watermark),
        3 => Just(Event::Idle),
        3 => Just(Event::Active),
        1 => Just(Event::End),
    ]
}

proptest! {
    #[test]
    fn the_merged_watermark_is_the_smallest_of_active_channels_and_told_once(
        events in prop::collection::vec((0u32..4, event()), 0..100),
    ) {
        let mut merge = WatermarkMerge::new(4);
        // By channel: the watermark, and true if the channel is idle.
        let mut channels = [(MIN_WATERMARK, false); 4];
        let mut last = MIN_WATERMARK;
        for (channel, event) in events {
            let slot = &mut channels[channel as usize];
            if slot.0 == MAX_WATERMARK {
                continue;
            }
            let channel = ChannelIndex(channel);
            let advanced = match event {
                Event::Watermark(watermark) => {
                    *slot = (watermark.max(slot.0), false);
                    merge.on_watermark(channel, watermark)
                }
                Event::Idle => {
                    slot.1 = true;
                    merge.on_idle(channel)
                }
                Event::Active => {
                    slot.1 = false;
                    merge.on_active(channel)
                }
                Event::End => {
                    *slot = (MAX_WATERMARK, false);
                    merge.on_end(channel)
                }
            };
            let active = channels.iter().filter(|(_, is_idle)| !is_idle);
            let smallest = active.map(|(watermark, _)| *watermark).min();
            let smallest = smallest.unwrap_or(MAX_WATERMARK);
            let is_idle = smallest == MAX_WATERMARK && channels.iter().any(|(_, idle)| *idle);
            let expected = (smallest > last && !is_idle).then_some(smallest);
            prop_assert_eq!(merge.is_idle(), is_idle);
            prop_assert_eq!(advanced, expected);
            last = expected.unwrap_or(last);
        }
    }
}
