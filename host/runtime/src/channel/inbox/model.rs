//! An inbox beside a model of it: the elements of each channel, as they entered. The inbox must
//! return the same contents, however many elements it joined.

use std::collections::HashSet;
use std::sync::Arc;

use proptest::prelude::*;

use super::*;
use crate::CheckpointId;
use crate::SubtaskId;
use crate::stream::{Activity, BatchWithOrigin, CheckpointBarrier, MIN_WATERMARK, RecordOrigin};

const CHANNELS: u32 = 3;
const LIMITS: ChannelLimits = ChannelLimits {
    bytes: 400,
    joined_rows: 5,
    joined_bytes: 200,
    waking_bytes: 0,
};

#[derive(Clone, Debug)]
enum Step {
    /// A batch of this many rows of one timestamp.
    Batch(u32, usize, i64),
    /// The same, with an origin of its own.
    BatchWithOrigin(u32, usize, i64),
    Watermark(u32, i64),
    Activity(u32, Activity),
    Barrier(u32),
    End(u32),
    Close(u32),
    Take,
    Park(u32),
    Resume,
}

fn step() -> impl Strategy<Value = Step> {
    let channel = 0..CHANNELS;
    let batch = (channel.clone(), 1usize..8, 0i64..6);
    prop_oneof![
        6 => batch.clone().prop_map(|(channel, rows, at)| Step::Batch(channel, rows, at)),
        1 => batch.prop_map(|(channel, rows, at)| Step::BatchWithOrigin(channel, rows, at)),
        3 => (channel.clone(), 0i64..6).prop_map(|(channel, at)| Step::Watermark(channel, at)),
        1 => channel.clone().prop_map(|channel| Step::Activity(channel, Activity::Idle)),
        1 => channel.clone().prop_map(|channel| Step::Activity(channel, Activity::Active)),
        1 => channel.clone().prop_map(Step::Barrier),
        1 => channel.clone().prop_map(Step::End),
        1 => channel.clone().prop_map(Step::Close),
        9 => Just(Step::Take),
        1 => channel.prop_map(Step::Park),
        1 => Just(Step::Resume),
    ]
}

/// The contents of one channel's stream, whatever its batches.
#[derive(Debug, PartialEq)]
enum Said {
    Record {
        value: Vec<u8>,
        watermark: i64,
        /// The origin, with the number of records that it belongs to.
        origin: Option<(Arc<RecordOrigin>, usize)>,
    },
    Activity {
        activity: Activity,
        watermark: i64,
    },
    Barrier {
        watermark: i64,
    },
    End {
        watermark: i64,
    },
    Gone {
        watermark: i64,
    },
}

/// Returns the contents, each with the watermark before it.
fn said(elements: &[Option<StreamElement>]) -> Vec<Said> {
    let mut all = Vec::new();
    let mut watermark = MIN_WATERMARK;
    for element in elements {
        match element {
            Some(StreamElement::Batch(batch)) => {
                all.extend(records_said(batch, watermark, None));
            }
            Some(StreamElement::BatchWithOrigin(records)) => {
                let origin = (Arc::clone(&records.origin), records.batch.len());
                all.extend(records_said(&records.batch, watermark, Some(origin)));
            }
            Some(StreamElement::Watermark(told)) => watermark = watermark.max(*told),
            Some(StreamElement::Activity(activity)) => all.push(Said::Activity {
                activity: *activity,
                watermark,
            }),
            Some(StreamElement::Barrier(_)) => all.push(Said::Barrier { watermark }),
            Some(StreamElement::EndOfInput) => all.push(Said::End { watermark }),
            None => all.push(Said::Gone { watermark }),
        }
    }
    all
}

fn records_said(
    batch: &Batch,
    watermark: i64,
    origin: Option<(Arc<RecordOrigin>, usize)>,
) -> impl Iterator<Item = Said> {
    batch.values().rows().map(move |value| Said::Record {
        value: value.to_vec(),
        watermark,
        origin: origin.clone(),
    })
}

