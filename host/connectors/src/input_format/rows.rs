//! A batch of records with keys, under construction. Pure.

use tidegate_operator::{Batch, Column, NO_TIMESTAMP};

use crate::lines::{BATCH_LINES, LineLimits};

/// The keys and values of records without timestamps. Allocates with the first record, so that
/// input of invalid records only costs no memory.
#[derive(Default)]
pub(super) struct Rows {
    keys: Growing,
    values: Growing,
}

#[derive(Default)]
struct Growing {
    ends: Vec<u32>,
    bytes: Vec<u8>,
}

impl Growing {
    fn push(&mut self, row: &[u8]) {
        self.bytes.extend_from_slice(row);
        let end = u32::try_from(self.bytes.len()).expect("a batch of a source stays below 4 GiB");
        self.ends.push(end);
    }

    fn into_column(self) -> Column {
        let mut offsets = Vec::with_capacity(self.ends.len() + 1);
        offsets.push(0);
        offsets.extend(self.ends);
        Column::from_parts(offsets, self.bytes).expect("offsets follow the bytes written")
    }
}

impl Rows {
    pub(super) fn is_empty(&self) -> bool {
        self.values.ends.is_empty()
    }

    /// Returns true if the batch takes another record.
    pub(super) fn has_room(&self, limits: LineLimits) -> bool {
        let bytes = self.keys.bytes.len() + self.values.bytes.len();
        bytes < limits.batch_bytes && self.values.ends.len() < BATCH_LINES
    }

    /// Adds a record.
    #[inline]
    pub(super) fn push(&mut self, key: &[u8], value: &[u8]) {
        self.keys.push(key);
        self.values.push(value);
    }

    /// Makes the batch; `None` without records.
    pub(super) fn into_batch(self) -> Option<Batch> {
        if self.is_empty() {
            return None;
        }
        let timestamps = vec![NO_TIMESTAMP; self.values.ends.len()];
        let (keys, values) = (self.keys.into_column(), self.values.into_column());
        let batch = Batch::from_columns(timestamps, keys, values);
        Some(batch.expect("every column has a row a record"))
    }
}
