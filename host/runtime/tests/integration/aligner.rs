//! Alignment: readable cases in the stream notation, and every order in which the elements of up to
//! four channels can arrive.

use std::collections::HashSet;

use tidegate_connector::CheckpointId;
use tidegate_runtime::ChannelIndex;
use tidegate_runtime::protocol::{Aligner, Alignment, EndOfChannel};

use crate::support::stream_notation::align;

#[test]
fn records_behind_a_barrier_wait_for_the_other_channel() {
    let out = align(&["a: 1 |7 2", "b: 3 4 |7 5"]);
    assert_eq!(out, "1 3 4 |7 2 5");
}

#[test]
fn a_single_channel_never_waits() {
    assert_eq!(align(&["a: 1 |7 2 |8 3 ."]), "1 |7 2 |8 3 .");
}

#[test]
fn a_barrier_that_the_other_channel_does_not_deliver_holds_everything_behind_it() {
    assert_eq!(align(&["a: 1 |7 2 3", "b: 4 5"]), "1 4 5");
}

#[test]
fn a_channel_that_ended_before_the_barrier_counts_as_aligned() {
    assert_eq!(align(&["a: 1 .", "b: 2 |7 3 |8 4"]), "1 2 |7 3 |8 4");
}

#[test]
fn the_end_of_the_last_missing_channel_completes_the_alignment() {
    assert_eq!(align(&["a: |7 1", "b: 2 3 ."]), "2 3 |7 1");
}

#[test]
fn an_end_behind_a_barrier_is_read_after_the_snapshot() {
    assert_eq!(align(&["a: 1 |7 .", "b: 2 |7 3 ."]), "1 2 |7 3 .");
}

#[test]
fn channels_that_all_end_without_a_barrier_make_no_snapshot() {
    assert_eq!(align(&["a: 1 .", "b: ."]), "1 .");
}

#[test]
fn held_back_records_go_first_when_the_alignment_completes() {
    let out = align(&["a: 1 2 3 |7 4", "b: |7 5", "c: 6 |7 7"]);
    assert_eq!(out, "1 6 2 3 |7 5 7 4");
}

#[test]
fn two_abandoned_checkpoints_stay_in_order_behind_each_other() {
    let out = align(&["a: |7 1 |8 2 |9 3", "b: 4 |7 |8 5 |9 ."]);
    assert_eq!(out, "4 |7 1 |8 5 2 |9 3");
}

/// An element of a channel in the exhaustive test.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Element {
    Record,
    Barrier(CheckpointId),
    End,
}

/// Returns every script of a channel: a record before each of the first `barriers` barriers and one
/// after the last, then the end. The script with all barriers also comes without an end.
fn scripts(checkpoints: &[CheckpointId]) -> Vec<Vec<Element>> {
    let mut all = Vec::new();
    for barriers in 0..=checkpoints.len() {
        let mut script = Vec::new();
        for checkpoint in &checkpoints[..barriers] {
            script.extend([Element::Record, Element::Barrier(*checkpoint)]);
        }
        script.push(Element::Record);
        if barriers == checkpoints.len() {
            all.push(script.clone());
        }
        script.push(Element::End);
        all.push(script);
    }
    all
}

/// A search through every order of arrival of these scripts, which visits each state once.
struct Arrivals<'a> {
    scripts: Vec<&'a [Element]>,
    checkpoints: &'a [CheckpointId],
    visited: HashSet<(Vec<usize>, Aligner)>,
}

