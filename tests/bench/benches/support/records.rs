//! Records for the micro-benchmarks.

use tidegate_operator::{Batch, NO_TIMESTAMP};

/// Returns records with these integers as values, and as keys modulo `keys`, in eight bytes.
pub(crate) fn batch(integers: std::ops::Range<u64>, keys: u64) -> Batch {
    let mut batch = Batch::default();
    for integer in integers {
        let key = (integer % keys).to_le_bytes();
        batch.push(NO_TIMESTAMP, &key, &integer.to_le_bytes());
    }
    batch
}
