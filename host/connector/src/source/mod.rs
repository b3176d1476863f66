//! Record path: **source** → channel → aligner → operator instance → router → sink.
//!
//! What the runtime asks of a source. A [`SplitEnumerator`] splits the input over subtasks; a
//! [`Source`] reads the splits of one subtask and knows its position after each batch. A position
//! goes into a checkpoint and comes back as it was.

mod enumerator;
mod place;

use std::future::Future;
use std::path::Path;
use std::pin::Pin;

use serde::{Deserialize, Serialize};
use tidegate_operator::Batch;

use crate::{ConnectorError, SubtaskId};

pub use enumerator::{Assignment, OneSplit, RestoredSubtask, SplitEnumerator};
pub use place::{Isolation, SourcePlace};

/// A boxed future, so that sources can be trait objects.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// A part of a source's input that one subtask reads, and how far it has read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SourceSplit {
    /// Name for people, such as `input/a.txt@0..4096`. Not interpreted.
    pub name: String,
    /// What to read and where to go on, in the connector's own format, with a version byte first.
    pub position: Vec<u8>,
}

/// What a source gives next.
#[derive(Debug)]
pub enum SourceOutput {
    /// Records. Never empty.
    Batch(Batch),
    /// No record with an older timestamp follows from this subtask. One that is not later than
    /// those before, over restores too, is ignored. Which records are late must not depend on
    /// failures: a source that is opened at a position gives first the watermark that belongs to
    /// it, since the barrier may have come between a batch and its watermark.
    Watermark(i64),
    /// There is no input now: until the next output, this subtask holds no watermark back. The
    /// next poll waits for input. A source says so whenever it is opened without any.
    Idle,
    /// All splits are read to their ends. Not polled again.
    Ended,
}

/// A kind of source with its options: enumerates splits and opens them. Shared by the subtasks.
pub trait SourceConnector: Send + Sync {
    /// The connector's name in the job file.
    fn connector(&self) -> &'static str;

    /// False if a restored position can't be read again, as of standard input.
    fn is_replayable(&self) -> bool {
        true
    }

    /// Makes the enumerator of an attempt. Reads nothing yet.
    fn enumerator(&self) -> Box<dyn SplitEnumerator>;

    /// Opens the splits of one subtask at their positions; called once an attempt.
    ///
    /// # Errors
    ///
    /// [`ConnectorError::StateRefused`] if the input is no longer what the position was taken in.
    fn open(
        &self,
        subtask: &SubtaskId,
        splits: Vec<SourceSplit>,
    ) -> Result<Box<dyn Source>, ConnectorError>;

    /// Checks, as far as that can be done before a start, that nothing of the input is such that
    /// [`SplitEnumerator::plan`] refuses it. Input that is not there yet is fine. Blocking.
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

    /// How many files it has open at once, at most, besides those that it has open already, with
    /// the splits of `subtasks` subtasks.
    fn open_files(&self, _subtasks: u32) -> u64 {
        0
    }
}

/// Reads the splits of one subtask. Owned by the thread of its chain, so blocking on a local file
/// is fine; waiting for input to arrive must not block.
pub trait Source: Send {
    /// The next batch. Cancel-safe: dropped before it is ready, it has not moved the position.
    ///
    /// # Errors
    ///
    /// Any [`ConnectorError`]; the source is not polled again.
    fn poll(&mut self) -> BoxFuture<'_, Result<SourceOutput, ConnectorError>>;

    /// Looks whether the input is still what `poll` gave records of, as far as that can be seen.
    /// Called at each checkpoint, right before [`Self::splits`]: a checkpoint must not vouch for
    /// records that the input no longer holds.
    ///
    /// # Errors
    ///
    /// [`ConnectorError::StateRefused`] names what has changed. The source is not polled again.
    fn check(&mut self) -> Result<(), ConnectorError> {
        Ok(())
    }

    /// All splits with the position after everything that `poll` gave, including those at their
    /// end where that must be remembered.
    fn splits(&self) -> Vec<SourceSplit>;

    /// Reads these splits, too, from now on; [`Self::splits`] lists them. Called between two polls
    /// with splits that the enumerator has discovered.
    ///
    /// # Errors
    ///
    /// Any [`ConnectorError`]; the source is not polled again.
    fn add_splits(&mut self, splits: Vec<SourceSplit>) -> Result<(), ConnectorError> {
        Err(ConnectorError::StateRefused {
            reason: format!(
                "the connector has discovered {} split(s), and its source takes none while it \
                 runs: this is a bug in the connector, which must implement `add_splits`",
                splits.len()
            ),
        })
    }

    /// A checkpoint with these splits, which [`Self::splits`] gave, is complete: nothing before
    /// them is asked for again in the life of the process. For sources that must keep by
    /// themselves what they may be asked for again.
    fn release(&mut self, _splits: &[SourceSplit]) {}

    /// Returns where the records of the last batch stood; none if the source does not know. Called
    /// after each batch while records are isolated, and not otherwise.
    fn last_place(&self) -> Option<SourcePlace> {
        None
    }

    /// Gives batches of one record from now on, or of any number again. Called before the first
    /// `poll` or between two.
    fn isolate(&mut self, _isolation: Isolation) {}
}
