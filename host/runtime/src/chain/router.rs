//! Record path: operator instance → **router** → channel. Barrier path: to *every* channel, after
//! all earlier records.
//!
//! Which channels a batch goes to. The router only decides; sending, and waiting for room, is the
//! outbox's part.

use std::ops::Range;

use tidegate_checkpoint::Partitioning;
use tidegate_key_groups::KeyGroups;
use tidegate_operator::Batch;

use super::outbox::{Outbox, SenderIndex};
use super::scatter::{ChannelPart, Scatter};
use crate::stream::StreamElement;

/// Spreads the batches of one output over the channels of one edge.
#[derive(Debug)]
pub(crate) struct Router {
    partitioning: Partitioning,
    /// The first of its senders, which are by downstream subtask.
    first: SenderIndex,
    channels: usize,
    /// `rebalance`: the channel whose turn it is.
    turn: usize,
    /// `hash` over several channels: which rows go where.
    scatter: Option<Box<Scatter>>,
}

impl Router {
    /// Over the senders `senders` of the outbox, by downstream subtask.
    ///
    /// # Panics
    ///
    /// If there are none.
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

    /// Queues a batch for the channels it belongs to.
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

#[cfg(test)]
mod tests {
    use futures_util::FutureExt as _;
    use tidegate_operator::NO_TIMESTAMP;

    use super::*;
    use crate::channel::{ChannelLimits, bounded};
    use crate::protocol::Aligner;

    fn batch(keys: &[&str]) -> Batch {
        let mut batch = Batch::default();
        for (row, key) in keys.iter().enumerate() {
            batch.push(NO_TIMESTAMP, key.as_bytes(), row.to_string().as_bytes());
        }
        batch
    }

    fn routed(partitioning: Partitioning, channels: usize, batches: &[&[&str]]) -> Vec<String> {
        let apart = ChannelLimits {
            joined_rows: 1,
            ..ChannelLimits::default()
        };
        let (senders, mut gate) = bounded(channels, apart);
        let mut router = Router::new(partitioning, 0..channels, 128);
        let mut outbox = Outbox::new(senders);
        for keys in batches {
            router.route(batch(keys), &mut outbox);
        }
        let aligner = Aligner::new(channels);
        let next = || {
            gate.next(|channel| aligner.is_parked(channel))
                .now_or_never()
        };
        let arrived = std::iter::from_fn(next);
        arrived
            .map(|arrived| {
                let Some((channel, StreamElement::Batch(batch))) = arrived else {
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
