//! Record path: [source `generator`] → channel → operator instance → router → sink.
//!
//! Makes the batches of one subtask, always from its range that is furthest behind, so that a
//! subtask with several ranges advances through event time evenly.

use tidegate_connector::ConnectorError;
use tidegate_connector::source::{
    BoxFuture, Isolation, Source, SourceOutput, SourcePlace, SourceSplit,
};
use tidegate_operator::{Batch, NO_TIMESTAMP};

use super::columns::{self, RegularOffsets};
use super::ranges::{Range, Run};
use super::{Encoding, GeneratorOptions, GeneratorPosition, Late, Timestamps};
use crate::pacer::{AfterStall, DueTimes, Pacer};

pub(super) struct GeneratorSource {
    ranges: Vec<Range>,
    sharing: u32,
    keys: Option<u64>,
    encoding: Encoding,
    timestamps: Timestamps,
    late: Option<Late>,
    /// The first integer of the whole source.
    from: i128,
    most_records: u32,
    pacer: Option<Pacer>,
    /// The watermark to return before the next batch.
    watermark: Option<i64>,
    offsets: RegularOffsets,
    isolation: Isolation,
    /// The first integer of the last batch, and the integer after its last.
    last: Option<(u64, u64)>,
}

impl GeneratorSource {
    pub(super) fn new(options: &GeneratorOptions, positions: Vec<GeneratorPosition>) -> Self {
        let sharing = positions.first().map_or(1, |position| position.sharing);
        let after_stall = match options.timestamps {
            Timestamps::None | Timestamps::Value => AfterStall::Forgive,
            Timestamps::Due => AfterStall::CatchUp,
        };
        let paced = |rate| Pacer::new(rate, sharing, after_stall);
        let mut source = Self {
            ranges: positions
                .into_iter()
                .map(|position| position.range)
                .collect(),
            sharing,
            keys: options.keys,
            encoding: options.encoding,
            timestamps: options.timestamps,
            late: options.late,
            from: i128::from(options.from),
            most_records: options.batch,
            pacer: options.rate.map(paced),
            watermark: None,
            offsets: RegularOffsets::for_rows(options.batch),
            isolation: Isolation::default(),
            last: None,
        };
        // A barrier may have come before this watermark was returned.
        source.watermark = source.watermark_of_position();
        source
    }

    fn furthest_behind(&mut self) -> Option<&mut Range> {
        furthest_behind(&mut self.ranges)
    }

    /// Takes the integers of one batch; `None` if none remains.
    fn take_runs(&mut self, records: u32) -> Option<Vec<Run>> {
        let mut room = records as usize;
        let late = self.late;
        let range = furthest_behind(&mut self.ranges)?;
        let batch_end = late.map(|_| before(range.next()) + WATERMARK_EVERY);
        let mut runs = Vec::new();
        loop {
            let reach = self.isolation.reach();
            let limit = reach.and_then(|reach| usize::try_from(reach).ok());
            let mut limit = limit.map_or(room, |limit| limit.min(room));
            if let Some(batch_end) = batch_end {
                let left = usize::try_from(batch_end - range.next()).unwrap_or(0);
                limit = limit.min(left);
            }
            let Some(run) = range.take(limit) else {
                break;
            };
            room -= run.count;
            runs.push(run);
            if reach.is_some() {
                break;
            }
        }
        self.last = runs.first().zip(runs.last()).map(|(first, last)| {
            let behind = last.first + last.count as u64;
            (first.first, behind)
        });
        assert!(!runs.is_empty(), "a range that is not done has an integer");
        Some(runs)
    }

    /// Makes a batch. `due` is `Some` if timestamps are due times.
    fn batch(&self, runs: &[Run], due: Option<DueTimes>) -> Batch {
        let rows = rows(runs);
        let values = match self.encoding {
            Encoding::Text => columns::decimal(runs),
            Encoding::Le64 => columns::little_endian(runs, &self.offsets),
        };
        let keys = match (self.keys, self.encoding) {
            (None, Encoding::Text | Encoding::Le64) => columns::empty(rows),
            (Some(keys), Encoding::Text) => columns::decimal_keys(runs, keys),
            (Some(keys), Encoding::Le64) => columns::little_endian_keys(runs, keys, &self.offsets),
        };
        let timestamps = match (self.timestamps, due) {
            (Timestamps::Due, Some(due)) => {
                let due = (0..rows).map(|index| due.millis(index));
                due.collect()
            }
            (Timestamps::None, _) | (Timestamps::Due, None) => vec![NO_TIMESTAMP; rows],
            (Timestamps::Value, _) => {
                let mut timestamps = Vec::with_capacity(rows);
                for run in runs {
                    timestamps.extend(run_timestamps(run));
                    if let Some(late) = self.late {
                        let from = timestamps.len() - run.count;
                        make_late(&mut timestamps[from..], late);
                    }
                }
                timestamps
            }
        };
        Batch::from_columns(timestamps, keys, values).expect("every column has a row a record")
    }

