//! The contents of a dead letter: the value of a record that an operator could not process, or the
//! input that a source rejected, and the reason.
//!
//! A JSON object on one line, version 1; `docs/operating/dead-letters.md` has its fields. The
//! record keeps its key and its timestamp. Pure.

use serde::Serialize;
use tidegate_connector::source::{InvalidRecord, SourcePlace};
use tidegate_operator::{Batch, NO_TIMESTAMP, quiet_json};

use crate::SubtaskId;
use crate::stream::RecordOrigin;

/// Version of the format.
const VERSION: u32 = 1;

/// The largest value, in bytes, that is written as text: escaped, it is up to six times as long,
/// and a column stays below 4 GiB.
const MOST_TEXT_BYTES: usize = 512 << 20;

#[derive(Serialize)]
#[serde(rename_all = "kebab-case")]
struct DeadLetter<'a> {
    version: u32,
    /// The call of the operator; `None` if a source rejected the input.
    #[serde(flatten)]
    call: Option<Call<'a>>,
    error: &'a str,
    /// `None` if no source returned the record, or its source is no longer known.
    source: Option<Source<'a>>,
    /// The value, if it is text and not too long.
    #[serde(skip_serializing_if = "Option::is_none")]
    value: Option<&'a str>,
    /// The value in base 64 otherwise.
    #[serde(skip_serializing_if = "Option::is_none")]
    value_base64: Option<String>,
}

#[derive(Serialize)]
struct Call<'a> {
    operator: &'a str,
    subtask: u32,
    input: u32,
}

#[derive(Serialize)]
struct Source<'a> {
    name: &'a str,
    subtask: u32,
    split: Option<&'a str>,
    from: Option<u64>,
    to: Option<u64>,
}

impl<'a> Source<'a> {
    fn of(subtask: &'a SubtaskId, place: Option<&'a SourcePlace>) -> Self {
        Self {
            name: &subtask.operator,
            subtask: subtask.index,
            split: place.map(|place| &*place.split),
            from: place.map(|place| place.from),
            to: place.map(|place| place.to),
        }
    }
}

/// A call that failed on a record.
#[derive(Clone, Copy, Debug)]
pub(crate) struct FailedCall<'a> {
    pub(crate) subtask: &'a SubtaskId,
    pub(crate) input: u32,
    pub(crate) error: &'a str,
    pub(crate) origin: Option<&'a RecordOrigin>,
}

/// Returns the dead letter of a record, which is a batch of one.
pub(crate) fn dead_letter(record: &Batch, failed: FailedCall<'_>) -> Batch {
    let call = Call {
        operator: &failed.subtask.operator,
        subtask: failed.subtask.index,
        input: failed.input,
    };
    let origin = failed.origin;
    let source = origin.map(|origin| Source::of(&origin.source, origin.place.as_ref()));
    let json = letter_json(Some(call), failed.error, source, record.values().row(0));
    let mut batch = Batch::with_capacity(1, 0, json.len());
    batch.push(
        record.timestamps()[0],
        record.keys().row(0),
        json.as_bytes(),
    );
    batch
}

/// Returns the dead letter of input that `source` rejected, without a key and a timestamp.
pub(crate) fn rejected_letter(record: &InvalidRecord, source: &SubtaskId) -> Batch {
    let source = Source::of(source, Some(&record.place));
    let json = letter_json(None, &record.reason, Some(source), &record.value);
    let mut batch = Batch::with_capacity(1, 0, json.len());
    batch.push(NO_TIMESTAMP, b"", json.as_bytes());
    batch
}

fn letter_json(
    call: Option<Call<'_>>,
    error: &str,
    source: Option<Source<'_>>,
    value: &[u8],
) -> String {
    let text = shown_as_text(value, MOST_TEXT_BYTES);
    let letter = DeadLetter {
        version: VERSION,
        call,
        error,
        source,
        value: text,
        value_base64: text.is_none().then(|| base64(value)),
    };
    quiet_json(serde_json::to_string(&letter).expect("text and numbers become JSON"))
}

/// Returns a value that the letter has as text: UTF-8, and so short that it stays below 4 GiB when
/// it is escaped.
fn shown_as_text(value: &[u8], most: usize) -> Option<&str> {
    let text = Some(value).filter(|value| value.len() <= most);
    text.and_then(|value| std::str::from_utf8(value).ok())
}

/// Encodes as in RFC 4648, with padding.
fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let padded = [0, 1, 2].map(|at| u32::from(chunk.get(at).copied().unwrap_or(0)));
        let bits = padded[0] << 16 | padded[1] << 8 | padded[2];
        for at in 0..4 {
            let digit = DIGITS[(bits >> (18 - 6 * at) & 63) as usize];
            text.push(if at <= chunk.len() {
                char::from(digit)
            } else {
                '='
            });
        }
    }
    text
}

#[cfg(test)]
mod tests {
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
        let encoded =
            ["", "f", "fo", "foo", "foob", "fooba", "foobar"].map(|t| base64(t.as_bytes()));
        let expected = [
            "", "Zg==", "Zm8=", "Zm9v", "Zm9vYg==", "Zm9vYmE=", "Zm9vYmFy",
        ];
        assert_eq!(encoded, expected);
        assert_eq!(base64(&[0xfb, 0xff, 0xfe]), "+//+");
    }
}
