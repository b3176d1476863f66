//! A source of numbers: replayable, with watermarks, and with random pace and batches. Some sources
//! discover the second half of each split while the job runs.

use std::collections::BTreeSet;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tidegate_connector::source::{
    Assignment, BoxFuture, RestoredSubtask, Source, SourceConnector, SourceOutput, SourceSplit,
    SplitEnumerator,
};
use tidegate_connector::{ConnectorError, SubtaskId};
use tidegate_operator::Batch;
use tidegate_random::Random;

use crate::faults::{Fault, Faults};
use crate::record::{key_of, value_of};

/// A source that emits `count` numbers, spread over its subtasks.
#[derive(Clone, Debug)]
pub(crate) struct Numbers {
    pub(crate) name: String,
    pub(crate) count: u64,
    pub(crate) keys: u64,
    /// The longest wait before a batch, in milliseconds; 0 for none.
    pub(crate) pace: u64,
    /// True if the source discovers the second half of each split.
    pub(crate) is_discovered: bool,
    pub(crate) faults: Faults,
    /// Shared by all readers, so that a replayed record comes in another batch.
    pub(crate) random: Arc<Mutex<Random>>,
}

/// The difference between the indices of a split and of its second half.
const SECOND: u64 = 1_000;
/// The time between two searches for second halves.
const DISCOVERY: Duration = Duration::from_millis(7);

/// The numbers `next`, `next + stride` and so on below `end`; `index` is the split's own number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Split {
    pub(crate) index: u64,
    /// Its first number.
    pub(crate) start: u64,
    pub(crate) next: u64,
    pub(crate) stride: u64,
    pub(crate) end: u64,
}

impl Split {
    pub(crate) fn planned(index: u64, parallelism: u32, end: u64) -> Self {
        Self {
            index,
            start: index,
            next: index,
            stride: u64::from(parallelism),
            end,
        }
    }

    pub(crate) fn encode(self) -> SourceSplit {
        let Self {
            index,
            start,
            next,
            stride,
            end,
        } = self;
        SourceSplit {
            name: format!("split {index}"),
            position: format!("{index} {start} {next} {stride} {end}").into_bytes(),
        }
    }

    pub(crate) fn decode(split: &SourceSplit) -> Self {
        let text = String::from_utf8_lossy(&split.position);
        let mut numbers = text.split(' ').map(|n| n.parse().expect("a number"));
        let mut number = || numbers.next().expect("five numbers");
        Self {
            index: number(),
            start: number(),
            next: number(),
            stride: number(),
            end: number(),
        }
    }

    /// Returns the numbers before its position.
    pub(crate) fn given(self) -> impl Iterator<Item = u64> {
        let stride = usize::try_from(self.stride).expect("a small number");
        (self.start..self.next).step_by(stride)
    }

    fn is_read(self) -> bool {
        self.next >= self.end
    }

    /// Returns the second half, up to `end`, of a split that ends in the middle.
    fn second(self, end: u64) -> Self {
        let behind = self.end.saturating_sub(self.start).div_ceil(self.stride);
        let start = self.start + behind * self.stride;
        Self {
            index: SECOND + self.index,
            start,
            next: start,
            end,
            ..self
        }
    }
}

fn planned_failure(action: &str) -> ConnectorError {
    ConnectorError::Io {
        action: action.to_owned(),
        source: io::Error::other("a planned failure"),
    }
}

/// Finds the second halves of splits at random moments.
struct Finder {
    numbers: Numbers,
    /// Splits without their second halves, and the subtasks that read them.
    first: Vec<(u32, Split)>,
    /// The indices of splits whose second halves are known.
    found: BTreeSet<u64>,
}

impl SplitEnumerator for Finder {
    fn plan(&mut self, parallelism: u32) -> Result<Vec<Vec<SourceSplit>>, ConnectorError> {
        let Numbers {
            count,
            is_discovered,
            ..
        } = self.numbers;
        let end = if is_discovered { count / 2 } else { count };
        let split = |index| vec![Split::planned(index, parallelism, end).encode()];
        Ok((0..u64::from(parallelism)).map(split).collect())
    }

    /// Redistributes splits; the halves of a split stay together.
    fn redistribute(
        &mut self,
        splits: Vec<SourceSplit>,
        parallelism: u32,
    ) -> Result<Vec<Vec<SourceSplit>>, ConnectorError> {
        let first = |split: &SourceSplit| Split::decode(split).index % SECOND;
        let turns: BTreeSet<u64> = splits.iter().map(first).collect();
        let turns: Vec<u64> = turns.into_iter().collect();
        let mut planned = vec![Vec::new(); parallelism as usize];
        for split in splits {
            let turn = turns.binary_search(&first(&split)).expect("it has a turn");
            planned[turn % parallelism as usize].push(split);
        }
        Ok(planned)
    }

