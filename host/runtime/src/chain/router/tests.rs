//! Tests of `router`.

use futures_util::FutureExt as _;
use proptest::prelude::*;
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

/// Follows the definition: every record goes to the owner of its key's group, in order.
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

fn any_batch() -> impl Strategy<Value = Batch> {
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
        batches in prop::collection::vec(any_batch(), 1..4),
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
