//! Barrier path: acknowledged snapshots → [manifest, renamed] = complete checkpoint.
//!
//! The checkpoint store in a directory; `FORMAT.md` has its layout and the order of writes.
//!
//! The invariants:
//! - one process writes, the one that holds `LOCK`;
//! - a manifest is committed only if every state file that it lists is durable;
//! - nothing is written after the sync of a directory failed, until the next attempt;
//! - no file is overwritten, and none is removed whose name is not one of ours.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tidegate_connector::{CheckpointId, SubtaskId};
use tidegate_file_system::{FileSystem, PrivateFiles};
use tidegate_operator::{StateChunk, shown, with_causes};

use super::checkpoint_files::{CheckpointFiles, check_number, names_in, with_remembered};
use super::directory_lock::{DirectoryLock, Evidence};
use super::disk::{CommitFailure, Directory, Disk, DiskHook, WriteFailure, failed};
use super::file_names::{
    CHECKPOINTS, STATE, is_operator_name, parse_temporary_manifest_name, temporary_manifest_name,
};
use super::proof::{Proof, remove_marks};
use super::retention::Retention;
use super::savepoint::write_savepoint;
use super::{
    CheckpointDirectory, CheckpointKind, CheckpointStore, ImportTarget, Manifest, Origin,
    SnapshotContents, StateFile, StateIdentity, StoreError, state_file,
};

/// The checkpoint store in a directory of the local file system.
#[derive(Debug)]
pub struct DirStore {
    root: Directory,
    files: CheckpointFiles,
    disk: Disk,
    /// Serialises commits and retention.
    lock: Mutex<DirectoryLock>,
    /// Taken after `lock` if both are needed, and never for long.
    health: Mutex<Health>,
}

/// The trust in further writes.
#[derive(Clone, Debug)]
enum Health {
    Sound,
    /// The sync of a directory failed.
    Poisoned {
        /// The first failure, with what the system said.
        failure: Arc<str>,
        /// The checkpoint whose commit ended in that, if it did.
        uncertain: Option<CheckpointId>,
    },
}

