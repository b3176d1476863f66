//! Reads a checkpoint directory and checks every byte before it returns it. Writes nothing.
//!
//! The invariant: a missing or damaged file is an error that names it, and a failed read is another
//! error. Neither is ever skipped.

use std::io::{self, Read};
use std::path::PathBuf;

use tidegate_connector::{CheckpointId, LARGEST_NUMBER, SubtaskId};
use tidegate_file_system::{FileHandle, OpenAs};
use tidegate_operator::StateChunk;

use super::byte_reader::length_of;
use super::disk::{Directory, failed};
use super::file_names::{CHECKPOINTS, STATE, StateFileName, parse_manifest_name};
use super::{Manifest, StateFile, StoreError, manifest_codec, state_file};

/// The two directories of a checkpoint directory or savepoint.
#[derive(Debug)]
pub(super) struct CheckpointFiles {
    pub(super) state: Directory,
    pub(super) checkpoints: Directory,
}

/// A manifest with the BLAKE3 of its file.
#[derive(Debug)]
pub(super) struct StoredManifest {
    pub(super) manifest: Manifest,
    pub(super) bytes: Vec<u8>,
}

impl CheckpointFiles {
    /// Opens both directories, which must exist.
    pub(super) fn open(root: &Directory) -> io::Result<Self> {
        Ok(Self {
            checkpoints: root.open(CHECKPOINTS)?,
            state: root.open(STATE)?,
        })
    }

    /// Returns the ids of all manifests, in order, without opening them.
    pub(super) fn ids(&self) -> Result<Vec<CheckpointId>, StoreError> {
        let names = names_in(&self.checkpoints)?;
        let mut ids: Vec<_> = names
            .iter()
            .filter_map(|name| parse_manifest_name(name))
            .collect();
        ids.sort_unstable();
        for id in &ids {
            check_number(id.0, || self.checkpoints.path.join(id.to_string()))?;
        }
        Ok(ids)
    }

    /// Returns the names of all state files.
    pub(super) fn state_file_names(&self) -> Result<Vec<StateFileName>, StoreError> {
        let names = names_in(&self.state)?;
        let parsed = names.iter().filter_map(|name| StateFileName::parse(name));
        parsed
            .map(|name| {
                for number in [name.checkpoint.0, name.attempt] {
                    check_number(number, || self.state.path.join(name.to_string()))?;
                }
                Ok(name)
            })
            .collect()
    }

    /// Reads a manifest and checks it, but not the state files.
    pub(super) fn read_manifest(
        &self,
        checkpoint: CheckpointId,
    ) -> Result<StoredManifest, StoreError> {
        let name = checkpoint.to_string();
        let path = || self.checkpoints.path.join(&name);
        let (file, length) = open_regular_file(&self.checkpoints, &name)?;
        if length > manifest_codec::MAX_LENGTH {
            let limit = manifest_codec::MAX_LENGTH;
            return Err(corrupt(
                path(),
                format!("its {length} bytes exceed the limit of {limit}"),
            ));
        }
        let bytes = read_exactly(file, length, path())?;
        let manifest = Manifest::decode(&bytes).map_err(|error| error.of_file(path()))?;
        if manifest.checkpoint != checkpoint {
            let reason = format!("it is the manifest of checkpoint {}", manifest.checkpoint);
            return Err(corrupt(path(), reason));
        }
        Ok(StoredManifest { manifest, bytes })
    }

    /// Reads a manifest and checks it and every state file that it lists.
    pub(super) fn load(&self, checkpoint: CheckpointId) -> Result<StoredManifest, StoreError> {
        let stored = self.read_manifest(checkpoint)?;
        for (subtask, file) in stored.manifest.state_files() {
            self.read_state_bytes(&stored.manifest, subtask, file)?;
        }
        Ok(stored)
    }

    /// Reads a state file and checks all of it.
    pub(super) fn read_state(
        &self,
        manifest: &Manifest,
        subtask: &SubtaskId,
        file: &StateFile,
    ) -> Result<Vec<StateChunk>, StoreError> {
        let bytes = self.read_state_bytes(manifest, subtask, file)?;
        state_file::decode(&bytes, &manifest.identity_of(subtask))
            .map_err(|error| error.of_file(self.state.path.join(&file.name)))
    }

