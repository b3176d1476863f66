//! Bytes to records in the format of a source: lines, JSON Lines or CSV. Pure.
//!
//! A decoder never takes part of a record, so the position after each batch is the beginning of a
//! record. Input that is no record in the format is returned by itself, with the reason.

mod columns;
mod csv_decoder;
mod csv_reader;
mod json_lines;
mod json_pointer;
mod rows;
mod shape;

use std::sync::Arc;

use tidegate_operator::Batch;

use crate::lines::{self, LineLimits, LineTooLong, Unread};

pub use shape::{InputField, InputFormat};

pub(crate) use shape::{InputShape, Parts, fixed_options};

use csv_decoder::CsvDecoder;
use json_lines::JsonLinesDecoder;

/// The mark with which some programs begin a file of UTF-8.
const BYTE_ORDER_MARK: &[u8] = "\u{feff}".as_bytes();

/// The result of one step of a [`Decoder`].
#[derive(Debug)]
pub(crate) struct Taken {
    /// The beginning of the first record, in the unread bytes.
    pub(crate) start: usize,
    /// The end of the last record, exclusive: the number of bytes that were taken.
    pub(crate) end: usize,
    pub(crate) contents: Contents,
}

/// The contents of the bytes that a [`Decoder`] has taken.
#[derive(Debug)]
pub(crate) enum Contents {
    /// No record. If no byte was taken either, the decoder needs more bytes.
    Nothing,
    /// Records.
    Batch(Batch),
    /// One piece of input that is not a record.
    Invalid { reason: String, value: Vec<u8> },
}

impl Taken {
    /// Makes the result of bytes without records.
    fn nothing(end: usize) -> Self {
        Self {
            start: end,
            end,
            contents: Contents::Nothing,
        }
    }
}

/// Input with which the source can't continue, whatever its policy for invalid records is.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum DecodeError {
    /// The line or record that begins at the first unread byte is longer than a record may be.
    TooLong { what: &'static str },
    /// A quoted field of the record that begins at the first unread byte has no end within the
    /// longest record.
    UnclosedQuote {
        /// The number of bytes of the record before the quote.
        at: usize,
    },
    /// The header of a CSV input is unusable.
    Header { reason: String },
}

impl From<LineTooLong> for DecodeError {
    fn from(LineTooLong: LineTooLong) -> Self {
        Self::TooLong { what: "line" }
    }
}

impl DecodeError {
    /// Returns the reason for people.
    pub(crate) fn reason(&self, limits: LineLimits) -> String {
        match self {
            Self::TooLong { what } => format!(
                "the {what} is longer than `max-record-bytes`, {} bytes",
                limits.record_bytes
            ),
            Self::UnclosedQuote { at } => format!(
                "the quote {at} bytes into the record is not closed within `max-record-bytes`, {} \
                 bytes",
                limits.record_bytes
            ),
            Self::Header { reason } => format!("the header is unusable: {reason}"),
        }
    }
}

/// Decodes the bytes of one file or stream.
pub(crate) struct Decoder {
    limits: LineLimits,
    by_format: ByFormat,
}

enum ByFormat {
    Lines,
    Jsonl(JsonLinesDecoder),
    Csv(Box<CsvDecoder>),
}

impl Decoder {
    /// Makes the decoder of an input from its first byte on.
    pub(crate) fn at_start(shape: &Arc<InputShape>, limits: LineLimits) -> Self {
        let by_format = match &**shape {
            InputShape::Lines => ByFormat::Lines,
            InputShape::Jsonl(parts) => ByFormat::Jsonl(JsonLinesDecoder::new(parts.clone())),
            InputShape::Csv { columns, parts } => {
                let decoder = CsvDecoder::new(columns.clone(), parts.clone());
                ByFormat::Csv(Box::new(decoder))
            }
        };
        Self { limits, by_format }
    }

    /// Forgets a record of which only a part was seen. The next bytes begin a record that is not
    /// the first of its input.
    pub(crate) fn seek(&mut self) {
        match &mut self.by_format {
            ByFormat::Lines => {}
            ByFormat::Jsonl(lines) => lines.seek(),
            ByFormat::Csv(csv) => csv.seek(),
        }
    }

    /// Returns true if the input begins with a header that the decoder has not seen.
    pub(crate) fn needs_header(&self) -> bool {
        match &self.by_format {
            ByFormat::Lines | ByFormat::Jsonl(_) => false,
            ByFormat::Csv(csv) => csv.needs_header(),
        }
    }

    /// Takes whole records from the start of `unread`, at most a batch. After a step that took no
    /// whole record, the next call must pass the bytes behind those taken, and more of them.
    ///
    /// # Errors
    ///
    /// A [`DecodeError`]; the decoder is not used again.
    pub(crate) fn take(&mut self, unread: Unread<'_>) -> Result<Taken, DecodeError> {
        match &mut self.by_format {
            ByFormat::Lines => {
                let lines = lines::take_lines(unread, self.limits)?;
                Ok(match lines.values.is_empty() {
                    true => Taken::nothing(0),
                    false => Taken {
                        start: 0,
                        end: lines.consumed,
                        contents: Contents::Batch(lines::to_batch(lines.values)),
                    },
                })
            }
            ByFormat::Jsonl(lines) => Ok(lines.take(unread, self.limits)?),
            ByFormat::Csv(csv) => csv.take(unread, self.limits),
        }
    }
}

#[cfg(test)]
mod tests;

#[cfg(test)]
pub(crate) use tests::read_csv;