impl DirStore {
    /// Opens the checkpoint directory at `path`, creating it if it is missing, and locks it until
    /// the store is dropped.
    ///
    /// # Errors
    ///
    /// [`StoreError::InUse`] if another process has it; [`StoreError::Io`] and
    /// [`StoreError::Corrupt`] if it can't be used.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        Self::open_in(Arc::new(PrivateFiles), path)
    }

    /// As [`Self::open`], in another file system: for simulations.
    ///
    /// # Errors
    ///
    /// As [`Self::open`].
    pub fn open_in(files: Arc<dyn FileSystem>, path: &Path) -> Result<Self, StoreError> {
        Self::open_on(Disk::new(files), path)
    }

    /// As [`Self::open`], with `hook` called before each step that changes the disk: for tests of
    /// crashes and failing disks.
    ///
    /// # Errors
    ///
    /// As [`Self::open`].
    pub fn open_with_hook(path: &Path, hook: DiskHook) -> Result<Self, StoreError> {
        Self::open_on(Disk::with_hook(hook), path)
    }

    /// The checkpoint directory.
    #[must_use]
    pub fn directory_path(&self) -> &Path {
        &self.root.path
    }

    fn open_on(disk: Disk, path: &Path) -> Result<Self, StoreError> {
        let root = disk.open_or_create(path)?;
        let mut files = None;
        let lock = DirectoryLock::acquire(&disk, &root, || {
            for name in [STATE, CHECKPOINTS] {
                create_if_missing(&disk, &root, name)?;
            }
            let opened = CheckpointFiles::open(&root).map_err(failed("open", &root.path))?;
            // The run before may have been killed between rename and sync. What is listed here is
            // published by sinks and remembered in `LOCK`, so a power failure must not take it
            // back.
            disk.sync_directory(&opened.checkpoints)?;
            let evidence = evidence_in(&opened);
            files = Some(opened);
            evidence
        })?;
        let files = files.expect("the evidence was read when the lock was taken");
        Ok(Self {
            files,
            root,
            disk,
            lock: Mutex::new(lock),
            health: Mutex::new(Health::Sound),
        })
    }

    fn lock(&self) -> MutexGuard<'_, DirectoryLock> {
        // What it guards is whole between any two statements.
        self.lock.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn health(&self) -> MutexGuard<'_, Health> {
        self.health.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn refuse_if_poisoned(&self) -> Result<(), StoreError> {
        match &*self.health() {
            Health::Sound => Ok(()),
            Health::Poisoned { failure, .. } => Err(StoreError::Poisoned {
                path: self.root.path.clone(),
                failure: Arc::clone(failure),
            }),
        }
    }

    /// Poisons the store because of `error`, a failed sync of a directory.
    fn poison(&self, error: &StoreError, uncertain: Option<CheckpointId>) {
        let mut health = self.health();
        let (failure, earlier) = match &*health {
            Health::Sound => (with_causes(error).into(), None),
            Health::Poisoned { failure, uncertain } => (Arc::clone(failure), *uncertain),
        };
        *health = Health::Poisoned {
            failure,
            uncertain: uncertain.or(earlier),
        };
    }

    /// Makes a poisoned store usable. A manifest whose commit is uncertain may be visible now and
    /// gone after a power failure, so the function commits it once more, as a new file.
    fn recover(&self, attempt: u64) -> Result<(), StoreError> {
        let Health::Poisoned { uncertain, .. } = *self.health() else {
            return Ok(());
        };
        if let Some(checkpoint) = uncertain
            && self.files.ids()?.contains(&checkpoint)
        {
            let stored = self.files.read_manifest(checkpoint)?;
            self.commit(checkpoint, attempt, &stored.bytes)?;
        }
        self.disk.sync_directory(&self.files.state)?;
        self.disk.sync_directory(&self.files.checkpoints)?;
        *self.health() = Health::Sound;
        Ok(())
    }

    fn commit(
        &self,
        checkpoint: CheckpointId,
        attempt: u64,
        bytes: &[u8],
    ) -> Result<(), StoreError> {
        let temporary = temporary_manifest_name(checkpoint, attempt);
        let names = (&*temporary, &*checkpoint.to_string());
        match self.disk.commit(&self.files.checkpoints, names, bytes) {
            Ok(()) => Ok(()),
            Err(CommitFailure::NotCommitted(error)) => Err(error),
            Err(CommitFailure::Uncertain { action, source }) => {
                let error = StoreError::CommitUncertain {
                    checkpoint,
                    action,
                    source,
                };
                self.poison(&error, Some(checkpoint));
                Err(error)
            }
        }
    }

    /// Checks that `manifest` may be committed now, and returns its bytes.
    fn check_commit(
        &self,
        manifest: &Manifest,
        newest_attempt: u64,
    ) -> Result<Vec<u8>, StoreError> {
        let checkpoint = manifest.checkpoint;
        let refused = |reason| StoreError::Refused { checkpoint, reason };
        if manifest.attempt < newest_attempt {
            let attempt = manifest.attempt;
            return Err(refused(format!(
                "attempt {attempt} is over; attempt {newest_attempt} has begun"
            )));
        }
        if let Some(newest) = self.files.ids()?.last()
            && *newest >= checkpoint
        {
            return Err(refused(format!("checkpoint {newest} is already complete")));
        }
        for (_, file) in manifest.state_files() {
            match self.files.open_state_file(file) {
                Ok(_) => {}
                Err(StoreError::Corrupt { file, reason }) => {
                    return Err(refused(format!("{}: {reason}", shown(&file))));
                }
                Err(error) => return Err(error),
            }
        }
        manifest
            .encode()
            .map_err(|error| refused(error.to_string()))
    }

    /// Writes the state of `subtask` once more, as part of another checkpoint.
    fn import_state(
        &self,
        source: &CheckpointDirectory,
        (old, new): (&Manifest, &Manifest),
        (subtask, file): (&SubtaskId, &StateFile),
    ) -> Result<StateFile, StoreError> {
        let chunks = source.read_state(old, subtask, file)?;
        self.put_snapshot(&new.identity_of(subtask), &chunks)
    }
}

