//! Reads a checkpoint directory or savepoint, without changing it and without its lock.
//!
//! A start from a savepoint and the commands that show checkpoints use it. A running job may remove
//! checkpoints meanwhile; those are then reported as missing.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::io;
use std::path::{Path, PathBuf};

use tidegate_connector::{CheckpointId, SubtaskId};
use tidegate_file_system::{FileSystem, LocalFiles};
use tidegate_operator::StateChunk;

use super::checkpoint_files::{CheckpointFiles, StoredManifest, with_remembered};
use super::directory_lock::remembered_newest;
use super::disk::{Directory, failed};
use super::file_names::{CHECKPOINTS, parse_manifest_name};
use super::proof::Proof;
use super::verify::verify;
use super::{JobGraph, Manifest, ManifestDiff, StateFile, StoreError, VerifyReport};

/// A checkpoint directory or savepoint, read only.
#[derive(Debug)]
pub struct CheckpointDirectory {
    root: Directory,
    files: CheckpointFiles,
    selected: Option<CheckpointId>,
}

impl CheckpointDirectory {
    /// Opens a checkpoint directory, a savepoint, or the directory that the manifest file at
    /// `path` (`…/checkpoints/7`) belongs to, whose checkpoint is then [`Self::selected`].
    ///
    /// # Errors
    ///
    /// [`StoreError::NotACheckpoint`] if it is none of these, [`StoreError::Io`].
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        Self::open_in(&LocalFiles, path)
    }

    /// As [`Self::open`], in another file system: for simulations.
    ///
    /// # Errors
    ///
    /// As [`Self::open`].
    pub fn open_in(files: &dyn FileSystem, path: &Path) -> Result<Self, StoreError> {
        let not_one = |reason: &str| StoreError::NotACheckpoint {
            path: path.to_owned(),
            reason: reason.to_owned(),
        };
        let (root, selected) = match Directory::open_ambient(files, path) {
            Ok(root) => (root, None),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Err(not_one("there is no such file or directory"));
            }
            Err(error) if error.kind() == io::ErrorKind::NotADirectory => {
                let named = manifest_file(path).map_err(failed("open", path))?;
                let (root, checkpoint) = named.ok_or_else(|| {
                    not_one("it is a file, but not a manifest in a `checkpoints` directory")
                })?;
                (root, Some(checkpoint))
            }
            Err(error) => return Err(failed("open", path)(error)),
        };
        let files = match CheckpointFiles::open(&root) {
            Ok(files) => files,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Err(not_one("it has no directories `checkpoints` and `state`"));
            }
            Err(error) => return Err(failed("open the directories in", &root.path)(error)),
        };
        Ok(Self {
            root,
            files,
            selected,
        })
    }

    /// Returns the path of a checkpoint's manifest in the checkpoint directory at `directory`.
    #[must_use]
    pub fn manifest_path(directory: &Path, checkpoint: CheckpointId) -> PathBuf {
        directory.join(CHECKPOINTS).join(checkpoint.to_string())
    }

    /// Returns true if anything stands among the checkpoints of the directory at `path`, whether it
    /// can be read or not; false if there is no such directory. Writes nothing and takes no lock:
    /// called before a start, which is refused or fresh by this.
    ///
    /// # Errors
    ///
    /// [`StoreError::Io`] if the checkpoints can't be listed.
    pub fn holds_checkpoints(path: &Path) -> Result<bool, StoreError> {
        Self::holds_checkpoints_in(&LocalFiles, path)
    }

    /// As [`Self::holds_checkpoints`], in another file system: for simulations.
    ///
    /// # Errors
    ///
    /// As [`Self::holds_checkpoints`].
    pub fn holds_checkpoints_in(files: &dyn FileSystem, path: &Path) -> Result<bool, StoreError> {
        let root = Directory::open_ambient(files, path);
        match root.and_then(|root| root.open(CHECKPOINTS)?.handle.entries()) {
            Ok(entries) => Ok(!entries.is_empty()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(error) => Err(failed("list", &path.join(CHECKPOINTS))(error)),
        }
    }

    /// The directory that holds `checkpoints` and `state`.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.root.path
    }

    /// The checkpoint whose manifest file was named when this was opened, if one was.
    #[must_use]
    pub fn selected(&self) -> Option<CheckpointId> {
        self.selected
    }

    /// Returns the ids of all complete checkpoints, oldest first, without checking their contents.
    /// They include the last committed checkpoint that `LOCK` records, even if its manifest is
    /// gone: [`Self::load`] then reports it as missing.
    ///
    /// # Errors
    ///
    /// [`StoreError::Io`], and [`StoreError::Corrupt`] if `LOCK` is not a regular file.
    pub fn ids(&self) -> Result<Vec<CheckpointId>, StoreError> {
        let remembered = remembered_newest(&self.root)?;
        Ok(with_remembered(self.files.ids()?, remembered))
    }

    /// Returns the newest of [`Self::ids`], without checking its contents.
    ///
    /// # Errors
    ///
    /// [`StoreError::NothingValid`] if there is state and no manifest,
    /// [`StoreError::NotACheckpoint`] if there is neither, [`StoreError::Io`].
    pub fn newest(&self) -> Result<CheckpointId, StoreError> {
        let newest = self.ids()?.last().copied();
        if let Some(newest) = newest
            && !self.files.ids()?.is_empty()
        {
            return Ok(newest);
        }
        let path = self.root.path.clone();
        let state_files = self.files.state_file_names()?.len();
        if newest.is_none() && state_files == 0 {
            let reason = "it is empty".to_owned();
            return Err(StoreError::NotACheckpoint { path, reason });
        }
        let found = format!("{state_files} state file(s)");
        Err(StoreError::NothingValid { path, found })
    }

    /// Reads a manifest and checks it and every state file that it lists.
    ///
    /// # Errors
    ///
    /// [`StoreError::Corrupt`] and [`StoreError::NewerFormat`] name the file, [`StoreError::Io`].
    pub fn load(&self, checkpoint: CheckpointId) -> Result<Manifest, StoreError> {
        self.files.load(checkpoint).map(|stored| stored.manifest)
    }

    /// Reads one state file of a loaded manifest and checks it again.
    ///
    /// # Errors
    ///
    /// As [`Self::load`].
    pub fn read_state(
        &self,
        manifest: &Manifest,
        subtask: &SubtaskId,
        file: &StateFile,
    ) -> Result<Vec<StateChunk>, StoreError> {
        self.files.read_state(manifest, subtask, file)
    }

    /// Returns the graph of the job that took a checkpoint. Checks the manifest but not its state
    /// files.
    ///
    /// # Errors
    ///
    /// As [`Self::load`].
    pub fn graph(&self, checkpoint: CheckpointId) -> Result<JobGraph, StoreError> {
        let stored = self.files.read_manifest(checkpoint)?;
        Ok(stored.manifest.graph)
    }

    /// Returns the BLAKE3 digest of a manifest file: the value that `b3sum` prints for it and that
    /// an [`super::Origin`] holds. Checks the manifest but not its state files.
    ///
    /// # Errors
    ///
    /// As [`Self::load`].
    pub fn manifest_digest(&self, checkpoint: CheckpointId) -> Result<[u8; 32], StoreError> {
        self.files
            .read_manifest(checkpoint)
            .map(|stored| stored.digest())
    }

    /// Returns the time at which a restore drill proved a checkpoint, in milliseconds since the
    /// Unix epoch; `None` without a mark that belongs to this manifest. Checks the manifest.
    ///
    /// # Errors
    ///
    /// As [`Self::load`].
    pub fn proven_at_ms(&self, checkpoint: CheckpointId) -> Result<Option<u64>, StoreError> {
        let Some(proof) = Proof::read(&self.root, checkpoint)? else {
            return Ok(None);
        };
        let is_of_it = proof.manifest == self.manifest_digest(checkpoint)?;
        Ok(is_of_it.then_some(proof.proven_at_ms))
    }

    /// Checks every checkpoint with its state. The report lists unreadable files as problems.
    ///
    /// # Errors
    ///
    /// [`StoreError::Io`] if the directories can't be listed.
    pub fn verify(&self) -> Result<VerifyReport, StoreError> {
        verify(&self.files, self.ids()?)
    }

    /// Compares checkpoint `before` here with checkpoint `after` in `other`, which may be the same
    /// directory. Checks both, and compares state chunk by chunk, so that a chunk that has moved to
    /// another subtask is not a difference.
    ///
    /// # Errors
    ///
    /// As [`Self::load`].
    pub fn diff(
        &self,
        before: CheckpointId,
        other: &Self,
        after: CheckpointId,
    ) -> Result<ManifestDiff, StoreError> {
        let (old, new) = (self.load(before)?, other.load(after)?);
        let (old_state, new_state) = (self.chunks_of(&old)?, other.chunks_of(&new)?);
        Ok(ManifestDiff::between(&old, &new, |operator| {
            old_state.get(operator) != new_state.get(operator)
        }))
    }

    /// Returns the identity of every chunk of a checkpoint, by operator.
    fn chunks_of(&self, manifest: &Manifest) -> Result<ChunksByOperator, StoreError> {
        let mut chunks = ChunksByOperator::new();
        for (subtask, file) in manifest.state_files() {
            let of_operator = chunks.entry(subtask.operator.clone()).or_default();
            for chunk in self.read_state(manifest, subtask, file)? {
                let digest = *blake3::hash(&chunk.bytes).as_bytes();
                let key = (chunk.name, chunk.key_group, chunk.schema_version, digest);
                *of_operator.entry(key).or_default() += 1;
            }
        }
        Ok(chunks)
    }

    /// Returns the results of [`Self::load`] and [`Self::manifest_digest`] for the same bytes.
    pub(super) fn load_with_digest(
        &self,
        checkpoint: CheckpointId,
    ) -> Result<(Manifest, [u8; 32]), StoreError> {
        let stored = self.files.load(checkpoint)?;
        let digest = stored.digest();
        Ok((stored.manifest, digest))
    }
}

