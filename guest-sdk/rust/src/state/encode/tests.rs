//! Tests of `encode`.

use std::collections::BTreeMap;

use proptest::collection::{btree_map, vec};
use proptest::prelude::*;
use serde::Deserialize;

use super::*;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Newtype(i16);

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Unit;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
enum Choice {
    Unit,
    Newtype(u128),
    Tuple(i8, i128),
    Struct { name: String, of: Option<f32> },
}

/// A value of every kind that serde knows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Everything {
    unsigned: (u8, u16, u32, u64),
    signed: (i8, i16, i32, i64),
    float: f64,
    truth: bool,
    letter: char,
    newtype: Newtype,
    unit: Unit,
    choices: Vec<Choice>,
    map: BTreeMap<String, (u64, ())>,
    bytes: Vec<u8>,
}

fn choice() -> impl Strategy<Value = Choice> {
    prop_oneof![
        Just(Choice::Unit),
        any::<u128>().prop_map(Choice::Newtype),
        any::<(i8, i128)>().prop_map(|(a, b)| Choice::Tuple(a, b)),
        any::<(String, Option<f32>)>().prop_map(|(name, of)| Choice::Struct { name, of }),
    ]
}

prop_compose! {
    fn everything()(
        unsigned in any::<(u8, u16, u32, u64)>(),
        signed in any::<(i8, i16, i32, i64)>(),
        (float, truth, letter) in any::<(f64, bool, char)>(),
        number in any::<i16>(),
        choices in vec(choice(), 0..4),
        map in btree_map(any::<String>(), any::<(u64, ())>(), 0..4),
        bytes in vec(any::<u8>(), 0..200),
    ) -> Everything {
        let (newtype, unit) = (Newtype(number), Unit);
        Everything {
            unsigned, signed, float, truth, letter, newtype, unit, choices, map, bytes,
        }
    }
}

fn encoded<T: Serialize>(value: &T) -> Vec<u8> {
    let mut buffer = b"before".to_vec();
    append_value(&mut buffer, value).expect("it can be written");
    buffer.split_off(6)
}

fn by_postcard<T: Serialize>(value: &T) -> Vec<u8> {
    postcard::to_stdvec(value).expect("it can be written")
}

proptest! {
    #[test]
    fn a_value_has_the_bytes_that_postcard_gives_it(value in everything()) {
        prop_assert_eq!(encoded(&value), by_postcard(&value));
    }

    #[test]
    fn an_integer_of_any_size_has_the_bytes_that_postcard_gives_it(
        number: u64, bits in 0..64_u32,
    ) {
        let number = number >> bits;
        prop_assert_eq!(encoded(&number), by_postcard(&number));
        let signed = number.cast_signed();
        prop_assert_eq!(encoded(&signed), by_postcard(&signed));
    }
}

#[test]
fn integers_at_the_limits_of_each_length_have_the_bytes_that_postcard_gives_them() {
    for bits in 0..64 {
        for number in [(1_u64 << bits) - 1, 1 << bits, (1 << bits) + 1] {
            assert_eq!(encoded(&number), by_postcard(&number), "{number}");
        }
    }
    assert_eq!(encoded(&u64::MAX), by_postcard(&u64::MAX));
}

#[test]
fn a_sequence_of_unknown_length_is_refused() {
    struct Unknown;
    impl Serialize for Unknown {
        fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
            serializer.collect_seq((0..5).filter(|number| number % 2 == 0))
        }
    }
    let refused = append_value(&mut Vec::new(), &Unknown);
    assert_eq!(refused, Err(Error::SerializeSeqLengthUnknown));
}
