//! The `LOCK` file: one run at a time in a checkpoint directory, and what a run leaves to the
//! next one besides checkpoints.
//!
//! The kernel drops the lock with the file, however the process ends. What the file says is for
//! people, and a memory that may be torn by a power failure: what can't be read counts as the
//! careful answer.

use std::fs::File;
use std::fs::TryLockError;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::PathBuf;

use super::StoreError;
use super::disk::{Directory, Disk, DiskStep, failed};
use super::file_names::LOCK;

/// More than the text ever has.
const MAX_LENGTH: u64 = 4096;

/// What a run leaves to the next one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct LockRecord {
    /// The newest attempt that was given out or has left a trace.
    pub(super) attempt: u64,
    /// True once a checkpoint was complete in this directory.
    pub(super) had_checkpoints: bool,
}

/// The lock, held until this is dropped.
#[derive(Debug)]
pub(super) struct DirectoryLock {
    file: File,
    path: PathBuf,
    disk: Disk,
    record: LockRecord,
}

/// What a directory shows without its lock file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Evidence {
    /// The newest attempt that left a trace.
    pub(super) attempt: u64,
    /// True if there is a manifest.
    pub(super) has_manifests: bool,
    /// True if there is a state file.
    pub(super) has_state_files: bool,
}

impl DirectoryLock {
    /// Takes the lock, at once or not at all. `evidence` is what the directory shows, looked at
    /// under the lock; what the file says is combined with it.
    pub(super) fn acquire(
        disk: &Disk,
        root: &Directory,
        evidence: impl FnOnce() -> Result<Evidence, StoreError>,
    ) -> Result<Self, StoreError> {
        let path = root.path.join(LOCK);
        refuse_other_kinds(root)?;
        let mut options = Directory::no_follow();
        options.read(true).write(true).create(true);
        let file = root.handle.open_with(LOCK, &options);
        let mut file = file.map_err(failed("open", &path))?.into_std();
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let holder = read_text(&mut file)
                    .ok()
                    .and_then(|text| field(&text, "pid "));
                return Err(StoreError::InUse {
                    path: root.path.clone(),
                    holder: holder.unwrap_or_else(|| "unknown".to_owned()),
                });
            }
            Err(TryLockError::Error(error)) => return Err(failed("lock", &path)(error)),
        }

        let text = read_text(&mut file).map_err(failed("read", &path))?;
        let mut lock = Self {
            file,
            path,
            disk: disk.clone(),
            record: remembered(&text, evidence()?),
        };
        lock.write()?;
        // Always: the run that created something in it may have been killed before it got here.
        disk.sync_directory(root)?;
        Ok(lock)
    }

    /// What is remembered.
    pub(super) fn record(&self) -> LockRecord {
        self.record
    }

    /// Gives out the next attempt. A number is skipped rather than given out twice if this fails.
    pub(super) fn next_attempt(&mut self) -> Result<u64, StoreError> {
        self.record.attempt += 1;
        self.write()?;
        Ok(self.record.attempt)
    }

    /// Remembers whether there are checkpoints, if that is news.
    pub(super) fn set_had_checkpoints(&mut self, had_checkpoints: bool) -> Result<(), StoreError> {
        if self.record.had_checkpoints == had_checkpoints {
            return Ok(());
        }
        let before = std::mem::replace(&mut self.record.had_checkpoints, had_checkpoints);
        self.write()
            .inspect_err(|_| self.record.had_checkpoints = before)
    }

    /// Takes note of an attempt that commits.
    pub(super) fn note_attempt(&mut self, attempt: u64) {
        self.record.attempt = self.record.attempt.max(attempt);
    }

    /// Writes all of the text anew; a sync that failed is thus not repeated for the same bytes.
    fn write(&mut self) -> Result<(), StoreError> {
        let LockRecord {
            attempt,
            had_checkpoints,
        } = self.record;
        let checkpoints = if had_checkpoints { "yes" } else { "no" };
        let pid = std::process::id();
        let text = format!("pid {pid}\nattempt {attempt}\ncheckpoints {checkpoints}\n");

        let length = super::byte_reader::length_of(text.as_bytes());
        let mut write = || {
            self.disk.step(DiskStep::WriteFile, &self.path)?;
            self.file.seek(SeekFrom::Start(0))?;
            self.file.write_all(text.as_bytes())?;
            self.file.set_len(length)?;
            self.disk.step(DiskStep::SyncFile, &self.path)?;
            self.file.sync_all()
        };
        write().map_err(failed("write", &self.path))
    }
}

/// Opening anything but a regular file could wait for ever or harm what a link leads to.
fn refuse_other_kinds(root: &Directory) -> Result<(), StoreError> {
    let path = root.path.join(LOCK);
    match root.handle.symlink_metadata(LOCK) {
        Ok(metadata) if metadata.is_file() => Ok(()),
        Ok(_) => Err(StoreError::Corrupt {
            file: path,
            reason: "it is not a regular file".to_owned(),
        }),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(failed("look at", &path)(error)),
    }
}

fn read_text(file: &mut File) -> io::Result<String> {
    let mut bytes = Vec::new();
    file.seek(SeekFrom::Start(0))?;
    file.take(MAX_LENGTH).read_to_end(&mut bytes)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// The text combined with what the directory shows.
fn remembered(text: &str, evidence: Evidence) -> LockRecord {
    let attempt = field(text, "attempt ").and_then(|attempt| attempt.parse().ok());
    let said = match field(text, "checkpoints ").as_deref() {
        Some("yes") => true,
        // State files without a manifest are then of a run that ended before its first one.
        Some("no") => false,
        Some(_) | None => evidence.has_state_files,
    };
    LockRecord {
        attempt: evidence.attempt.max(attempt.unwrap_or(0)),
        had_checkpoints: said || evidence.has_manifests,
    }
}

/// What follows `key` in a line that ends.
fn field(text: &str, key: &str) -> Option<String> {
    let line = text
        .split_inclusive('\n')
        .find_map(|line| line.strip_prefix(key))?;
    line.strip_suffix('\n').map(str::to_owned)
}
