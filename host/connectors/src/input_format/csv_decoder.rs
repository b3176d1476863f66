//! Record path: [source] → channel → operator instance → router → sink.
//!
//! CSV to records, whose values are JSON objects. Pure.

use std::sync::Arc;

use super::columns::{Columns, MOST_COLUMNS};
use super::csv_reader::{CsvReader, Progress};
use super::rows::Rows;
use super::shape::Parts;
use super::{BYTE_ORDER_MARK, Contents, DecodeError, Taken};
use crate::lines::{LineLimits, Unread};

/// Decodes the bytes of one CSV input.
pub(super) struct CsvDecoder {
    /// `None` until the header was read.
    columns: Option<Arc<Columns>>,
    /// The names of the columns with the key and the value.
    names: Parts<String>,
    /// The places of these columns, once the columns are known.
    places: Parts<usize>,
    reader: CsvReader,
    /// True before the first byte of the input.
    is_at_start: bool,
    /// The JSON object of one record.
    object: Vec<u8>,
}

impl CsvDecoder {
    /// Makes the decoder of an input from its first byte on. Without `columns`, it begins with a
    /// header. Declared columns have the key and the value.
    pub(super) fn new(columns: Option<Arc<Columns>>, names: Parts<String>) -> Self {
        let places = columns.as_ref().map(|columns| places(columns, &names));
        Self {
            places: places.and_then(Result::ok).unwrap_or_default(),
            columns,
            names,
            reader: CsvReader::new(),
            is_at_start: true,
            object: Vec::new(),
        }
    }

    pub(super) fn needs_header(&self) -> bool {
        self.columns.is_none()
    }

    /// See [`Decoder::seek`](super::Decoder::seek).
    pub(super) fn seek(&mut self) {
        self.is_at_start = false;
        self.reader.restart();
    }

    /// See [`Decoder::take`](super::Decoder::take).
    pub(super) fn take(
        &mut self,
        unread: Unread<'_>,
        limits: LineLimits,
    ) -> Result<Taken, DecodeError> {
        let Some(columns) = self.columns.clone() else {
            return self.take_header(unread, limits);
        };
        let mut rows = Rows::default();
        // The next record, and the beginning of the first and the end of the last one taken.
        let (mut start, mut first, mut last) = (0, None, 0);
        loop {
            start += self.skip(&unread.bytes[start..], unread.is_last);
            let bytes = &unread.bytes[start..];
            if bytes.is_empty() || start >= unread.owned || !rows.has_room(limits) {
                break;
            }
            let progress = match self.read(bytes, unread.is_last, limits) {
                Ok(Progress::Partial) => break,
                Ok(progress @ (Progress::Whole | Progress::Unterminated)) => progress,
                Err(error) if rows.is_empty() => return Err(error),
                Err(_) => {
                    self.reader.restart();
                    break;
                }
            };
            let end = start + self.reader.length();
            match self.make_object(&columns, progress) {
                Ok(()) => {
                    let Parts { key, value } = self.places;
                    let field = |at| self.reader.field(at);
                    rows.push(
                        key.map_or(&b""[..], field),
                        value.map_or(&self.object, field),
                    );
                    first = first.or(Some(start));
                    self.reader.next();
                    (start, last) = (end, end);
                }
                Err(reason) if rows.is_empty() => {
                    let value = &unread.bytes[start..end];
                    let value = match progress {
                        Progress::Whole => without_terminator(value),
                        Progress::Partial | Progress::Unterminated => value,
                    };
                    let value = value.to_vec();
                    self.reader.restart();
                    let contents = Contents::Invalid { reason, value };
                    return Ok(Taken {
                        start,
                        end,
                        contents,
                    });
                }
                // The next step returns it by itself.
                Err(_) => {
                    self.reader.restart();
                    break;
                }
            }
        }
        Ok(match rows.into_batch() {
            Some(batch) => Taken {
                start: first.unwrap_or(start),
                end: last,
                contents: Contents::Batch(batch),
            },
            None => Taken::nothing(start),
        })
    }

