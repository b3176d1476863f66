//! How the input of a source is split over its subtasks, and how splits that appear later are
//! found: after Flink's split enumerator (FLIP-27).
//!
//! An enumerator remembers nothing beyond an attempt. The checkpoint holds the splits of the
//! subtasks, and a split that was found while the job runs is in the next checkpoint, because its
//! subtask lists it in [`Source::splits`](super::Source::splits). If the job fails before that,
//! the enumerator of the next attempt finds the split again: so it is read exactly once.

use std::time::Duration;

use super::SourceSplit;
use crate::ConnectorError;

/// The part of a checkpoint that belongs to one subtask of a source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RestoredSubtask {
    /// The splits of the subtask, as [`Source::splits`](super::Source::splits) listed them.
    pub splits: Vec<SourceSplit>,
    /// True if the subtask gives nothing more: its splits were at their ends, or it was told to
    /// end, and then what is left of its splits is not read.
    pub has_ended: bool,
}

/// A split that was found while the job runs, and the subtask that is to read it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Assignment {
    /// The index of the subtask.
    pub subtask: u32,
    /// The split.
    pub split: SourceSplit,
}

/// Finds the splits of a source and assigns them to its subtasks. Each attempt has its own, made by
/// [`SourceConnector::enumerator`](super::SourceConnector::enumerator), and owned by the control
/// path; every call may block.
pub trait SplitEnumerator: Send {
    /// Splits the input over `parallelism` subtasks; called at the fresh start of a job, or of a
    /// source that the checkpoint does not know. The result has `parallelism` lists; an empty one
    /// is a subtask without input.
    ///
    /// # Errors
    ///
    /// [`ConnectorError::JobRefused`] if there is no such input. Nothing was changed.
    fn plan(&mut self, parallelism: u32) -> Result<Vec<Vec<SourceSplit>>, ConnectorError>;

    /// Distributes the splits of subtasks that have not ended over another number of subtasks,
    /// splitting what is left of them further if it can. Same shape as [`Self::plan`].
    ///
    /// # Errors
    ///
    /// [`ConnectorError::StateRefused`] if a position can't be read. Nothing was changed.
    fn redistribute(
        &mut self,
        splits: Vec<SourceSplit>,
        parallelism: u32,
    ) -> Result<Vec<Vec<SourceSplit>>, ConnectorError>;

    /// Assigns the splits of a checkpoint to `parallelism` subtasks; called at each restore, before
    /// any subtask is opened. Splits that the checkpoint does not know may be among the result,
    /// but not for a subtask that has ended. Same shape as [`Self::plan`].
    ///
    /// Unless the parallelism has changed, every subtask keeps its splits; otherwise
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

    /// Returns the time between two calls of [`Self::discover`]; none if no split appears while
    /// the job runs. Asked once an attempt, after [`Self::plan`] or [`Self::restore`].
    fn discovery_interval(&self) -> Option<Duration> {
        None
    }

    /// Looks for splits that neither `plan` nor `restore` nor an earlier call returned, and assigns
    /// each to a subtask that has not ended. Called as soon as all subtasks run and then at the
    /// interval, never while an earlier call has not returned. The runtime hands each split to
    /// [`Source::add_splits`](super::Source::add_splits). A call finds a bounded number; what it
    /// leaves out, the next one finds.
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