#[derive(Default)]
struct ChannelModel {
    entered: Vec<Option<StreamElement>>,
    left: Vec<Option<StreamElement>>,
    is_over: bool,
    is_parked: bool,
    /// The number of reads of other channels since this channel could have been read.
    passed_over: u32,
}

struct Checked {
    inbox: Inbox,
    models: Vec<ChannelModel>,
    records: u64,
}

impl Checked {
    fn new() -> Self {
        Self {
            inbox: Inbox::new(CHANNELS as usize, LIMITS),
            models: (0..CHANNELS).map(|_| ChannelModel::default()).collect(),
            records: 0,
        }
    }

    fn offer(&mut self, channel: u32, element: StreamElement) {
        let model = &mut self.models[channel as usize];
        if model.is_over {
            return;
        }
        let bytes = self.inbox.channels[channel as usize].bytes;
        let is_full = bytes + self.inbox.weight(&element) > LIMITS.bytes;
        let index = ChannelIndex(channel);
        let entered = match &element {
            StreamElement::Batch(batch) if batch.len() % 2 == 0 => {
                self.inbox.offer_copy(index, batch)
            }
            StreamElement::Batch(_)
            | StreamElement::BatchWithOrigin(_)
            | StreamElement::Watermark(_)
            | StreamElement::Activity(_)
            | StreamElement::Barrier(_)
            | StreamElement::EndOfInput => self.inbox.offer(index, element.clone()).is_ok(),
        };
        assert_eq!(entered, !is_full);
        assert!(self.inbox.channels[channel as usize].bytes <= LIMITS.bytes);
        if entered {
            model.is_over = element == StreamElement::EndOfInput;
            model.entered.push(Some(element));
        }
    }

    fn batch(&mut self, rows: usize, timestamp: i64) -> StreamElement {
        let mut batch = Batch::default();
        for _ in 0..rows {
            self.records += 1;
            batch.push(timestamp, b"", &self.records.to_le_bytes());
        }
        StreamElement::Batch(batch)
    }

    fn with_origin(&mut self, rows: usize, timestamp: i64) -> StreamElement {
        let StreamElement::Batch(batch) = self.batch(rows, timestamp) else {
            unreachable!("it makes batches")
        };
        let source = SubtaskId {
            operator: self.records.to_string(),
            index: 0,
        };
        let origin = Arc::new(RecordOrigin {
            source,
            place: None,
        });
        StreamElement::BatchWithOrigin(Box::new(BatchWithOrigin { batch, origin }))
    }

    fn holds(&self, channel: usize) -> bool {
        self.inbox.channels[channel].first != NONE
    }

    fn take(&mut self) {
        let parked: Vec<bool> = self.models.iter().map(|model| model.is_parked).collect();
        let taken = self.inbox.take(|channel| parked[channel.0 as usize]);
        let Some(taken) = taken else {
            let is_readable = |index: usize| !parked[index] && self.holds(index);
            assert!(!(0..parked.len()).any(is_readable), "something can be read");
            return;
        };
        let at = taken.channel.0 as usize;
        assert!(!parked[at], "a parked channel gave something");
        self.models[at].left.push(taken.element);
        self.models[at].passed_over = 0;
        if !self.holds(at) {
            assert_eq!(
                self.inbox.channels[at].bytes, 0,
                "an empty channel holds no bytes"
            );
        }
        for index in (0..parked.len()).filter(|index| *index != at) {
            if !parked[index] && self.holds(index) {
                self.models[index].passed_over += 1;
                let passed_over = self.models[index].passed_over;
                assert!(passed_over < 2 * CHANNELS, "channel {index} starves");
            }
        }
    }