/// Name, key group, schema version and BLAKE3 of a chunk.
type ChunkKey = (String, Option<u32>, u32, [u8; 32]);
/// The number of times that an operator has each chunk.
type ChunksByOperator = BTreeMap<String, BTreeMap<ChunkKey, u64>>;

impl StoredManifest {
    pub(super) fn digest(&self) -> [u8; 32] {
        *blake3::hash(&self.bytes).as_bytes()
    }
}

/// Splits `<directory>/checkpoints/<N>` into the directory and N; `None` for any other path.
fn manifest_file(path: &Path) -> io::Result<Option<(Directory, CheckpointId)>> {
    // A relative path may be shorter than that.
    let path = path.canonicalize()?;
    let checkpoint = path
        .file_name()
        .and_then(OsStr::to_str)
        .and_then(parse_manifest_name);
    let checkpoints = path.parent();
    let is_in_place = checkpoints.and_then(Path::file_name) == Some(OsStr::new(CHECKPOINTS));
    let root = checkpoints.and_then(Path::parent).filter(|_| is_in_place);
    match (checkpoint, root) {
        (Some(checkpoint), Some(root)) => {
            let root = Directory::open_ambient(&LocalFiles, root)?;
            Ok(Some((root, checkpoint)))
        }
        (None, _) | (_, None) => Ok(None),
    }
}
