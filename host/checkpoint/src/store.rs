//! Barrier path: where a snapshot becomes durable, and where a checkpoint becomes complete.
//!
//! The store behind a trait, so that a simulated disk can stand in for it. Every call blocks and
//! runs on a thread where that is fine.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use thiserror::Error;
use tidegate_connector::{CheckpointId, Lineage, SubtaskId};
use tidegate_operator::{StateChunk, shown, shown_text};

use super::{CheckpointDirectory, Manifest, StateFile};

/// Whose state a state file holds; written into the file and compared when it is read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StateIdentity {
    /// The job's name.
    pub job: String,
    /// The life of the job.
    pub lineage: Lineage,
    /// The attempt that writes.
    pub attempt: u64,
    /// The checkpoint.
    pub checkpoint: CheckpointId,
    /// The subtask.
    pub subtask: SubtaskId,
}

/// What a checkpoint from elsewhere becomes when it is imported.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ImportTarget {
    /// The new life of the job that starts with it.
    pub lineage: Lineage,
    /// Its id here.
    pub checkpoint: CheckpointId,
    /// The attempt that imports.
    pub attempt: u64,
}

/// Where checkpoints are durable.
pub trait CheckpointStore: Send + Sync {
    /// Starts an attempt: gives a number larger than that of any attempt before, and lets a store
    /// that was poisoned by a failed sync write again, after redoing what was uncertain. Called
    /// by the supervisor, before anything else in the attempt. Commits of older attempts are
    /// refused from then on.
    ///
    /// # Errors
    ///
    /// [`StoreError::Io`] or [`StoreError::CommitUncertain`]; the store is as before, and the
    /// number that it would have given is never given.
    fn next_attempt(&self) -> Result<u64, StoreError>;

    /// Writes the state of one subtask. Durable when it returns.
    ///
    /// # Errors
    ///
    /// [`StoreError::Io`]; the file is abandoned, its name is never used again.
    fn put_snapshot(
        &self,
        identity: &StateIdentity,
        chunks: &[StateChunk],
    ) -> Result<StateFile, StoreError>;

    /// Commits a checkpoint: it is complete when this returns. All state files that the manifest
    /// lists must be durable.
    ///
    /// # Errors
    ///
    /// [`StoreError::Io`]; the checkpoint is then not complete and never will be, unless the
    /// error is [`StoreError::CommitUncertain`].
    fn complete(&self, manifest: &Manifest) -> Result<(), StoreError>;

    /// Ids of all complete checkpoints, oldest first. Their contents are not checked. The one that
    /// was committed last is among them even if it is gone, as far as the store remembers it:
    /// [`Self::load`] then says that it is missing.
    ///
    /// # Errors
    ///
    /// [`StoreError::Io`], or [`StoreError::NothingValid`] if there is state but no manifest.
    fn list(&self) -> Result<Vec<CheckpointId>, StoreError>;

    /// Reads a manifest and checks it and every state file that it lists.
    ///
    /// # Errors
    ///
    /// [`StoreError::Corrupt`] names the file and what is wrong with it.
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

    /// Removes all checkpoints but `keep`: manifests first, then files that no manifest that
    /// is left refers to. The newest of `keep` is then the newest that the store remembers.
    ///
    /// # Errors
    ///
    /// [`StoreError::Io`]; what is left can still be restored.
    fn retain(&self, keep: &[CheckpointId]) -> Result<(), StoreError>;

    /// Marks a complete checkpoint as proven by a restore drill that ended at `proven_at_ms`. A
    /// store that keeps no marks does nothing.
    ///
    /// # Errors
    ///
    /// [`StoreError::Io`]; it is then not marked, and otherwise as before.
    fn mark_proven(&self, _checkpoint: CheckpointId, _proven_at_ms: u64) -> Result<(), StoreError> {
        Ok(())
    }

    /// Copies a complete checkpoint into a new directory inside `directory`, self-contained.
    /// Gives the new directory's path.
    ///
    /// # Errors
    ///
    /// [`StoreError::Io`], or [`StoreError::Corrupt`] if the checkpoint fails its check.
    fn export(&self, checkpoint: CheckpointId, directory: &Path) -> Result<PathBuf, StoreError>;

    /// Copies a checkpoint from elsewhere into this store and commits it under a new id, lineage
    /// and attempt, with its origin set. Gives the new manifest. The source is only read.
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

/// What went wrong in a store.
#[derive(Debug, Error)]
pub enum StoreError {
    /// The disk failed. What was being written is abandoned.
    #[error("could not {action}")]
    Io {
        /// What was being done, with the path inside the checkpoint directory.
        action: String,
        /// What the system said.
        source: io::Error,
    },
    /// The commit's last step failed: the checkpoint may or may not be complete. The attempt ends
    /// and the next one reads what is there.
    #[error("could not {action}; whether checkpoint {checkpoint} is complete shows at restart")]
    CommitUncertain {
        /// Which one.
        checkpoint: CheckpointId,
        /// What was being done.
        action: String,
        /// What the system said.
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
        /// What is wrong with it.
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
        /// The newest that is known here.
        supported: u32,
    },
    /// A checkpoint may not be stored as asked: an older attempt, a name that is taken, a state
    /// file that is missing. Nothing was changed.
    #[error("checkpoint {checkpoint} can't be stored: {reason}")]
    Refused {
        /// Which one.
        checkpoint: CheckpointId,
        /// Why.
        reason: String,
    },
    /// There should be a checkpoint and there is none. Nothing was changed.
    #[error("{} has {found} but no complete checkpoint", shown(path))]
    NothingValid {
        /// The directory.
        path: PathBuf,
        /// What there is instead.
        found: String,
    },
    /// The path leads to nothing that holds a checkpoint. Nothing was changed.
    #[error(
        "{} is not a checkpoint directory, savepoint or manifest: {reason}",
        shown(path)
    )]
    NotACheckpoint {
        /// The path.
        path: PathBuf,
        /// What is there.
        reason: String,
    },
    /// An earlier sync failed, so nothing written through this handle can be trusted.
    #[error(
        "nothing more is written to {} in this attempt, because a sync failed: {failure}",
        shown(path)
    )]
    Poisoned {
        /// The directory.
        path: PathBuf,
        /// What failed, with what the system said.
        failure: Arc<str>,
    },
}
