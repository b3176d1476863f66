//! Records, in the notation of the tests.

use tidegate_operator::{Batch, Emission, NO_TIMESTAMP};

/// The checkpoint that tests snapshot for.
pub(crate) const CHECKPOINT: u64 = 7;
/// The watermark that tests advance to.
pub(crate) const WATERMARK: i64 = 1_700_000_000_000;

/// Returns records without timestamps.
pub(crate) fn batch(records: &[(&str, &str)]) -> Batch {
    let mut batch = Batch::default();
    for (key, value) in records {
        batch.push(NO_TIMESTAMP, key.as_bytes(), value.as_bytes());
    }
    batch
}

/// Returns one emission on the main output.
pub(crate) fn emitted(batch: Batch) -> Vec<Emission> {
    vec![Emission { port: 0, batch }]
}
