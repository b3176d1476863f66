//! Record path: source → channel → aligner → operator instance → router → **sink**.
//! Barrier path: the last step, `commit`, happens only when the manifest is durable.
//!
//! The interface of a sink: a writer for each subtask ([`Sink`]) and a committer for the whole node
//! ([`SinkConnector::commit`]), after Flink's two-phase sinks (FLIP-143). Written output becomes
//! *pending* at a barrier and *published* when that checkpoint is complete.

mod lag;

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use tidegate_operator::Batch;

use crate::{CheckpointId, ConnectorError, Lineage, SubtaskId};

pub use lag::{LagBucket, LagHistogram, SinkLag};

/// Output that is durable but not visible: listed in a manifest, published by
/// [`SinkConnector::commit`]. In the connector's own format, with a version byte first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PendingOutput(pub Vec<u8>);

/// The owner of the output, and the checkpoint from which the job continues.
#[derive(Clone, Debug)]
pub struct SinkStart {
    /// The job's name.
    pub job: String,
    /// The sink's name in the job file.
    pub sink: String,
    /// The life of the job that the output belongs to.
    pub lineage: Lineage,
    /// The checkpoint that this lineage was forked from, if it started from a savepoint.
    pub parent: Option<ForkedFrom>,
    /// The checkpoint from which the job continues; 0 at a fresh start.
    pub checkpoint: CheckpointId,
    /// The number of the new attempt, larger than any before in the life of the lineage.
    pub attempt: u64,
    /// True if the process has just started; false when recovering inside the process.
    pub is_first_attempt: bool,
    /// True if the job has finished: pending output is published, and no writer is opened.
    pub has_finished: bool,
    /// The pending output that the checkpoint lists, from all subtasks.
    pub pending: Vec<PendingOutput>,
    /// True if the user has agreed to the removal of output that is newer than the checkpoint.
    pub discards_newer: bool,
}

/// Published output that is newer than the checkpoint of a start.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewerOutput {
    /// The place of the output, for people: a file.
    pub place: String,
    /// The size in bytes.
    pub bytes: u64,
}

/// The checkpoint that a lineage was forked from, by the numbers of the lineage that took it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ForkedFrom {
    /// The lineage that took the checkpoint.
    pub lineage: Lineage,
    /// The checkpoint's id there. Newer output of that lineage is not part of the fork.
    pub checkpoint: CheckpointId,
}

/// A kind of sink with its options: opens writers and publishes. Shared by the subtasks.
pub trait SinkConnector: Send + Sync {
    /// The connector's name in the job file.
    fn connector(&self) -> &'static str;

    /// True if output appears exactly once; false for at-least-once.
    fn is_exactly_once(&self) -> bool;

    /// Checks, before any write, that no other run is using the place of output. Another run may
    /// take the place until [`Self::recover`] does. Blocking.
    ///
    /// # Errors
    ///
    /// [`ConnectorError::InUse`] if another run is using the place.
    fn check_free(&self) -> Result<(), ConnectorError> {
        Ok(())
    }

    /// Checks, before any write, that a fresh start may use the place of output. Called at a fresh
    /// start only, before checkpoint 0 exists. A sink that keeps no output need not implement it.
    ///
    /// # Errors
    ///
    /// [`ConnectorError::JobRefused`] if the place has output that the new job did not write.
    fn check_fresh(&self) -> Result<(), ConnectorError> {
        Ok(())
    }

    /// Takes the place of output for `start.lineage` and makes it consistent with
    /// `start.checkpoint`: publishes pending output, and removes the sink's own unpublished output
    /// that no checkpoint lists. The place is then this run's alone until the connector is dropped.
    /// Called at the start of each attempt, before any writer is opened. Blocking. A sink whose
    /// writers keep nothing pending need not implement it.
    ///
    /// # Errors
    ///
    /// [`ConnectorError::StateRefused`] if output newer than `start.checkpoint` is published and
    /// `start` does not discard it, or the place belongs to another job or lineage;
    /// [`ConnectorError::InUse`] if another run is using it.
    fn recover(&self, _start: &SinkStart) -> Result<(), ConnectorError> {
        Ok(())
    }

