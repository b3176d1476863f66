//! Record path: operator instance → **router** → channel. Barrier path: to *every* channel, after
//! all earlier records.
//!
//! Which channels a batch goes to. The router only decides and queues in the outbox; waiting for
//! room is the outbox's part.

use tidegate_operator::Batch;

use super::outbox::{Outbox, SenderIndex};
use crate::graph::{KeyGroups, Partitioning};
use crate::stream::StreamElement;

/// Spreads the batches of one output over the channels of one edge.
#[derive(Debug)]
pub(crate) struct Router {
    partitioning: Partitioning,
    /// By downstream subtask.
    channels: Vec<SenderIndex>,
    /// `rebalance`: the channel whose turn it is.
    turn: usize,
    /// `hash`: the channel of each key group.
    channel_of_group: Vec<u32>,
    /// `hash`: the channel of each row of the batch at hand, kept to be used again.
    channel_of_row: Vec<u32>,
}

impl Router {
    /// # Panics
    ///
    /// If there are no channels.
    pub(crate) fn new(
        partitioning: Partitioning,
        channels: Vec<SenderIndex>,
        max_parallelism: u32,
    ) -> Self {
        assert!(!channels.is_empty(), "an edge has at least one channel");
        let parallelism = u32::try_from(channels.len()).expect("fewer than 2^32 channels");
        let channel_of_group = match partitioning {
            Partitioning::Hash => {
                let groups = KeyGroups::new(max_parallelism, parallelism);
                (0..max_parallelism).map(|g| groups.owner(g)).collect()
            }
            Partitioning::Forward | Partitioning::Rebalance | Partitioning::Broadcast => Vec::new(),
        };
        Self {
            partitioning,
            channels,
            turn: 0,
            channel_of_group,
            channel_of_row: Vec::new(),
        }
    }

    /// Queues a batch for the channels it belongs to.
    pub(crate) fn route(&mut self, batch: Batch, outbox: &mut Outbox) {
        match self.partitioning {
            Partitioning::Forward => outbox.push(self.channels[0], StreamElement::Batch(batch)),
            Partitioning::Rebalance => {
                outbox.push(self.channels[self.turn], StreamElement::Batch(batch));
                self.turn = (self.turn + 1) % self.channels.len();
            }
            Partitioning::Broadcast => self.broadcast(&StreamElement::Batch(batch), outbox),
            Partitioning::Hash if self.channels.len() == 1 => {
                outbox.push(self.channels[0], StreamElement::Batch(batch));
            }
            Partitioning::Hash => self.scatter(batch, outbox),
        }
    }

    /// Queues an element for every channel.
    pub(crate) fn broadcast(&self, element: &StreamElement, outbox: &mut Outbox) {
        for channel in &self.channels {
            outbox.push(*channel, element.clone());
        }
    }

    fn scatter(&mut self, batch: Batch, outbox: &mut Outbox) {
        let groups = u32::try_from(self.channel_of_group.len()).expect("at most 32768 groups");
        let mut rows_of_channel = vec![0usize; self.channels.len()];
        self.channel_of_row.clear();
        self.channel_of_row.extend(batch.keys().rows().map(|key| {
            let group = tidegate_key_group::key_group(key, groups);
            let channel = self.channel_of_group[group as usize];
            rows_of_channel[channel as usize] += 1;
            channel
        }));
        // A batch whose records all go one way, as after an upstream hash, is moved whole.
        if let Some(only) = rows_of_channel.iter().position(|rows| *rows == batch.len()) {
            outbox.push(self.channels[only], StreamElement::Batch(batch));
            return;
        }
        let parts = split_rows(&batch, &self.channel_of_row, &rows_of_channel);
        for (channel, part) in self.channels.iter().zip(parts) {
            if !part.is_empty() {
                outbox.push(*channel, StreamElement::Batch(part));
            }
        }
    }
}

/// Copies row `i` of `batch` into part `part_of_row[i]`, in order.
fn split_rows(batch: &Batch, part_of_row: &[u32], rows_of_part: &[usize]) -> Vec<Batch> {
    let rows = batch.len().max(1);
    let share = |bytes: usize, part_rows: usize| bytes / rows * part_rows + bytes % rows;
    let (key_bytes, value_bytes) = (batch.keys().data().len(), batch.values().data().len());
    let mut parts: Vec<Batch> = rows_of_part
        .iter()
        .map(|n| Batch::with_capacity(*n, share(key_bytes, *n), share(value_bytes, *n)))
        .collect();
    let columns = batch.keys().rows().zip(batch.values().rows());
    let rows = batch.timestamps().iter().zip(columns);
    for ((timestamp, (key, value)), part) in rows.zip(part_of_row) {
        parts[*part as usize].push(*timestamp, key, value);
    }
    parts
}

#[cfg(test)]
mod tests {
    use tidegate_operator::NO_TIMESTAMP;

    use super::*;

    fn batch(keys: &[&str]) -> Batch {
        let mut batch = Batch::default();
        for (row, key) in keys.iter().enumerate() {
            batch.push(NO_TIMESTAMP, key.as_bytes(), row.to_string().as_bytes());
        }
        batch
    }

    fn routed(partitioning: Partitioning, channels: usize, batches: &[&[&str]]) -> Vec<String> {
        let indices = (0..channels).map(SenderIndex).collect();
        let mut router = Router::new(partitioning, indices, 128);
        let mut outbox = Outbox::new(Vec::new());
        for keys in batches {
            router.route(batch(keys), &mut outbox);
        }
        let queued = outbox.queued().iter();
        queued
            .map(|(channel, element)| {
                let StreamElement::Batch(batch) = element else {
                    unreachable!("only batches were routed")
                };
                let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
                let rows = batch.keys().rows().zip(batch.values().rows());
                let rows: Vec<String> = rows
                    .map(|(key, value)| format!("{}={}", text(key), text(value)))
                    .collect();
                format!("{}: {}", channel.0, rows.join(" "))
            })
            .collect()
    }

    #[test]
    fn hash_sends_each_key_to_the_owner_of_its_group_in_order() {
        // Groups at 128: a is 7, key-1 is 81, flink is 115; of two subtasks 0 owns 0 to 63.
        let out = routed(Partitioning::Hash, 2, &[&["a", "key-1", "a", "flink"]]);
        assert_eq!(out, ["0: a=0 a=2", "1: key-1=1 flink=3"]);
    }

    #[test]
    fn hash_moves_a_batch_of_one_owner_whole() {
        let out = routed(Partitioning::Hash, 2, &[&["flink", "key-1"]]);
        assert_eq!(out, ["1: flink=0 key-1=1"]);
    }

    #[test]
    fn rebalance_takes_turns_by_batch() {
        let out = routed(Partitioning::Rebalance, 2, &[&["a"], &["b"], &["c"]]);
        assert_eq!(out, ["0: a=0", "1: b=0", "0: c=0"]);
    }

    #[test]
    fn broadcast_reaches_every_channel() {
        let out = routed(Partitioning::Broadcast, 3, &[&["a"]]);
        assert_eq!(out, ["0: a=0", "1: a=0", "2: a=0"]);
    }
}
