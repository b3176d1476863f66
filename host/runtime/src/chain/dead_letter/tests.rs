//! Tests of `dead_letter`.

use super::*;

fn subtask(operator: &str, index: u32) -> SubtaskId {
    let operator = operator.to_owned();
    SubtaskId { operator, index }
}

fn letter(value: &[u8], origin: Option<&RecordOrigin>) -> String {
    let mut record = Batch::default();
    record.push(17, b"k", value);
    let failed = FailedCall {
        subtask: &subtask("count", 1),
        input: 2,
        error: "`process` trapped: \"boom\"\n    at x",
        origin,
    };
    let batch = dead_letter(&record, failed);
    assert_eq!((batch.len(), batch.timestamps()[0]), (1, 17));
    assert_eq!(batch.keys().row(0), b"k");
    String::from_utf8(batch.values().row(0).to_vec()).unwrap()
}

#[test]
fn a_letter_has_the_value_the_error_and_the_place() {
    let origin = RecordOrigin {
        source: subtask("lines", 0),
        place: Some(SourcePlace {
            split: "a.txt".to_owned(),
            from: 120,
            to: 131,
        }),
    };
    assert_eq!(
        letter("é\t".as_bytes(), Some(&origin)),
        r#"{"version":1,"operator":"count","subtask":1,"input":2,"#.to_owned()
            + r#""error":"`process` trapped: \"boom\"\n    at x","#
            + r#""source":{"name":"lines","subtask":0,"split":"a.txt","from":120,"to":131},"#
            + r#""value":"é\t"}"#
    );
}

#[test]
fn the_letter_of_a_source_names_the_place_and_no_operator() {
    let record = InvalidRecord {
        place: SourcePlace {
            split: "a.jsonl".to_owned(),
            from: 5,
            to: 9,
        },
        reason: "it is not JSON".to_owned(),
        value: b"{\"a\"".to_vec(),
    };
    let batch = rejected_letter(&record, &subtask("clicks", 3));
    assert_eq!((batch.len(), batch.timestamps()[0]), (1, NO_TIMESTAMP));
    assert_eq!(batch.keys().row(0), b"");
    assert_eq!(
        String::from_utf8(batch.values().row(0).to_vec()).unwrap(),
        r#"{"version":1,"error":"it is not JSON","#.to_owned()
            + r#""source":{"name":"clicks","subtask":3,"split":"a.jsonl","from":5,"to":9},"#
            + r#""value":"{\"a\""}"#
    );
}

#[test]
fn bytes_that_are_no_text_are_told_in_base_64() {
    let letter = letter(b"\xff\x00", None);
    assert!(
        letter.ends_with(r#""source":null,"value-base64":"/wA="}"#),
        "{letter}"
    );
}

#[test]
fn text_that_might_pass_4_gib_when_it_is_escaped_is_told_in_base_64() {
    assert_eq!(shown_as_text(b"\x01\x01", 2), Some("\x01\x01"));
    assert_eq!(shown_as_text(b"\x01\x01", 1), None);
    let most = (MOST_TEXT_BYTES as u64 + 1) * "\\u0001".len() as u64;
    assert!(most < u64::from(u32::MAX));
}

#[test]
fn base_64_is_that_of_rfc_4648() {
    let encoded = ["", "f", "fo", "foo", "foob", "fooba", "foobar"].map(|t| base64(t.as_bytes()));
    let expected = [
        "", "Zg==", "Zm8=", "Zm9v", "Zm9vYg==", "Zm9vYmE=", "Zm9vYmFy",
    ];
    assert_eq!(encoded, expected);
    assert_eq!(base64(&[0xfb, 0xff, 0xfe]), "+//+");
}
