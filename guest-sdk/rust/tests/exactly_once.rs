//! The promises of the SDK about state, for operators and inputs of any shape.

use proptest::collection::vec;
use proptest::prelude::*;
use serde::{Deserialize, Serialize};
use tidegate_sdk::prelude::*;
use tidegate_sdk::raw::{Batch, StateChunk};
use tidegate_sdk::testing::{Emitted, Harness};

/// Remembers the lengths of the last values of each key, forgets a key at an empty value, and
/// numbers all records.
struct History {
    records: u64,
}

#[derive(Default, Serialize, Deserialize)]
struct Lengths {
    seen: u64,
    lengths: Vec<u16>,
}

impl Operator for History {
    type Config = ();
    type State = Lengths;

    fn open(_config: (), _context: &Context) -> Result<Self, Failure> {
        Ok(Self { records: 0 })
    }

    fn on_record(
        &mut self,
        record: Record<'_>,
        state: &mut Lengths,
        out: &mut Output,
    ) -> Result<(), Failure> {
        self.records += 1;
        if record.value().is_empty() {
            *state = Lengths::default();
            return Ok(());
        }
        state.seen += 1;
        let length = u16::try_from(record.value().len());
        state
            .lengths
            .push(length.map_err(|error| record.invalid(error))?);
        let oldest = state.lengths.len().saturating_sub(3);
        state.lengths.drain(..oldest);
        out.emit(record.key(), state.seen);
        out.emit_to(
            1,
            (),
            state.lengths.iter().map(|l| u64::from(*l)).sum::<u64>(),
        );
        Ok(())
    }

    fn is_vacant(state: &Lengths) -> bool {
        state.seen == 0
    }

    /// Forgets the keys whose last value was of this length.
    fn on_watermark(
        &mut self,
        watermark: i64,
        keys: &mut KeyedState<Lengths>,
        _out: &mut Output,
    ) -> Result<(), Failure> {
        for (_key, state) in keys.iter_mut() {
            if state
                .lengths
                .last()
                .is_some_and(|last| i64::from(*last) == watermark)
            {
                *state = Lengths::default();
            }
        }
        Ok(())
    }

    fn on_finish(
        &mut self,
        keys: &mut KeyedState<Lengths>,
        out: &mut Output,
    ) -> Result<(), Failure> {
        for (key, state) in keys.iter() {
            out.emit(key, ("final ", state.seen));
        }
        Ok(())
    }

    fn operator_state(&self, items: &mut Items) -> Result<(), Failure> {
        items.push(&self.records)
    }

    fn restore_operator_state(&mut self, items: RestoredItems) -> Result<(), Failure> {
        self.records = items.read::<u64>()?.into_iter().sum();
        Ok(())
    }
}

type Input = Vec<(Vec<u8>, Vec<u8>)>;

fn any_input() -> impl Strategy<Value = Input> {
    let key = prop_oneof![
        vec(0..3_u8, 0..3),
        vec(any::<u8>(), 8),
        vec(any::<u8>(), 0..40),
    ];
    vec((key, vec(any::<u8>(), 0..4)), 0..120)
}

fn open() -> Harness<History> {
    subtask(0, 1)
        .open()
        .expect("History takes any configuration")
}

fn subtask(index: u32, parallelism: u32) -> tidegate_sdk::testing::Builder<Typed> {
    Harness::<History>::builder()
        .outputs(["seen", "sums"])
        .subtask(index, parallelism)
}

type Typed = tidegate_sdk::Typed<History>;

fn by_port(output: Vec<Emitted>) -> (Vec<Emitted>, Vec<Emitted>) {
    output.into_iter().partition(|emitted| emitted.port == 0)
}

/// Hands each record to the subtask that owns its key.
fn route(subtasks: &mut [Harness<History>], input: &Input) -> Result<(), Failure> {
    for (key, value) in input {
        let owner = subtasks.iter_mut().find(|subtask| subtask.owns(key));
        owner.expect("every key has an owner").send(key, value)?;
    }
    Ok(())
}

fn snapshot_all(subtasks: &mut [Harness<History>]) -> Result<Vec<StateChunk>, Failure> {
    let snapshots: Result<Vec<_>, _> = subtasks.iter_mut().map(Harness::snapshot).collect();
    Ok(snapshots?.concat())
}

fn restore_all(parallelism: u32, chunks: &[StateChunk]) -> Result<Vec<Harness<History>>, Failure> {
    let all = (0..parallelism).map(|index| subtask(index, parallelism).restore(chunks));
    all.collect()
}

/// Returns the chunks of keyed state, by key group.
fn keyed(mut chunks: Vec<StateChunk>) -> Vec<StateChunk> {
    chunks.retain(|chunk| chunk.key_group.is_some());
    chunks.sort_by_key(|chunk| chunk.key_group);
    chunks
}

