//! Record path: [source `generator`] → channel → operator instance → router → sink.
//!
//! Integers in order, the same in every run, for examples, tests and benchmarks. Deliberately
//! absent: randomness, and the wall clock except for `timestamps = "due"`.

mod columns;
mod ranges;
mod source;

use std::fmt;
use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tidegate_connector::source::{
    FixedOption, Source, SourceConnector, SourceSplit, SplitEnumerator,
};
use tidegate_connector::{ConnectContext, ConnectorError, SourceOptions, SubtaskId};

use crate::versioned;

use ranges::Range;
use source::GeneratorSource;

/// Options of the source `generator`. Several subtasks take turns, 127 integers at a time, so that
/// all of them advance together.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct GeneratorOptions {
    /// The first integer.
    #[serde(default = "default_from")]
    pub from: u64,
    /// The last integer, inclusive. Without it, the source does not end.
    pub to: Option<u64>,
    /// The number of distinct keys: a record's key is its integer modulo this number. Without it,
    /// keys are empty.
    pub keys: Option<u64>,
    /// The form of keys and values.
    #[serde(default)]
    pub encoding: Encoding,
    /// Records a second over all subtasks. Without it, the source is as fast as its readers.
    pub rate: Option<u32>,
    /// The origin of timestamps.
    #[serde(default)]
    pub timestamps: Timestamps,
    /// Gives some records an older timestamp, where `timestamps` is "value".
    pub late: Option<Late>,
    /// The largest number of records in a batch. With a `rate`, a batch has the records of a
    /// millisecond, or all that are due.
    #[serde(default = "default_batch")]
    pub batch: u32,
}

/// The form of an integer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Encoding {
    /// In decimal.
    #[default]
    Text,
    /// As 8 bytes, little-endian.
    Le64,
}

impl fmt::Display for Encoding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Text => "\"text\"",
            Self::Le64 => "\"le64\"",
        })
    }
}

/// The origin of the timestamps of generated records.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Timestamps {
    /// Records have no timestamps.
    #[default]
    None,
    /// The integer is the timestamp in milliseconds, and a watermark follows each batch.
    Value,
    /// The timestamp is the time at which the record was due by the `rate`, in milliseconds of the
    /// wall clock, even if the source emits it later: the lag at a sink then includes every wait.
    /// After a stall, the source catches up. A watermark follows each batch. Another run has other
    /// timestamps.
    Due,
}

impl fmt::Display for Timestamps {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::None => "\"none\"",
            Self::Value => "\"value\"",
            Self::Due => "\"due\"",
        })
    }
}

/// Records that come late. A watermark then follows only where an integer divisible by 256 comes
/// next. So records and watermarks follow each other in the same order at any pace and after any
/// failure, and the same records are late in every run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Late {
    /// Integers that this number divides are late.
    pub every: u64,
    /// The number of milliseconds by which their timestamps are older. Watermarks do not wait for
    /// them.
    pub by_ms: u64,
}

impl fmt::Display for Late {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{{ every = {}, by-ms = {} }}", self.every, self.by_ms)
    }
}

/// The largest batch that the user can ask for: 1 M records.
const MOST_BATCH_RECORDS: u32 = 1 << 20;

/// The end of a range without `to`, exclusive.
const UNBOUNDED_END: i128 = 1 << 63;

fn default_from() -> u64 {
    1
}

fn default_batch() -> u32 {
    4_096
}

impl SourceOptions for GeneratorOptions {
    fn connect(
        self,
        _context: &ConnectContext<'_>,
    ) -> Result<Arc<dyn SourceConnector>, ConnectorError> {
        let refuse = |reason: String| Err(ConnectorError::JobRefused { reason });
        let largest = i64::MAX.unsigned_abs();
        if self.from > largest {
            return refuse(format!("`from` must be at most {largest}"));
        }
        if let Some(to) = self.to {
            if to > largest {
                return refuse(format!("`to` must be at most {largest}"));
            }
            if to < self.from {
                let from = self.from;
                return refuse(format!("`to` is {to}, which is before `from`, {from}"));
            }
        }
        if self.keys == Some(0) {
            return refuse("`keys` must be at least 1; leave it out for empty keys".to_owned());
        }
        if self.rate == Some(0) {
            return refuse("`rate` must be at least 1; leave it out for full speed".to_owned());
        }
        if self.timestamps == Timestamps::Due && self.rate.is_none() {
            return refuse("`timestamps` can't be \"due\" without a `rate`".to_owned());
        }
        if let Some(late) = self.late {
            if self.timestamps != Timestamps::Value {
                return refuse("`late` needs `timestamps = \"value\"`".to_owned());
            }
            if late.every == 0 || late.by_ms > largest {
                return refuse(format!(
                    "`late` needs an `every` of at least 1 and a `by-ms` of at most {largest}"
                ));
            }
        }
        if !(1..=MOST_BATCH_RECORDS).contains(&self.batch) {
            return refuse(format!("`batch` must be from 1 to {MOST_BATCH_RECORDS}"));
        }
        Ok(Arc::new(GeneratorConnector { options: self }))
    }
}

