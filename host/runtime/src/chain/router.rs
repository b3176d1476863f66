//! Record path: processing → **router** → outbox → channel. Barrier path: to *every* channel, after
//! all earlier records.
//!
//! Decides which channels a batch goes to. The outbox sends, and waits for room.
//!
//! A hash over several channels splits a batch by the key groups of its records, column by column:
//! first the channel of every row, then the rows of every channel; then each channel's part is
//! gathered from each column. The records of a part keep their order. The buffers are reused.

use std::ops::Range;

use tidegate_checkpoint::Partitioning;
use tidegate_key_groups::{KeyGroupFunction, KeyGroups};
use tidegate_operator::Batch;

use super::outbox::{Outbox, SenderIndex};
use crate::stream::StreamElement;

/// Up to this many channels, one pass over the rows for each is quicker than counting.
const FEW_CHANNELS: usize = 4;
/// Up to this many records, another copy costs less than memory for one more batch.
const SMALL_ROWS: usize = 256;

/// Spreads the batches of one output over the channels of one edge.
#[derive(Debug)]
pub(crate) struct Router {
    partitioning: Partitioning,
    /// The first sender; the senders are ordered by downstream subtask.
    first: SenderIndex,
    channels: usize,
    /// `rebalance`: the channel whose turn it is.
    turn: usize,
    /// For `hash` over several channels: the channel of each row.
    scatter: Option<Box<Scatter>>,
}

impl Router {
    /// Routes to the senders `senders` of the outbox, ordered by downstream subtask.
    ///
    /// # Panics
    ///
    /// If `senders` is empty.
    pub(crate) fn new(
        partitioning: Partitioning,
        senders: Range<usize>,
        max_parallelism: u32,
    ) -> Self {
        assert!(!senders.is_empty(), "an edge has at least one channel");
        let parallelism = u32::try_from(senders.len()).expect("fewer than 2^32 channels");
        let scatter = match partitioning {
            Partitioning::Hash if parallelism > 1 => {
                let groups = KeyGroups::new(max_parallelism, parallelism);
                Some(Box::new(Scatter::new(groups)))
            }
            Partitioning::Hash
            | Partitioning::Forward
            | Partitioning::Rebalance
            | Partitioning::Broadcast => None,
        };
        Self {
            partitioning,
            first: SenderIndex(senders.start),
            channels: senders.len(),
            turn: 0,
            scatter,
        }
    }

    /// Queues a batch for the channels that it belongs to.
    pub(crate) fn route(&mut self, batch: Batch, outbox: &mut Outbox) {
        let SenderIndex(first) = self.first;
        match self.partitioning {
            Partitioning::Forward => outbox.push(self.first, StreamElement::Batch(batch)),
            Partitioning::Rebalance => {
                let channel = SenderIndex(first + self.turn);
                outbox.push(channel, StreamElement::Batch(batch));
                self.turn = (self.turn + 1) % self.channels;
            }
            Partitioning::Broadcast => self.broadcast(StreamElement::Batch(batch), outbox),
            Partitioning::Hash => match &mut self.scatter {
                None => outbox.push(self.first, StreamElement::Batch(batch)),
                Some(scatter) => scatter.split(batch, |channel, part| {
                    let sender = SenderIndex(first + channel);
                    match part {
                        ChannelPart::Owned(part) => outbox.push(sender, StreamElement::Batch(part)),
                        ChannelPart::Small(part) => outbox.push_copy(sender, part),
                    }
                }),
            },
        }
    }

    /// Queues an element for every channel.
    pub(crate) fn broadcast(&self, element: StreamElement, outbox: &mut Outbox) {
        let SenderIndex(first) = self.first;
        outbox.push_to_all(first..first + self.channels, element);
    }
}

/// The distribution of a batch's rows over several channels.
#[derive(Debug)]
struct Scatter {
    function: KeyGroupFunction,
    groups: KeyGroups,
    channels: usize,
    channel_of_row: Vec<u32>,
    /// The rows of the first channel, then those of the second and so on.
    rows: Vec<u32>,
    /// The end of each channel's rows in `rows`.
    ends: Vec<usize>,
    /// A buffer for a small part.
    small: Batch,
}

/// The part of a batch for one channel.
#[derive(Debug)]
enum ChannelPart<'a> {
    /// A part to send as it is.
    Owned(Batch),
    /// A few borrowed records: copied behind others that wait, they need no memory of their own.
    Small(&'a Batch),
}

impl Scatter {
    /// Scatters over the subtasks that own `groups`, one channel for each.
    fn new(groups: KeyGroups) -> Self {
        Self {
            function: KeyGroupFunction::new(groups.max_parallelism()),
            groups,
            channels: groups.parallelism() as usize,
            channel_of_row: Vec::new(),
            rows: Vec::new(),
            ends: Vec::new(),
            small: Batch::default(),
        }
    }

    /// Passes its part to each channel that gets any records, in the order of the channels.
    fn split(&mut self, batch: Batch, mut give: impl FnMut(usize, ChannelPart<'_>)) {
        self.find_channels(&batch);
        let Some(first) = self.channel_of_row.first().copied() else {
            return;
        };
        // A batch whose records all go to one channel, as after an upstream hash, is moved whole.
        let difference = |all, channel: &u32| all | (channel ^ first);
        if self.channel_of_row.iter().fold(0, difference) == 0 {
            give(first as usize, ChannelPart::Owned(batch));
            return;
        }
        self.rows.resize(batch.len(), 0);
        self.ends.clear();
        if self.channels <= FEW_CHANNELS {
            self.select_by_channel();
        } else {
            self.select_by_counting();
        }
        let records = batch.gather();
        let mut start = 0;
        for (channel, end) in self.ends.iter().enumerate() {
            let rows = &self.rows[start..*end];
            start = *end;
            if rows.len() > SMALL_ROWS {
                give(channel, ChannelPart::Owned(records.rows(rows)));
            } else if !rows.is_empty() {
                records.rows_into(rows, &mut self.small);
                give(channel, ChannelPart::Small(&self.small));
            }
        }
    }

    fn find_channels(&mut self, batch: &Batch) {
        let groups = &mut self.channel_of_row;
        groups.clear();
        match batch.keys().fixed_width() {
            Some(words) => self.function.extend_with_words(words, groups),
            None => groups.extend(batch.keys().rows().map(|key| self.function.key_group(key))),
        }
        self.groups.replace_with_owners(groups);
    }

    /// Makes one pass for each channel, without a branch for each row.
    fn select_by_channel(&mut self) {
        let mut start = 0;
        for channel in 0..self.channels {
            let rows = &mut self.rows[start..];
            let mut count = 0;
            for (row, of_row) in (0u32..).zip(&self.channel_of_row) {
                // The next row overwrites a row of another channel.
                if let Some(slot) = rows.get_mut(count) {
                    *slot = row;
                }
                count += usize::from(*of_row as usize == channel);
            }
            start += count;
            self.ends.push(start);
        }
    }

    /// Counts the rows of each channel, then writes every row to its place.
    fn select_by_counting(&mut self) {
        self.ends.resize(self.channels, 0);
        for channel in &self.channel_of_row {
            self.ends[*channel as usize] += 1;
        }
        let mut start = 0;
        for end in &mut self.ends {
            (*end, start) = (start, start + *end);
        }
        // Each end begins at its channel's start and moves to its place with the channel's rows.
        for (row, channel) in (0u32..).zip(&self.channel_of_row) {
            let end = &mut self.ends[*channel as usize];
            self.rows[*end] = row;
            *end += 1;
        }
    }
}

#[cfg(test)]
mod tests;