    fn perform(&mut self, step: &Step) {
        match *step {
            Step::Batch(channel, rows, timestamp) => {
                let batch = self.batch(rows, timestamp);
                self.offer(channel, batch);
            }
            Step::BatchWithOrigin(channel, rows, timestamp) => {
                let batch = self.with_origin(rows, timestamp);
                self.offer(channel, batch);
            }
            Step::Watermark(channel, at) => self.offer(channel, StreamElement::Watermark(at)),
            Step::Activity(channel, activity) => {
                self.offer(channel, StreamElement::Activity(activity));
            }
            Step::Barrier(channel) => {
                let checkpoint = CheckpointId(1);
                let barrier = CheckpointBarrier { checkpoint };
                self.offer(channel, StreamElement::Barrier(barrier));
            }
            Step::End(channel) => self.offer(channel, StreamElement::EndOfInput),
            Step::Close(channel) => {
                let model = &mut self.models[channel as usize];
                if !std::mem::replace(&mut model.is_over, true) {
                    self.inbox.close(ChannelIndex(channel));
                    model.entered.push(None);
                }
            }
            Step::Take => self.take(),
            Step::Park(channel) => self.models[channel as usize].is_parked = true,
            Step::Resume => self.resume(),
        }
    }

    fn resume(&mut self) {
        let is_parked = |index: &u32| self.models[*index as usize].is_parked;
        if let Some(first) = (0..CHANNELS).find(is_parked) {
            self.inbox.resume_with(ChannelIndex(first));
        }
        for model in &mut self.models {
            model.is_parked = false;
            // Held-back channels go first, as often as there is an alignment.
            model.passed_over = 0;
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1024))]

    #[test]
    fn every_channel_says_what_was_said_into_it(
        steps in prop::collection::vec(step(), 0..200),
    ) {
        let mut checked = Checked::new();
        steps.iter().for_each(|step| checked.perform(step));
        checked.perform(&Step::Resume);
        while (0..CHANNELS as usize).any(|channel| checked.holds(channel)) {
            checked.take();
        }
        for model in &checked.models {
            prop_assert_eq!(said(&model.left), said(&model.entered));
        }
    }
}

fn records(rows: usize, timestamp: i64) -> StreamElement {
    let mut batch = Batch::default();
    (0..rows).for_each(|_| batch.push(timestamp, b"", b""));
    StreamElement::Batch(batch)
}

fn take_all(inbox: &mut Inbox, parked: &HashSet<u32>) -> Vec<(u32, StreamElement)> {
    let take = || inbox.take(|channel| parked.contains(&channel.0));
    let taken = std::iter::from_fn(take);
    taken
        .map(|taken| (taken.channel.0, taken.element.expect("no sender is gone")))
        .collect()
}

/// Returns the output of one channel for these elements.
fn joined(elements: Vec<StreamElement>) -> Vec<StreamElement> {
    let mut inbox = Inbox::new(1, LIMITS);
    for element in elements {
        assert_eq!(inbox.offer(ChannelIndex(0), element), Ok(()));
    }
    let taken = take_all(&mut inbox, &HashSet::new()).into_iter();
    taken.map(|(_, element)| element).collect()
}

#[test]
fn small_batches_that_wait_become_one_and_large_ones_stay_apart() {
    let rows = [1, 2, 4, 1].map(|rows| records(rows, 0));
    assert_eq!(joined(rows.to_vec()), [records(3, 0), records(5, 0)]);
}

#[test]
fn watermarks_that_wait_become_the_newest_and_no_record_passes_one() {
    use StreamElement::Watermark;
    let entered = vec![
        Watermark(1),
        Watermark(2),
        records(1, 7),
        records(1, 7),
        Watermark(6),
        Watermark(7),
        records(1, 7),
    ];
    let left = [Watermark(2), records(2, 7), Watermark(7), records(1, 7)];
    assert_eq!(joined(entered), left);
}

#[test]
fn the_channel_that_was_parked_first_goes_on_first() {
    let mut inbox = Inbox::new(3, LIMITS);
    for channel in [0, 1, 2] {
        assert_eq!(inbox.offer(ChannelIndex(channel), records(1, 0)), Ok(()));
    }
    let first = take_all(&mut inbox, &HashSet::from([1, 2]));
    assert_eq!(first, [(0, records(1, 0))]);
    inbox.resume_with(ChannelIndex(2));
    let others = take_all(&mut inbox, &HashSet::new());
    assert_eq!(others, [(2, records(1, 0)), (1, records(1, 0))]);
}
