//! The data that crosses the sandbox boundary, as plain Rust types: columns, batches, emissions,
//! chunks.
//!
//! Moving one of these to or from the generated bindings moves three vectors and copies nothing.

use std::ops::Range;

/// The raw timestamp of a record without a timestamp; the typed API has `None` instead.
///
/// ```
/// assert_eq!(tidegate_sdk::raw::NO_TIMESTAMP, i64::MIN);
/// ```
pub const NO_TIMESTAMP: i64 = i64::MIN;

/// A column of byte strings: row `i` is `data[offsets[i]..offsets[i + 1]]`.
///
/// `offsets` has one entry more than there are rows, starts at 0, never decreases and ends at the
/// length of `data`. Columns from the host keep that rule. The host checks the columns that a guest
/// returns, so the fields are public and nothing is checked here.
///
/// ```
/// use tidegate_sdk::raw::Column;
///
/// let mut column = Column::default();
/// column.push(b"tide");
/// column.push(b"");
/// assert_eq!(column.offsets, [0, 4, 4]);
/// assert_eq!(column.row(0), b"tide");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Column {
    /// The start of each row, and the end of the last row.
    pub offsets: Vec<u32>,
    /// The bytes of all rows, one after the other.
    pub data: Vec<u8>,
}

impl Default for Column {
    fn default() -> Self {
        Self::with_capacity(0, 0)
    }
}

impl Column {
    /// Returns an empty column with room for `rows` rows of `bytes` bytes in all.
    ///
    /// ```
    /// assert!(tidegate_sdk::raw::Column::with_capacity(10, 80).is_empty());
    /// ```
    #[must_use]
    pub fn with_capacity(rows: usize, bytes: usize) -> Self {
        let mut offsets = Vec::with_capacity(rows + 1);
        offsets.push(0);
        Self {
            offsets,
            data: Vec::with_capacity(bytes),
        }
    }

    /// Returns the number of rows.
    ///
    /// ```
    /// assert_eq!(tidegate_sdk::raw::Column::default().len(), 0);
    /// ```
    #[inline]
    #[must_use]
    pub fn len(&self) -> usize {
        self.offsets.len().saturating_sub(1)
    }

    /// Returns true if there is no row.
    ///
    /// ```
    /// assert!(tidegate_sdk::raw::Column::default().is_empty());
    /// ```
    #[inline]
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Returns the bytes of row `row`.
    ///
    /// ```
    /// let mut column = tidegate_sdk::raw::Column::default();
    /// column.push(b"a row");
    /// assert_eq!(column.row(0), b"a row");
    /// ```
    ///
    /// # Panics
    ///
    /// If there is no such row.
    #[inline]
    #[must_use]
    pub fn row(&self, row: usize) -> &[u8] {
        &self.data[self.offsets[row] as usize..self.offsets[row + 1] as usize]
    }

    /// Returns all rows in order.
    ///
    /// ```
    /// let mut column = tidegate_sdk::raw::Column::default();
    /// column.push(b"a");
    /// column.push(b"bc");
    /// assert_eq!(column.rows().map(<[u8]>::len).sum::<usize>(), 3);
    /// ```
    pub fn rows(&self) -> impl ExactSizeIterator<Item = &[u8]> {
        self.offsets
            .windows(2)
            .map(|pair| &self.data[pair[0] as usize..pair[1] as usize])
    }

    /// Returns the rows of `range`, which the caller has cut to the column.
    #[inline(always)]
    pub(crate) fn rows_in(&self, range: Range<usize>) -> RowsIn<'_> {
        let mut offsets = self.offsets[range.start..=range.end].iter();
        let start = offsets.next().copied().unwrap_or(0);
        RowsIn {
            data: &self.data,
            start,
            ends: offsets,
        }
    }

    /// Adds a row.
    ///
    /// ```
    /// let mut column = tidegate_sdk::raw::Column::default();
    /// column.push(b"a");
    /// assert_eq!(column.len(), 1);
    /// ```
    #[inline]
    pub fn push(&mut self, row: &[u8]) {
        crate::bytes::append(&mut self.data, row);
        let end = u32::try_from(self.data.len()).expect("a column stays below 4 GiB");
        self.offsets.push(end);
    }
}

