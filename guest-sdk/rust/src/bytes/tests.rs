//! Tests of `bytes`.

use super::*;
use proptest::prelude::*;

fn any_bytes() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        proptest::collection::vec(any::<u8>(), 0..24),
        proptest::collection::vec(0..2u8, 0..100),
    ]
}

proptest! {
    #[test]
    fn append_adds_exactly_the_bytes(start in any_bytes(), bytes in any_bytes()) {
        let mut buffer = start.clone();
        append(&mut buffer, &bytes);
        prop_assert_eq!(buffer, [start, bytes].concat());
    }

    #[test]
    fn same_is_equality(left in any_bytes(), right in any_bytes()) {
        prop_assert_eq!(same(&left, &right), left == right);
        prop_assert!(same(&left, &left.clone()));
    }

    #[test]
    fn order_is_the_order_of_the_bytes(left in any_bytes(), right in any_bytes()) {
        prop_assert_eq!(order(&left, &right), left.cmp(&right));
        prop_assert_eq!(order(&left, &left.clone()), Ordering::Equal);
    }

    #[test]
    fn prefixes_never_contradict_the_order_of_the_bytes(
        left in any_bytes(),
        right in any_bytes(),
    ) {
        if order_prefix(&left) < order_prefix(&right) {
            prop_assert!(left < right);
        }
    }
}
