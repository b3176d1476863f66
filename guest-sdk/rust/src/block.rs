//! Record path: batch → [block] → `on_record`.
//!
//! The records of up to [`LOOK_AHEAD_KEYS`] rows, taken out of their columns.
//!
//! The records are read in a loop of their own: a loop that calls an operator has no registers left
//! for the columns. If all keys and all values have eight bytes, as numbers do, no offset is read
//! or checked.

use std::ops::Range;

use crate::batch::{Batch, Column};
use crate::record::Record;
use crate::state::LOOK_AHEAD_KEYS;

/// Reads the records of a batch, block by block.
#[derive(Debug)]
pub(crate) struct Block<'a> {
    batch: &'a Batch,
    /// Keys and values, if all of them have eight bytes.
    words: Option<[&'a [[u8; 8]]; 2]>,
    records: [Record<'a>; LOOK_AHEAD_KEYS],
}

/// The number of records between two of the engine's checks of the clock.
const STRIDE: usize = 8;

impl<'a> Block<'a> {
    /// Prepares to read `batch`; `keys` are its keys if all of them have eight bytes.
    pub(crate) fn new(input: u32, batch: &'a Batch, keys: Option<&'a [[u8; 8]]>) -> Self {
        let nothing = Record {
            input,
            row: 0,
            timestamp: 0,
            key: &[],
            value: &[],
        };
        Self {
            batch,
            words: keys.and_then(|keys| Some([keys, batch.values.words()?])),
            records: [nothing; LOOK_AHEAD_KEYS],
        }
    }

    /// Returns the records of `rows`, at most [`LOOK_AHEAD_KEYS`], which the caller has cut to the
    /// batch.
    pub(crate) fn read(&mut self, rows: Range<usize>) -> &[Record<'a>] {
        match self.words {
            Some([keys, values]) => self.pick(rows, keys, values),
            None => self.cut(rows),
        }
    }

    #[inline(never)]
    fn pick(
        &mut self,
        rows: Range<usize>,
        keys: &'a [[u8; 8]],
        values: &'a [[u8; 8]],
    ) -> &[Record<'a>] {
        let first_row = row_number(rows.start);
        let records = &mut self.records[..rows.len()];
        let (keys, key_rest) = keys[rows.clone()].as_chunks::<STRIDE>();
        let (values, value_rest) = values[rows.clone()].as_chunks::<STRIDE>();
        let (timestamps, timestamp_rest) = self.batch.timestamps[rows].as_chunks::<STRIDE>();
        let (strides, rest) = records.as_chunks_mut::<STRIDE>();
        let mut row = first_row;
        let columns = keys.iter().zip(values).zip(timestamps);
        for (records, ((keys, values), timestamps)) in strides.iter_mut().zip(columns) {
            fill(records, row, timestamps, keys, values);
            row += row_number(STRIDE);
        }
        fill(rest, row, timestamp_rest, key_rest, value_rest);
        records
    }

    #[inline(never)]
    fn cut(&mut self, rows: Range<usize>) -> &[Record<'a>] {
        let batch = self.batch;
        let mut reader = Reader {
            row: row_number(rows.start),
            keys: FieldReader::new(&batch.keys, rows.start),
            values: FieldReader::new(&batch.values, rows.start),
        };
        let (strides, rest) = self.records[..rows.len()].as_chunks_mut::<STRIDE>();
        let ends = rows.start + 1..rows.end + 1;
        let (key_ends, key_rest) = batch.keys.offsets[ends.clone()].as_chunks::<STRIDE>();
        let (value_ends, value_rest) = batch.values.offsets[ends].as_chunks::<STRIDE>();
        let (timestamps, timestamp_rest) = batch.timestamps[rows.clone()].as_chunks::<STRIDE>();
        let columns = key_ends.iter().zip(value_ends).zip(timestamps);
        for (records, ((keys, values), timestamps)) in strides.iter_mut().zip(columns) {
            reader.read(records, keys, values, timestamps);
        }
        reader.read(rest, key_rest, value_rest, timestamp_rest);
        &self.records[..rows.len()]
    }
}

/// Fills records from words; the first record is row `row` of its batch.
#[inline(always)]
fn fill<'a>(
    records: &mut [Record<'a>],
    row: u32,
    timestamps: &[i64],
    keys: &'a [[u8; 8]],
    values: &'a [[u8; 8]],
) {
    let columns = keys.iter().zip(values).zip(timestamps);
    for ((record, row), ((key, value), timestamp)) in records.iter_mut().zip(row..).zip(columns) {
        record.row = row;
        record.timestamp = *timestamp;
        record.key = key;
        record.value = value;
    }
}

/// Cuts records out of two columns, one after the other.
struct Reader<'a> {
    row: u32,
    keys: FieldReader<'a>,
    values: FieldReader<'a>,
}

impl<'a> Reader<'a> {
    #[inline(always)]
    fn read(
        &mut self,
        records: &mut [Record<'a>],
        keys: &[u32],
        values: &[u32],
        timestamps: &[i64],
    ) {
        let columns = keys.iter().zip(values).zip(timestamps);
        for (record, ((key_end, value_end), timestamp)) in records.iter_mut().zip(columns) {
            record.row = self.row;
            record.timestamp = *timestamp;
            record.key = self.keys.up_to(*key_end);
            record.value = self.values.up_to(*value_end);
            self.row += 1;
        }
    }
}

/// A column and the offset up to which it has been read.
struct FieldReader<'a> {
    data: &'a [u8],
    start: u32,
}

impl<'a> FieldReader<'a> {
    fn new(column: &'a Column, row: usize) -> Self {
        Self {
            data: &column.data,
            start: column.offsets[row],
        }
    }

    #[inline(always)]
    fn up_to(&mut self, end: u32) -> &'a [u8] {
        let field = &self.data[self.start as usize..end as usize];
        self.start = end;
        field
    }
}

#[inline]
fn row_number(row: usize) -> u32 {
    u32::try_from(row).expect("offsets are 32 bits, so there are fewer rows than that")
}

#[cfg(test)]
mod tests;
