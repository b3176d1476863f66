//! The enumerator of a source, after Flink's split enumerator (FLIP-27): it divides the input among
//! the subtasks, and finds splits that appear later.
//!
//! An enumerator remembers nothing beyond an attempt. The checkpoint holds the splits of the
//! subtasks, including those found while the job runs, because each subtask lists its own in
//! [`Source::splits`](super::Source::splits). If the job fails before the next checkpoint, the
//! enumerator of the next attempt finds a new split again. So each split is read exactly once.

use std::time::Duration;

use super::SourceSplit;
use crate::ConnectorError;

/// The part of a checkpoint that belongs to one subtask of a source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RestoredSubtask {
    /// The splits of the subtask, as [`Source::splits`](super::Source::splits) listed them.
    pub splits: Vec<SourceSplit>,
    /// True if the subtask produces nothing more: its splits were at their ends, or it was told to
    /// end, in which case the rest of its splits is never read.
    pub has_ended: bool,
}

/// A split that was found while the job runs, with the subtask that must read it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Assignment {
    /// The index of the subtask.
    pub subtask: u32,
    /// The split.
    pub split: SourceSplit,
}

/// Finds the splits of a source and assigns them to its subtasks. Each attempt has its own, made by
/// [`SourceConnector::enumerator`](super::SourceConnector::enumerator). The control path owns it,
/// so every call may block.
pub trait SplitEnumerator: Send {
    /// Splits the input over `parallelism` subtasks. Called at the fresh start of a job, or of a
    /// source that is not in the checkpoint. The result has `parallelism` lists; an empty list is
    /// for a subtask without input.
    ///
    /// # Errors
    ///
    /// [`ConnectorError::JobRefused`] if the input does not exist. Nothing was changed.
    fn plan(&mut self, parallelism: u32) -> Result<Vec<Vec<SourceSplit>>, ConnectorError>;

    /// Distributes the splits of subtasks that have not ended over another number of subtasks; it
    /// may divide the unread rest of a split. The result has the same shape as of [`Self::plan`].
    ///
    /// # Errors
    ///
    /// [`ConnectorError::StateRefused`] if a position can't be read. Nothing was changed.
    fn redistribute(
        &mut self,
        splits: Vec<SourceSplit>,
        parallelism: u32,
    ) -> Result<Vec<Vec<SourceSplit>>, ConnectorError>;

    /// Assigns the splits of a checkpoint to `parallelism` subtasks. Called at each restore, before
    /// any subtask is opened. The result may contain splits that are not in the checkpoint, but not
    /// for a subtask that has ended. It has the same shape as of [`Self::plan`].
    ///
    /// If the parallelism is unchanged, every subtask keeps its splits; otherwise
    /// [`Self::redistribute`] distributes them.
    ///
    /// # Errors
    ///
    /// As [`Self::redistribute`].
    fn restore(
        &mut self,
        subtasks: Vec<RestoredSubtask>,
        parallelism: u32,
    ) -> Result<Vec<Vec<SourceSplit>>, ConnectorError> {
        if subtasks.len() == parallelism as usize {
            return Ok(subtasks.into_iter().map(|subtask| subtask.splits).collect());
        }
        let running = subtasks.into_iter().filter(|subtask| !subtask.has_ended);
        let splits = running.flat_map(|subtask| subtask.splits).collect();
        self.redistribute(splits, parallelism)
    }

    /// Returns the time between two calls of [`Self::discover`]; `None` if no split appears while
    /// the job runs. Called once an attempt, after [`Self::plan`] or [`Self::restore`].
    fn discovery_interval(&self) -> Option<Duration> {
        None
    }

    /// Looks for splits that `plan`, `restore` and earlier calls have not returned, and assigns
    /// each to a subtask that has not ended. Called when all subtasks run and then at each
    /// interval, never before an earlier call has returned. The runtime hands each split to
    /// [`Source::add_splits`](super::Source::add_splits). A call finds a bounded number of splits;
    /// the next call finds the rest.
    ///
    /// A source whose splits are discovered does not end by itself: [`SourceOutput::Ended`] from a
    /// subtask means that it takes no further split.
    ///
    /// [`SourceOutput::Ended`]: super::SourceOutput::Ended
    ///
    /// # Errors
    ///
    /// Any [`ConnectorError`]; the attempt ends.
    fn discover(&mut self) -> Result<Vec<Assignment>, ConnectorError> {
        Ok(Vec::new())
    }
}

/// The enumerator of a source whose input is one split, which the first subtask reads.
#[derive(Clone, Debug)]
pub struct OneSplit(pub SourceSplit);

impl SplitEnumerator for OneSplit {
    fn plan(&mut self, parallelism: u32) -> Result<Vec<Vec<SourceSplit>>, ConnectorError> {
        self.redistribute(vec![self.0.clone()], parallelism)
    }

    fn redistribute(
        &mut self,
        splits: Vec<SourceSplit>,
        parallelism: u32,
    ) -> Result<Vec<Vec<SourceSplit>>, ConnectorError> {
        let rest = (1..parallelism).map(|_| Vec::new());
        Ok(std::iter::once(splits).chain(rest).collect())
    }
}