impl CheckpointStore for DirStore {
    fn next_attempt(&self) -> Result<u64, StoreError> {
        let mut lock = self.lock();
        lock.check_held(&self.root)?;
        let attempt = lock.next_attempt()?;
        self.recover(attempt)?;
        Ok(attempt)
    }

    fn put_snapshot(
        &self,
        identity: &StateIdentity,
        chunks: &[StateChunk],
    ) -> Result<StateFile, StoreError> {
        self.refuse_if_poisoned()?;
        if !is_operator_name(&identity.subtask.operator) {
            return Err(StoreError::Refused {
                checkpoint: identity.checkpoint,
                reason: format!(
                    "{:?} can't stand in a file's name",
                    identity.subtask.operator
                ),
            });
        }
        let name = identity.file_name().to_string();
        let contents = |out: &mut dyn Write| state_file::write(out, identity, chunks);
        match self.disk.write_once(&self.files.state, &name, contents) {
            Ok(written) => Ok(StateFile {
                name,
                length: written.length,
                digest: written.digest,
            }),
            Err(WriteFailure::File(error)) => Err(error),
            Err(WriteFailure::Directory(error)) => {
                self.poison(&error, None);
                Err(error)
            }
        }
    }

    fn complete(&self, manifest: &Manifest) -> Result<(), StoreError> {
        let mut lock = self.lock();
        self.refuse_if_poisoned()?;
        lock.check_held(&self.root)?;
        let bytes = self.check_commit(manifest, lock.record().attempt)?;
        self.commit(manifest.checkpoint, manifest.attempt, &bytes)?;
        if let Err(error) = lock.note_complete(manifest.checkpoint, manifest.attempt) {
            // The checkpoint is complete all the same; the next one tries again.
            tracing::warn!(%error, "could not record the newest checkpoint in LOCK");
        }
        Ok(())
    }

    fn list(&self) -> Result<Vec<CheckpointId>, StoreError> {
        let record = self.lock().record();
        let ids = self.files.ids()?;
        if ids.is_empty() && record.had_checkpoints {
            let state_files = self.files.state_file_names()?.len();
            return Err(StoreError::NothingValid {
                path: self.root.path.clone(),
                found: format!("held checkpoints: it has {state_files} state file(s)"),
            });
        }
        Ok(with_remembered(ids, record.newest))
    }

    fn load(&self, checkpoint: CheckpointId) -> Result<Manifest, StoreError> {
        self.files.load(checkpoint).map(|stored| stored.manifest)
    }

    fn read_state(
        &self,
        manifest: &Manifest,
        subtask: &SubtaskId,
        file: &StateFile,
    ) -> Result<Vec<StateChunk>, StoreError> {
        self.files.read_state(manifest, subtask, file)
    }

    fn retain(&self, keep: &[CheckpointId]) -> Result<(), StoreError> {
        let mut lock = self.lock();
        self.refuse_if_poisoned()?;
        let complete = self.files.ids()?;
        let retention = Retention {
            complete: &complete,
            kept: attempts_of(&self.files, complete.iter().filter(|id| keep.contains(id)))?,
            attempt: lock.record().attempt,
        };
        let manifests = retention.manifests();
        for checkpoint in &manifests {
            self.disk
                .remove_file(&self.files.checkpoints, &checkpoint.to_string())?;
        }
        for name in names_in(&self.files.checkpoints)? {
            if parse_temporary_manifest_name(&name).is_some() {
                self.disk.remove_file(&self.files.checkpoints, &name)?;
            }
        }
        // A manifest that came back in a power failure would miss its files.
        let synced = self.disk.sync_directory(&self.files.checkpoints);
        synced.inspect_err(|error| self.poison(error, None))?;
        lock.note_kept(keep.iter().max().copied())?;
        for file in retention.state_files(self.files.state_file_names()?) {
            self.disk
                .remove_file(&self.files.state, &file.to_string())?;
        }
        remove_marks(&self.disk, &self.root, |checkpoint| {
            !manifests.contains(&checkpoint) && complete.contains(&checkpoint)
        })
    }

