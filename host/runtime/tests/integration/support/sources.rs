//! A source of numbers: replayable, splittable, with watermarks, and held back on request.

use std::io;
use std::time::Duration;

use tidegate_connector::source::{
    BoxFuture, InvalidRecord, Isolation, Source, SourceConnector, SourceOutput, SourcePlace,
    SourceSplit, SplitEnumerator,
};
use tidegate_connector::{ConnectorError, SubtaskId};
use tidegate_operator::Batch;
use tokio::sync::watch;

use super::faults::{Call, Faults};

/// A source that emits `name:0`, `name:1` and so on under one of `keys` keys, number n at time n.
#[derive(Clone)]
pub(crate) struct Numbers {
    pub(crate) name: String,
    /// The number of numbers; `u64::MAX` for no end.
    pub(crate) count: u64,
    pub(crate) keys: u64,
    /// The number of records in a batch.
    pub(crate) batch: u64,
    /// The wait before each batch.
    pub(crate) pace: Option<Duration>,
    /// The source rejects every multiple of this number.
    pub(crate) rejects: Option<u64>,
    allowed: watch::Receiver<Allowed>,
    pub(crate) faults: Faults,
}

impl Numbers {
    /// Returns a source that emits numbers as fast as they can be read.
    pub(crate) fn new(name: &str, count: u64, faults: &Faults) -> Self {
        Self {
            name: name.to_owned(),
            count,
            keys: 5,
            batch: 10,
            pace: None,
            rejects: None,
            allowed: watch::channel(Allowed::everything()).1,
            faults: faults.clone(),
        }
    }

    /// Returns a source with a batch each millisecond, so that there are checkpoints in between.
    pub(crate) fn slow(name: &str, count: u64, faults: &Faults) -> Self {
        let pace = Some(Duration::from_millis(1));
        Self {
            pace,
            ..Self::new(name, count, faults)
        }
    }

    /// Returns an endless source that emits only numbers that the test has allowed.
    pub(crate) fn held(name: &str, faults: &Faults) -> (Self, Allowance) {
        let nothing = Allowed {
            below: 0,
            ends: false,
        };
        let (allow, allowed) = watch::channel(nothing);
        let numbers = Self {
            allowed,
            ..Self::new(name, u64::MAX, faults)
        };
        (numbers, Allowance(allow))
    }
}

/// The numbers that may be emitted.
#[derive(Clone, Copy)]
struct Allowed {
    below: u64,
    /// True if no others will follow.
    ends: bool,
}

impl Allowed {
    fn everything() -> Self {
        Self {
            below: u64::MAX,
            ends: false,
        }
    }
}

/// A handle that holds a source back.
pub(crate) struct Allowance(watch::Sender<Allowed>);

impl Allowance {
    /// Allows numbers below `below`; more may follow.
    pub(crate) fn give(&self, below: u64) {
        self.0.send_replace(Allowed { below, ends: false });
    }

    /// Allows numbers below `below`; then the source ends.
    pub(crate) fn end_at(&self, below: u64) {
        self.0.send_replace(Allowed { below, ends: true });
    }
}

/// The numbers `next`, `next + stride` and so on below `end`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Split {
    next: u64,
    stride: u64,
    end: u64,
}

impl Split {
    fn encode(self) -> SourceSplit {
        let Self { next, stride, end } = self;
        SourceSplit {
            name: format!("{next} by {stride}"),
            position: format!("{next} {stride} {end}").into_bytes(),
        }
    }

    fn decode(split: &SourceSplit) -> Self {
        let text = String::from_utf8(split.position.clone()).unwrap();
        let numbers: Vec<u64> = text.split(' ').map(|n| n.parse().unwrap()).collect();
        let [next, stride, end] = numbers[..] else {
            panic!("not a position: {text}");
        };
        Self { next, stride, end }
    }

    fn is_read(self) -> bool {
        self.next >= self.end
    }
}

impl SplitEnumerator for Numbers {
    fn plan(&mut self, parallelism: u32) -> Result<Vec<Vec<SourceSplit>>, ConnectorError> {
        let split = |next| Split {
            next,
            stride: u64::from(parallelism),
            end: self.count,
        };
        let subtasks = 0..u64::from(parallelism);
        Ok(subtasks.map(|next| vec![split(next).encode()]).collect())
    }

    fn redistribute(
        &mut self,
        splits: Vec<SourceSplit>,
        parallelism: u32,
    ) -> Result<Vec<Vec<SourceSplit>>, ConnectorError> {
        let mut left: Vec<Split> = splits.iter().map(Split::decode).collect();
        while !left.is_empty() && left.len() < parallelism as usize {
            let Split { next, stride, end } = left.remove(0);
            let half = |next| Split {
                next,
                stride: stride * 2,
                end,
            };
            left.extend([half(next), half(next + stride)]);
        }
        let mut planned = vec![Vec::new(); parallelism as usize];
        for (turn, split) in left.into_iter().enumerate() {
            planned[turn % parallelism as usize].push(split.encode());
        }
        Ok(planned)
    }
}

