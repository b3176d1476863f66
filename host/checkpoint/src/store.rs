//! Barrier path: where a snapshot becomes durable, and where a checkpoint becomes complete.
//!
//! The store as a trait, so that a simulation can replace it. Every call blocks, so the runtime
//! calls it on a thread that may block.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use thiserror::Error;
use tidegate_connector::{CheckpointId, Lineage, SubtaskId};
use tidegate_operator::{StateChunk, shown, shown_text};

use super::{CheckpointDirectory, Manifest, StateFile};

/// The identity of the state in a state file, written into the file and compared by each reader.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StateIdentity {
    /// The job's name.
    pub job: String,
    /// The life of the job.
    pub lineage: Lineage,
    /// The writing attempt.
    pub attempt: u64,
    /// The checkpoint.
    pub checkpoint: CheckpointId,
    /// The subtask.
    pub subtask: SubtaskId,
}

/// The identity of an imported checkpoint in this store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ImportTarget {
    /// The new lineage that starts with it.
    pub lineage: Lineage,
    /// Its id here.
    pub checkpoint: CheckpointId,
    /// The importing attempt.
    pub attempt: u64,
}

/// A store in which checkpoints are durable.
pub trait CheckpointStore: Send + Sync {
    /// Starts an attempt and returns its number, larger than that of any earlier attempt. If a
    /// failed sync has poisoned the store, the call first repeats the uncertain commit and then
    /// admits writes again. The supervisor calls it before anything else in an attempt. From then
    /// on the store rejects commits of older attempts.
    ///
    /// # Errors
    ///
    /// [`StoreError::Io`] or [`StoreError::CommitUncertain`]; the store is as before, and never
    /// uses the number of the failed call.
    fn next_attempt(&self) -> Result<u64, StoreError>;

    /// Writes the state of one subtask, which is durable when the call returns.
    ///
    /// # Errors
    ///
    /// [`StoreError::Io`]; the file is abandoned, and its name is never reused.
    fn put_snapshot(
        &self,
        identity: &StateIdentity,
        chunks: &[StateChunk],
    ) -> Result<StateFile, StoreError>;

    /// Commits a checkpoint, which is complete when the call returns. All state files in the
    /// manifest must be durable.
    ///
    /// # Errors
    ///
    /// [`StoreError::CommitUncertain`] if the checkpoint may be complete. After any other error it
    /// is not complete and never will be.
    fn complete(&self, manifest: &Manifest) -> Result<(), StoreError>;

    /// Returns the ids of all complete checkpoints, oldest first, without checking their contents.
    /// They include the last committed checkpoint that the store records, even if its manifest is
    /// gone: [`Self::load`] then reports it as missing.
    ///
    /// # Errors
    ///
    /// [`StoreError::Io`], or [`StoreError::NothingValid`] if there is state but no manifest.
    fn list(&self) -> Result<Vec<CheckpointId>, StoreError>;

    /// Reads a manifest and checks it and every state file that it lists.
    ///
    /// # Errors
    ///
    /// [`StoreError::Corrupt`] names the file and its problem.
    fn load(&self, checkpoint: CheckpointId) -> Result<Manifest, StoreError>;

    /// Reads one state file of a loaded manifest and checks it again.
    ///
    /// # Errors
    ///
    /// As [`Self::load`].
    fn read_state(
        &self,
        manifest: &Manifest,
        subtask: &SubtaskId,
        file: &StateFile,
    ) -> Result<Vec<StateChunk>, StoreError>;

    /// Removes all checkpoints but `keep`: manifests first, then the files without a remaining
    /// manifest that refers to them. The store then records the newest of `keep` as the newest.
    ///
    /// # Errors
    ///
    /// [`StoreError::Io`]; the remaining checkpoints can still be restored.
    fn retain(&self, keep: &[CheckpointId]) -> Result<(), StoreError>;