proptest! {
    #[test]
    fn a_restored_snapshot_gives_the_same_snapshot(input in any_input()) {
        let mut harness = open();
        harness.send_all(input)?;
        let chunks = harness.snapshot()?;
        let mut restored = subtask(0, 1).restore(&chunks)?;
        prop_assert_eq!(restored.snapshot()?, chunks);
    }

    #[test]
    fn a_snapshot_changes_nothing(input in any_input()) {
        let (mut with, mut without) = (open(), open());
        for (key, value) in input {
            with.send(&key, &value)?;
            with.snapshot()?;
            without.send(&key, &value)?;
        }
        prop_assert_eq!(with.take_output(), without.take_output());
        prop_assert_eq!(with.snapshot()?, without.snapshot()?);
    }

    #[test]
    fn where_batches_are_cut_means_nothing(input in any_input(), cuts in vec(1..9_usize, 1..9)) {
        let (mut whole, mut cut) = (open(), open());
        whole.send_all(input.clone())?;
        let mut rest = input.as_slice();
        for size in cuts.iter().cycle() {
            if rest.is_empty() {
                break;
            }
            let (batch, after) = rest.split_at(rest.len().min(*size));
            cut.send_all(batch.iter().map(|(key, value)| (key, value)))?;
            rest = after;
        }
        prop_assert_eq!(whole.snapshot()?, cut.snapshot()?);
        whole.finish()?;
        cut.finish()?;
        prop_assert_eq!(by_port(whole.take_output()), by_port(cut.take_output()));
    }

    #[test]
    fn a_failure_anywhere_leaves_no_trace_in_the_output(
        input in any_input(),
        at in any::<prop::sample::Index>(),
    ) {
        let (before, after) = input.split_at(at.index(input.len() + 1));
        let records = |part: &[(Vec<u8>, Vec<u8>)]| part.to_vec();

        let mut steady = open();
        steady.send_all(records(before))?;
        steady.take_output();
        let chunks = steady.snapshot()?;
        steady.send_all(records(after))?;
        steady.finish()?;

        let mut recovered = subtask(0, 1).restore(&chunks)?;
        recovered.send_all(records(after))?;
        recovered.finish()?;
        prop_assert_eq!(recovered.take_output(), steady.take_output());
    }

    #[test]
    fn the_order_of_arrival_of_different_keys_leaves_no_trace(
        keys in prop::collection::btree_set(vec(any::<u8>(), 0..20), 0..200),
        seed in any::<u64>(),
    ) {
        let sorted: Vec<_> = keys.into_iter().collect();
        let mut shuffled = sorted.clone();
        shuffled.sort_by_key(|key| {
            let bytes = key.iter().map(|byte| u64::from(*byte));
            bytes.fold(seed, |hash, byte| (hash ^ byte).wrapping_mul(0x0100_0000_01b3))
        });
        let (mut first, mut second) = (open(), open());
        first.send_all(sorted.iter().map(|key| (key, b"v")))?;
        second.send_all(shuffled.iter().map(|key| (key, b"v")))?;
        prop_assert_eq!(first.snapshot()?, second.snapshot()?);
        first.take_output();
        second.take_output();
        first.finish()?;
        second.finish()?;
        prop_assert_eq!(first.take_output(), second.take_output());
    }

    #[test]
    fn rescaling_from_two_to_three_to_one_loses_nothing(
        first in any_input(),
        second in any_input(),
        third in any_input(),
    ) {
        let mut alone = open();
        for part in [&first, &second, &third] {
            alone.send_all(part.clone())?;
        }

        let mut two = restore_all(2, &[])?;
        route(&mut two, &first)?;
        let mut three = restore_all(3, &snapshot_all(&mut two)?)?;
        route(&mut three, &second)?;
        let mut one = restore_all(1, &snapshot_all(&mut three)?)?;
        route(&mut one, &third)?;

        prop_assert_eq!(keyed(snapshot_all(&mut one)?), keyed(alone.snapshot()?));
        // The items, one per subtask, add up.
        prop_assert_eq!(one[0].snapshot()?, alone.snapshot()?);
    }

    #[test]
    fn a_damaged_chunk_is_refused_or_read_and_never_a_panic(
        input in any_input(),
        chunk in any::<prop::sample::Index>(),
        byte in any::<prop::sample::Index>(),
        flip in 1..=255_u8,
    ) {
        let mut harness = open();
        harness.send_all(input)?;
        let mut chunks = harness.snapshot()?;
        let chunk = chunk.index(chunks.len());
        let byte = byte.index(chunks[chunk].bytes.len());
        chunks[chunk].bytes[byte] ^= flip;
        // A flipped bit inside a value can be another valid value; the host's checksum detects
        // that.
        if let Err(failure) = subtask(0, 1).restore(&chunks) {
            prop_assert!(matches!(failure, Failure::IncompatibleState(_)), "{}", failure);
        }
    }

    #[test]
    fn a_chunk_that_is_cut_or_has_more_behind_it_is_refused(
        input in any_input(),
        chunk in any::<prop::sample::Index>(),
        byte in any::<prop::sample::Index>(),
        more in vec(any::<u8>(), 1..4),
    ) {
        let mut harness = open();
        harness.send_all(input)?;
        let chunks = harness.snapshot()?;
        let chunk = chunk.index(chunks.len());

        let mut longer = chunks.clone();
        longer[chunk].bytes.extend(more);
        let failure = subtask(0, 1).restore(&longer).err();
        prop_assert!(matches!(failure, Some(Failure::IncompatibleState(_))), "{:?}", failure);

        let mut shorter = chunks;
        let length = byte.index(shorter[chunk].bytes.len());
        shorter[chunk].bytes.truncate(length);
        let failure = subtask(0, 1).restore(&shorter).err();
        prop_assert!(matches!(failure, Some(Failure::IncompatibleState(_))), "{:?}", failure);
    }

    #[test]
    fn random_bytes_are_never_a_panic(bytes: Vec<u8>, key_group in prop::option::of(0..200_u32)) {
        for head in [&b""[..], b"TGK\x01", b"TGI\x01"] {
            let name = if key_group.is_some() { "keyed" } else { "items" };
            let chunk = StateChunk {
                name: name.to_owned(),
                schema_version: 1,
                key_group,
                bytes: [head, &bytes].concat(),
            };
            let _ = subtask(0, 1).restore(&[chunk]).map(|_| ());
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]

    /// Uses enough keys that they are looked up ahead, while keys come and go.
    #[test]
    fn a_large_state_is_what_a_plain_map_would_hold(
        picks in vec((0..14_000_u32, any::<bool>()), 500..4_000),
    ) {
        let mut model = std::collections::BTreeMap::new();
        let mut harness = open();
        harness.send_all((0..12_000_u32).map(|key| (key.to_be_bytes(), "v")))?;
        model.extend((0..12_000_u32).map(|key| (key, 1_u64)));
        harness.take_output();

        let mut expected = Vec::new();
        let mut input = Vec::new();
        // Each key twice in a row, so that one block sees a key come, go and change.
        for (key, is_removed) in picks.into_iter().flat_map(|pick| [pick, pick]) {
            input.push((key.to_be_bytes(), if is_removed { "" } else { "v" }));
            if is_removed {
                model.remove(&key);
            } else {
                let seen = model.entry(key).or_default();
                *seen += 1;
                expected.push((key, seen.to_string()));
            }
        }
        harness.send_all(input)?;

        let (seen, _) = by_port(harness.take_output());
        let seen = seen.into_iter().map(|emitted| {
            let key = <[u8; 4]>::try_from(emitted.key).expect("keys have four bytes");
            (u32::from_be_bytes(key), String::from_utf8_lossy(&emitted.value).into_owned())
        });
        prop_assert_eq!(seen.collect::<Vec<_>>(), expected);
        let keys: Vec<_> = model.keys().map(|key| key.to_be_bytes().to_vec()).collect();
        prop_assert_eq!(harness.keys(), keys);
    }
}

#[test]
fn timestamps_are_inherited_from_the_record() -> Result<(), Failure> {
    let mut harness = open();
    let mut batch = Batch::default();
    batch.push(7, b"a", b"x");
    batch.push(tidegate_sdk::raw::NO_TIMESTAMP, b"a", b"x");
    harness.send_batch(0, batch)?;
    let (seen, _) = by_port(harness.take_output());
    let timestamps: Vec<_> = seen.iter().map(|emitted| emitted.timestamp).collect();
    assert_eq!(timestamps, [Some(7), None]);
    Ok(())
}

#[test]
fn a_call_that_fails_emits_nothing() -> Result<(), Failure> {
    let mut harness = open();
    let long = vec![0; usize::from(u16::MAX) + 1];
    let failure = harness.send_all([("a", vec![1]), ("b", long)]).err();
    assert!(
        matches!(failure, Some(Failure::InvalidRecord { row: 1, .. })),
        "{failure:?}"
    );
    assert_eq!(harness.take_output(), []);
    Ok(())
}

#[test]
fn a_state_that_becomes_vacant_is_forgotten() -> Result<(), Failure> {
    let mut harness = open();
    harness.send_all([("a", "1"), ("b", "22"), ("c", "1"), ("c", "")])?;
    assert_eq!(harness.keys(), [b"a", b"b"]);
    harness.watermark(2)?;
    assert_eq!(harness.keys(), [b"a"]);
    Ok(())
}
