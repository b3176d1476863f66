//! Record path: source → channel → operator instance → **batch check** → router → sink.
//!
//! Columnar batches, and the check of a guest's output. Every [`Column`] and [`Batch`] is well
//! formed: they are only made by pushing rows, and by [`Column::from_parts`] and
//! [`Column::from_slices`], which reject broken layouts. Nothing here knows components or channels.

mod gather;

use thiserror::Error;

pub use gather::{GatherBatch, GatherColumn};

/// The timestamp of a record that has none.
pub const NO_TIMESTAMP: i64 = i64::MIN;

/// A column of byte strings in Arrow's layout: row `i` is `data[offsets[i]..offsets[i + 1]]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Column {
    offsets: Vec<u32>,
    data: Vec<u8>,
}

impl Default for Column {
    fn default() -> Self {
        Self::with_capacity(0, 0)
    }
}

impl Column {
    /// Makes an empty column with room for `rows` rows of `bytes` bytes in all.
    #[must_use]
    pub fn with_capacity(rows: usize, bytes: usize) -> Self {
        let mut offsets = Vec::with_capacity(rows + 1);
        offsets.push(0);
        Self {
            offsets,
            data: Vec::with_capacity(bytes),
        }
    }

    /// Takes offsets and data that came from outside, and checks every offset.
    ///
    /// # Errors
    ///
    /// [`MalformedColumn`] names the rule of the layout that is broken. Nothing was kept.
    pub fn from_parts(offsets: Vec<u32>, data: Vec<u8>) -> Result<Self, MalformedColumn> {
        check_layout(&offsets, &data)?;
        Ok(Self { offsets, data })
    }

    /// Copies offsets and data that came from outside, once, and checks every offset first.
    ///
    /// # Errors
    ///
    /// [`MalformedColumn`], as for [`Column::from_parts`].
    pub fn from_slices(offsets: &[u32], data: &[u8]) -> Result<Self, MalformedColumn> {
        check_layout(offsets, data)?;
        Ok(Self {
            offsets: offsets.to_vec(),
            data: data.to_vec(),
        })
    }

    /// Returns the offsets and the data, to be handed to a guest.
    #[must_use]
    pub fn into_parts(self) -> (Vec<u32>, Vec<u8>) {
        (self.offsets, self.data)
    }

    /// Returns the number of rows.
    #[inline]
    #[must_use]
    pub fn len(&self) -> usize {
        self.offsets.len() - 1
    }

    /// Returns true if the column has no rows.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Returns the bytes of row `row`.
    ///
    /// # Panics
    ///
    /// If the row does not exist.
    #[inline]
    #[must_use]
    pub fn row(&self, row: usize) -> &[u8] {
        &self.data[self.offsets[row] as usize..self.offsets[row + 1] as usize]
    }

    /// Returns all rows in order.
    pub fn rows(&self) -> impl ExactSizeIterator<Item = &[u8]> {
        self.offsets
            .windows(2)
            .map(|pair| &self.data[pair[0] as usize..pair[1] as usize])
    }

    /// Adds a row.
    ///
    /// # Panics
    ///
    /// If the column would pass 4 GiB; batches are cut far below that.
    #[inline]
    pub fn push(&mut self, row: &[u8]) {
        self.data.extend_from_slice(row);
        let end = u32::try_from(self.data.len()).expect("a column stays below 4 GiB");
        self.offsets.push(end);
    }

    /// Returns the offsets, one more than there are rows: row `i` begins at `offsets()[i]` and ends
    /// at `offsets()[i + 1]`.
    #[must_use]
    pub fn offsets(&self) -> &[u32] {
        &self.offsets
    }

    /// Returns the bytes of all rows, concatenated.
    #[must_use]
    pub fn data(&self) -> &[u8] {
        &self.data
    }

    /// Returns the rows as arrays, if each has `WIDTH` bytes.
    #[must_use]
    pub fn fixed_width<const WIDTH: usize>(&self) -> Option<&[[u8; WIDTH]]> {
        const { assert!(WIDTH > 0 && WIDTH <= 64, "a width of a few words") };
        let (rows, rest) = self.data.as_chunks::<WIDTH>();
        if !rest.is_empty() || rows.len() != self.len() {
            return None;
        }
        // One pass without a branch per row, as in `from_parts`.
        let regular = regular_offsets::<WIDTH>(self.offsets.len());
        let offsets = self.offsets.iter().zip(regular);
        let difference = offsets.fold(0, |all, (offset, regular)| all | (offset ^ regular));
        (difference == 0).then_some(rows)
    }

    /// Adds all rows of another column.
    ///
    /// # Panics
    ///
    /// If the column would pass 4 GiB.
    pub fn append(&mut self, other: &Self) {
        let start = u32::try_from(self.data.len()).expect("a column stays below 4 GiB");
        self.data.extend_from_slice(&other.data);
        u32::try_from(self.data.len()).expect("a column stays below 4 GiB");
        let ends = other.offsets[1..].iter();
        self.offsets.extend(ends.map(|end| start + end));
    }

    /// Returns the number of bytes that the column occupies: data and offsets.
    #[must_use]
    pub fn byte_size(&self) -> usize {
        self.data.len() + self.offsets.len() * size_of::<u32>()
    }
}