    /// Returns the watermark after a batch. That of the position may have been returned before.
    fn watermark_after(&mut self, runs: &[Run], due: Option<DueTimes>) -> Option<i64> {
        match self.timestamps {
            Timestamps::None | Timestamps::Value => self.watermark_of_position(),
            Timestamps::Due => due.map(|due| due.millis(rows(runs))),
        }
    }

    /// Returns the watermark before the smallest remaining integer: no later record is older, apart
    /// from late ones. `None` before the first integer, and at the end, where the last watermark
    /// follows.
    fn watermark_of_position(&mut self) -> Option<i64> {
        if self.timestamps != Timestamps::Value {
            return None;
        }
        let is_late = self.late.is_some();
        let next = self.furthest_behind()?.next();
        let watermark = if is_late { before(next) } else { next };
        let is_new = watermark > self.from;
        is_new.then(|| i64::try_from(watermark).unwrap_or(i64::MAX))
    }
}

/// The distance of watermarks if there are late records: they come at multiples of it.
const WATERMARK_EVERY: i128 = 256;

/// Returns the largest multiple of [`WATERMARK_EVERY`] up to an integer.
fn before(integer: i128) -> i128 {
    integer - integer.rem_euclid(WATERMARK_EVERY)
}

/// The split's name in the places of records; the integer alone identifies a record.
const INTEGERS: &str = "integers";

fn furthest_behind(ranges: &mut [Range]) -> Option<&mut Range> {
    let left = ranges.iter_mut().filter(|range| !range.is_done());
    left.min_by_key(|range| range.next())
}

fn rows(runs: &[Run]) -> usize {
    runs.iter().map(|run| run.count).sum()
}

/// Returns the integers of a run as timestamps; [`GeneratorOptions`] keeps them within `i64`.
fn run_timestamps(run: &Run) -> impl Iterator<Item = i64> + use<> {
    let first = i64::try_from(run.first).expect("integers stay in 63 bits");
    (0..run.count as i64).map(move |index| first + index)
}

/// Makes the timestamps of a run's late records older.
fn make_late(timestamps: &mut [i64], late: Late) {
    let by = i64::try_from(late.by_ms).expect("timestamps beyond 63 bits are rejected");
    let is_late = |timestamp: i64| timestamp.unsigned_abs().is_multiple_of(late.every);
    let late = timestamps
        .iter_mut()
        .filter(|timestamp| is_late(**timestamp));
    late.for_each(|timestamp| *timestamp -= by);
}

impl Source for GeneratorSource {
    fn poll(&mut self) -> BoxFuture<'_, Result<SourceOutput, ConnectorError>> {
        Box::pin(async {
            if let Some(watermark) = self.watermark.take() {
                return Ok(SourceOutput::Watermark(watermark));
            }
            if self.furthest_behind().is_none() {
                return Ok(SourceOutput::Ended);
            }
            // The only wait; a caller that cancels here loses nothing.
            let records = match &mut self.pacer {
                Some(pacer) => pacer.wait(self.most_records).await,
                None => self.most_records,
            };
            let Some(runs) = self.take_runs(records) else {
                return Ok(SourceOutput::Ended);
            };
            let due = match self.timestamps {
                Timestamps::None | Timestamps::Value => None,
                Timestamps::Due => self.pacer.as_mut().map(Pacer::due_times),
            };
            let batch = self.batch(&runs, due);
            if let Some(pacer) = &mut self.pacer {
                pacer.spend(batch.len());
            }
            self.watermark = self.watermark_after(&runs, due);
            Ok(SourceOutput::Batch(batch))
        })
    }

    fn splits(&self) -> Vec<SourceSplit> {
        let left = self.ranges.iter().filter(|range| !range.is_done());
        let position = |range: &Range| GeneratorPosition {
            range: range.clone(),
            sharing: self.sharing,
        };
        left.map(|range| position(range).to_split()).collect()
    }

    fn last_place(&self) -> Option<SourcePlace> {
        let (from, to) = self.last?;
        let split = INTEGERS.to_owned();
        Some(SourcePlace { split, from, to })
    }

    fn isolate(&mut self, isolation: Isolation) {
        self.isolation = isolation;
    }
}
