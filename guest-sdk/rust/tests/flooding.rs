//! Keys that an attacker has chosen cost as much as any keys, and nothing that is observed depends
//! on the seed that ensures this.

use proptest::collection::vec;
use proptest::prelude::*;
use tidegate_sdk::prelude::*;
use tidegate_sdk::raw::StateChunk;
use tidegate_sdk::testing::{Emitted, Harness};

/// Counts, emits each count, and takes out small ones at a watermark.
struct Count;

impl Operator for Count {
    type Config = ();
    type State = u64;

    fn open(_config: (), _context: &Context) -> Result<Self, Failure> {
        Ok(Self)
    }

    fn on_record(
        &mut self,
        record: Record<'_>,
        count: &mut u64,
        out: &mut Output,
    ) -> Result<(), Failure> {
        *count += 1;
        out.emit(record.key(), *count);
        Ok(())
    }

    fn on_watermark(
        &mut self,
        _watermark: i64,
        keys: &mut KeyedState<u64>,
        out: &mut Output,
    ) -> Result<(), Failure> {
        for (key, count) in keys.extract(|_key, count| *count == 1) {
            out.emit(key, count);
        }
        Ok(())
    }

    fn on_finish(&mut self, keys: &mut KeyedState<u64>, out: &mut Output) -> Result<(), Failure> {
        for (key, count) in keys.iter() {
            out.emit(key, *count);
        }
        Ok(())
    }
}

/// Returns the emissions of an instance with this seed, and its snapshot before it finishes.
fn run(
    seed: u64,
    state: &[StateChunk],
    keys: &[Vec<u8>],
) -> Result<(Vec<Emitted>, Vec<StateChunk>), Failure> {
    let mut harness = Harness::<Count>::builder().hash_seed(seed).restore(state)?;
    let (before, after) = keys.split_at(keys.len() / 2);
    harness.send_all(before.iter().map(|key| (key, "")))?;
    harness.watermark(1)?;
    harness.send_all(after.iter().map(|key| (key, "")))?;
    let snapshot = harness.snapshot()?;
    harness.finish()?;
    Ok((harness.take_output(), snapshot))
}

proptest! {
    #[test]
    fn nothing_that_is_observed_depends_on_the_hash_seed(
        keys in vec(prop_oneof![vec(0..3_u8, 0..3), vec(any::<u8>(), 0..90)], 0..200),
        seeds: [u64; 3],
    ) {
        let [first, second, third] = seeds;
        let expected = run(first, &[], &keys);
        prop_assert_eq!(&run(second, &[], &keys), &expected);
        let (_, snapshot) = expected.map_err(|failure| TestCaseError::fail(failure.to_string()))?;
        let again = run(second, &snapshot, &keys);
        prop_assert_eq!(again, run(third, &snapshot, &keys));
    }
}