    /// Returns the published output that [`Self::recover`] removes if `start` discards newer
    /// output. Changes nothing. Blocking. A sink that keeps no output need not implement it.
    ///
    /// # Errors
    ///
    /// [`ConnectorError::StateRefused`] if [`Self::recover`] would refuse `start` even so.
    fn newer_output(&self, _start: &SinkStart) -> Result<Vec<NewerOutput>, ConnectorError> {
        Ok(Vec::new())
    }

    /// Opens the writer of one subtask; called once an attempt, after [`Self::recover`].
    /// `attempt` differs for every attempt in the life of the lineage, so that names can't clash.
    ///
    /// # Errors
    ///
    /// Any [`ConnectorError`].
    fn open(
        &self,
        subtask: &SubtaskId,
        lineage: Lineage,
        attempt: u64,
    ) -> Result<Box<dyn Sink>, ConnectorError>;

    /// Publishes the output that became pending at `checkpoint`, which is now complete. Idempotent.
    /// Blocking. The sinks of a job commit in parallel, each on its own thread; the next checkpoint
    /// waits for all of them. Called only with pending output, so a sink whose writers keep nothing
    /// pending need not implement it.
    ///
    /// # Errors
    ///
    /// [`ConnectorError::StateRefused`] if the place is no longer the one that this run recovered:
    /// no more output is published. After any other error the attempt ends, and [`Self::recover`]
    /// publishes the output again.
    fn commit(
        &self,
        checkpoint: CheckpointId,
        pending: &[PendingOutput],
    ) -> Result<(), ConnectorError> {
        Err(ConnectorError::StateRefused {
            reason: format!(
                "checkpoint {checkpoint} lists {} piece(s) of pending output, but the connector \
                 `{}` publishes no output: this is a bug in the connector, whose writers must \
                 return no pending output or whose `commit` must publish it",
                pending.len(),
                self.connector()
            ),
        })
    }

    /// Removes the output of `lineage`, so that the job can start afresh in the same place. All
    /// other output stays. Called only on the wish of the user, before a fresh start. Blocking. A
    /// sink that keeps no output need not implement it.
    ///
    /// # Errors
    ///
    /// [`ConnectorError::StateRefused`] if the place belongs to another lineage, and
    /// [`ConnectorError::InUse`] if another run is using it; nothing is removed then. After any
    /// other error, a part of the output is removed.
    fn discard(&self, _lineage: Lineage) -> Result<(), ConnectorError> {
        Ok(())
    }

    /// Returns the directory that belongs to this sink alone, if the sink has one; nothing else may
    /// be put into it.
    fn directory(&self) -> Option<&Path> {
        None
    }

    /// Returns an example of the path of a published file; `None` if the sink writes no files.
    fn example_output(&self) -> Option<PathBuf> {
        None
    }

    /// Returns the largest number of files that writers of `subtasks` subtasks have open at once.
    fn open_files(&self, _subtasks: u32) -> u64 {
        0
    }

    /// Returns the lags of the records that reached the writers of this process, in all attempts;
    /// `None` if the sink does not measure them. Called several times a second.
    fn lag(&self) -> Option<SinkLag> {
        None
    }
}

/// Makes one subtask's output of one checkpoint durable. It runs on a thread that may block.
pub type PreCommit = Box<dyn FnOnce() -> Result<Vec<PendingOutput>, ConnectorError> + Send>;

/// Writes the output of one subtask. Owned by the thread of its chain.
pub trait Sink: Send {
    /// Writes records; they stay invisible until their checkpoint is complete. Sinks that are
    /// not exactly-once may show them at once.
    ///
    /// # Errors
    ///
    /// Any [`ConnectorError`]; the writer is not used again.
    fn write(&mut self, batch: &Batch) -> Result<(), ConnectorError>;

    /// Cuts the output at the barrier of `checkpoint`: all earlier writes belong to that
    /// checkpoint. Cheap: the slow part (flush, fsync) is in the closure, which runs concurrently
    /// while `write` continues with the next checkpoint. If a checkpoint is abandoned, the runtime
    /// adds its pending output to the next one; the writer does not.
    ///
    /// # Errors
    ///
    /// Any [`ConnectorError`]; the writer is not used again.
    fn pre_commit(&mut self, checkpoint: CheckpointId) -> Result<PreCommit, ConnectorError>;
}
