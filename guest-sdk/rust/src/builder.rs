//! Record path: `on_record` → output → [batch builder] → emissions → host.
//!
//! Builds a batch row by row. Most batches are regular: all keys have one length, all values have
//! one length, and all timestamps are equal. For a regular column only the data is written; its
//! offsets or timestamps are made at the end, all at once.

use crate::batch::{Batch, Column};
use crate::field::Field;

/// A batch that is being built.
#[derive(Debug, Default)]
pub(crate) struct BatchBuilder {
    rows: usize,
    timestamps: TimestampBuilder,
    keys: ColumnBuilder,
    values: ColumnBuilder,
}

/// The bytes and rows of a batch, from which the room for the next batch follows.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Size {
    rows: usize,
    key_bytes: usize,
    value_bytes: usize,
}

/// The most that is reserved in advance for one column, however much the last batch needed.
const MAX_RESERVED: usize = 1 << 20;

impl Size {
    /// Returns the size of a batch plus a sixteenth, so that a slightly larger batch fits as well.
    pub(crate) fn of(batch: &Batch) -> Self {
        let roomy = |len: usize| (len + len / 16).min(MAX_RESERVED);
        Self {
            rows: roomy(batch.len()),
            key_bytes: roomy(batch.keys.data.len()),
            value_bytes: roomy(batch.values.data.len()),
        }
    }
}

impl BatchBuilder {
    pub(crate) fn with_capacity(size: Size) -> Self {
        Self {
            rows: 0,
            timestamps: TimestampBuilder::default(),
            keys: ColumnBuilder::with_capacity(size.key_bytes, size.rows),
            values: ColumnBuilder::with_capacity(size.value_bytes, size.rows),
        }
    }

    /// Adds a row.
    #[inline(always)]
    pub(crate) fn push(&mut self, timestamp: i64, key: impl Field, value: impl Field) {
        let key_start = self.keys.data.len();
        key.append_to(&mut self.keys.data);
        self.keys.end_row(key_start, self.rows);
        let value_start = self.values.data.len();
        value.append_to(&mut self.values.data);
        self.values.end_row(value_start, self.rows);
        self.timestamps.push(timestamp, self.rows);
        self.rows += 1;
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.rows == 0
    }

    pub(crate) fn finish(self) -> Batch {
        Batch {
            timestamps: self.timestamps.finish(self.rows),
            keys: self.keys.finish(self.rows),
            values: self.values.finish(self.rows),
        }
    }
}

#[derive(Debug)]
struct ColumnBuilder {
    data: Vec<u8>,
    /// The length of every row so far, or [`NO_ROW`] or [`IRREGULAR`], which no row has.
    width: usize,
    /// Empty as long as the column is regular.
    offsets: Vec<u32>,
    expected_rows: usize,
}

/// The width of a column without rows.
const NO_ROW: usize = usize::MAX;

/// The width of a column whose rows differ in length.
const IRREGULAR: usize = usize::MAX - 1;

impl Default for ColumnBuilder {
    fn default() -> Self {
        Self::with_capacity(0, 0)
    }
}

impl ColumnBuilder {
    fn with_capacity(bytes: usize, expected_rows: usize) -> Self {
        Self {
            data: Vec::with_capacity(bytes),
            width: NO_ROW,
            offsets: Vec::new(),
            expected_rows,
        }
    }

    /// Ends row number `row`, which begins at `start` of the data.
    #[inline(always)]
    fn end_row(&mut self, start: usize, row: usize) {
        let width = self.data.len() - start;
        if width == self.width {
            return;
        }
        if self.width == IRREGULAR {
            self.offsets.push(offset(self.data.len()));
        } else {
            self.end_other_row(width, row);
        }
    }

    #[cold]
    fn end_other_row(&mut self, width: usize, row: usize) {
        if self.width == NO_ROW {
            self.width = width;
            return;
        }
        self.offsets = regular_offsets(self.width, row, self.expected_rows);
        self.offsets.push(offset(self.data.len()));
        self.width = IRREGULAR;
    }

    fn finish(self, rows: usize) -> Column {
        let offsets = match self.width {
            NO_ROW => vec![0],
            IRREGULAR => self.offsets,
            width => regular_offsets(width, rows, 0),
        };
        Column {
            offsets,
            data: self.data,
        }
    }
}

/// Returns the offsets of `rows` rows of `width` bytes, with room for those of `expected` rows.
fn regular_offsets(width: usize, rows: usize, expected: usize) -> Vec<u32> {
    let mut offsets = Vec::with_capacity(rows.max(expected) + 1);
    let width = offset(width);
    // The last offset is the length of existing data; only the unused step after it can wrap.
    let mut next = 0_u32;
    offsets.extend((0..=rows).map(|_| {
        let this = next;
        next = next.wrapping_add(width);
        this
    }));
    offsets
}

#[inline(always)]
fn offset(bytes: usize) -> u32 {
    u32::try_from(bytes).expect("a column stays below 4 GiB")
}

#[derive(Debug, Default)]
struct TimestampBuilder {
    /// The timestamp of every row so far.
    common: i64,
    differ: bool,
    /// Empty as long as all are the same.
    each: Vec<i64>,
}

impl TimestampBuilder {
    #[inline(always)]
    fn push(&mut self, timestamp: i64, row: usize) {
        if self.differ {
            self.each.push(timestamp);
        } else if timestamp != self.common {
            self.push_other(timestamp, row);
        }
    }

    #[cold]
    fn push_other(&mut self, timestamp: i64, row: usize) {
        if row == 0 {
            self.common = timestamp;
            return;
        }
        self.each = vec![self.common; row];
        self.each.push(timestamp);
        self.differ = true;
    }

    fn finish(self, rows: usize) -> Vec<i64> {
        if self.differ {
            self.each
        } else {
            vec![self.common; rows]
        }
    }
}

#[cfg(test)]
mod tests;
