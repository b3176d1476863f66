//! Tests of `table`.

use super::*;
use proptest::prelude::*;
use std::collections::BTreeMap;

const SEED: u64 = 7;

#[derive(Clone, Debug)]
enum Step {
    /// Adds one to the state of a key, which may be new.
    Update(u16),
    Remove(u16),
    /// Takes out the keys whose state is at least this.
    Extract(u64),
    /// Many keys, one by one.
    Fill(u16),
    /// Many new keys at once.
    Extend(u16),
    Clear,
    Snapshot,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        40 => (0..300_u16).prop_map(Step::Update),
        20 => (0..300_u16).prop_map(Step::Remove),
        2 => (1..4_u64).prop_map(Step::Extract),
        4 => (0..300_u16).prop_map(Step::Fill),
        2 => (0..300_u16).prop_map(Step::Extend),
        1 => Just(Step::Clear),
        8 => Just(Step::Snapshot),
    ]
}

/// Makes short and long keys, with common beginnings.
fn key(number: u16) -> Vec<u8> {
    let repeated = usize::from(number % 7) * 3;
    [vec![b'x'; repeated], number.to_be_bytes().to_vec()].concat()
}

fn update(table: &mut Table<u64>, key: &[u8]) {
    let at = match table.find(key) {
        ABSENT => table.insert(Entry {
            key: Key::new(key),
            key_group: group(key),
            state: 0,
        }),
        at => at,
    };
    table.at_mut(at).state += 1;
}

fn group(key: &[u8]) -> u32 {
    tidegate_key_groups::key_group(key, 5)
}

fn in_order(table: &mut Table<u64>) -> Vec<(u32, Vec<u8>, u64)> {
    let InOrder { entries, order, .. } = table.in_order();
    let entries = order.iter().map(|ranked| &entries[ranked.at as usize]);
    let there = entries.filter(|entry| !entry.key.is_removed());
    let owned = there.map(|entry| {
        let key = entry.key.as_bytes().to_vec();
        (entry.key_group, key, entry.state)
    });
    owned.collect()
}

proptest! {
    #[test]
    fn it_is_a_map_that_can_be_read_in_canonical_order(
        steps in proptest::collection::vec(step(), 0..200),
    ) {
        let mut table: Table<u64> = Table::new(SEED);
        let mut model: BTreeMap<(u32, Vec<u8>), u64> = BTreeMap::new();
        for step in steps {
            match step {
                Step::Update(number) => {
                    let key = key(number);
                    update(&mut table, &key);
                    *model.entry((group(&key), key)).or_default() += 1;
                }
                Step::Fill(first) => for number in first..first + 100 {
                    let key = key(number);
                    update(&mut table, &key);
                    *model.entry((group(&key), key)).or_default() += 1;
                },
                Step::Extend(first) => {
                    let keys = (first..first + 150).map(key);
                    let new = keys.filter(|key| table.find(key) == ABSENT);
                    let new: Vec<_> = new.collect();
                    let mut entries = new.iter().map(|key| Entry {
                        key: Key::new(key),
                        key_group: group(key),
                        state: 7,
                    });
                    let extended = table.extend(|| Ok::<_, ()>(entries.next()));
                    prop_assert_eq!(extended, Ok(()));
                    model.extend(new.into_iter().map(|key| ((group(&key), key), 7)));
                }
                Step::Remove(number) => {
                    let key = key(number);
                    let at = Some(table.find(&key)).filter(|at| *at != ABSENT);
                    let removed = at.map(|at| table.remove(at));
                    prop_assert_eq!(removed, model.remove(&(group(&key), key)));
                }
                Step::Extract(least) => {
                    let extracted = table.extract(|entry| entry.state >= least);
                    let before = model.len();
                    model.retain(|_, state| *state < least);
                    prop_assert_eq!(extracted.len(), before - model.len());
                }
                Step::Clear => {
                    table.clear();
                    model.clear();
                }
                Step::Snapshot => {
                    let expected: Vec<_> = model
                        .iter()
                        .map(|((group, key), state)| (*group, key.clone(), *state))
                        .collect();
                    prop_assert_eq!(in_order(&mut table), expected);
                }
            }
            prop_assert_eq!(table.len(), model.len());
            for ((_, key), state) in &model {
                let at = table.find(key);
                prop_assert!(table.is_at(at, key));
                prop_assert_eq!(table.at(at).state, *state);
            }
        }
    }
}
