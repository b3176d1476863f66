//! The mark of a checkpoint that a restore drill has proven: `proven/<N>`, as `FORMAT.md` has it.
//!
//! A manifest never changes, so the mark stands beside it and names it by its digest. Commands
//! show a checkpoint as proven if its mark is whole and names its manifest; a missing, broken or
//! foreign mark is ignored. Nothing else depends on marks.

use std::path::Path;

use tidegate_connector::CheckpointId;

use super::byte_reader::ByteReader;
use super::checkpoint_files::{names_in, read_small_file};
use super::disk::{CommitFailure, Directory, Disk, failed};
use super::file_names::{
    PROVEN, parse_manifest_name, parse_temporary_manifest_name, temporary_manifest_name,
};
use super::{FormatError, StoreError};

const MAGIC: &[u8; 8] = b"TGPROOF\0";
const VERSION: u32 = 1;
const LENGTH: u64 = 92;

/// The proof that every subtask of a checkpoint was restored and no state was missing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Proof {
    pub(super) checkpoint: CheckpointId,
    /// The end of the drill, in milliseconds since the Unix epoch.
    pub(super) proven_at_ms: u64,
    /// BLAKE3 of the whole manifest file.
    pub(super) manifest: [u8; 32],
}

impl Proof {
    /// Writes the mark durably, replacing an older one. `attempt` becomes part of its temporary
    /// name.
    pub(super) fn write(
        self,
        disk: &Disk,
        root: &Directory,
        attempt: u64,
    ) -> Result<(), StoreError> {
        let directory = match root.open(PROVEN) {
            Ok(directory) => directory,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                disk.create_directory(root, Path::new(PROVEN))?
            }
            Err(error) => return Err(failed("open", &root.path.join(PROVEN))(error)),
        };
        let temporary = temporary_manifest_name(self.checkpoint, attempt);
        let names = (&*temporary, &*self.checkpoint.to_string());
        disk.commit(&directory, names, &self.encode())
            .map_err(|failure| match failure {
                CommitFailure::NotCommitted(error) => error,
                // If it is there after all, it is true.
                CommitFailure::Uncertain { action, source } => StoreError::Io { action, source },
            })
    }

    /// Returns the mark of `checkpoint`, or `None` if it is missing or damaged.
    pub(super) fn read(
        root: &Directory,
        checkpoint: CheckpointId,
    ) -> Result<Option<Self>, StoreError> {
        let directory = match root.open(PROVEN) {
            Ok(directory) => directory,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(failed("open", &root.path.join(PROVEN))(error)),
        };
        match read_small_file(&directory, &checkpoint.to_string(), LENGTH) {
            Ok(bytes) => Ok(Self::decode(&bytes)
                .ok()
                .filter(|proof| proof.checkpoint == checkpoint)),
            Err(StoreError::Corrupt { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn encode(self) -> Vec<u8> {
        let mut bytes = MAGIC.to_vec();
        bytes.extend_from_slice(&VERSION.to_le_bytes());
        bytes.extend_from_slice(&self.checkpoint.0.to_le_bytes());
        bytes.extend_from_slice(&self.proven_at_ms.to_le_bytes());
        bytes.extend_from_slice(&self.manifest);
        let digest = blake3::hash(&bytes);
        bytes.extend_from_slice(digest.as_bytes());
        bytes
    }

    fn decode(bytes: &[u8]) -> Result<Self, FormatError> {
        const WHAT: &str = "mark of a drill";
        let mut reader = ByteReader::new(bytes);
        reader.magic_and_version(MAGIC, VERSION, WHAT)?;
        let proof = Self {
            checkpoint: CheckpointId(reader.u64(WHAT)?),
            proven_at_ms: reader.u64(WHAT)?,
            manifest: reader.array(WHAT)?,
        };
        let digest = blake3::Hash::from_bytes(reader.array("the digest")?);
        reader.end()?;
        if blake3::hash(&bytes[..bytes.len() - digest.as_bytes().len()]) != digest {
            let expected = digest.to_hex().to_string();
            return Err(FormatError::WrongDigest { expected });
        }
        Ok(proof)
    }
}

/// Removes the marks of checkpoints that are not kept, and temporary files that a crash left.
pub(super) fn remove_marks(
    disk: &Disk,
    root: &Directory,
    is_kept: impl Fn(CheckpointId) -> bool,
) -> Result<(), StoreError> {
    let directory = match root.open(PROVEN) {
        Ok(directory) => directory,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(failed("open", &root.path.join(PROVEN))(error)),
    };
    for name in names_in(&directory)? {
        let is_old = parse_manifest_name(&name).is_some_and(|checkpoint| !is_kept(checkpoint));
        if is_old || parse_temporary_manifest_name(&name).is_some() {
            disk.remove_file(&directory, &name)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
