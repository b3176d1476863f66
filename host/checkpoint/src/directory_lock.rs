//! The `LOCK` file: it admits one run at a time to a checkpoint directory, and carries a few facts
//! from one run to the next.
//!
//! The kernel releases the lock when the process ends, however it ends. The text in the file is for
//! people and for the next run. A power failure may tear it; an unreadable field then counts as the
//! more cautious of its values.

use std::fs::TryLockError;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::PathBuf;
use std::time::Duration;

use tidegate_connector::CheckpointId;
use tidegate_file_system::{FileHandle, OpenAs};

use super::StoreError;
use super::checkpoint_files::check_number;
use super::disk::{Directory, Disk, DiskStep, failed};
use super::file_names::LOCK;

/// An upper bound of the text's length, in bytes.
const MAX_LENGTH: u64 = 4096;

/// The largest number of attempts to read the holder's process id, and the pause between two.
const HOLDER_READS: u32 = 20;
const HOLDER_READ_INTERVAL: Duration = Duration::from_millis(20);

/// Facts that a run leaves to the next one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct LockRecord {
    /// The newest attempt that was handed out or has left a file.
    pub(super) attempt: u64,
    /// True once a checkpoint was complete in this directory.
    pub(super) had_checkpoints: bool,
    /// The last committed checkpoint, if one is known.
    pub(super) newest: Option<CheckpointId>,
}

/// The lock, held until this is dropped.
#[derive(Debug)]
pub(super) struct DirectoryLock {
    file: Box<dyn FileHandle>,
    path: PathBuf,
    disk: Disk,
    record: LockRecord,
}

/// Facts that the files of a directory show without `LOCK`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Evidence {
    /// The newest attempt that left a file.
    pub(super) attempt: u64,
    /// The largest number of a manifest, if there is one. Its name is durable, since `LOCK` must
    /// not remember a manifest that a power failure can remove.
    pub(super) newest: Option<CheckpointId>,
    /// True if there is a state file.
    pub(super) has_state_files: bool,
}

impl DirectoryLock {
    /// Takes the lock without waiting. The function calls `evidence` under the lock to look at the
    /// directory, and combines the result with the text of the file.
    pub(super) fn acquire(
        disk: &Disk,
        root: &Directory,
        evidence: impl FnOnce() -> Result<Evidence, StoreError>,
    ) -> Result<Self, StoreError> {
        let path = root.path.join(LOCK);
        refuse_other_kinds(root)?;
        let file = root.handle.open_file(LOCK, OpenAs::ReadWrite);
        let mut file = file.map_err(failed("open", &path))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(StoreError::InUse {
                    path: root.path.clone(),
                    holder: holder(&mut *file).unwrap_or_else(|| "unknown".to_owned()),
                });
            }
            Err(TryLockError::Error(error)) => return Err(failed("lock", &path)(error)),
        }

        let text = read_text(&mut *file).map_err(failed("read", &path))?;
        name_holder(&mut *file, &text);
        let record = remembered(&text, evidence()?);
        for number in [record.attempt, record.newest.map_or(0, |newest| newest.0)] {
            check_number(number, || path.clone())?;
        }
        let mut lock = Self {
            file,
            path,
            disk: disk.clone(),
            record,
        };
        lock.write()?;
        // Always: the run that created something in it may have been killed before it got here.
        disk.sync_directory(root)?;
        Ok(lock)
    }

    /// Checks that `LOCK` is still the locked file. If a user removed it, another run may own the
    /// directory by now.
    pub(super) fn check_held(&self, root: &Directory) -> Result<(), StoreError> {
        let held = self.file.identity();
        let held = held.map_err(failed("look at", &self.path))?;
        let is_held = match root.handle.status(LOCK) {
            Ok(found) => found.identity == held,
            Err(error) if error.kind() == io::ErrorKind::NotFound => false,
            Err(error) => return Err(failed("look at", &self.path)(error)),
        };
        if is_held {
            return Ok(());
        }
        let reason = "it was removed or replaced while the job ran, so another run may own the \
                      directory; this run commits nothing more";
        Err(StoreError::Corrupt {
            file: self.path.clone(),
            reason: reason.to_owned(),
        })
    }

    /// Returns the facts that the file holds.
    pub(super) fn record(&self) -> LockRecord {
        self.record
    }

    /// Hands out the next attempt. After a failure the number is skipped, never handed out twice.
    pub(super) fn next_attempt(&mut self) -> Result<u64, StoreError> {
        let next = self.record.attempt.checked_add(1);
        let next = next.expect("no number is larger than the largest when the lock is taken");
        check_number(next, || self.path.clone())?;
        self.record.attempt = next;
        self.write()?;
        Ok(self.record.attempt)
    }

    /// Records a checkpoint that `attempt` has committed durably. Syncs the file only for the first
    /// one; `FORMAT.md` states the resulting guarantee.
    pub(super) fn note_complete(
        &mut self,
        checkpoint: CheckpointId,
        attempt: u64,
    ) -> Result<(), StoreError> {
        self.record.attempt = self.record.attempt.max(attempt);
        self.record.newest = Some(checkpoint);
        if self.record.had_checkpoints {
            return self.write_text();
        }
        self.record.had_checkpoints = true;
        self.write()
            .inspect_err(|_| self.record.had_checkpoints = false)
    }

    /// Records the newest of the checkpoints that retention has kept.
    pub(super) fn note_kept(&mut self, newest: Option<CheckpointId>) -> Result<(), StoreError> {
        let before = self.record;
        self.record.newest = newest;
        self.record.had_checkpoints = newest.is_some();
        if self.record == before {
            return Ok(());
        }
        self.write().inspect_err(|_| self.record = before)
    }

    /// Rewrites the whole text durably, so that a failed sync is never repeated for the same bytes.
    fn write(&mut self) -> Result<(), StoreError> {
        self.write_text()?;
        self.disk
            .step(DiskStep::SyncFile, &self.path)
            .and_then(|()| self.file.sync())
            .map_err(failed("sync", &self.path))
    }

    fn write_text(&mut self) -> Result<(), StoreError> {
        let LockRecord {
            attempt,
            had_checkpoints,
            newest,
        } = self.record;
        let checkpoints = if had_checkpoints { "yes" } else { "no" };
        let newest = newest.map_or("none".to_owned(), |newest| newest.to_string());
        let pid = std::process::id();
        let text =
            format!("pid {pid}\nattempt {attempt}\ncheckpoints {checkpoints}\nnewest {newest}\n");

        let length = super::byte_reader::length_of(text.as_bytes());
        let mut write = || {
            self.disk.step(DiskStep::WriteFile, &self.path)?;
            self.file.seek(SeekFrom::Start(0))?;
            self.file.write_all(text.as_bytes())?;
            self.file.set_length(length)
        };
        write().map_err(failed("write", &self.path))
    }
}