impl SourceConnector for Numbers {
    fn connector(&self) -> &'static str {
        "numbers"
    }

    fn enumerator(&self) -> Box<dyn SplitEnumerator> {
        Box::new(self.clone())
    }

    fn open(
        &self,
        _subtask: &SubtaskId,
        splits: Vec<SourceSplit>,
    ) -> Result<Box<dyn Source>, ConnectorError> {
        if self.faults.hit(Call::OpenSource) {
            return Err(planned_failure("open"));
        }
        Ok(Box::new(NumbersReader {
            numbers: self.clone(),
            splits: splits.iter().map(Split::decode).collect(),
            owes_watermark: false,
            isolation: Isolation::default(),
            last: None,
        }))
    }
}

struct NumbersReader {
    numbers: Numbers,
    splits: Vec<Split>,
    owes_watermark: bool,
    isolation: Isolation,
    /// The first number of the last batch, and the number behind its last.
    last: Option<(u64, u64)>,
}

impl NumbersReader {
    /// Returns the split to read next: the one that is furthest behind.
    fn turn(&mut self) -> Option<&mut Split> {
        let unread = self.splits.iter_mut().filter(|split| !split.is_read());
        unread.min_by_key(|split| split.next)
    }

    /// Takes the next number if the source rejects it.
    fn next_rejected(&mut self) -> Option<InvalidRecord> {
        let (name, every) = (self.numbers.name.clone(), self.numbers.rejects?);
        let split = self.turn().expect("there is something to read");
        let number = split.next;
        if !number.is_multiple_of(every) {
            return None;
        }
        split.next += split.stride;
        Some(InvalidRecord {
            value: format!("{name}:{number}").into_bytes(),
            place: SourcePlace {
                split: name,
                from: number,
                to: number + 1,
            },
            reason: format!("{number} is a multiple of {every}"),
        })
    }

    fn next_batch(&mut self, allowed: u64) -> Batch {
        let Numbers {
            name,
            keys,
            batch: rows,
            rejects,
            ..
        } = self.numbers.clone();
        let isolation = self.isolation;
        let split = self.turn().expect("there is something to read");
        let first = split.next;
        let reach = isolation.reach();
        let reached = reach.map_or(allowed, |reach| allowed.min(first + reach));
        let mut batch = Batch::default();
        for _ in 0..rows {
            let is_rejected = rejects.is_some_and(|every| split.next.is_multiple_of(every));
            if split.is_read() || split.next >= reached || is_rejected {
                break;
            }
            let number = split.next;
            let key = format!("k{}", number % keys);
            let value = format!("{name}:{number}");
            let timestamp = i64::try_from(number).unwrap();
            batch.push(timestamp, key.as_bytes(), value.as_bytes());
            split.next += split.stride;
        }
        let behind = split.next - split.stride + 1;
        self.last = Some((first, behind));
        self.owes_watermark = true;
        batch
    }
}

impl Source for NumbersReader {
    fn poll(&mut self) -> BoxFuture<'_, Result<SourceOutput, ConnectorError>> {
        Box::pin(async move {
            if self.owes_watermark {
                self.owes_watermark = false;
                if let Some(split) = self.turn() {
                    let watermark = i64::try_from(split.next).unwrap() - 1;
                    return Ok(SourceOutput::Watermark(watermark));
                }
            }
            let Some(next) = self.turn().map(|split| split.next) else {
                return Ok(SourceOutput::Ended);
            };
            if let Some(pace) = self.numbers.pace {
                tokio::time::sleep(pace).await;
            }
            // An error means that no one holds the source back any more, now or later.
            let may_go_on = |allowed: &Allowed| allowed.below > next || allowed.ends;
            let allowed = self.numbers.allowed.wait_for(may_go_on).await;
            let allowed = allowed.map_or(Allowed::everything(), |allowed| *allowed);
            if allowed.ends {
                let splits = self.splits.iter_mut();
                splits.for_each(|split| split.end = split.end.min(allowed.below));
            }
            if self.turn().is_none() {
                return Ok(SourceOutput::Ended);
            }
            if self.numbers.faults.hit(Call::Poll) {
                return Err(planned_failure("read"));
            }
            if let Some(rejected) = self.next_rejected() {
                return Ok(SourceOutput::Invalid(rejected));
            }
            Ok(SourceOutput::Batch(self.next_batch(allowed.below)))
        })
    }

    fn splits(&self) -> Vec<SourceSplit> {
        self.splits.iter().map(|split| split.encode()).collect()
    }

    fn last_place(&self) -> Option<SourcePlace> {
        let (from, to) = self.last?;
        let split = self.numbers.name.clone();
        Some(SourcePlace { split, from, to })
    }

    fn isolate(&mut self, isolation: Isolation) {
        self.isolation = isolation;
    }
}

pub(super) fn planned_failure(action: &str) -> ConnectorError {
    ConnectorError::Io {
        action: action.to_owned(),
        source: io::Error::other("a planned failure"),
    }
}
