//! Record path: operator instance → router → **scatter** → channel. Pure.
//!
//! Splits a batch by the key groups of its records. Column by column: first the channel of every
//! row, then the rows of every channel, then each channel's part is gathered from each column. The
//! records of a part keep their order. The buffers are kept to be used again.

use tidegate_key_groups::{KeyGroupFunction, KeyGroups};
use tidegate_operator::Batch;

/// Up to so many channels, a pass over the rows for each is quicker than one that counts.
const FEW_CHANNELS: usize = 4;
/// Up to so many records, another copy costs less than memory for one more batch.
const SMALL_ROWS: usize = 256;

/// Which rows of a batch go to which of several channels.
#[derive(Debug)]
pub(crate) struct Scatter {
    function: KeyGroupFunction,
    groups: KeyGroups,
    channels: usize,
    channel_of_row: Vec<u32>,
    /// The rows of the first channel, then those of the second and so on.
    rows: Vec<u32>,
    /// Where the rows of each channel end in `rows`.
    ends: Vec<usize>,
    /// The small part at hand.
    small: Batch,
}

/// The part of a batch for one channel.
#[derive(Debug)]
pub(crate) enum ChannelPart<'a> {
    /// To be sent as it is.
    Owned(Batch),
    /// Few records, lent: copied behind others that wait, they need no memory of their own.
    Small(&'a Batch),
}

impl Scatter {
    /// Over the subtasks that own `groups`, a channel for each.
    pub(crate) fn new(groups: KeyGroups) -> Self {
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

    /// Hands each channel that gets any records its part, in the order of the channels.
    pub(crate) fn split(&mut self, batch: Batch, mut give: impl FnMut(usize, ChannelPart<'_>)) {
        self.find_channels(&batch);
        let Some(first) = self.channel_of_row.first().copied() else {
            return;
        };
        // A batch whose records all go one way, as after an upstream hash, is moved whole.
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

    /// One pass for each channel, without a branch a row.
    fn select_by_channel(&mut self) {
        let mut start = 0;
        for channel in 0..self.channels {
            let rows = &mut self.rows[start..];
            let mut count = 0;
            for (row, of_row) in (0u32..).zip(&self.channel_of_row) {
                // A row that is not this channel's is overwritten by the next one.
                if let Some(slot) = rows.get_mut(count) {
                    *slot = row;
                }
                count += usize::from(*of_row as usize == channel);
            }
            start += count;
            self.ends.push(start);
        }
    }

    /// Counts the rows of each channel, then puts every row in its place.
    fn select_by_counting(&mut self) {
        self.ends.resize(self.channels, 0);
        for channel in &self.channel_of_row {
            self.ends[*channel as usize] += 1;
        }
        let mut start = 0;
        for end in &mut self.ends {
            (*end, start) = (start, start + *end);
        }
        // Each end begins at the start and moves to its place with the channel's rows.
        for (row, channel) in (0u32..).zip(&self.channel_of_row) {
            let end = &mut self.ends[*channel as usize];
            self.rows[*end] = row;
            *end += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The definition: every record to the owner of its key's group, in order.
    fn row_by_row(batch: &Batch, groups: KeyGroups) -> Vec<(usize, Batch)> {
        let mut parts = vec![Batch::default(); groups.parallelism() as usize];
        for row in 0..batch.len() {
            let key = batch.keys().row(row);
            let part = &mut parts[groups.subtask_for(key) as usize];
            part.push(batch.timestamps()[row], key, batch.values().row(row));
        }
        let parts = parts.into_iter().enumerate();
        parts.filter(|(_, part)| !part.is_empty()).collect()
    }

    fn batch() -> impl Strategy<Value = Batch> {
        let width = prop_oneof![Just(8..=8), Just(0..=3), Just(0..=20)];
        let rows = width.prop_flat_map(|width: std::ops::RangeInclusive<usize>| {
            let key = prop::collection::vec(0u8..4, width);
            prop::collection::vec((any::<i64>(), key), 0..800)
        });
        rows.prop_map(|rows| {
            let mut batch = Batch::default();
            for (timestamp, key) in rows {
                batch.push(timestamp, &key, &timestamp.to_le_bytes());
            }
            batch
        })
    }

    proptest! {
        #[test]
        fn every_record_goes_to_the_owner_of_its_key_in_order(
            batches in prop::collection::vec(batch(), 1..4),
            max_parallelism in prop_oneof![Just(128u32), 12u32..300],
            parallelism in 2u32..=12,
        ) {
            let groups = KeyGroups::new(max_parallelism, parallelism);
            let mut scatter = Scatter::new(groups);
            for batch in batches {
                let expected = row_by_row(&batch, groups);
                let mut parts = Vec::new();
                scatter.split(batch, |channel, part| match part {
                    ChannelPart::Owned(part) => parts.push((channel, part)),
                    ChannelPart::Small(part) => parts.push((channel, part.clone())),
                });
                prop_assert_eq!(parts, expected);
            }
        }
    }
}
