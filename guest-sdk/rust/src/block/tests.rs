//! Tests of `block`.

use super::*;
use proptest::prelude::*;

fn column() -> impl Strategy<Value = Vec<Vec<u8>>> {
    let words = proptest::collection::vec(any::<u8>(), 8);
    let others = proptest::collection::vec(any::<u8>(), 0..12);
    prop_oneof![
        proptest::collection::vec(words, 200),
        proptest::collection::vec(others, 200),
    ]
}

proptest! {
    #[test]
    fn records_are_the_rows_of_their_batch(
        rows in 0..200_usize,
        keys in column(),
        values in column(),
    ) {
        let mut batch = Batch::default();
        for (timestamp, (key, value)) in (0..).zip(keys.iter().zip(&values)).take(rows) {
            batch.push(timestamp, key, value);
        }
        let mut block = Block::new(3, &batch, batch.keys.words());
        for start in (0..rows).step_by(LOOK_AHEAD_KEYS) {
            let rows = start..rows.min(start + LOOK_AHEAD_KEYS);
            let records = block.read(rows.clone());
            prop_assert_eq!(records.len(), rows.len());
            for (row, record) in rows.zip(records) {
                prop_assert_eq!((record.input, record.row as usize), (3, row));
                prop_assert_eq!(record.timestamp, batch.timestamps[row]);
                prop_assert_eq!(record.key, batch.keys.row(row));
                prop_assert_eq!(record.value, batch.values.row(row));
            }
        }
    }
}
