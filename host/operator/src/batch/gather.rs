//! Record path: operator instance → router → **gather** → channel.
//!
//! Copies chosen rows of a batch, column by column. The layout of a column is determined once a
//! batch; columns of words are copied without looking at an offset. Nothing here knows why a row
//! was chosen.

use super::{Batch, Column, regular_offsets};

/// Rows up to this many bytes are copied as one block.
const SHORT_ROW: usize = 16;

impl Column {
    /// Looks at the layout once, to gather rows several times.
    #[must_use]
    pub fn gather(&self) -> GatherColumn<'_> {
        let layout = match (self.fixed_width(), self.fixed_width()) {
            (Some(rows), _) => Layout::Words(rows),
            (None, Some(rows)) => Layout::WordPairs(rows),
            (None, None) if self.data.is_empty() => Layout::Empty,
            (None, None) => Layout::Any,
        };
        GatherColumn {
            column: self,
            layout,
        }
    }
}

/// Copies rows of a column, in any order. See [`Column::gather`].
#[derive(Clone, Copy, Debug)]
pub struct GatherColumn<'a> {
    column: &'a Column,
    layout: Layout<'a>,
}

#[derive(Clone, Copy, Debug)]
enum Layout<'a> {
    Empty,
    Words(&'a [[u8; 8]]),
    WordPairs(&'a [[u8; 16]]),
    Any,
}

impl GatherColumn<'_> {
    /// Replaces the contents of `target` with the rows `rows`, in that order, and reuses its
    /// buffers.
    ///
    /// # Panics
    ///
    /// If a row does not exist, or the result would pass 4 GiB.
    pub fn rows_into(&self, rows: &[u32], target: &mut Column) {
        match self.layout {
            Layout::Empty => {
                let last = self.column.len();
                assert!(rows.iter().all(|row| (*row as usize) < last), "no such row");
                target.data.clear();
                target.offsets.clear();
                target.offsets.resize(rows.len() + 1, 0);
            }
            Layout::Words(words) => gather_arrays(words, rows, target),
            Layout::WordPairs(pairs) => gather_arrays(pairs, rows, target),
            Layout::Any => gather_any(self.column, rows, target),
        }
    }
}

impl Batch {
    /// Looks at the layout of the columns once, to gather records several times.
    #[must_use]
    pub fn gather(&self) -> GatherBatch<'_> {
        GatherBatch {
            timestamps: &self.timestamps,
            keys: self.keys.gather(),
            values: self.values.gather(),
        }
    }
}

/// Copies records of a batch, in any order. See [`Batch::gather`].
#[derive(Clone, Copy, Debug)]
pub struct GatherBatch<'a> {
    timestamps: &'a [i64],
    keys: GatherColumn<'a>,
    values: GatherColumn<'a>,
}

impl GatherBatch<'_> {
    /// Makes a batch of the records `rows`, in that order.
    ///
    /// # Panics
    ///
    /// If a record does not exist, or a column would pass 4 GiB.
    #[must_use]
    pub fn rows(&self, rows: &[u32]) -> Batch {
        let mut batch = Batch::with_capacity(rows.len(), 0, 0);
        self.rows_into(rows, &mut batch);
        batch
    }

    /// As [`Self::rows`], into a batch whose records are dropped and whose buffers are reused.
    ///
    /// # Panics
    ///
    /// As [`Self::rows`].
    pub fn rows_into(&self, rows: &[u32], target: &mut Batch) {
        let timestamps = rows.iter().map(|row| self.timestamps[*row as usize]);
        target.timestamps.clear();
        target.timestamps.extend(timestamps);
        self.keys.rows_into(rows, &mut target.keys);
        self.values.rows_into(rows, &mut target.values);
    }
}

fn gather_arrays<const WIDTH: usize>(arrays: &[[u8; WIDTH]], rows: &[u32], target: &mut Column) {
    let bytes = rows.len() * WIDTH;
    u32::try_from(bytes).expect("a column stays below 4 GiB");
    let gathered = rows.iter().map(|row| arrays[*row as usize]);
    if target.data.capacity() < bytes {
        // New memory is written once, not first with zeros.
        target.data = gathered.collect::<Vec<_>>().into_flattened();
    } else {
        target.data.resize(bytes, 0);
        let (slots, _) = target.data.as_chunks_mut::<WIDTH>();
        slots
            .iter_mut()
            .zip(gathered)
            .for_each(|(slot, row)| *slot = row);
    }
    target.offsets.clear();
    let offsets = regular_offsets::<WIDTH>(rows.len() + 1);
    target.offsets.extend(offsets);
}