    fn mark_proven(&self, checkpoint: CheckpointId, proven_at_ms: u64) -> Result<(), StoreError> {
        // Held so that retention does not remove the checkpoint meanwhile.
        let lock = self.lock();
        self.refuse_if_poisoned()?;
        let proof = Proof {
            checkpoint,
            proven_at_ms,
            manifest: self.files.read_manifest(checkpoint)?.digest(),
        };
        proof.write(&self.disk, &self.root, lock.record().attempt)
    }

    fn export(&self, checkpoint: CheckpointId, directory: &Path) -> Result<PathBuf, StoreError> {
        write_savepoint(&self.disk, &self.files, checkpoint, directory)
    }

    fn import(
        &self,
        source: &CheckpointDirectory,
        checkpoint: CheckpointId,
        target: ImportTarget,
    ) -> Result<Manifest, StoreError> {
        let (old, digest) = source.load_with_digest(checkpoint)?;
        let mut new = old.clone();
        new.checkpoint = target.checkpoint;
        new.lineage = target.lineage;
        new.attempt = target.attempt;
        new.kind = CheckpointKind::Imported;
        new.origin = Some(Origin {
            lineage: old.lineage,
            checkpoint,
            digest,
        });
        let mut written = Vec::new();
        for listed in old.state_files() {
            written.push(self.import_state(source, (&old, &new), listed)?);
        }
        let mut written = written.into_iter();
        for snapshot in &mut new.subtasks {
            if let SnapshotContents::Operator { state: Some(file) } = &mut snapshot.contents {
                *file = written
                    .next()
                    .expect("one file was written for each listed file");
            }
        }
        self.complete(&new)?;
        Ok(new)
    }
}

fn create_if_missing(disk: &Disk, root: &Directory, name: &str) -> Result<(), StoreError> {
    match root.handle.status(name) {
        Ok(_) => Ok(()),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            disk.create_directory(root, Path::new(name)).map(|_| ())
        }
        Err(error) => Err(failed("look at", &root.path.join(name))(error)),
    }
}

/// Returns the attempts that took these checkpoints; `None` for an unusable manifest, whose problem
/// is reported when it is loaded.
fn attempts_of<'a>(
    files: &CheckpointFiles,
    checkpoints: impl Iterator<Item = &'a CheckpointId>,
) -> Result<BTreeMap<CheckpointId, Option<u64>>, StoreError> {
    let mut attempts = BTreeMap::new();
    for checkpoint in checkpoints {
        let attempt = match files.read_manifest(*checkpoint) {
            Ok(stored) => Some(stored.manifest.attempt),
            Err(StoreError::Corrupt { .. } | StoreError::NewerFormat { .. }) => None,
            Err(error) => return Err(error),
        };
        attempts.insert(*checkpoint, attempt);
    }
    Ok(attempts)
}

/// Returns the traces of earlier runs in a directory.
fn evidence_in(files: &CheckpointFiles) -> Result<Evidence, StoreError> {
    let ids = files.ids()?;
    let state_files = files.state_file_names()?;
    let temporary = names_in(&files.checkpoints)?;
    let of_state_files = state_files.iter().map(|file| file.attempt);
    let mut of_temporary = Vec::new();
    for name in &temporary {
        if let Some(attempt) = parse_temporary_manifest_name(name) {
            check_number(attempt, || files.checkpoints.path.join(name))?;
            of_temporary.push(attempt);
        }
    }
    let of_manifests = attempts_of(files, ids.iter())?.into_values().flatten();
    let attempts = of_state_files.chain(of_temporary).chain(of_manifests);
    Ok(Evidence {
        attempt: attempts.max().unwrap_or(0),
        newest: ids.last().copied(),
        has_state_files: !state_files.is_empty(),
    })
}
