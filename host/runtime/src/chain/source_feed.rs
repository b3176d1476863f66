//! Record path: source → **source feed** → chain loop → processing. Barrier path: trigger →
//! **source feed** → snapshot.
//!
//! Polls the source of a chain. A source that has ended, or must return nothing more, stays to
//! report its position until the job is done.

use std::sync::Arc;

use tidegate_connector::ConnectorError;
use tidegate_connector::source::{Isolation, Source, SourceOutput, SourceSplit};

use super::{Exit, Fed};
use crate::config::RecordPolicy;
use crate::error::connector_failed;
use crate::isolation::IsolationPlan;
use crate::stream::{MAX_WATERMARK, RecordOrigin};
use crate::{CheckpointId, SubtaskId};

/// The state of the source between control messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reading {
    /// The source is polled.
    Polled,
    /// The source returned its last record before the barrier of the job's last checkpoint.
    Suspended,
    /// The splits are at their ends, or the source was told to end.
    Ended,
}

/// The source that feeds a chain.
pub(crate) struct SourceFeed {
    subtask: SubtaskId,
    source: Box<dyn Source>,
    on_invalid_record: RecordPolicy,
    reading: Reading,
    /// True if the last output was that there is no input.
    is_idle: bool,
    /// The records left before the source reads record by record. `None` in an ordinary attempt.
    before_isolating: Option<u64>,
    /// The newest checkpoint that the source took part in, with its positions.
    cut: Option<(CheckpointId, Vec<SourceSplit>)>,
}

impl SourceFeed {
    /// Feeds from `source`, the open source of `subtask`.
    pub(crate) fn new(
        subtask: SubtaskId,
        mut source: Box<dyn Source>,
        on_invalid_record: RecordPolicy,
        plan: Option<&IsolationPlan>,
    ) -> Self {
        let before_isolating = plan.map(|plan| plan.records_before_isolating(&subtask));
        if before_isolating == Some(0) {
            source.isolate(Isolation::On);
        }
        Self {
            subtask,
            source,
            on_invalid_record,
            reading: Reading::Polled,
            is_idle: false,
            before_isolating,
            cut: None,
        }
    }

    /// Returns true while the source is polled.
    pub(super) fn is_open(&self) -> bool {
        self.reading == Reading::Polled
    }

    /// Returns true while the source has no input, though it may have again.
    pub(super) fn is_idle(&self) -> bool {
        self.is_idle
    }

    /// Adds splits to read. A source that has ended ignores them.
    pub(super) fn add_splits(&mut self, splits: Vec<SourceSplit>) -> Result<(), Exit> {
        if self.reading == Reading::Ended {
            return Ok(());
        }
        let added = self.source.add_splits(splits);
        added.map_err(|error| connector_failed(&self.subtask, error).into())
    }

    /// Polls the source. Cancel-safe.
    pub(super) async fn next(&mut self) -> Result<Fed, Exit> {
        let output = self.source.poll().await;
        let output = output.map_err(|error| connector_failed(&self.subtask, error))?;
        self.is_idle = matches!(output, SourceOutput::Idle);
        Ok(match output {
            SourceOutput::Batch(batch) => {
                let origin = self.origin();
                self.count_before_isolating(batch.len() as u64);
                Fed::Batch {
                    input: 0,
                    batch,
                    origin,
                }
            }
            SourceOutput::Invalid(record) => match self.on_invalid_record {
                RecordPolicy::DeadLetter => {
                    let origin = self.origin();
                    self.count_before_isolating(1);
                    Fed::Invalid { record, origin }
                }
                RecordPolicy::Fail => {
                    let error = ConnectorError::InvalidRecord {
                        position: record.place.to_string(),
                        reason: record.reason,
                    };
                    return Err(connector_failed(&self.subtask, error).into());
                }
            },
            SourceOutput::Watermark(watermark) => Fed::Watermark(watermark),
            SourceOutput::Idle => Fed::Nothing,
            SourceOutput::Ended => self.end().unwrap_or(Fed::Nothing),
        })
    }

    /// Ends the source. Returns `None` if it has ended before.
    pub(super) fn end(&mut self) -> Option<Fed> {
        self.is_idle = false;
        match std::mem::replace(&mut self.reading, Reading::Ended) {
            Reading::Ended => None,
            Reading::Polled | Reading::Suspended => Some(Fed::End {
                barrier: None,
                watermark: Some(MAX_WATERMARK),
                is_over: true,
            }),
        }
    }

    /// Returns the positions for a checkpoint; with `suspend`, the source returns nothing after
    /// them.
    pub(super) fn cut(
        &mut self,
        checkpoint: CheckpointId,
        suspend: bool,
    ) -> Result<Vec<SourceSplit>, Exit> {
        let checked = self.source.check();
        checked.map_err(|error| connector_failed(&self.subtask, error))?;
        let splits = self.source.splits();
        self.cut = Some((checkpoint, splits.clone()));
        if suspend && self.reading == Reading::Polled {
            self.reading = Reading::Suspended;
        }
        Ok(splits)
    }

    /// Releases the positions of a completed checkpoint.
    pub(super) fn release(&mut self, checkpoint: CheckpointId) {
        if let Some((_, splits)) = self.cut.take_if(|(cut, _)| *cut == checkpoint) {
            self.source.release(&splits);
        }
    }

    /// Makes this an ordinary attempt from now on.
    pub(super) fn end_isolation(&mut self) {
        self.before_isolating = None;
        self.source.isolate(Isolation::Off);
    }

    fn count_before_isolating(&mut self, given: u64) {
        let Some(left) = self.before_isolating.as_mut().filter(|left| **left > 0) else {
            return;
        };
        *left = left.saturating_sub(given);
        if *left == 0 {
            self.source.isolate(Isolation::On);
        }
    }

    /// Returns the origin of the last batch, while records are isolated.
    fn origin(&self) -> Option<Arc<RecordOrigin>> {
        self.before_isolating?;
        Some(Arc::new(RecordOrigin {
            source: self.subtask.clone(),
            place: self.source.last_place(),
        }))
    }
}