/// Checks every rule of the layout of a column.
#[inline]
fn check_layout(offsets: &[u32], data: &[u8]) -> Result<(), MalformedColumn> {
    let (Some(first), Some(last)) = (offsets.first(), offsets.last()) else {
        return Err(MalformedColumn::NoOffsets);
    };
    if *first != 0 {
        return Err(MalformedColumn::FirstOffset { found: *first });
    }
    // One pass without a branch per row; the slow search only names the row of a bad column.
    let decreasing = offsets
        .windows(2)
        .fold(false, |bad, pair| bad | (pair[0] > pair[1]));
    if decreasing {
        let row = offsets.windows(2).take_while(|p| p[0] <= p[1]).count();
        return Err(MalformedColumn::DecreasingOffset { row });
    }
    if *last as usize != data.len() {
        return Err(MalformedColumn::LastOffset {
            found: *last,
            bytes: data.len(),
        });
    }
    Ok(())
}

/// Returns the offsets 0, `WIDTH`, twice `WIDTH` and so on; offsets beyond 4 GiB are wrong.
fn regular_offsets<const WIDTH: usize>(count: usize) -> impl ExactSizeIterator<Item = u32> {
    let count = u32::try_from(count).expect("a column stays below 2^32 rows");
    let width = u32::try_from(WIDTH).expect("a width of a few words");
    (0..count).map(move |row| row.wrapping_mul(width))
}

/// Records in arrival order. A record without a key has an empty key; a record without a timestamp
/// has [`NO_TIMESTAMP`]. All three columns have the same number of rows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Batch {
    timestamps: Vec<i64>,
    keys: Column,
    values: Column,
}

impl Batch {
    /// Makes an empty batch with room for `rows` rows, `key_bytes` and `value_bytes` bytes in all.
    #[must_use]
    pub fn with_capacity(rows: usize, key_bytes: usize, value_bytes: usize) -> Self {
        Self {
            timestamps: Vec::with_capacity(rows),
            keys: Column::with_capacity(rows, key_bytes),
            values: Column::with_capacity(rows, value_bytes),
        }
    }

    /// Takes three columns that came from outside.
    ///
    /// # Errors
    ///
    /// [`MalformedBatch`] if they have different numbers of rows. Nothing was kept.
    pub fn from_columns(
        timestamps: Vec<i64>,
        keys: Column,
        values: Column,
    ) -> Result<Self, MalformedBatch> {
        if timestamps.len() != keys.len() || keys.len() != values.len() {
            return Err(MalformedBatch {
                timestamps: timestamps.len(),
                keys: keys.len(),
                values: values.len(),
            });
        }
        Ok(Self {
            timestamps,
            keys,
            values,
        })
    }

    /// Returns timestamps, keys and values, to be handed to a guest.
    #[must_use]
    pub fn into_columns(self) -> (Vec<i64>, Column, Column) {
        (self.timestamps, self.keys, self.values)
    }

    /// Returns the number of records.
    #[inline]
    #[must_use]
    pub fn len(&self) -> usize {
        self.timestamps.len()
    }

    /// Returns true if the batch has no records.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.timestamps.is_empty()
    }

    /// Adds a record.
    #[inline]
    pub fn push(&mut self, timestamp: i64, key: &[u8], value: &[u8]) {
        self.timestamps.push(timestamp);
        self.keys.push(key);
        self.values.push(value);
    }

    /// Adds all records of another batch at the end.
    ///
    /// # Panics
    ///
    /// If a column would pass 4 GiB; batches are cut far below that.
    pub fn append(&mut self, other: &Self) {
        self.timestamps.extend_from_slice(&other.timestamps);
        self.keys.append(&other.keys);
        self.values.append(&other.values);
    }

    /// Returns the timestamps, in milliseconds since the Unix epoch.
    #[must_use]
    pub fn timestamps(&self) -> &[i64] {
        &self.timestamps
    }

    /// Returns the keys.
    #[must_use]
    pub fn keys(&self) -> &Column {
        &self.keys
    }

    /// Returns the values.
    #[must_use]
    pub fn values(&self) -> &Column {
        &self.values
    }

    /// Returns the number of bytes that the batch occupies: its weight in the limits of channels.
    #[must_use]
    pub fn byte_size(&self) -> usize {
        self.timestamps.len() * size_of::<i64>() + self.keys.byte_size() + self.values.byte_size()
    }
}

/// Records that an operator emitted to one of its output ports. Port 0 is the main output.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Emission {
    /// The output port; checked to exist.
    pub port: u32,
    /// The records.
    pub batch: Batch,
}

/// The rule of the column layout that a guest broke.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum MalformedColumn {
    /// A column of no rows still has one offset.
    #[error("it has no offsets, not even the first, which is 0")]
    NoOffsets,
    /// The first offset is not 0.
    #[error("its first offset is {found}, not 0")]
    FirstOffset {
        /// The first offset.
        found: u32,
    },
    /// A row ends before it begins.
    #[error("the offset after row {row} is smaller than the one before it")]
    DecreasingOffset {
        /// The row, from 0.
        row: usize,
    },
    /// The last offset is not the end of the data.
    #[error("its last offset is {found}, but its data has {bytes} bytes")]
    LastOffset {
        /// The last offset.
        found: u32,
        /// The length of the data.
        bytes: usize,
    },
}

/// The three columns of a batch have different numbers of rows.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("it has {timestamps} timestamps, {keys} keys and {values} values")]
pub struct MalformedBatch {
    /// The number of rows in the timestamp column.
    pub timestamps: usize,
    /// The number of rows in the key column.
    pub keys: usize,
    /// The number of rows in the value column.
    pub values: usize,
}