fn gather_any(column: &Column, rows: &[u32], target: &mut Column) {
    let Column { offsets, data } = target;
    offsets.clear();
    offsets.push(0);
    let mut bytes = 0;
    let mut end = 0u32;
    offsets.extend(rows.iter().map(|row| {
        let row = *row as usize;
        let length = column.offsets[row + 1] - column.offsets[row];
        bytes += length as usize;
        end = end.wrapping_add(length);
        end
    }));
    assert_eq!(end as usize, bytes, "a column stays below 4 GiB");
    // Short rows are copied as blocks of fixed length, which takes a few moves; the next row
    // overwrites the surplus.
    data.resize(bytes + SHORT_ROW, 0);
    for (row, pair) in rows.iter().zip(offsets.windows(2)) {
        let (from, to) = (column.offsets[*row as usize] as usize, pair[0] as usize);
        let length = (pair[1] - pair[0]) as usize;
        let block = column.data.get(from..from + SHORT_ROW);
        match block.filter(|_| length <= SHORT_ROW) {
            Some(block) => data[to..to + SHORT_ROW].copy_from_slice(block),
            None => data[to..to + length].copy_from_slice(&column.data[from..from + length]),
        }
    }
    data.truncate(bytes);
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Makes columns whose rows all have one width, or any widths.
    fn column() -> impl Strategy<Value = Column> {
        let width = prop_oneof![Just(0..=0), Just(8..=8), Just(16..=16), Just(0..=40)];
        let rows = width.prop_flat_map(|width: std::ops::RangeInclusive<usize>| {
            prop::collection::vec(prop::collection::vec(any::<u8>(), width), 1..60)
        });
        rows.prop_map(|rows| {
            let mut column = Column::default();
            rows.iter().for_each(|row| column.push(row));
            column
        })
    }

    fn pick(column: &Column, rows: &[u32]) -> Column {
        let mut picked = Column::default();
        for row in rows {
            picked.push(column.row(*row as usize));
        }
        picked
    }

    proptest! {
        #[test]
        fn gathered_rows_are_the_rows_one_by_one(
            column in column(),
            before in column(),
            picks in prop::collection::vec(any::<prop::sample::Index>(), 0..100),
        ) {
            let index = |pick: &prop::sample::Index| pick.index(column.len());
            let rows: Vec<u32> = picks.iter().map(|p| u32::try_from(index(p)).unwrap()).collect();
            let mut gathered = before;
            column.gather().rows_into(&rows, &mut gathered);
            prop_assert_eq!(gathered, pick(&column, &rows));
        }

        #[test]
        fn an_appended_column_is_its_rows_one_by_one(first in column(), second in column()) {
            let mut expected = first.clone();
            second.rows().for_each(|row| expected.push(row));
            let mut appended = first;
            appended.append(&second);
            prop_assert_eq!(appended, expected);
        }

        #[test]
        fn rows_of_one_width_are_arrays(column in column()) {
            let is_fixed = column.rows().all(|row| row.len() == 8);
            let arrays = column.fixed_width::<8>().map(<[_]>::as_flattened);
            prop_assert_eq!(arrays, is_fixed.then_some(column.data()));
        }
    }

    #[test]
    fn rows_of_several_widths_are_no_arrays_even_if_their_sum_fits() {
        let mut column = Column::default();
        column.push(b"1234567");
        column.push(b"123456789");
        assert_eq!(column.fixed_width::<8>(), None);
    }

    #[test]
    fn the_columns_of_a_gathered_batch_stay_together() {
        let mut batch = Batch::default();
        batch.push(1, b"a", b"one");
        batch.push(2, b"b", b"two");
        let mut expected = Batch::default();
        expected.push(2, b"b", b"two");
        expected.push(2, b"b", b"two");
        expected.push(1, b"a", b"one");
        assert_eq!(batch.gather().rows(&[1, 1, 0]), expected);
    }
}