/// Returns the newest checkpoint that the `LOCK` of a directory records, without taking the lock;
/// `None` if the file or the field is missing. Callers read it before they list the manifests, so
/// that a commit in between does not look like a lost checkpoint.
pub(super) fn remembered_newest(root: &Directory) -> Result<Option<CheckpointId>, StoreError> {
    let path = root.path.join(LOCK);
    refuse_other_kinds(root)?;
    let mut file = match root.handle.open_file(LOCK, OpenAs::Read) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(failed("open", &path)(error)),
    };
    let text = read_text(&mut *file).map_err(failed("read", &path))?;
    let newest = newest_in(&text);
    check_number(newest.map_or(0, |newest| newest.0), || path)?;
    Ok(newest)
}

/// Writes the holder's process id at once and keeps the rest of the text, because looking at the
/// directory takes a while. The later write of the whole text reports a failure.
fn name_holder(file: &mut dyn FileHandle, text: &str) {
    let others = text
        .split_inclusive('\n')
        .filter(|line| !line.starts_with("pid "));
    let others: String = others.collect();
    let text = format!("pid {}\n{others}", std::process::id());
    let _ = file
        .seek(SeekFrom::Start(0))
        .and_then(|_| file.write_all(text.as_bytes()));
}

/// Returns the holder of the lock. The holder may not have written its process id yet, and the file
/// may still name its predecessor, so the function waits until the text is stable for a moment.
fn holder(file: &mut dyn FileHandle) -> Option<String> {
    let mut before = None;
    for _ in 0..HOLDER_READS {
        let named = read_text(file).ok().and_then(|text| field(&text, "pid "));
        if named.is_some() && named == before {
            return named;
        }
        before = named;
        std::thread::sleep(HOLDER_READ_INTERVAL);
    }
    before
}

/// Rejects anything but a regular file: opening a pipe could wait for ever, and opening a link
/// could harm its target.
fn refuse_other_kinds(root: &Directory) -> Result<(), StoreError> {
    let path = root.path.join(LOCK);
    match root.handle.status(LOCK) {
        Ok(status) if status.is_file => Ok(()),
        Ok(_) => Err(StoreError::Corrupt {
            file: path,
            reason: "it is not a regular file".to_owned(),
        }),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(failed("look at", &path)(error)),
    }
}

fn read_text(file: &mut dyn FileHandle) -> io::Result<String> {
    let mut bytes = Vec::new();
    file.seek(SeekFrom::Start(0))?;
    file.take(MAX_LENGTH).read_to_end(&mut bytes)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// Combines the text with the evidence of the directory.
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
        had_checkpoints: said || evidence.newest.is_some(),
        newest: evidence.newest.max(newest_in(text)),
    }
}

fn newest_in(text: &str) -> Option<CheckpointId> {
    let newest = field(text, "newest ")?.parse().ok()?;
    Some(CheckpointId(newest))
}

/// Returns the rest of the line that begins with `key`, if that line is complete.
fn field(text: &str, key: &str) -> Option<String> {
    let line = text
        .split_inclusive('\n')
        .find_map(|line| line.strip_prefix(key))?;
    line.strip_suffix('\n').map(str::to_owned)
}