    /// Returns the checked bytes of a state file.
    pub(super) fn read_state_bytes(
        &self,
        manifest: &Manifest,
        subtask: &SubtaskId,
        file: &StateFile,
    ) -> Result<Vec<u8>, StoreError> {
        let path = || self.state.path.join(&file.name);
        let identity = manifest.identity_of(subtask);
        if file.name != identity.file_name().to_string() {
            return Err(corrupt(
                path(),
                format!("it is not the state file of {subtask}"),
            ));
        }
        let opened = self.open_state_file(file)?;
        let bytes = read_exactly(opened, file.length, path())?;
        if *blake3::hash(&bytes).as_bytes() != file.digest {
            let reason = "its contents do not have the digest that the manifest lists".to_owned();
            return Err(corrupt(path(), reason));
        }
        state_file::check(&bytes, &identity).map_err(|error| error.of_file(path()))?;
        Ok(bytes)
    }

    /// Opens a state file, which must have the expected length.
    pub(super) fn open_state_file(
        &self,
        file: &StateFile,
    ) -> Result<Box<dyn FileHandle>, StoreError> {
        let (opened, length) = open_regular_file(&self.state, &file.name)?;
        if length == file.length {
            return Ok(opened);
        }
        let reason = format!(
            "it has {length} bytes, but the manifest lists {}",
            file.length
        );
        Err(corrupt(self.state.path.join(&file.name), reason))
    }
}

/// Adds the last committed checkpoint to `ids` if its manifest is gone, so that loading it reports
/// it as missing.
pub(super) fn with_remembered(
    mut ids: Vec<CheckpointId>,
    newest: Option<CheckpointId>,
) -> Vec<CheckpointId> {
    if newest.as_ref() > ids.last() {
        ids.extend(newest);
    }
    ids
}

/// Rejects the number of a checkpoint or attempt that is larger than Tidegate ever hands out.
pub(super) fn check_number(number: u64, file: impl FnOnce() -> PathBuf) -> Result<(), StoreError> {
    if number <= LARGEST_NUMBER {
        return Ok(());
    }
    let reason = format!(
        "its number, {number}, is above {LARGEST_NUMBER}, the largest of any checkpoint or \
         attempt; move the file away"
    );
    Err(corrupt(file(), reason))
}

/// Returns all names in a directory, sorted. Tidegate makes no name that is not UTF-8, so the
/// function replaces invalid bytes.
pub(super) fn names_in(directory: &Directory) -> Result<Vec<String>, StoreError> {
    let read = || -> io::Result<Vec<String>> {
        let entries = directory.handle.entries()?.into_iter();
        Ok(entries.map(|entry| entry.name).collect())
    };
    let mut names = read().map_err(failed("list", &directory.path))?;
    names.sort_unstable();
    Ok(names)
}

/// Opens a file for reading and returns it with its length. Rejects anything but a regular file
/// before it opens it, because opening a pipe could wait for ever.
fn open_regular_file(
    directory: &Directory,
    name: &str,
) -> Result<(Box<dyn FileHandle>, u64), StoreError> {
    let path = directory.path.join(name);
    let found = match directory.handle.status(name) {
        Ok(status) => status,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return Err(corrupt(path, "it is missing".to_owned()));
        }
        Err(error) => return Err(failed("look at", &path)(error)),
    };
    if !found.is_file {
        return Err(corrupt(path, "it is not a regular file".to_owned()));
    }
    let opened = directory.handle.open_file(name, OpenAs::Read);
    let opened = opened.map_err(failed("open", &path))?;
    Ok((opened, found.length))
}

/// Reads a file that must have `length` bytes.
pub(super) fn read_small_file(
    directory: &Directory,
    name: &str,
    length: u64,
) -> Result<Vec<u8>, StoreError> {
    let (file, found) = open_regular_file(directory, name)?;
    let path = directory.path.join(name);
    if found != length {
        return Err(corrupt(
            path,
            format!("it has {found} bytes instead of {length}"),
        ));
    }
    read_exactly(file, length, path)
}

/// Reads a file of `length` bytes, never more.
fn read_exactly(
    file: Box<dyn FileHandle>,
    length: u64,
    path: PathBuf,
) -> Result<Vec<u8>, StoreError> {
    let mut bytes = Vec::new();
    let reserved = usize::try_from(length).is_ok_and(|n| bytes.try_reserve_exact(n).is_ok());
    let read = if reserved {
        file.take(length).read_to_end(&mut bytes)
    } else {
        Err(io::ErrorKind::OutOfMemory.into())
    };
    read.map_err(failed("read", &path))?;
    if length_of(&bytes) != length {
        return Err(corrupt(
            path,
            "it became shorter while it was read".to_owned(),
        ));
    }
    Ok(bytes)
}

pub(super) fn corrupt(file: PathBuf, reason: String) -> StoreError {
    StoreError::Corrupt { file, reason }
}
