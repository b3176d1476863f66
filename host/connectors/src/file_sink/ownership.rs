//! Ownership of an output directory: one run at a time.
//!
//! The run locks a file in the directory and holds the lock while its connector lives. Only the
//! user can open that file; otherwise any reader of the directory could keep it locked. Before each
//! publication the run checks that the directory is still at its path, that the locked file is
//! still in it, and that the marker is still the run's own. Where locks do not reach, as between
//! machines that share a file system, only the marker keeps a paused owner from publishing beside
//! its successor, and nothing protects the moment between that check and the rename.

use std::fs::TryLockError;
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use tidegate_connector::ConnectorError;
use tidegate_file_system::FileSystem;

use super::directory::OutputDirectory;
use super::marker::{MARKER_NAME, Marker};
use super::names::LOCK_NAME;

/// The number of attempts to lock, and the time between them. Another run that checks whether the
/// directory is free holds the lock for a moment, which must not make this run fail.
const TRIES: u32 = 10;
const TRY_INTERVAL: Duration = Duration::from_millis(20);

impl OutputDirectory {
    /// Checks that no other run is using the directory at `path`. Changes nothing.
    pub(super) fn check_free(
        files: &Arc<dyn FileSystem>,
        path: &Path,
    ) -> Result<(), ConnectorError> {
        match Self::open(files, path)? {
            // Without the file, no run holds the lock; and a mere check must not create the file.
            Some(mut directory) if directory.has_lock_file()? => directory.lock(),
            Some(_) | None => Ok(()),
        }
    }

    /// Locks the directory for this run until `self` is dropped, or fails soon.
    pub(super) fn lock(&mut self) -> Result<(), ConnectorError> {
        for _ in 0..TRIES {
            match self.dir.try_lock(LOCK_NAME) {
                Ok(lock) => {
                    self.lock = Some(lock);
                    // The lock file may have been replaced before it was locked.
                    return self.check_in_place();
                }
                Err(TryLockError::WouldBlock) => std::thread::sleep(TRY_INTERVAL),
                Err(TryLockError::Error(error)) => return Err(self.not_locked(error)),
            }
        }
        // A marker that is unreadable, or that the holder has not written yet, names no process.
        let marker = self.read_marker().ok().flatten();
        Err(ConnectorError::InUse {
            place: format!("output directory {}", self.shown),
            holder: match marker {
                Some(marker) => format!("process {}, {marker}", marker.process),
                None => "another run".to_owned(),
            },
        })
    }

    fn has_lock_file(&self) -> Result<bool, ConnectorError> {
        match self.dir.status(LOCK_NAME) {
            Ok(_) => Ok(true),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(error) => Err(self.failed("look at", LOCK_NAME)(error)),
        }
    }

    fn not_locked(&self, error: io::Error) -> ConnectorError {
        let is_denied = error.kind() == io::ErrorKind::PermissionDenied;
        let action = if is_denied && self.has_lock_file().unwrap_or(false) {
            format!(
                "could not lock {}/{LOCK_NAME}, which another user's run created; run the job as \
                 that user, or make the current user the owner of the directory and of everything \
                 in it",
                self.shown
            )
        } else {
            format!("could not lock {}/{LOCK_NAME}", self.shown)
        };
        ConnectorError::io(action)(error)
    }

    /// Checks that the directory is still at its path and still has the marker `marker`; otherwise
    /// nothing may be published.
    pub(super) fn check_owned(&self, marker: &Marker) -> Result<(), ConnectorError> {
        self.check_in_place()?;
        self.check_marker(|found| found == marker)
    }

    /// As [`Self::check_owned`], for the next attempt of the process that wrote `marker`. The
    /// marker of a later attempt of that process is accepted too, since that attempt may have
    /// failed early.
    pub(super) fn check_kept(&self, marker: &Marker) -> Result<(), ConnectorError> {
        self.check_in_place()?;
        self.check_marker(|found| {
            (found.lineage, found.process) == (marker.lineage, marker.process)
        })
    }

    fn check_marker(&self, is_ours: impl FnOnce(&Marker) -> bool) -> Result<(), ConnectorError> {
        match self.read_marker()? {
            Some(found) if is_ours(&found) => Ok(()),
            Some(found) => Err(self.lost(&format!(
                "now belongs to {found}, attempt {} in process {}, according to {MARKER_NAME}",
                found.attempt, found.process
            ))),
            None => Err(self.lost(&format!("has lost its {MARKER_NAME}"))),
        }
    }

    /// Checks that the directory is still at its path, with the locked file in it.
    pub(super) fn check_in_place(&self) -> Result<(), ConnectorError> {
        let held = self.dir.identity().map_err(self.failed("look at", ""))?;
        let found = self.files.open_directory(&self.path);
        match found.and_then(|directory| directory.identity()) {
            Ok(found) if found == held => self.check_lock_file(),
            Ok(_) => Err(self.lost("was moved, and another directory is in its place")),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                Err(self.lost("was moved or removed"))
            }
            Err(error) if error.kind() == io::ErrorKind::NotADirectory => {
                Err(self.lost("was moved, and something other than a directory is in its place"))
            }
            Err(error) => Err(self.failed("look at", "")(error)),
        }
    }

    /// Checks that the locked file still has its name: otherwise another run may have locked the
    /// file that now has the name.
    fn check_lock_file(&self) -> Result<(), ConnectorError> {
        let Some(lock) = &self.lock else {
            return Ok(());
        };
        let held = lock.identity().map_err(self.failed("look at", LOCK_NAME))?;
        match self.dir.status(LOCK_NAME) {
            Ok(found) if found.identity == held => Ok(()),
            Ok(_) => Err(self.lost(&format!("has a different {LOCK_NAME}"))),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                Err(self.lost(&format!("has lost its {LOCK_NAME}")))
            }
            Err(error) => Err(self.failed("look at", LOCK_NAME)(error)),
        }
    }

    fn lost(&self, how: &str) -> ConnectorError {
        ConnectorError::StateRefused {
            reason: format!(
                "output directory {} {how}: this happened while the job ran, and the sink \
                 publishes nothing more. Restore the directory and run the job again, or start the \
                 job afresh with another `directory`",
                self.shown
            ),
        }
    }
}