    fn restore(
        &mut self,
        subtasks: Vec<RestoredSubtask>,
        parallelism: u32,
    ) -> Result<Vec<Vec<SourceSplit>>, ConnectorError> {
        let is_same = subtasks.len() == parallelism as usize;
        let ended: Vec<bool> = subtasks.iter().map(|subtask| subtask.has_ended).collect();
        let lists = if is_same {
            subtasks.into_iter().map(|subtask| subtask.splits).collect()
        } else {
            let running = subtasks.into_iter().filter(|subtask| !subtask.has_ended);
            let splits = running.flat_map(|subtask| subtask.splits).collect();
            self.redistribute(splits, parallelism)?
        };
        for (subtask, splits) in (0..parallelism).zip(&lists) {
            for split in splits.iter().map(Split::decode) {
                let has_ended = is_same && ended[subtask as usize];
                if split.index >= SECOND {
                    let is_new = self.found.insert(split.index - SECOND);
                    assert!(is_new, "{split:?} is in a checkpoint twice");
                } else if !has_ended {
                    self.first.push((subtask, split));
                }
            }
        }
        Ok(lists)
    }

    fn discovery_interval(&self) -> Option<Duration> {
        self.numbers.is_discovered.then_some(DISCOVERY)
    }

    fn discover(&mut self) -> Result<Vec<Assignment>, ConnectorError> {
        if self.numbers.faults.hit(Fault::ReadSource) {
            return Err(planned_failure("discover numbers"));
        }
        let mut found = Vec::new();
        for (subtask, split) in self.first.clone() {
            if self.found.contains(&split.index) || self.numbers.draw(2) == 0 {
                continue;
            }
            self.found.insert(split.index);
            found.push(Assignment {
                subtask,
                split: split.second(self.numbers.count).encode(),
            });
        }
        Ok(found)
    }
}

impl Numbers {
    fn draw(&self, bound: u64) -> u64 {
        let mut random = self.random.lock().unwrap_or_else(PoisonError::into_inner);
        random.below(bound)
    }
}

impl SourceConnector for Numbers {
    fn connector(&self) -> &'static str {
        "numbers"
    }

    fn enumerator(&self) -> Box<dyn SplitEnumerator> {
        Box::new(Finder {
            numbers: self.clone(),
            first: Vec::new(),
            found: BTreeSet::new(),
        })
    }

    fn open(
        &self,
        _subtask: &SubtaskId,
        splits: Vec<SourceSplit>,
    ) -> Result<Box<dyn Source>, ConnectorError> {
        if self.faults.hit(Fault::OpenSource) {
            return Err(planned_failure("open the numbers"));
        }
        let splits: Vec<Split> = splits.iter().map(Split::decode).collect();
        Ok(Box::new(Reader {
            numbers: self.clone(),
            // A barrier may have come before the reader could emit its watermark.
            owes_watermark: splits.iter().any(|split| split.next > split.start),
            splits,
        }))
    }
}

struct Reader {
    numbers: Numbers,
    splits: Vec<Split>,
    owes_watermark: bool,
}

impl Reader {
    /// Returns the split to read next: the one that is furthest behind.
    fn turn(&mut self) -> Option<&mut Split> {
        let unread = self.splits.iter_mut().filter(|split| !split.is_read());
        unread.min_by_key(|split| split.next)
    }

    /// Returns the end of the first halves; `None` if every second half is known.
    fn undiscovered(&self) -> Option<u64> {
        let is_known = |index| {
            self.splits
                .iter()
                .any(|split| split.index == SECOND + index)
        };
        let mut first = self.splits.iter().filter(|split| split.index < SECOND);
        let split = first.find(|split| self.numbers.is_discovered && !is_known(split.index));
        split.map(|split| split.end)
    }

    fn next_batch(&mut self) -> Batch {
        let rows = 1 + self.numbers.draw(4);
        let Numbers { name, keys, .. } = self.numbers.clone();
        let split = self.turn().expect("there is something to read");
        let mut batch = Batch::default();
        for _ in 0..rows {
            if split.is_read() {
                break;
            }
            let number = split.next;
            let value = value_of(&name, split.index, number);
            let timestamp = i64::try_from(number).expect("a small number");
            batch.push(timestamp, key_of(number, keys).as_bytes(), value.as_bytes());
            split.next += split.stride;
        }
        self.owes_watermark = true;
        batch
    }
}

impl Source for Reader {
    fn poll(&mut self) -> BoxFuture<'_, Result<SourceOutput, ConnectorError>> {
        Box::pin(async move {
            if self.owes_watermark {
                self.owes_watermark = false;
                let undiscovered = self.undiscovered().unwrap_or(u64::MAX);
                if let Some(split) = self.turn() {
                    let next = split.next.min(undiscovered);
                    let watermark = i64::try_from(next).expect("a small number") - 1;
                    return Ok(SourceOutput::Watermark(watermark));
                }
            }
            if self.turn().is_none() {
                if self.undiscovered().is_some() {
                    return std::future::pending().await;
                }
                return Ok(SourceOutput::Ended);
            }
            if self.numbers.pace > 0 {
                let wait = Duration::from_millis(self.numbers.draw(self.numbers.pace + 1));
                tokio::time::sleep(wait).await;
            }
            if self.numbers.faults.hit(Fault::ReadSource) {
                return Err(planned_failure("read the numbers"));
            }
            Ok(SourceOutput::Batch(self.next_batch()))
        })
    }

    fn splits(&self) -> Vec<SourceSplit> {
        self.splits.iter().map(|split| split.encode()).collect()
    }

    fn add_splits(&mut self, splits: Vec<SourceSplit>) -> Result<(), ConnectorError> {
        self.splits.extend(splits.iter().map(Split::decode));
        Ok(())
    }
}
