//! Record path: **source** → channel → aligner → operator instance → router → sink.
//!
//! The interface of a source. A [`SplitEnumerator`] splits the input over subtasks; a [`Source`]
//! reads the splits of one subtask and knows its position after each batch. A checkpoint stores the
//! position and restores it unchanged.

mod enumerator;
mod fixed_option;
mod input_move;
mod invalid_record;
mod place;

use std::future::Future;
use std::path::Path;
use std::pin::Pin;

use serde::{Deserialize, Serialize};
use tidegate_operator::Batch;

use crate::{ConnectorError, SubtaskId};

pub use enumerator::{Assignment, OneSplit, RestoredSubtask, SplitEnumerator};
pub use fixed_option::FixedOption;
pub use input_move::{InputMove, MovedSplit};
pub use invalid_record::InvalidRecord;
pub use place::{Isolation, SourcePlace};

/// A boxed future, so that sources can be trait objects.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// A part of a source's input that one subtask reads, and the position in it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SourceSplit {
    /// The name for people, such as `input/a.txt@0..4096`. Not interpreted.
    pub name: String,
    /// The input and the position to resume at, in the connector's own format, beginning with a
    /// version byte.
    pub position: Vec<u8>,
}

impl SourceSplit {
    /// Creates a split from its name and its position.
    pub fn new(name: impl Into<String>, position: impl Into<Vec<u8>>) -> Self {
        Self {
            name: name.into(),
            position: position.into(),
        }
    }
}

/// The next output of a source.
#[derive(Debug)]
pub enum SourceOutput {
    /// Records. Never empty.
    Batch(Batch),
    /// Input that is not a record. The position moves behind it.
    Invalid(InvalidRecord),
    /// No record with an older timestamp follows from this subtask. A watermark that is not later
    /// than all earlier ones, even across restores, is ignored. Lateness must not depend on
    /// failures: a source that is opened at a position first returns the watermark that belongs to
    /// the position, since the barrier may have come between a batch and its watermark.
    Watermark(i64),
    /// There is no input now: until its next output, this subtask holds no watermark back. The next
    /// poll waits for input. A source that is opened without input returns this first.
    Idle,
    /// All splits have been read to their ends. The source is not polled again.
    Ended,
}

/// A kind of source with its options: enumerates splits and opens them. Shared by the subtasks.
pub trait SourceConnector: Send + Sync {
    /// The connector's name in the job file.
    fn connector(&self) -> &'static str;

    /// Returns false if a restored position can't be read again, as with standard input.
    fn is_replayable(&self) -> bool {
        true
    }

    /// Returns true if a source may return [`SourceOutput::Invalid`]. Otherwise, a job file whose
    /// source has `on-invalid-record = "dead-letter"` is rejected.
    fn rejects_records(&self) -> bool {
        false
    }

    /// Returns the options that fix which records the source produces, in the order in which
    /// messages list them. Checkpoints hold them; a job continues with another value only if the
    /// user accepts the change.
    fn fixed_options(&self) -> Vec<FixedOption> {
        Vec::new()
    }

    /// Gives the paths in a split of a checkpoint their new values, if its input was moved. Called
    /// at each restore, before the enumerator is.
    ///
    /// # Errors
    ///
    /// [`ConnectorError::StateRefused`] if the position can't be read.
    fn move_input(
        &self,
        split: SourceSplit,
        moves: &[InputMove],
    ) -> Result<MovedSplit, ConnectorError> {
        Ok(MovedSplit::unmoved(split, moves))
    }

    /// Makes the enumerator of an attempt. Does not read input yet.
    fn enumerator(&self) -> Box<dyn SplitEnumerator>;

    /// Opens the splits of one subtask at their positions; called once an attempt.
    ///
    /// # Errors
    ///
    /// [`ConnectorError::StateRefused`] if the input has changed since the position was taken.
    fn open(
        &self,
        subtask: &SubtaskId,
        splits: Vec<SourceSplit>,
    ) -> Result<Box<dyn Source>, ConnectorError>;

    /// Checks before a start, as far as possible, that [`SplitEnumerator::plan`] will not reject
    /// the input. Missing input that may still appear is fine. Blocking.
    ///
    /// # Errors
    ///
    /// As [`SplitEnumerator::plan`].
    fn check_input(&self) -> Result<(), ConnectorError> {
        Ok(())
    }

    /// Returns whether the source would read a file that appears at `path`, which is absolute and
    /// without links. A job whose sink writes such files is rejected, since it would read its own
    /// output.
    fn reads(&self, _path: &Path) -> bool {
        false
    }

    /// Returns the largest number of files that the splits of `subtasks` subtasks have open at
    /// once, besides those that the connector has open already.
    fn open_files(&self, _subtasks: u32) -> u64 {
        0
    }
}

/// Reads the splits of one subtask. Owned by the thread of its chain, so blocking on a local file
/// is fine; waiting for input to arrive must not block.
pub trait Source: Send {
    /// Returns the next output. Cancel-safe: a future dropped before it is ready has not moved the
    /// position.
    ///
    /// # Errors
    ///
    /// Any [`ConnectorError`]; the source is not polled again.
    fn poll(&mut self) -> BoxFuture<'_, Result<SourceOutput, ConnectorError>>;

    /// Checks, as far as possible, that the input still holds the records that `poll` returned.
    /// Called at each checkpoint, right before [`Self::splits`]: a checkpoint must not vouch for
    /// records that are no longer in the input.
    ///
    /// # Errors
    ///
    /// [`ConnectorError::StateRefused`] names the change. The source is not polled again.
    fn check(&mut self) -> Result<(), ConnectorError> {
        Ok(())
    }

    /// Returns all splits with the position after everything that `poll` returned. Splits at their
    /// ends are included if they must be remembered.
    fn splits(&self) -> Vec<SourceSplit>;

    /// Adds splits to read from now on; [`Self::splits`] lists them too. Called between two polls
    /// with splits that the enumerator has discovered.
    ///
    /// # Errors
    ///
    /// Any [`ConnectorError`]; the source is not polled again. No checkpoint has the splits yet, so
    /// a split that has changed since it was discovered is [`ConnectorError::Io`]: the next attempt
    /// discovers again.
    fn add_splits(&mut self, splits: Vec<SourceSplit>) -> Result<(), ConnectorError> {
        Err(ConnectorError::StateRefused {
            reason: format!(
                "the connector has discovered {} split(s), but its source accepts no splits while \
                 it runs: this is a bug in the connector, which must implement `add_splits`",
                splits.len()
            ),
        })
    }

    /// Releases the input before these splits, which [`Self::splits`] returned: their checkpoint is
    /// complete, so the process never asks for it again. For sources that must themselves keep
    /// input to replay.
    fn release(&mut self, _splits: &[SourceSplit]) {}

    /// Returns the place of the last batch's records; `None` if the source does not know. Called
    /// only while records are isolated, after each batch.
    fn last_place(&self) -> Option<SourcePlace> {
        None
    }

    /// Switches between batches of one record and batches of any size. Called before the first
    /// `poll` or between two polls.
    fn isolate(&mut self, _isolation: Isolation) {}
}
