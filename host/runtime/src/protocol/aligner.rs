//! Barrier path: channel → **aligner** → snapshot → router. Pure.
//!
//! Decides which channels of an input gate are held back ("parked") and when a subtask takes its
//! snapshot, after Flink's aligned checkpoints (Carbone et al. 2015, "Lightweight Asynchronous
//! Snapshots for Distributed Dataflows"). Invariants: between the first barrier of a checkpoint and
//! its completion a parked channel delivers nothing; at completion no channel is parked. A channel
//! that has ended counts as aligned. Records wait in the bounded channels, not in the aligner.

use crate::{ChannelIndex, CheckpointId};

/// The subtask's next step. Every caller must handle every case.
#[must_use]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Alignment {
    /// Stop reading this channel; others have not delivered their barrier yet.
    Park(ChannelIndex),
    /// Every channel has delivered its barrier or has ended: snapshot, then resume all.
    Complete(Aligned),
}

/// An alignment that is complete.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Aligned {
    /// The checkpoint whose barriers have arrived.
    pub checkpoint: CheckpointId,
    /// The channel that waited longest: its records go first. `None` if no channel was parked.
    pub first_parked: Option<ChannelIndex>,
}

/// The meaning of a channel's end.
#[must_use]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EndOfChannel {
    /// Other channels still deliver: nothing to do.
    OthersRemain,
    /// The alignment waited only for this channel: snapshot, then resume all.
    Complete(Aligned),
    /// Every channel has ended: the subtask's input is over.
    AllEnded,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Channel {
    Open,
    Parked,
    Ended,
}

/// Aligns the barriers of one input gate.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Aligner {
    channels: Vec<Channel>,
    /// The number of open channels.
    open: usize,
    /// The number of ended channels.
    ended: usize,
    /// The checkpoint whose barriers are arriving. At least one channel is then parked.
    aligning: Option<CheckpointId>,
    /// The first channel that was parked since then.
    first_parked: Option<ChannelIndex>,
    last_completed: Option<CheckpointId>,
}

impl Aligner {
    /// Creates an aligner for a gate with `channels` channels, all open.
    #[must_use]
    pub fn new(channels: usize) -> Self {
        Self {
            channels: vec![Channel::Open; channels],
            open: channels,
            ended: 0,
            aligning: None,
            first_parked: None,
            last_completed: None,
        }
    }

    /// Returns true if nothing may be read from `channel` until the alignment completes.
    #[must_use]
    pub fn is_parked(&self, channel: ChannelIndex) -> bool {
        self.channels[channel.0 as usize] == Channel::Parked
    }

    /// Returns true if every channel has ended.
    #[must_use]
    pub fn all_ended(&self) -> bool {
        self.ended == self.channels.len()
    }

    /// Returns the checkpoint that is being aligned.
    #[must_use]
    pub fn aligning(&self) -> Option<CheckpointId> {
        self.aligning
    }

    /// Called when a channel delivers a barrier.
    ///
    /// # Panics
    ///
    /// If the channel is parked or has ended, or the barrier is of another checkpoint than the one
    /// being aligned: the coordinator never has two checkpoints in flight on one channel out of
    /// order, so that would be a bug of ours.
    pub fn on_barrier(&mut self, channel: ChannelIndex, checkpoint: CheckpointId) -> Alignment {
        let slot = &mut self.channels[channel.0 as usize];
        assert_ne!(*slot, Channel::Parked, "{channel} delivered while parked");
        assert_ne!(*slot, Channel::Ended, "{channel} delivered after its end");
        let newer = self.last_completed.is_none_or(|last| checkpoint > last);
        assert!(newer, "barrier {checkpoint} came after its checkpoint");
        let current = *self.aligning.get_or_insert(checkpoint);
        assert_eq!(current, checkpoint, "two checkpoints aligned at once");

        *slot = Channel::Parked;
        self.open -= 1;
        match self.complete_if_aligned() {
            Some(aligned) => Alignment::Complete(aligned),
            None => {
                self.first_parked.get_or_insert(channel);
                Alignment::Park(channel)
            }
        }
    }

    /// Called when a channel ends.
    ///
    /// # Panics
    ///
    /// If the channel is parked or has ended already.
    pub fn on_end(&mut self, channel: ChannelIndex) -> EndOfChannel {
        let slot = &mut self.channels[channel.0 as usize];
        assert_ne!(*slot, Channel::Parked, "{channel} ended while parked");
        assert_ne!(*slot, Channel::Ended, "{channel} ended twice");
        *slot = Channel::Ended;
        self.open -= 1;
        self.ended += 1;
        if let Some(aligned) = self.complete_if_aligned() {
            EndOfChannel::Complete(aligned)
        } else if self.all_ended() {
            EndOfChannel::AllEnded
        } else {
            EndOfChannel::OthersRemain
        }
    }

    fn complete_if_aligned(&mut self) -> Option<Aligned> {
        let checkpoint = self.aligning?;
        if self.open > 0 {
            return None;
        }
        for channel in &mut self.channels {
            if *channel == Channel::Parked {
                *channel = Channel::Open;
            }
        }
        self.open = self.channels.len() - self.ended;
        self.aligning = None;
        self.last_completed = Some(checkpoint);
        Some(Aligned {
            checkpoint,
            first_parked: self.first_parked.take(),
        })
    }
}
