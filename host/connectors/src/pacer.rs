//! When the next records of a source with a rate are due, on the monotonic clock.

use std::time::Duration;

use tokio::time::{Instant, sleep_until};

/// A batch at least this often, if the rate has a record for it.
const BATCHES_PER_SECOND: f64 = 100.0;

/// After a stall, at most this much of what was missed is made up for at full speed.
const CATCH_UP: Duration = Duration::from_secs(1);

/// Paces one subtask.
pub(crate) struct Pacer {
    records_per_second: f64,
    due: Option<Instant>,
}

impl Pacer {
    /// A subtask's share of a rate over `sharing` subtasks.
    pub(crate) fn new(records_per_second: u32, sharing: u32) -> Self {
        Self {
            records_per_second: f64::from(records_per_second) / f64::from(sharing),
            due: None,
        }
    }

    /// How many records a batch has.
    pub(crate) fn batch_records(&self) -> u32 {
        // A float becomes an integer with saturation, so that any rate is fine.
        #[expect(
            clippy::cast_possible_truncation,
            reason = "the fraction is meant to go"
        )]
        let records = (self.records_per_second / BATCHES_PER_SECOND) as i64;
        u32::try_from(records.max(1)).unwrap_or(u32::MAX)
    }

    /// Waits until the next record is due. Cancel-safe: waiting moves nothing.
    pub(crate) async fn wait(&mut self) {
        let due = *self.due.get_or_insert_with(Instant::now);
        if due > Instant::now() {
            sleep_until(due).await;
        }
    }

    /// Notes that `records` were given.
    pub(crate) fn spend(&mut self, records: usize) {
        let now = Instant::now();
        let due = self.due.unwrap_or(now);
        let earliest = now.checked_sub(CATCH_UP).unwrap_or(due);
        #[expect(
            clippy::cast_precision_loss,
            reason = "a batch is far below 2^52 records"
        )]
        let pause = Duration::from_secs_f64(records as f64 / self.records_per_second);
        self.due = Some(due.max(earliest) + pause);
    }
}
