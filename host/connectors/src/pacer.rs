//! The due times of a source with a rate, on the monotonic clock.
//!
//! Record `n` is due `n / rate` seconds after the first. A record waits until the last record of
//! its batch is due, so batches are small: a millisecond's worth, or all that are due by now.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tokio::time::{Instant, sleep_until};

/// The smallest number of batches a second, if the rate is as high. Timers are no finer.
const BATCHES_PER_SECOND: f64 = 1_000.0;

/// The largest backlog after a stall that is made up for at full speed.
const CATCH_UP: Duration = Duration::from_secs(1);

/// The treatment of records that were not returned when they were due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum AfterStall {
    /// The schedule moves, so that at most [`CATCH_UP`] has to be made up for.
    Forgive,
    /// All are returned as fast as they are taken; the schedule never moves.
    CatchUp,
}

/// Paces one subtask.
pub(crate) struct Pacer {
    records_per_second: f64,
    after_stall: AfterStall,
    schedule: Option<Schedule>,
}

#[derive(Clone, Copy)]
struct Schedule {
    /// The due time of the next record.
    due: Instant,
    /// The due time of the first record, on both clocks. They run equally fast, so setting the wall
    /// clock later changes no due time.
    started: Instant,
    started_at: SystemTime,
}

/// The due times of a batch's records, on the wall clock.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct DueTimes {
    /// Nanoseconds since the epoch.
    first_nanos: i64,
    nanos_per_record: f64,
}

impl DueTimes {
    /// Returns the due time of record `index` in milliseconds since the epoch, rounded down.
    pub(crate) fn millis(&self, index: usize) -> i64 {
        #[expect(
            clippy::cast_possible_truncation,
            reason = "the fraction of a nanosecond is meant to go"
        )]
        let later = (index as f64 * self.nanos_per_record) as i64;
        self.first_nanos.saturating_add(later).div_euclid(1_000_000)
    }
}

impl Pacer {
    /// Paces a subtask, which has its share of a rate over `sharing` subtasks.
    pub(crate) fn new(records_per_second: u32, sharing: u32, after_stall: AfterStall) -> Self {
        Self {
            records_per_second: f64::from(records_per_second) / f64::from(sharing),
            after_stall,
            schedule: None,
        }
    }

    /// Waits until a batch is due, and returns its number of records, from 1 to `most`.
    /// Cancel-safe: waiting changes nothing.
    pub(crate) async fn wait(&mut self, most: u32) -> u32 {
        let due = self.schedule().due;
        let least = whole(self.records_per_second / BATCHES_PER_SECOND).clamp(1, most);
        let last_due = due + self.time_of(least - 1);
        if last_due > Instant::now() {
            sleep_until(last_due).await;
        }
        let behind = Instant::now().saturating_duration_since(due);
        let all_due = whole(behind.as_secs_f64() * self.records_per_second).saturating_add(1);
        all_due.clamp(least, most)
    }

    /// Returns the due times of the next records. Called between [`Self::wait`] and
    /// [`Self::spend`].
    pub(crate) fn due_times(&mut self) -> DueTimes {
        let schedule = self.schedule();
        let since_epoch = schedule.started_at.duration_since(UNIX_EPOCH);
        let since_start = schedule.due.saturating_duration_since(schedule.started);
        let first = since_epoch.unwrap_or_default() + since_start;
        DueTimes {
            first_nanos: i64::try_from(first.as_nanos()).unwrap_or(i64::MAX),
            nanos_per_record: 1e9 / self.records_per_second,
        }
    }

    /// Advances the schedule by `records`, which were returned.
    pub(crate) fn spend(&mut self, records: usize) {
        let due = self.schedule().due;
        let kept = match self.after_stall {
            AfterStall::Forgive => due.max(Instant::now().checked_sub(CATCH_UP).unwrap_or(due)),
            AfterStall::CatchUp => due,
        };
        let records = u32::try_from(records).unwrap_or(u32::MAX);
        let next = kept + self.time_of(records);
        if let Some(schedule) = &mut self.schedule {
            schedule.due = next;
        }
    }

    /// Returns the schedule. The first record is due at the first call.
    fn schedule(&mut self) -> Schedule {
        *self.schedule.get_or_insert_with(|| {
            let started = Instant::now();
            Schedule {
                due: started,
                started,
                started_at: SystemTime::now(),
            }
        })
    }

    fn time_of(&self, records: u32) -> Duration {
        Duration::from_secs_f64(f64::from(records) / self.records_per_second)
    }
}

/// Rounds down.
fn whole(records: f64) -> u32 {
    // A float becomes an integer with saturation, so any number is fine.
    #[expect(
        clippy::cast_possible_truncation,
        reason = "the fraction is meant to go"
    )]
    let whole = records as i64;
    u32::try_from(whole.max(0)).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests;
