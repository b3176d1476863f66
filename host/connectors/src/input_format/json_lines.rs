//! Record path: [source] → channel → operator instance → router → sink.
//!
//! Lines of JSON to records. Pure. A line is checked as a whole; it is the value as it is, unless a
//! part of it is to be the value.

use std::borrow::Cow;

use super::json_pointer::JsonPointer;
use super::rows::Rows;
use super::shape::Parts;
use super::{BYTE_ORDER_MARK, Contents, Taken};
use crate::json_text;
use crate::lines::{self, LineLimits, LineTooLong, Unread};

/// Decodes the bytes of one input of JSON Lines.
pub(super) struct JsonLinesDecoder {
    parts: Parts<JsonPointer>,
    /// True before the first line of the input, which may begin with a byte order mark.
    is_at_start: bool,
}

impl JsonLinesDecoder {
    /// Makes the decoder of an input from its first byte on.
    pub(super) fn new(parts: Parts<JsonPointer>) -> Self {
        Self {
            parts,
            is_at_start: true,
        }
    }

    /// See [`Decoder::seek`](super::Decoder::seek).
    pub(super) fn seek(&mut self) {
        self.is_at_start = false;
    }

    /// Takes whole lines from the start of `unread`: a batch of records, or one invalid line.
    pub(super) fn take(
        &mut self,
        unread: Unread<'_>,
        limits: LineLimits,
    ) -> Result<Taken, LineTooLong> {
        let Self { parts, is_at_start } = self;
        let mut rows = Rows::default();
        let mut invalid = None;
        let end = lines::each_line(unread, limits.record_bytes, |line| {
            if invalid.is_some() || !rows.has_room(limits) {
                return false;
            }
            let text = match is_at_start {
                true => line.strip_prefix(BYTE_ORDER_MARK).unwrap_or(line),
                false => line,
            };
            match record_of(text, parts) {
                Ok((key, value)) => rows.push(key.as_bytes(), value.as_bytes()),
                // The next step returns it by itself.
                Err(_) if !rows.is_empty() => return false,
                Err(reason) => {
                    let value = line.to_vec();
                    invalid = Some(Contents::Invalid { reason, value });
                }
            }
            *is_at_start = false;
            true
        })?;
        let batch = || rows.into_batch().map(Contents::Batch);
        Ok(Taken {
            start: 0,
            end,
            contents: invalid.or_else(batch).unwrap_or(Contents::Nothing),
        })
    }
}

/// Checks a line and returns its key and value. An error is the reason why the line is invalid.
fn record_of<'a>(
    line: &'a [u8],
    Parts { key, value }: &Parts<JsonPointer>,
) -> Result<(Cow<'a, str>, Cow<'a, str>), String> {
    // The whole line, since the check of JSON skips the bytes of strings.
    let text = std::str::from_utf8(line)
        .map_err(|error| format!("it is not UTF-8 at its byte {}", error.valid_up_to()))?;
    if let (None, None) = (key, value) {
        json_text::check(text)?;
    }
    // Each search checks the whole line.
    let key = key.as_ref().map(|pointer| pointer.key_in(text));
    let value = value.as_ref().map(|pointer| pointer.value_in(text));
    Ok((
        key.transpose()?.unwrap_or_default(),
        value.transpose()?.unwrap_or(Cow::Borrowed(text)),
    ))
}
