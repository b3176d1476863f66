//! Record path: source → channel → aligner → operator instance → router → **sink**.
//! Barrier path: the last step, `commit`, happens only when the manifest is durable.
//!
//! What the runtime asks of a sink: a writer for each subtask ([`Sink`]) and a committer for the
//! whole node ([`SinkConnector::commit`]), after Flink's two-phase sinks (FLIP-143). What a writer
//! wrote becomes *pending* at a barrier and *published* when that checkpoint is complete.

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

/// Whose output is written, and from where the job goes on.
#[derive(Clone, Debug)]
pub struct SinkStart {
    /// The job's name.
    pub job: String,
    /// The sink's name in the job file.
    pub sink: String,
    /// The life of the job that the output belongs to.
    pub lineage: Lineage,
    /// What this lineage was forked from by starting from a savepoint, if it was.
    pub parent: Option<ForkedFrom>,
    /// The checkpoint that the job goes on from; 0 at a fresh start.
    pub checkpoint: CheckpointId,
    /// The attempt that begins: larger than any before it in the life of the lineage.
    pub attempt: u64,
    /// True if the process has just started; false when recovering inside the process.
    pub is_first_attempt: bool,
    /// True if the job has finished: what is pending is published, and no writer is opened.
    pub has_finished: bool,
    /// What that checkpoint lists as pending, from all subtasks.
    pub pending: Vec<PendingOutput>,
}

/// The checkpoint that a lineage was forked from, by the numbers of the lineage that took it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ForkedFrom {
    /// The lineage that took it.
    pub lineage: Lineage,
    /// Its id there. Output of that lineage that is newer is not part of the fork.
    pub checkpoint: CheckpointId,
}

/// A kind of sink with its options: opens writers and publishes. Shared by the subtasks.
pub trait SinkConnector: Send + Sync {
    /// The connector's name in the job file.
    fn connector(&self) -> &'static str;

    /// True if output appears exactly once; false for at-least-once.
    fn is_exactly_once(&self) -> bool;

    /// Checks, before anything is written anywhere, that no other run has the place of output.
    /// [`Self::recover`] takes it; in between, another run may. Blocking.
    ///
    /// # Errors
    ///
    /// [`ConnectorError::InUse`] if another run has it.
    fn check_free(&self) -> Result<(), ConnectorError> {
        Ok(())
    }

    /// Checks, before anything is written anywhere, that a fresh start may use the place of
    /// output. Called at a fresh start only, before checkpoint 0 exists. A sink that keeps no
    /// output needs none.
    ///
    /// # Errors
    ///
    /// [`ConnectorError::JobRefused`] if there is output that the new job did not write.
    fn check_fresh(&self) -> Result<(), ConnectorError> {
        Ok(())
    }

    /// Makes the place of output that of `start.lineage` and consistent with `start.checkpoint`:
    /// publishes what is pending, removes its own unpublished output that no checkpoint lists.
    /// From then on the place is this run's alone, until the connector is dropped. Called at the
    /// start of each attempt, before any writer is opened. Blocking. A sink whose writers keep
    /// nothing pending needs none.
    ///
    /// # Errors
    ///
    /// [`ConnectorError::StateRefused`] if output newer than `start.checkpoint` is published, or
    /// the place belongs to another job or lineage; [`ConnectorError::InUse`] if another run has
    /// it.
    fn recover(&self, _start: &SinkStart) -> Result<(), ConnectorError> {
        Ok(())
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
    /// Blocking. The sinks of a job commit side by side, each on a thread of its own; the next
    /// checkpoint waits for all of them. Called only with pending output, so a sink whose writers
    /// keep nothing pending needs none.
    ///
    /// # Errors
    ///
    /// [`ConnectorError::StateRefused`] if the place is no longer the one that this run recovered:
    /// nothing more is published. After any other error the attempt ends, and [`Self::recover`]
    /// publishes it again.
    fn commit(
        &self,
        checkpoint: CheckpointId,
        pending: &[PendingOutput],
    ) -> Result<(), ConnectorError> {
        Err(ConnectorError::StateRefused {
            reason: format!(
                "checkpoint {checkpoint} lists {} piece(s) of pending output, and the connector \
                 `{}` publishes none: this is a bug in the connector, whose writers must return \
                 no pending output or whose `commit` must publish it",
                pending.len(),
                self.connector()
            ),
        })
    }

    /// The directory whose contents are this sink's own, if it has one: nothing else may be put
    /// into it.
    fn directory(&self) -> Option<&Path> {
        None
    }

    /// Returns a path as published files have it; `None` if the sink writes no files.
    fn example_output(&self) -> Option<PathBuf> {
        None
    }

    /// How many files it has open at once, at most, with writers of `subtasks` subtasks.
    fn open_files(&self, _subtasks: u32) -> u64 {
        0
    }

    /// How late records reached the writers of this process, all attempts; none if that is not
    /// measured. Called several times a second.
    fn lag(&self) -> Option<SinkLag> {
        None
    }
}

/// Makes one subtask's output of one checkpoint durable; run on a thread where blocking is fine.
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

    /// Cuts the output at the barrier of `checkpoint`: all that was written before belongs to it.
    /// Cheap; the slow part (flush, fsync) is in the closure, which runs beside processing while
    /// `write` already goes on for the next checkpoint. The pending output of an abandoned
    /// checkpoint must be returned again by the next one: the runtime does that, not the writer.
    ///
    /// # Errors
    ///
    /// Any [`ConnectorError`]; the writer is not used again.
    fn pre_commit(&mut self, checkpoint: CheckpointId) -> Result<PreCommit, ConnectorError>;
}
