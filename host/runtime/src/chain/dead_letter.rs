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
mod tests;
