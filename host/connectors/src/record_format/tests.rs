//! Tests of the forms of records, each of which is read back.

use proptest::prelude::*;

use super::*;

fn batch(records: &[(i64, &[u8], &[u8])]) -> Batch {
    let mut batch = Batch::default();
    for (timestamp, key, value) in records {
        batch.push(*timestamp, key, value);
    }
    batch
}

fn written(format: &RecordForm, batch: &Batch) -> String {
    let mut out = Vec::new();
    format
        .append(batch, &mut out)
        .expect("the format takes this batch");
    String::from_utf8_lossy(&out).into_owned()
}

#[test]
fn tsv_escapes_tab_newline_and_backslash_only() {
    let records = batch(&[(1, b"k", b"v"), (2, b"a\tb", b"\\c\nd\r"), (3, b"", b"")]);
    assert_eq!(
        written(&RecordForm::Tsv, &records),
        "k\tv\na\\tb\t\\\\c\\nd\r\n\t\n"
    );
}

#[test]
fn tsv_without_escapes_is_the_same_for_short_and_long_fields() {
    let field = |length: usize| "abcdefghijklmnopqrstuvwxyz".repeat(2)[..length].to_owned();
    for first in [0, 1, 15, 16, 17, 40] {
        let lengths = [first, 3, 16, 0, 17, 1];
        let mut records = Batch::default();
        let mut expected = "before".to_owned();
        for length in lengths {
            let (key, value) = (field(length), field(first));
            records.push(NO_TIMESTAMP, key.as_bytes(), value.as_bytes());
            expected.push_str(&format!("{key}\t{value}\n"));
        }
        let mut out = b"before".to_vec();
        let appended = RecordForm::Tsv.append(&records, &mut out);
        assert_eq!((appended, String::from_utf8(out)), (Ok(()), Ok(expected)));
    }
}

#[test]
fn lines_are_the_values_and_refuse_a_newline_without_writing_anything() {
    let records = batch(&[(1, b"k", b"v\\\t"), (2, b"", b"")]);
    assert_eq!(written(&RecordForm::Lines, &records), "v\\\t\n\n");

    let mut out = b"before".to_vec();
    let records = batch(&[(1, b"", b"fine"), (2, b"", b"two\nlines")]);
    let refused = RecordForm::Lines.append(&records, &mut out);
    let refused = refused.expect_err("a line is one line");
    assert_eq!((refused.row, &*refused.value), (1, &b"two\nlines"[..]));
    assert_eq!(out, b"before");
}

#[test]
fn jsonl_keeps_text_as_text_and_other_bytes_as_hex() {
    let records = batch(&[
        (7, "ключ".as_bytes(), b"a \"b\"\n"),
        (NO_TIMESTAMP, b"", b"\xff\x00\x1a"),
    ]);
    assert_eq!(
        written(&RecordForm::Jsonl(JsonlValue::Text), &records),
        "{\"key\":\"ключ\",\"value\":\"a \\\"b\\\"\\n\",\"timestamp\":7}\n\
         {\"key\":\"\",\"value\":{\"hex\":\"ff001a\"},\"timestamp\":null}\n"
    );
}

fn unescape(field: &[u8]) -> Vec<u8> {
    let mut bytes = field.iter();
    let mut plain = Vec::new();
    while let Some(byte) = bytes.next() {
        plain.push(match byte {
            b'\\' => match bytes.next() {
                Some(b't') => b'\t',
                Some(b'n') => b'\n',
                Some(b'\\') => b'\\',
                other => panic!("a backslash before {other:?}"),
            },
            byte => *byte,
        });
    }
    plain
}

proptest! {
    #[test]
    fn tsv_can_be_read_back(
        fields in prop::collection::vec(
            ("[a\t\n\\\\\r]{0,6}", prop::collection::vec(any::<u8>(), 0..9)), 0..20,
        ),
    ) {
        let mut records = Batch::default();
        for (key, value) in &fields {
            records.push(NO_TIMESTAMP, key.as_bytes(), value);
        }
        let mut out = Vec::new();
        prop_assert!(RecordForm::Tsv.append(&records, &mut out).is_ok());
        let mut read = Vec::new();
        for line in out.split_inclusive(|byte| *byte == b'\n') {
            let line = line.strip_suffix(b"\n").expect("every line ends");
            let tab = memchr(b'\t', line).expect("every line has a tab");
            read.push((unescape(&line[..tab]), unescape(&line[tab + 1..])));
        }
        let bytes = |(key, value): (String, Vec<u8>)| (key.into_bytes(), value);
        let expected: Vec<_> = fields.into_iter().map(bytes).collect();
        prop_assert_eq!(read, expected);
    }
}

fn csv(columns: &[&str]) -> RecordForm {
    let columns = columns.iter().map(|name| (*name).to_owned()).collect();
    let form = RecordForm::checked(RecordFormat::Csv, Some(columns), None);
    form.expect("the columns differ")
}

/// Returns the reason why the second of two records is rejected, and checks that none is written.
fn rejection(form: &RecordForm, first: &str, second: &[u8]) -> String {
    let records = batch(&[(1, b"k", first.as_bytes()), (2, b"", second)]);
    let mut out = b"before".to_vec();
    let rejected = form.append(&records, &mut out);
    assert_eq!(out, b"before");
    let rejected = rejected.expect_err("the second record has no such form");
    assert_eq!(rejected.row, 1);
    let subtask = SubtaskId {
        operator: "out".to_owned(),
        index: 0,
    };
    rejected.into_error(&subtask).to_string()
}

