//! Tests of the error about a record that is too long.

use super::*;

const LIMITS: LineLimits = LineLimits {
    record_bytes: 20,
    batch_bytes: 100,
};

/// Returns the error about the first record of an input of the columns `a` and `b`.
fn error_of(input: &str) -> DecodeError {
    let columns = Columns::new(vec!["a".to_owned(), "b".to_owned()]).expect("they differ");
    let mut decoder = CsvDecoder::new(Some(Arc::new(columns)), Parts::default());
    let unread = Unread {
        bytes: input.as_bytes(),
        owned: input.len(),
        is_last: false,
    };
    let taken = decoder.take(unread, LIMITS);
    taken.map(drop).expect_err("the record is too long")
}

#[test]
fn a_quote_that_is_not_closed_within_the_limit_is_named_with_its_place() {
    let rest = "x\ny,\"\"\n".repeat(10);
    for (record, at) in [
        ("\"", 0),
        ("12,\"", 3),
        ("\"1\"\",\",\"", 7),
        ("\"1\",\"", 4),
    ] {
        let error = error_of(&format!("{record}{rest}"));
        assert_eq!(error, DecodeError::UnclosedQuote { at }, "{record}");
    }
    assert_eq!(
        error_of(&format!("12,\"{rest}")).reason(LIMITS),
        "the quote 3 bytes into the record is not closed within `max-record-bytes`, 20 bytes"
    );
}

#[test]
fn a_record_whose_quotes_are_closed_is_only_too_long() {
    let rest = "x".repeat(30);
    for record in ["", "1\"2,", "\"1\"", "\"1\"2\"", "1,\"\"\"\""] {
        let error = error_of(&format!("{record}{rest}"));
        assert_eq!(error, DecodeError::TooLong { what: "record" }, "{record}");
    }
}