struct GeneratorConnector {
    options: GeneratorOptions,
}

/// The contents of a split's position.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct GeneratorPosition {
    range: Range,
    /// The number of subtasks that share the rate.
    sharing: u32,
}

/// The version of [`GeneratorPosition`].
const POSITION_VERSION: u8 = 1;

impl GeneratorPosition {
    fn to_split(&self) -> SourceSplit {
        SourceSplit {
            name: self.range.to_string(),
            position: versioned::encode(POSITION_VERSION, self),
        }
    }

    fn of_split(split: &SourceSplit) -> Result<Self, ConnectorError> {
        let refuse = |reason: String| ConnectorError::StateRefused { reason };
        let position: Self = versioned::decode(POSITION_VERSION, &split.position).map_err(|e| {
            refuse(format!(
                "the position of split `{}` can't be read: {e}",
                split.name
            ))
        })?;
        if !position.range.is_well_formed() || position.sharing == 0 {
            return Err(refuse(format!(
                "the position of split `{}` is damaged",
                split.name
            )));
        }
        Ok(position)
    }
}

/// Makes splits of ranges; all subtasks with integers left share the rate.
fn to_splits(subtasks: Vec<Vec<Range>>) -> Vec<Vec<SourceSplit>> {
    let busy = subtasks
        .iter()
        .filter(|ranges| ranges.iter().any(|range| !range.is_done()));
    let sharing = u32::try_from(busy.count())
        .expect("subtasks are numbered in 32 bits")
        .max(1);
    let to_split = |range| GeneratorPosition { range, sharing }.to_split();
    let splits_of = |ranges: Vec<Range>| ranges.into_iter().map(to_split).collect();
    subtasks.into_iter().map(splits_of).collect()
}

/// Enumerates ranges of integers.
struct RangeEnumerator {
    from: u64,
    /// The end, exclusive.
    end: i128,
}

impl SplitEnumerator for RangeEnumerator {
    fn plan(&mut self, parallelism: u32) -> Result<Vec<Vec<SourceSplit>>, ConnectorError> {
        Ok(to_splits(ranges::plan(self.from, self.end, parallelism)))
    }

    fn redistribute(
        &mut self,
        splits: Vec<SourceSplit>,
        parallelism: u32,
    ) -> Result<Vec<Vec<SourceSplit>>, ConnectorError> {
        let positions: Result<Vec<_>, _> = splits.iter().map(GeneratorPosition::of_split).collect();
        let ranges = positions?
            .into_iter()
            .map(|position| position.range)
            .collect();
        Ok(to_splits(ranges::redistribute(ranges, parallelism)))
    }
}

impl SourceConnector for GeneratorConnector {
    fn connector(&self) -> &'static str {
        "generator"
    }

    fn fixed_options(&self) -> Vec<FixedOption> {
        let GeneratorOptions {
            from,
            to,
            keys,
            encoding,
            timestamps,
            late,
            ..
        } = &self.options;
        let mut options = vec![FixedOption::new("from", from)];
        options.extend(to.map(|to| FixedOption::new("to", to)));
        options.extend(keys.map(|keys| FixedOption::new("keys", keys)));
        options.push(FixedOption::new("encoding", encoding));
        options.push(FixedOption::new("timestamps", timestamps));
        options.extend(late.map(|late| FixedOption::new("late", late)));
        options
    }

    fn enumerator(&self) -> Box<dyn SplitEnumerator> {
        let GeneratorOptions { from, to, .. } = &self.options;
        let end = to.map_or(UNBOUNDED_END, |to| i128::from(to) + 1);
        Box::new(RangeEnumerator { from: *from, end })
    }

    fn open(
        &self,
        _subtask: &SubtaskId,
        splits: Vec<SourceSplit>,
    ) -> Result<Box<dyn Source>, ConnectorError> {
        let positions: Result<Vec<_>, _> = splits.iter().map(GeneratorPosition::of_split).collect();
        Ok(Box::new(GeneratorSource::new(&self.options, positions?)))
    }
}
