//! Batches as columns in memory, as in the jobs, and a generator of them.

/// The batch size of the jobs' generator.
const BATCH_RECORDS: u32 = 4_096;

/// Byte strings one after the other, and the end of each.
#[derive(Debug, Default)]
pub(super) struct Column {
    offsets: Vec<u32>,
    bytes: Vec<u8>,
}

impl Column {
    pub(super) fn clear(&mut self) {
        self.offsets.clear();
        self.offsets.push(0);
        self.bytes.clear();
    }

    #[inline]
    pub(super) fn push(&mut self, row: &[u8]) {
        self.bytes.extend_from_slice(row);
        self.end_row();
    }

    /// Appends a row in two parts.
    #[inline]
    pub(super) fn push_pair(&mut self, head: [u8; 8], tail: [u8; 8]) {
        self.bytes.extend_from_slice(&head);
        self.bytes.extend_from_slice(&tail);
        self.end_row();
    }

    #[inline]
    fn end_row(&mut self) {
        #[expect(
            clippy::cast_possible_truncation,
            reason = "a batch is far below 4 GiB"
        )]
        self.offsets.push(self.bytes.len() as u32);
    }

    pub(super) fn rows(&self) -> impl Iterator<Item = &[u8]> {
        let ends = self.offsets.windows(2);
        ends.map(|ends| &self.bytes[ends[0] as usize..ends[1] as usize])
    }

    /// Returns the bytes of all rows.
    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes
    }
}

/// Records as columns.
#[derive(Debug, Default)]
pub(super) struct Batch {
    pub(super) timestamps: Vec<i64>,
    pub(super) keys: Column,
    pub(super) values: Column,
}

impl Batch {
    pub(super) fn clear(&mut self) {
        self.timestamps.clear();
        self.keys.clear();
        self.values.clear();
    }
}

/// A generator that counts up from 1; the key is the integer modulo the number of keys, both in
/// eight bytes.
#[derive(Debug)]
pub(super) struct Numbers {
    next: u64,
    keys: u64,
    batch: Batch,
}

impl Numbers {
    pub(super) fn new(keys: u64) -> Self {
        let rows_of_eight = || Column {
            offsets: (0..=BATCH_RECORDS).map(|row| row * 8).collect(),
            bytes: vec![0; BATCH_RECORDS as usize * 8],
        };
        let batch = Batch {
            timestamps: vec![i64::MIN; BATCH_RECORDS as usize],
            keys: rows_of_eight(),
            values: rows_of_eight(),
        };
        Self {
            next: 1,
            keys,
            batch,
        }
    }

    /// Makes the next batch, in the memory of the last.
    pub(super) fn next_batch(&mut self) -> &Batch {
        let rows = self.batch.values.bytes.as_chunks_mut::<8>().0;
        for (row, integer) in rows.iter_mut().zip(self.next..) {
            *row = integer.to_le_bytes();
        }
        let mut key = self.next % self.keys;
        for row in self.batch.keys.bytes.as_chunks_mut::<8>().0 {
            *row = key.to_le_bytes();
            key += 1;
            if key == self.keys {
                key = 0;
            }
        }
        self.next += u64::from(BATCH_RECORDS);
        &self.batch
    }
}

/// Decodes the eight bytes of a row; `None` if it has another length.
#[inline]
pub(super) fn integer(row: &[u8]) -> Option<u64> {
    row.try_into().ok().map(u64::from_le_bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_go_on_from_batch_to_batch() {
        let mut numbers = Numbers::new(3);
        numbers.next_batch();
        let batch = numbers.next_batch();
        let values: Vec<_> = batch.values.rows().map(integer).collect();
        let expected: Vec<_> = (4_097..=8_192).map(Some).collect();
        assert_eq!(values, expected);
        let keys: Vec<_> = batch.keys.rows().map(integer).collect();
        let expected: Vec<_> = (4_097..=8_192).map(|n| Some(n % 3)).collect();
        assert_eq!(keys, expected);
    }
}
