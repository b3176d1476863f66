//! A source of numbers: replayable, with watermarks, at a pace and in batches that chance decides.

use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tidegate_connector::source::{BoxFuture, Source, SourceConnector, SourceOutput, SourceSplit};
use tidegate_connector::{ConnectorError, SubtaskId};
use tidegate_operator::Batch;
use tidegate_random::Random;

use crate::faults::{Fault, Faults};
use crate::record::{key_of, value_of};

/// Gives `count` numbers, spread over its subtasks.
#[derive(Clone, Debug)]
pub(crate) struct Numbers {
    pub(crate) name: String,
    pub(crate) count: u64,
    pub(crate) keys: u64,
    /// The longest wait before a batch, in milliseconds; 0 for none.
    pub(crate) pace: u64,
    pub(crate) faults: Faults,
    /// Shared by all readers, so that a record that comes again comes in another batch.
    pub(crate) random: Arc<Mutex<Random>>,
}

/// Numbers `next`, `next + stride` and so on below `end`; `index` is the split's own number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Split {
    pub(crate) index: u64,
    pub(crate) next: u64,
    pub(crate) stride: u64,
    pub(crate) end: u64,
}

impl Split {
    pub(crate) fn planned(index: u64, parallelism: u32, end: u64) -> Self {
        Self {
            index,
            next: index,
            stride: u64::from(parallelism),
            end,
        }
    }

    pub(crate) fn encode(self) -> SourceSplit {
        let Self {
            index,
            next,
            stride,
            end,
        } = self;
        SourceSplit {
            name: format!("split {index}"),
            position: format!("{index} {next} {stride} {end}").into_bytes(),
        }
    }

    pub(crate) fn decode(split: &SourceSplit) -> Self {
        let text = String::from_utf8_lossy(&split.position);
        let mut numbers = text.split(' ').map(|n| n.parse().expect("a number"));
        let mut number = || numbers.next().expect("four numbers");
        Self {
            index: number(),
            next: number(),
            stride: number(),
            end: number(),
        }
    }

    /// What it has given before its position.
    pub(crate) fn given(self) -> impl Iterator<Item = u64> {
        let stride = usize::try_from(self.stride).expect("a small number");
        (self.index..self.next).step_by(stride)
    }

    fn is_read(self) -> bool {
        self.next >= self.end
    }
}

fn planned_failure(action: &str) -> ConnectorError {
    ConnectorError::Io {
        action: action.to_owned(),
        source: io::Error::other("a planned failure"),
    }
}

impl SourceConnector for Numbers {
    fn connector(&self) -> &'static str {
        "numbers"
    }

    fn plan(&self, parallelism: u32) -> Result<Vec<Vec<SourceSplit>>, ConnectorError> {
        let split = |index| vec![Split::planned(index, parallelism, self.count).encode()];
        Ok((0..u64::from(parallelism)).map(split).collect())
    }

    fn replan(
        &self,
        splits: Vec<SourceSplit>,
        parallelism: u32,
    ) -> Result<Vec<Vec<SourceSplit>>, ConnectorError> {
        let mut planned = vec![Vec::new(); parallelism as usize];
        for (turn, split) in splits.into_iter().enumerate() {
            planned[turn % parallelism as usize].push(split);
        }
        Ok(planned)
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
            // A barrier may have come before it could give it.
            owes_watermark: splits.iter().any(|split| split.next > split.index),
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
    /// The split whose turn it is: the one that is behind.
    fn turn(&mut self) -> Option<&mut Split> {
        let unread = self.splits.iter_mut().filter(|split| !split.is_read());
        unread.min_by_key(|split| split.next)
    }

    fn draw(&self, bound: u64) -> u64 {
        let random = &self.numbers.random;
        let mut random = random.lock().unwrap_or_else(PoisonError::into_inner);
        random.below(bound)
    }

    fn next_batch(&mut self) -> Batch {
        let rows = 1 + self.draw(4);
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
                if let Some(split) = self.turn() {
                    let watermark = i64::try_from(split.next).expect("a small number") - 1;
                    return Ok(SourceOutput::Watermark(watermark));
                }
            }
            if self.turn().is_none() {
                return Ok(SourceOutput::Ended);
            }
            if self.numbers.pace > 0 {
                let wait = Duration::from_millis(self.draw(self.numbers.pace + 1));
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
}
