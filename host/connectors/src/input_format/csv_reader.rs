//! One CSV record after the other, however the bytes arrive. Pure.
//!
//! The reader keeps the fields of a record of which it has seen only a part, so that a long record
//! is read once.

use csv_core::{ReadRecordResult, Reader};

use super::columns::MOST_COLUMNS;

/// The state of the record that is being read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Progress {
    /// More bytes are needed.
    Partial,
    /// The record is whole.
    Whole,
    /// The input ends within a quoted field.
    Unterminated,
}

/// Reads records.
pub(super) struct CsvReader {
    reader: Reader,
    /// The number of bytes of the record that were read, with its terminator.
    read: usize,
    /// The fields without quotes, one behind the other, in the first `written` bytes.
    fields: Vec<u8>,
    written: usize,
    /// The ends of the fields, in the first `listed` entries. Entries beyond the most columns are
    /// only counted.
    ends: Vec<usize>,
    listed: usize,
    /// The number of fields.
    count: usize,
}

/// The size of the first allocations.
const FEW: usize = 64;

impl CsvReader {
    /// Makes a reader for a record from its first byte on.
    pub(super) fn new() -> Self {
        let mut new = Self {
            reader: Reader::new(),
            read: 0,
            fields: vec![0; FEW],
            written: 0,
            ends: vec![0; FEW],
            listed: 0,
            count: 0,
        };
        new.restart();
        new
    }

    /// Reads on in the record that begins with `bytes`, whose first byte is not that of an empty
    /// line. Earlier calls have read a part of them.
    pub(super) fn read(&mut self, bytes: &[u8], is_last: bool) -> Progress {
        loop {
            let rest = &bytes[self.read..];
            let is_over = rest.is_empty();
            if is_over && !is_last {
                return Progress::Partial;
            }
            // A newline ends any record whose quotes are closed.
            let rest = if is_over { b"\n" } else { rest };
            let fields = &mut self.fields[self.written..];
            let ends = &mut self.ends[self.listed..];
            let (result, read, written, ended) = self.reader.read_record(rest, fields, ends);
            self.read += if is_over { 0 } else { read };
            self.written += written;
            self.listed += ended;
            self.count += ended;
            match result {
                ReadRecordResult::Record => return Progress::Whole,
                ReadRecordResult::InputEmpty | ReadRecordResult::End if is_over => {
                    return Progress::Unterminated;
                }
                ReadRecordResult::InputEmpty | ReadRecordResult::End => {}
                ReadRecordResult::OutputFull => self.fields.resize(2 * self.fields.len(), 0),
                ReadRecordResult::OutputEndsFull if self.ends.len() > MOST_COLUMNS => {
                    self.listed -= 1;
                }
                ReadRecordResult::OutputEndsFull => self.ends.resize(2 * self.ends.len(), 0),
            }
        }
    }

    /// Returns the number of bytes of the record that were read, with its terminator.
    pub(super) fn length(&self) -> usize {
        self.read
    }

    /// Returns the number of the record's fields.
    pub(super) fn count(&self) -> usize {
        self.count
    }

    /// Returns a field of a whole record.
    pub(super) fn field(&self, at: usize) -> &[u8] {
        let start = at.checked_sub(1).map_or(0, |before| self.ends[before]);
        &self.fields[start..self.ends[at]]
    }

    /// Returns the fields of a whole record, which are not more than the most columns.
    pub(super) fn fields(&self) -> impl Iterator<Item = &[u8]> {
        (0..self.listed).map(|at| self.field(at))
    }

    /// Continues with the record behind a whole one.
    pub(super) fn next(&mut self) {
        (self.read, self.written, self.listed, self.count) = (0, 0, 0, 0);
    }

    /// Begins with a record, whatever was read before.
    pub(super) fn restart(&mut self) {
        self.reader.reset();
        // Otherwise, the reader would drop a byte order mark from whatever record it reads first.
        // An empty line is no record.
        self.reader.read_record(b"\n", &mut [0], &mut [0]);
        self.next();
    }
}