#[test]
fn jsonl_with_json_values_writes_them_as_they_are_on_one_line() {
    let form = RecordForm::Jsonl(JsonlValue::Json);
    let records = batch(&[
        (7, b"k", b"{\n  \"a\": [1.50, \"x\\n\"]\r\n}"),
        (NO_TIMESTAMP, b"\xff", b"null"),
    ]);
    assert_eq!(
        written(&form, &records),
        "{\"key\":\"k\",\"value\":{   \"a\": [1.50, \"x\\n\"]  },\"timestamp\":7}\n\
         {\"key\":{\"hex\":\"ff\"},\"value\":null,\"timestamp\":null}\n"
    );
    let reason = rejection(&form, "1", b"{\"a\":}");
    let expected = "sink out[0], record 1 of a batch: its value \"{\\\"a\\\":}\" can't be written \
                    with `value = \"json\"`: it is not JSON: expected value at its byte 6";
    assert_eq!(reason, expected);
    let reason = rejection(&form, "1", b"\"\xff\"");
    assert!(reason.ends_with("it is not UTF-8"), "{reason}");
}

#[test]
fn csv_has_a_field_for_each_column_and_quotes_where_it_must() {
    let records = batch(&[
        (1, b"k", br#"{"b":"x, \"y\"","a":1.50,"c":true}"#),
        (2, b"", br#"{"a":null,"z":{"a":2}}"#),
        (3, b"", br#"{"b":[1,"2"],"a":"\n","a":"last"}"#),
    ]);
    assert_eq!(
        written(&csv(&["a", "b"]), &records),
        "1.50,\"x, \"\"y\"\"\"\n,\nlast,\"[1,\"\"2\"\"]\"\n"
    );
    let alone = batch(&[
        (1, b"", b"{}"),
        (2, b"", br#"{"a":""}"#),
        (3, b"", br#"{"a":1}"#),
    ]);
    assert_eq!(written(&csv(&["a"]), &alone), "\"\"\n\"\"\n1\n");
}

#[test]
fn a_value_that_is_no_json_object_has_no_line_of_csv() {
    let csv = csv(&["a"]);
    for (value, reason) in [
        (&b"[1]"[..], "it is not a JSON object"),
        (b"7", "it is not a JSON object"),
        (
            b"{\"a\":1",
            "it is not JSON: EOF while parsing an object at its byte 6",
        ),
        (b"{} x", "it is not JSON: trailing characters at its byte 4"),
        (b"{\"a\":\"\xff\"}", "it is not UTF-8"),
        (
            br#"{"a":"\ud800"}"#,
            r#""\ud800" is half of a surrogate pair"#,
        ),
    ] {
        let rejection = rejection(&csv, "{}", value);
        let expected = format!("can't be written as CSV: {reason}");
        assert!(rejection.ends_with(&expected), "{rejection}");
    }
}

#[test]
fn options_that_do_not_fit_together_are_refused() {
    let refusal = |format, columns: Option<&[&str]>, value| {
        let columns = columns.map(|names| names.iter().map(|name| (*name).to_owned()).collect());
        let checked = RecordForm::checked(format, columns, value);
        checked.expect_err("they do not fit").to_string()
    };
    for (refusal, expected) in [
        (
            refusal(RecordFormat::Tsv, Some(&["a"]), None),
            "`columns` are only for",
        ),
        (refusal(RecordFormat::Csv, None, None), "needs `columns`"),
        (
            refusal(RecordFormat::Csv, Some(&[]), None),
            "`columns` has no name",
        ),
        (
            refusal(RecordFormat::Csv, Some(&["a", "a"]), None),
            "the name `a` twice",
        ),
        (
            refusal(RecordFormat::Lines, None, Some(JsonlValue::Json)),
            "`value` is only for",
        ),
    ] {
        assert!(refusal.contains(expected), "{refusal}");
    }
}

#[test]
fn a_first_field_that_begins_like_a_byte_order_mark_is_read_back() {
    let value = "{\"a\":\"\u{feff}x\",\"b\":\"\u{feff}\"}";
    let mut records = Batch::default();
    records.push(NO_TIMESTAMP, b"", value.as_bytes());
    let csv = written(&csv(&["a", "b"]), &records);
    assert_eq!(csv, "\"\u{feff}x\",\"\u{feff}\"\n");
    let read = crate::input_format::read_csv(&csv, &["a", "b"]);
    assert_eq!(read, [value.as_bytes()]);
}

proptest! {
    #[test]
    fn csv_is_read_back_by_the_source(
        rows in prop::collection::vec(("([a,\"\n\r ]|é){0,6}", "([a,\"\n\r ]|é){0,6}"), 1..8),
    ) {
        let mut records = Batch::default();
        for (a, b) in &rows {
            let value = serde_json::json!({ "a": a, "b": b }).to_string();
            records.push(NO_TIMESTAMP, b"", value.as_bytes());
        }
        let csv = written(&csv(&["a", "b"]), &records);
        let read = crate::input_format::read_csv(&csv, &["a", "b"]);
        let values: Vec<Vec<u8>> = records.values().rows().map(<[u8]>::to_vec).collect();
        prop_assert_eq!(read, values);
    }
}
