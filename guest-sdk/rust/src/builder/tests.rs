//! Tests of `builder`.

use super::*;
use proptest::prelude::*;

fn few() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        4 => Just(b"regular!".to_vec()),
        1 => proptest::collection::vec(any::<u8>(), 0..12),
    ]
}

proptest! {
    #[test]
    fn what_is_built_is_what_was_pushed(
        rows in proptest::collection::vec((0..2_i64, few(), few()), 0..40),
    ) {
        let mut expected = Batch::default();
        let mut builder = BatchBuilder::default();
        for (timestamp, key, value) in &rows {
            expected.push(*timestamp, key, value);
            builder.push(*timestamp, key, value);
        }
        prop_assert_eq!(builder.is_empty(), rows.is_empty());
        prop_assert_eq!(builder.finish(), expected);
    }
}