    /// Takes the header, once it is whole.
    fn take_header(
        &mut self,
        unread: Unread<'_>,
        limits: LineLimits,
    ) -> Result<Taken, DecodeError> {
        let start = self.skip(unread.bytes, unread.is_last);
        let bytes = &unread.bytes[start..];
        if bytes.is_empty() {
            return Ok(Taken::nothing(start));
        }
        let unusable = |reason: String| DecodeError::Header { reason };
        match self.read(bytes, unread.is_last, limits)? {
            Progress::Partial => return Ok(Taken::nothing(start)),
            Progress::Whole => {}
            Progress::Unterminated => return Err(unusable(UNTERMINATED.to_owned())),
        }
        if self.reader.count() > MOST_COLUMNS {
            return Err(unusable(format!("it has more than {MOST_COLUMNS} columns")));
        }
        let name = |field: &[u8]| String::from_utf8(field.to_vec());
        let names: Result<Vec<String>, _> = self.reader.fields().map(name).collect();
        let names = names.map_err(|_| unusable("it is not UTF-8".to_owned()))?;
        let columns = Columns::new(names).map_err(unusable)?;
        self.places = places(&columns, &self.names).map_err(unusable)?;
        self.columns = Some(Arc::new(columns));
        let end = start + self.reader.length();
        self.reader.next();
        Ok(Taken::nothing(end))
    }

    /// Returns the number of bytes before the next record: a byte order mark, and empty lines.
    fn skip(&mut self, bytes: &[u8], is_last: bool) -> usize {
        let mut skipped = 0;
        if self.is_at_start && !bytes.is_empty() {
            let is_cut = bytes.len() < BYTE_ORDER_MARK.len() && BYTE_ORDER_MARK.starts_with(bytes);
            if is_cut && !is_last {
                return 0;
            }
            self.is_at_start = false;
            if bytes.starts_with(BYTE_ORDER_MARK) {
                skipped = BYTE_ORDER_MARK.len();
            }
        }
        let rest = bytes[skipped..].iter();
        skipped
            + rest
                .take_while(|byte| matches!(byte, b'\n' | b'\r'))
                .count()
    }

    /// Reads on in the record that begins with `bytes`.
    fn read(
        &mut self,
        bytes: &[u8],
        is_last: bool,
        limits: LineLimits,
    ) -> Result<Progress, DecodeError> {
        if self.is_at_start {
            // A part of a byte order mark.
            return Ok(Progress::Partial);
        }
        // A byte more than the longest record and its terminator decides that it is too long.
        let most = limits.record_bytes.saturating_add(1);
        let seen = &bytes[..bytes.len().min(most)];
        let is_last = is_last && seen.len() == bytes.len();
        let progress = self.reader.read(seen, is_last);
        let length = match progress {
            Progress::Partial => self.reader.length(),
            Progress::Whole | Progress::Unterminated => {
                without_terminator(&seen[..self.reader.length()]).len()
            }
        };
        match length > limits.record_bytes {
            true => Err(too_long(seen)),
            false => Ok(progress),
        }
    }

    /// Makes the JSON object of the record that was read. An error is the reason why it is invalid.
    fn make_object(&mut self, columns: &Columns, progress: Progress) -> Result<(), String> {
        if progress == Progress::Unterminated {
            return Err(UNTERMINATED.to_owned());
        }
        let (fields, expected) = (self.reader.count(), columns.len());
        if fields != expected {
            return Err(format!("it has {fields} field(s) instead of {expected}"));
        }
        self.object.clear();
        columns.append_object(self.reader.fields(), &mut self.object)
    }
}

/// Makes the error of a record that is longer than a record may be. A quote that was forgotten is
/// the most likely reason, so the error names it.
fn too_long(record: &[u8]) -> DecodeError {
    match unclosed_quote(record) {
        Some(at) => DecodeError::UnclosedQuote { at },
        None => DecodeError::TooLong { what: "record" },
    }
}

/// Returns the place of the quote within which the beginning of a record ends.
fn unclosed_quote(record: &[u8]) -> Option<usize> {
    let (mut open, mut is_field_start) = (None, true);
    let mut bytes = record.iter().copied().enumerate().peekable();
    while let Some((at, byte)) = bytes.next() {
        if open.is_some() {
            // Two quotes stand for one.
            if byte == b'"' && bytes.next_if(|(_, next)| *next == b'"').is_none() {
                open = None;
            }
            continue;
        }
        if byte == b'"' && is_field_start {
            open = Some(at);
        }
        is_field_start = byte == b',';
    }
    open
}

/// Finds the columns with the key and the value. An error is the reason why one is missing.
fn places(columns: &Columns, names: &Parts<String>) -> Result<Parts<usize>, String> {
    names.clone().try_map(|option, name| {
        let missing = || format!("it has no column `{name}`, which `{option}` names");
        columns.position(&name).ok_or_else(missing)
    })
}

const UNTERMINATED: &str = "the input ends within a quoted field";

/// Returns a record without the byte that ended it.
fn without_terminator(record: &[u8]) -> &[u8] {
    match record {
        [record @ .., b'\n' | b'\r'] => record,
        record => record,
    }
}

#[cfg(test)]
mod tests;
