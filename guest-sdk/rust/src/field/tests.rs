//! Tests of `field`.

use super::*;
use proptest::prelude::*;

fn text(field: impl Field) -> String {
    let mut buffer = Vec::new();
    field.append_to(&mut buffer);
    String::from_utf8(buffer).expect("numbers are text")
}

#[test]
fn numbers_at_the_edges_are_written_as_rust_writes_them() {
    for power in 0..19 {
        for number in [10_i64.pow(power) - 1, 10_i64.pow(power)] {
            assert_eq!(text(number), number.to_string());
        }
    }
    for number in [
        i64::MIN,
        -100,
        -99,
        -10,
        -1,
        0,
        1,
        9,
        10,
        99,
        100,
        101,
        i64::MAX,
    ] {
        assert_eq!(text(number), number.to_string());
    }
    assert_eq!(text(u64::MAX), u64::MAX.to_string());
    assert_eq!(text(i8::MIN), "-128");
}

#[test]
fn what_is_not_a_number_is_refused() {
    let refused: [&[u8]; 8] = [
        b"",
        b"-",
        b"+1",
        b" 1",
        b"1 ",
        b"1.0",
        b"--1",
        b"99999999999999999999",
    ];
    for field in refused {
        assert!(i64::from_field(field).is_err(), "{field:?}");
    }
    assert_eq!(i64::from_field(b"-9223372036854775808"), Ok(i64::MIN));
    assert!(i64::from_field(b"9223372036854775808").is_err());
    assert!(u64::from_field(b"-1").is_err());
    assert_eq!(u64::from_field(b"18446744073709551615"), Ok(u64::MAX));
    assert!(u64::from_field(b"18446744073709551616").is_err());
}

proptest! {
    #[test]
    fn a_number_written_is_the_number_read(number: i64, unsigned: u64, small: i16) {
        prop_assert_eq!(text(number), number.to_string());
        prop_assert_eq!(i64::from_field(text(number).as_bytes()), Ok(number));
        prop_assert_eq!(text(unsigned), unsigned.to_string());
        prop_assert_eq!(u64::from_field(text(unsigned).as_bytes()), Ok(unsigned));
        prop_assert_eq!(i16::from_field(text(small).as_bytes()), Ok(small));
    }

    #[test]
    fn a_tuple_is_its_parts(first: i64, second: u64, text: String) {
        let words = [first.to_le_bytes(), second.to_le_bytes()].concat();
        let mut buffer = text.clone().into_bytes();
        (Le64(first), Le64(second)).append_to(&mut buffer);
        prop_assert_eq!(&buffer[text.len()..], &words);
        (&text, &Le64(first)).append_to(&mut buffer);
        let mixed = [text.as_bytes(), &words[..8]].concat();
        prop_assert_eq!(&buffer[text.len() + 16..], &mixed);
    }

    #[test]
    fn any_bytes_are_a_number_or_are_refused(field: Vec<u8>) {
        let text = str::from_utf8(&field).unwrap_or("");
        let expected = text.parse::<i64>().ok().filter(|_| !text.starts_with('+'));
        prop_assert_eq!(i64::from_field(&field).ok(), expected);
    }
}
