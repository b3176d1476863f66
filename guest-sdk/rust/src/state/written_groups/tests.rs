//! Tests of `written_groups`.

use std::collections::BTreeMap;

use proptest::collection::btree_map;
use proptest::prelude::*;

use super::*;
use crate::state::hash::KeyHasher;
use crate::state::index::ABSENT;
use crate::state::key::Key;
use crate::state::table::Table;

/// Returns the chunks of all key groups, and the number of passes over the entries.
fn chunks(limit: usize, last: u32, table: &mut Table<String>) -> (Vec<(u32, Vec<u8>)>, usize) {
    let keys = table.in_order();
    let (mut chunks, mut passes, mut first) = (Vec::new(), 0, 0);
    while first <= last {
        let written = WrittenGroups::within(limit, first..=last, &keys);
        let written = written.expect("text can be written");
        assert!(written.after() > first);
        first = written.after();
        passes += 1;
        chunks.extend(written.into_chunks(&keys).expect("it is not too much"));
    }
    assert_eq!(first, last + 1);
    (chunks, passes)
}

/// Returns the same chunks, written one entry after the other in canonical order.
fn expected(state: &BTreeMap<(u32, Vec<u8>), String>) -> Vec<(u32, Vec<u8>)> {
    let mut groups: BTreeMap<u32, Vec<(&Vec<u8>, &String)>> = BTreeMap::new();
    for ((group, key), state) in state {
        groups.entry(*group).or_default().push((key, state));
    }
    let chunk = |entries: Vec<(&Vec<u8>, &String)>| {
        let mut bytes = begin_keyed(entries.len(), 0).expect("they are few");
        for (key, state) in entries {
            write_entry(&mut bytes, key, state).expect("text can be written");
        }
        bytes
    };
    groups
        .into_iter()
        .map(|(group, entries)| (group, chunk(entries)))
        .collect()
}

proptest! {
    #[test]
    fn any_limit_gives_the_same_chunks(
        state in btree_map((0..9_u32, any::<Vec<u8>>()), ".{0,60}", 0..60),
        shuffled in any::<u32>(),
        removed in prop::collection::vec(any::<prop::sample::Index>(), 0..10),
        limit in 0..3000_usize,
    ) {
        let mut state = state;
        let mut table: Table<String> = Table::new(shuffled.into());
        let mut keys: Vec<_> = state.keys().cloned().collect();
        let hasher = KeyHasher::new(shuffled.into());
        keys.sort_by_key(|(group, key)| hasher.hash(key) ^ group);
        for (key_group, key) in &keys {
            let value = state[&(*key_group, key.clone())].clone();
            if table.find(key) == ABSENT {
                let key = Key::new(key);
                table.insert(Entry { key, key_group: *key_group, state: value });
            } else {
                state.remove(&(*key_group, key.clone()));
            }
        }
        if !keys.is_empty() {
            for index in removed {
                let (group, key) = &keys[index.index(keys.len())];
                if state.remove(&(*group, key.clone())).is_some() {
                    let at = table.find(key);
                    table.remove(at);
                }
            }
        }
        let (chunks, _) = chunks(limit, 8, &mut table);
        prop_assert_eq!(chunks, expected(&state));
    }
}

#[test]
fn what_does_not_fit_is_written_in_several_passes() {
    let mut table: Table<String> = Table::new(1);
    for number in 0..100_u32 {
        let key = Key::new(&number.to_be_bytes());
        let state = "x".repeat(100);
        table.insert(Entry {
            key,
            key_group: number % 8,
            state,
        });
    }
    let (at_once, one) = chunks(usize::MAX, 7, &mut table);
    let (in_parts, several) = chunks(3_000, 7, &mut table);
    assert_eq!(at_once, in_parts);
    assert_eq!((one, several), (1, 5));
}