    /// Marks a complete checkpoint as proven by a restore drill that ended at `proven_at_ms`. A
    /// store that keeps no marks does nothing.
    ///
    /// # Errors
    ///
    /// [`StoreError::Io`]; the checkpoint is then unchanged and without a mark.
    fn mark_proven(&self, _checkpoint: CheckpointId, _proven_at_ms: u64) -> Result<(), StoreError> {
        Ok(())
    }

    /// Copies a complete checkpoint into a new, self-contained directory inside `directory`, and
    /// returns the path of the new directory.
    ///
    /// # Errors
    ///
    /// [`StoreError::Io`], or [`StoreError::Corrupt`] if the checkpoint fails its check.
    fn export(&self, checkpoint: CheckpointId, directory: &Path) -> Result<PathBuf, StoreError>;

    /// Copies a checkpoint from elsewhere into this store and commits it under a new id, lineage
    /// and attempt, with its origin set. Returns the new manifest. Does not change the source.
    ///
    /// # Errors
    ///
    /// As [`Self::load`] for the source, as [`Self::put_snapshot`] and [`Self::complete`] for the
    /// copy.
    fn import(
        &self,
        source: &CheckpointDirectory,
        checkpoint: CheckpointId,
        target: ImportTarget,
    ) -> Result<Manifest, StoreError>;
}

/// A failure of a store.
#[derive(Debug, Error)]
pub enum StoreError {
    /// The disk failed. The unfinished write is abandoned.
    #[error("could not {action}")]
    Io {
        /// The operation, with the path inside the checkpoint directory.
        action: String,
        /// The operating system's message.
        source: io::Error,
    },
    /// The commit's last step failed, so the checkpoint may or may not be complete. The attempt
    /// ends, and the next one reads the directory again.
    #[error("could not {action}; a restart will show whether checkpoint {checkpoint} is complete")]
    CommitUncertain {
        /// The checkpoint.
        checkpoint: CheckpointId,
        /// The operation.
        action: String,
        /// The operating system's message.
        source: io::Error,
    },
    /// Another process runs on this directory. Nothing was changed.
    #[error("{} is in use by process {}", shown(path), shown_text(holder))]
    InUse {
        /// The checkpoint directory.
        path: PathBuf,
        /// Its process id, or "unknown".
        holder: String,
    },
    /// A file fails its check. Nothing was changed.
    #[error("{} can't be used: {reason}", shown(file))]
    Corrupt {
        /// The file, with its directory.
        file: PathBuf,
        /// A description of the problem.
        reason: String,
    },
    /// A newer version of Tidegate wrote the file. Nothing was changed.
    #[error(
        "{} has format version {found}; this version of tidegate reads up to {supported}",
        shown(file)
    )]
    NewerFormat {
        /// The file, with its directory.
        file: PathBuf,
        /// Its format version.
        found: u32,
        /// The newest version that this version of Tidegate can read.
        supported: u32,
    },
    /// The store rejects the checkpoint: its attempt is an older one, its name is taken, or a state
    /// file is missing. Nothing was changed.
    #[error("checkpoint {checkpoint} can't be stored: {reason}")]
    Refused {
        /// The checkpoint.
        checkpoint: CheckpointId,
        /// The reason.
        reason: String,
    },
    /// An expected checkpoint does not exist. Nothing was changed.
    #[error("{} has {found} but no complete checkpoint", shown(path))]
    NothingValid {
        /// The directory.
        path: PathBuf,
        /// A description of the contents found instead.
        found: String,
    },
    /// The path is neither a checkpoint directory nor a savepoint. Nothing was changed.
    #[error(
        "{} is not a checkpoint directory, savepoint or manifest: {reason}",
        shown(path)
    )]
    NotACheckpoint {
        /// The path.
        path: PathBuf,
        /// A description of the contents.
        reason: String,
    },
    /// An earlier sync failed, so writes through this handle can't be trusted.
    #[error(
        "this attempt writes nothing more to {}, because a sync failed: {failure}",
        shown(path)
    )]
    Poisoned {
        /// The directory.
        path: PathBuf,
        /// The failed operation, with the operating system's message.
        failure: Arc<str>,
    },
}
