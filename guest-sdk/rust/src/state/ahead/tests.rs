//! Tests of `ahead`.

use super::*;
use crate::state::key::Key;
use crate::state::table::Entry;
use proptest::prelude::*;

proptest! {
    #[test]
    fn a_key_is_found_ahead_where_it_is(known in 0..3000_u64, asked: [u16; LOOK_AHEAD_KEYS]) {
        let mut table = Table::new(known);
        for key in 0..known {
            let key = Key::new(&key.to_le_bytes());
            table.insert(Entry { key, key_group: 0, state: () });
        }
        let asked = asked.map(|key| u64::from(key % 4096).to_le_bytes());
        let mut ahead = Ahead::new();
        ahead.look_for_words(&table, &asked);
        prop_assert_eq!(ahead.places, asked.map(|key| table.find(&key)));
    }
}
