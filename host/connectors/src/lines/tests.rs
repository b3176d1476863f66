//! Tests of `lines`.

use super::*;
use proptest::prelude::*;

const WIDE: LineLimits = LineLimits {
    record_bytes: 100,
    batch_bytes: 1_000,
};

fn take(bytes: &str, owned: usize, is_last: bool) -> Result<(Vec<String>, usize), LineTooLong> {
    let unread = Unread {
        bytes: bytes.as_bytes(),
        owned,
        is_last,
    };
    let lines = take_lines(unread, WIDE)?;
    let text = |row: &[u8]| String::from_utf8(row.to_vec()).expect("the test writes text");
    Ok((lines.values.rows().map(text).collect(), lines.consumed))
}

fn lines(lines: &[&str], consumed: usize) -> Result<(Vec<String>, usize), LineTooLong> {
    Ok((lines.iter().map(ToString::to_string).collect(), consumed))
}

#[test]
fn a_line_is_what_stands_before_a_newline() {
    assert_eq!(take("a\n\nb\r\nc", 8, false), lines(&["a", "", "b\r"], 6));
    assert_eq!(
        take("a\n\nb\r\nc", 8, true),
        lines(&["a", "", "b\r", "c"], 7)
    );
    assert_eq!(take("a\n", 8, true), lines(&["a"], 2));
    assert_eq!(take("", 8, true), lines(&[], 0));
}

#[test]
fn a_line_that_begins_after_the_owned_bytes_is_left() {
    assert_eq!(take("ab\ncd\nef", 2, true), lines(&["ab"], 3));
    assert_eq!(take("ab\ncd\nef", 4, true), lines(&["ab", "cd"], 6));
    assert_eq!(take("ab\ncd\nef", 6, true), lines(&["ab", "cd"], 6));
}

#[test]
fn a_reach_of_one_byte_is_one_line_however_short() {
    let bytes = "\n\nab";
    let unread = Unread {
        bytes: bytes.as_bytes(),
        owned: bytes.len(),
        is_last: true,
    };
    let lines = |unread| take_lines(unread, WIDE).map(|lines| lines.consumed);
    assert_eq!(lines(unread.up_to(Some(1))), Ok(1));
    assert_eq!(lines(unread.up_to(Some(2))), Ok(2));
    assert_eq!(lines(unread.up_to(None)), Ok(4));
}

#[test]
fn only_a_line_above_the_limit_is_too_long() {
    let fits = "x".repeat(100);
    let long = "x".repeat(101);
    assert_eq!(take(&format!("{fits}\n"), 999, false), lines(&[&fits], 101));
    assert_eq!(take(&format!("{long}\n"), 999, false), Err(LineTooLong));
    assert_eq!(take(&fits, 999, false), lines(&[], 0));
    assert_eq!(take(&fits, 999, true), lines(&[&fits], 100));
    assert_eq!(take(&long, 999, false), Err(LineTooLong));
    assert_eq!(take(&format!("a\n{long}\n"), 999, true), lines(&["a"], 2));
}

proptest! {
    #[test]
    fn batches_of_any_size_are_the_lines_of_the_whole(
        text in "[a\n\r]{0,300}", batch_bytes in 1_usize..50,
    ) {
        let limits = LineLimits { record_bytes: 300, batch_bytes };
        let mut taken = Vec::new();
        let mut bytes = text.as_bytes();
        while !bytes.is_empty() {
            let unread = Unread { bytes, owned: bytes.len(), is_last: true };
            let lines = take_lines(unread, limits).expect("no line is too long");
            prop_assert!(lines.consumed > 0);
            taken.extend(lines.values.rows().map(<[u8]>::to_vec));
            bytes = &bytes[lines.consumed..];
        }
        let mut expected: Vec<&str> = text.split('\n').collect();
        if expected.last() == Some(&"") {
            expected.pop();
        }
        let expected: Vec<Vec<u8>> = expected.iter().map(|l| l.as_bytes().to_vec()).collect();
        prop_assert_eq!(taken, expected);
    }
}
