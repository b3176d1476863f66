//! Tests of `format`.

use super::*;
use proptest::prelude::*;

fn read_all(bytes: &[u8]) -> Result<Vec<Entry<'_>>, Malformed> {
    let mut reader = KeyedReader::new(bytes)?;
    let mut entries = Vec::new();
    while let Some(entry) = reader.next()? {
        entries.push(entry);
    }
    Ok(entries)
}

#[test]
fn the_documented_example_is_what_is_written() {
    let mut bytes = begin_keyed(2, 12).expect("two are not too many");
    write_entry(&mut bytes, b"", &1_u64).expect("a number can be written");
    write_entry(&mut bytes, b"tide", &300_u64).expect("a number can be written");
    let expected = b"TGK\x01\x02\x00\x01\x01\x04tide\x02\xac\x02";
    assert_eq!(bytes, expected);
    assert_eq!(write_item(&7_u64), Ok(b"TGI\x01\x07".to_vec()));
}

#[test]
fn each_broken_rule_is_named() {
    let broken: [(&[u8], Malformed); 9] = [
        (b"", Malformed::Magic),
        (b"TGK\x02\x01\x00\x00", Malformed::Magic),
        (b"TGK\x01\x00", Malformed::Empty),
        (b"TGK\x01\x01\x00", Malformed::Truncated),
        (b"TGK\x01\xff\xff\xff\xff\x0f\x00\x00", Malformed::Truncated),
        (b"TGK\x01\x81\x00\x00\x00", Malformed::Varint),
        (b"TGK\x01\xff\xff\xff\xff\x1f\x00\x00", Malformed::Varint),
        (b"TGK\x01\x02\x01b\x00\x01a\x00", Malformed::KeyOrder),
        (b"TGK\x01\x01\x00\x00\x00", Malformed::Trailing { bytes: 1 }),
    ];
    for (bytes, rule) in broken {
        assert_eq!(read_all(bytes), Err(rule), "{}", bytes.escape_ascii());
    }
}

proptest! {
    #[test]
    fn what_is_written_is_what_is_read(
        entries in proptest::collection::btree_map(any::<Vec<u8>>(), any::<Vec<u8>>(), 1..20),
    ) {
        let mut bytes = begin_keyed(entries.len(), 0)?;
        for (key, value) in &entries {
            write_entry(&mut bytes, key, value)?;
        }
        let read = read_all(&bytes);
        let read = read.map_err(|rule| TestCaseError::fail(rule.to_string()))?;
        prop_assert_eq!(read.len(), entries.len());
        for ((key, value), (read_key, read_value)) in entries.into_iter().zip(read) {
            prop_assert_eq!(key, read_key);
            prop_assert_eq!(Ok(value), postcard::from_bytes(read_value));
        }
    }

    #[test]
    fn any_number_is_read_as_it_was_written(number: u32) {
        let mut bytes = Vec::new();
        append_varint(&mut bytes, number.into());
        prop_assert_eq!(read_varint(&mut bytes.as_slice()), Ok(number));
    }

    #[test]
    fn random_bytes_are_read_or_refused_without_a_panic(bytes: Vec<u8>) {
        let _ = read_all(&bytes);
        let _ = read_all(&[&KEYED_MAGIC, bytes.as_slice()].concat());
    }
}