impl Arrivals<'_> {
    /// Visits a state and all that follow. `parked` holds the channels that were parked since the
    /// last completion, in this order.
    fn explore(&mut self, read: Vec<usize>, aligner: Aligner, parked: Vec<ChannelIndex>) {
        if !self.visited.insert((read.clone(), aligner.clone())) {
            return;
        }
        self.check_parked(&read, &aligner);
        let mut is_stuck = true;
        for channel in 0..self.scripts.len() {
            let index = ChannelIndex(u32::try_from(channel).unwrap());
            let Some(element) = self.scripts[channel].get(read[channel]) else {
                continue;
            };
            if aligner.is_parked(index) {
                continue;
            }
            is_stuck = false;
            let mut read = read.clone();
            let before = self.completed(&read);
            read[channel] += 1;
            let expected = self
                .completed(&read)
                .filter(|_| before != self.completed(&read));
            let (mut aligner, mut parked) = (aligner.clone(), parked.clone());
            let completed = match *element {
                Element::Record => None,
                Element::Barrier(checkpoint) => match aligner.on_barrier(index, checkpoint) {
                    Alignment::Park(channel) => {
                        assert_eq!(channel, index);
                        parked.push(channel);
                        None
                    }
                    Alignment::Complete(completed) => Some(completed),
                },
                Element::End => match aligner.on_end(index) {
                    EndOfChannel::Complete(completed) => Some(completed),
                    EndOfChannel::AllEnded => {
                        assert!(self.all_ended(&read), "{self} at {read:?}");
                        None
                    }
                    EndOfChannel::OthersRemain => {
                        assert!(!self.all_ended(&read), "{self} at {read:?}");
                        None
                    }
                },
            };
            let checkpoint = completed.map(|aligned| aligned.checkpoint);
            assert_eq!(checkpoint, expected, "{self} at {read:?}");
            if let Some(aligned) = completed {
                let first = parked.first().copied();
                assert_eq!(aligned.first_parked, first, "{self} at {read:?}");
                parked.clear();
            }
            assert_eq!(aligner.all_ended(), self.all_ended(&read));
            self.explore(read, aligner, parked);
        }
        let mut unread = self
            .scripts
            .iter()
            .zip(&read)
            .filter(|(s, at)| s.len() > **at);
        assert!(
            !is_stuck || unread.next().is_none(),
            "stuck: {self} at {read:?}"
        );
    }

    /// Returns the newest checkpoint whose barrier came on some channel, and on every channel that
    /// had not ended before it: derived only from the elements that were read.
    fn completed(&self, read: &[usize]) -> Option<CheckpointId> {
        let is_complete = |checkpoint: &&CheckpointId| {
            let delivered = |channel: usize| self.delivered(channel, read, **checkpoint);
            let ended = |channel: usize| self.ended(channel, read);
            let mut channels = 0..self.scripts.len();
            let all = channels.clone().all(|c| delivered(c) || ended(c));
            all && channels.any(delivered)
        };
        self.checkpoints.iter().rfind(is_complete).copied()
    }

    /// Checks that a channel is parked exactly if it delivered a barrier whose checkpoint is not
    /// complete.
    fn check_parked(&self, read: &[usize], aligner: &Aligner) {
        let completed = self.completed(read);
        for (channel, at) in read.iter().enumerate() {
            let index = ChannelIndex(u32::try_from(channel).unwrap());
            let barriers = self.scripts[channel][..*at].iter().rev();
            let last = barriers.clone().find_map(|element| match element {
                Element::Barrier(checkpoint) => Some(*checkpoint),
                Element::Record | Element::End => None,
            });
            let expected = last.is_some_and(|last| completed.is_none_or(|done| last > done));
            assert_eq!(aligner.is_parked(index), expected, "{self} at {read:?}");
            // No element was read behind a barrier whose checkpoint is not complete.
            let behind = barriers
                .take_while(|e| !matches!(e, Element::Barrier(_)))
                .count();
            assert!(!expected || behind == 0, "{self} at {read:?}");
        }
    }

    fn delivered(&self, channel: usize, read: &[usize], checkpoint: CheckpointId) -> bool {
        self.scripts[channel][..read[channel]].contains(&Element::Barrier(checkpoint))
    }

    fn ended(&self, channel: usize, read: &[usize]) -> bool {
        self.scripts[channel][..read[channel]].contains(&Element::End)
    }

    fn all_ended(&self, read: &[usize]) -> bool {
        (0..read.len()).all(|channel| self.ended(channel, read))
    }
}

impl std::fmt::Display for Arrivals<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:?}", self.scripts)
    }
}

/// Explores all combinations of `channels` scripts. Returns the number of visited states.
fn explore_all(channels: u32, checkpoints: &[CheckpointId]) -> usize {
    let scripts = scripts(checkpoints);
    let mut states = 0;
    for combination in 0..scripts.len().pow(channels) {
        let digits = (0..channels).map(|d| combination / scripts.len().pow(d) % scripts.len());
        let mut arrivals = Arrivals {
            scripts: digits.map(|digit| scripts[digit].as_slice()).collect(),
            checkpoints,
            visited: HashSet::new(),
        };
        let channels = channels as usize;
        arrivals.explore(vec![0; channels], Aligner::new(channels), Vec::new());
        states += arrivals.visited.len();
    }
    states
}

/// Up to 4 channels, up to 3 checkpoints (ids with gaps, as after abandoned ones), each channel
/// with a record between barriers, ending anywhere or not at all: 1,240 combinations.
#[test]
fn alignment_is_right_in_every_order_of_arrival() {
    let checkpoints = [3, 5, 6].map(CheckpointId);
    let mut states = 0;
    for channels in 1..=4 {
        for count in 1..=checkpoints.len() {
            states += explore_all(channels, &checkpoints[..count]);
        }
    }
    println!("aligner: {states} states");
    assert!(states > 100_000, "only {states} states were visited");
}
