//! One chain of the model: handles barriers, ends and control messages as `ChainLoop` handles its
//! feed, with a real aligner. Records are only counted.

use std::collections::VecDeque;

use crate::protocol::{Aligner, Alignment, EndOfChannel};
use crate::{ChannelIndex, CheckpointId};

/// An element of a channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Element {
    Record,
    Barrier(CheckpointId),
    End,
}

/// A message of the coordinator to the chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Control {
    Trigger {
        checkpoint: CheckpointId,
        suspend: bool,
    },
    EndSources,
}

/// An event of the chain's thread, for the coordinator.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum ThreadEvent {
    Declined(CheckpointId),
    Ended,
}

/// A snapshot that is being written to the disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Persisting {
    pub(super) checkpoint: CheckpointId,
    pub(super) has_ended: bool,
    pub(super) is_suspended: bool,
    /// True if it ended because it was told to, with input left.
    pub(super) is_drained: bool,
    /// The records that the chain had sent and received.
    pub(super) records: Records,
    /// Events of the thread that the coordinator sees before the acknowledgement.
    pub(super) behind: usize,
}

/// Records that passed a chain.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct Records {
    /// Records sent on each output.
    pub(super) sent: u64,
    /// Records received, each counted by the number of its channel, from 1: so each sum is unique.
    pub(super) received: u64,
}

/// The elements that a chain sends to all its readers.
pub(super) type Sent = Vec<Element>;

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Chain {
    pub(super) control: VecDeque<Control>,
    pub(super) thread_events: VecDeque<ThreadEvent>,
    pub(super) persisting: VecDeque<Persisting>,
    pub(super) channels: Vec<VecDeque<Element>>,
    has_ended: bool,
    is_drained: bool,
    is_suspended: bool,
    last_snapshot: CheckpointId,
    records: Records,
    aligner: Aligner,
}

impl Chain {
    /// Creates a chain with this number of channels; without channels it is a source.
    pub(super) fn new(channels: usize, last_checkpoint: CheckpointId) -> Self {
        Self {
            control: VecDeque::new(),
            thread_events: VecDeque::new(),
            persisting: VecDeque::new(),
            channels: vec![VecDeque::new(); channels],
            has_ended: false,
            is_drained: false,
            is_suspended: false,
            last_snapshot: last_checkpoint,
            records: Records::default(),
            aligner: Aligner::new(channels),
        }
    }

    pub(super) fn is_source(&self) -> bool {
        self.channels.is_empty()
    }

    /// Returns true if its source still returns records.
    pub(super) fn is_reading(&self) -> bool {
        self.is_source() && !self.has_ended && !self.is_suspended
    }

    /// Returns the channels that have something to read and are not held back.
    pub(super) fn readable(&self) -> impl Iterator<Item = usize> {
        let channels = self.channels.iter().enumerate();
        let full = channels.filter(|(_, elements)| !elements.is_empty());
        let open = full.filter(|(channel, _)| !self.aligner.is_parked(channel_index(*channel)));
        open.map(|(channel, _)| channel)
    }

    pub(super) fn read_control(&mut self, declines: bool) -> Sent {
        match self.control.pop_front().expect("there is a message") {
            Control::Trigger {
                checkpoint,
                suspend,
            } => {
                if checkpoint <= self.last_snapshot {
                    return Vec::new();
                }
                assert!(
                    self.is_source() || self.has_ended,
                    "triggered before its end"
                );
                self.is_suspended |= suspend && self.is_reading();
                self.take_snapshot(checkpoint, declines)
            }
            Control::EndSources => {
                assert!(self.is_source(), "only sources are told to end");
                if self.has_ended {
                    return Vec::new();
                }
                self.is_drained = true;
                self.end()
            }
        }
    }

    pub(super) fn read_element(&mut self, channel: usize, declines: bool) -> Sent {
        let element = self.channels[channel].pop_front();
        let channel = channel_index(channel);
        let completed = match element.expect("there is an element") {
            Element::Record => {
                self.records.received += u64::from(channel.0) + 1;
                return self.give_record();
            }
            Element::Barrier(checkpoint) => match self.aligner.on_barrier(channel, checkpoint) {
                Alignment::Park(_) => None,
                Alignment::Complete(aligned) => Some(aligned.checkpoint),
            },
            Element::End => match self.aligner.on_end(channel) {
                EndOfChannel::Complete(aligned) => Some(aligned.checkpoint),
                EndOfChannel::OthersRemain | EndOfChannel::AllEnded => None,
            },
        };
        let mut sent = match completed {
            Some(checkpoint) => self.take_snapshot(checkpoint, declines),
            None => Vec::new(),
        };
        if self.aligner.all_ended() {
            sent.extend(self.end());
        }
        sent
    }

    /// Sends a record of its source, or one that it passes on.
    pub(super) fn give_record(&mut self) -> Sent {
        self.records.sent += 1;
        vec![Element::Record]
    }

    pub(super) fn end(&mut self) -> Sent {
        assert!(!self.has_ended, "it ends twice");
        self.has_ended = true;
        self.thread_events.push_back(ThreadEvent::Ended);
        vec![Element::End]
    }

    /// Removes the next event, which reaches the coordinator.
    pub(super) fn take_thread_event(&mut self) -> ThreadEvent {
        for snapshot in &mut self.persisting {
            snapshot.behind = snapshot.behind.saturating_sub(1);
        }
        self.thread_events.pop_front().expect("there is an event")
    }

    fn take_snapshot(&mut self, checkpoint: CheckpointId, declines: bool) -> Sent {
        assert!(
            checkpoint > self.last_snapshot,
            "it takes part in {checkpoint} twice"
        );
        self.last_snapshot = checkpoint;
        if declines {
            self.thread_events
                .push_back(ThreadEvent::Declined(checkpoint));
        } else {
            self.persisting.push_back(Persisting {
                checkpoint,
                has_ended: self.has_ended,
                is_suspended: self.is_suspended,
                is_drained: self.is_drained,
                records: self.records,
                behind: self.thread_events.len(),
            });
        }
        match self.has_ended {
            true => Vec::new(),
            false => vec![Element::Barrier(checkpoint)],
        }
    }
}

fn channel_index(index: usize) -> ChannelIndex {
    ChannelIndex(u32::try_from(index).expect("few channels"))
}