impl Column {
    /// Returns the rows as words, if all of them have eight bytes.
    pub(crate) fn words(&self) -> Option<&[[u8; 8]]> {
        let (words, rest) = self.data.as_chunks();
        if words.len() != self.len() || !rest.is_empty() {
            return None;
        }
        // One pass without a branch for each row.
        let expected = (0..).step_by(8);
        let offsets = self.offsets.iter().zip(expected);
        let differ = offsets.fold(0, |differ, (offset, expected)| differ | (offset ^ expected));
        (differ == 0).then_some(words)
    }
}

/// Some rows of a column in order. The end of a row is the start of the next, so that each offset
/// is read once.
#[derive(Clone, Debug)]
pub(crate) struct RowsIn<'a> {
    data: &'a [u8],
    start: u32,
    ends: std::slice::Iter<'a, u32>,
}

impl<'a> Iterator for RowsIn<'a> {
    type Item = &'a [u8];

    #[inline(always)]
    fn next(&mut self) -> Option<&'a [u8]> {
        let end = *self.ends.next()?;
        let row = &self.data[self.start as usize..end as usize];
        self.start = end;
        Some(row)
    }
}

/// Records in arrival order. All three columns have the same number of rows.
///
/// ```
/// use tidegate_sdk::raw::{Batch, NO_TIMESTAMP};
///
/// let mut batch = Batch::default();
/// batch.push(NO_TIMESTAMP, b"key", b"value");
/// assert_eq!(batch.len(), 1);
/// assert_eq!(batch.values.row(0), b"value");
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Batch {
    /// Milliseconds since the Unix epoch, or [`NO_TIMESTAMP`].
    pub timestamps: Vec<i64>,
    /// The keys; a record without a key has an empty one.
    pub keys: Column,
    /// The values.
    pub values: Column,
}

impl Batch {
    /// Returns an empty batch with room for `rows` rows, `key_bytes` and `value_bytes` bytes in
    /// all.
    ///
    /// ```
    /// assert!(tidegate_sdk::raw::Batch::with_capacity(10, 80, 80).is_empty());
    /// ```
    #[must_use]
    pub fn with_capacity(rows: usize, key_bytes: usize, value_bytes: usize) -> Self {
        Self {
            timestamps: Vec::with_capacity(rows),
            keys: Column::with_capacity(rows, key_bytes),
            values: Column::with_capacity(rows, value_bytes),
        }
    }

    /// Returns the number of records.
    ///
    /// ```
    /// assert_eq!(tidegate_sdk::raw::Batch::default().len(), 0);
    /// ```
    #[inline]
    #[must_use]
    pub fn len(&self) -> usize {
        self.timestamps.len()
    }

    /// Returns true if there is no record.
    ///
    /// ```
    /// assert!(tidegate_sdk::raw::Batch::default().is_empty());
    /// ```
    #[inline]
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.timestamps.is_empty()
    }

    /// Adds a record.
    ///
    /// ```
    /// let mut batch = tidegate_sdk::raw::Batch::default();
    /// batch.push(1_000, b"key", b"value");
    /// assert_eq!(batch.timestamps, [1_000]);
    /// ```
    #[inline]
    pub fn push(&mut self, timestamp: i64, key: &[u8], value: &[u8]) {
        self.timestamps.push(timestamp);
        self.keys.push(key);
        self.values.push(value);
    }
}

/// Records that an operator sends out of one of its output ports. Port 0 is the main output.
///
/// ```
/// use tidegate_sdk::raw::{Batch, Emission};
///
/// let emission = Emission { port: 0, records: Batch::default() };
/// assert!(emission.records.is_empty());
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Emission {
    /// The output port, an index into [`Context::outputs`](crate::Context::outputs).
    pub port: u32,
    /// The records, in the order in which they are sent.
    pub records: Batch,
}

/// One piece of an operator's state in a checkpoint.
///
/// ```
/// use tidegate_sdk::raw::StateChunk;
///
/// let chunk = StateChunk {
///     name: "positions".to_owned(),
///     schema_version: 1,
///     key_group: None,
///     bytes: vec![1, 2, 3],
/// };
/// assert!(chunk.key_group.is_none(), "operator state belongs to no key group");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StateChunk {
    /// The author's name for this state.
    pub name: String,
    /// Version of the layout of `bytes`, chosen by the author.
    pub schema_version: u32,
    /// The key group that all keys of the chunk have in common; `None` for operator state.
    pub key_group: Option<u32>,
    /// The state itself.
    pub bytes: Vec<u8>,
}
