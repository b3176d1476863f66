//! Writes a savepoint: a complete checkpoint copied into a directory of its own.
//!
//! The invariant: a directory with a manifest in it is a whole savepoint. The function checks every
//! byte that it copies, writes the manifest last, and removes an unfinished copy.

use std::path::{Path, PathBuf};

use tidegate_connector::CheckpointId;

use super::StoreError;
use super::checkpoint_files::{CheckpointFiles, StoredManifest};
use super::disk::{CommitFailure, Directory, Disk, WriteFailure};
use super::file_names::{CHECKPOINTS, STATE, savepoint_name, temporary_manifest_name};

/// Copies `checkpoint` into a new directory inside `directory`, which is created if it is missing.
/// Returns the new directory's path.
pub(super) fn write_savepoint(
    disk: &Disk,
    files: &CheckpointFiles,
    checkpoint: CheckpointId,
    directory: &Path,
) -> Result<PathBuf, StoreError> {
    let stored = files.load(checkpoint)?;
    let parent = disk.open_or_create(directory)?;
    let name = savepoint_name(&stored.manifest);
    let root = disk.create_directory(&parent, Path::new(&name))?;
    let written = fill(disk, &root, files, &stored).and_then(|()| disk.sync_directory(&parent));
    match written {
        Ok(()) => Ok(root.path),
        Err(error) => {
            // It is ours: it did not exist before. The first failure is the one to tell.
            let _ = parent.handle.remove_directory(&name);
            Err(error)
        }
    }
}

fn fill(
    disk: &Disk,
    root: &Directory,
    files: &CheckpointFiles,
    stored: &StoredManifest,
) -> Result<(), StoreError> {
    let manifest = &stored.manifest;
    let state = disk.create_directory(root, Path::new(STATE))?;
    let checkpoints = disk.create_directory(root, Path::new(CHECKPOINTS))?;
    for (subtask, file) in manifest.state_files() {
        let bytes = files.read_state_bytes(manifest, subtask, file)?;
        disk.write_once(&state, &file.name, |out| out.write_all(&bytes))
            .map_err(|failure| match failure {
                WriteFailure::File(error) | WriteFailure::Directory(error) => error,
            })?;
    }
    let temporary = temporary_manifest_name(manifest.checkpoint, manifest.attempt);
    let names = (&*temporary, &*manifest.checkpoint.to_string());
    disk.commit(&checkpoints, names, &stored.bytes)
        .map_err(|failure| match failure {
            CommitFailure::NotCommitted(error) => error,
            // Uncertain in the job's own directory, but this one is removed as a whole.
            CommitFailure::Uncertain { action, source } => StoreError::Io { action, source },
        })
}
