//! One run at a time in a directory of output.
//!
//! The run locks a file in it and holds the lock while its connector lives. Nobody but the user can
//! open that file: whoever can read the directory itself could keep it locked. Before each
//! publication the run looks whether the directory still stands under its path, whether the locked
//! file is still in it, and whether the marker is still the one that it wrote. Where locks do not
//! reach, as between machines that share a file system, the marker is what keeps an owner that was
//! paused from publishing beside its successor; between that look and the rename nothing does.

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

/// How often, and how far apart, the lock is tried. Another run that looks whether the directory
/// is free has the lock for a moment, which must not turn this one away.
const TRIES: u32 = 10;
const TRY_INTERVAL: Duration = Duration::from_millis(20);

impl OutputDirectory {
    /// Checks that no other run has the directory at `path`. Changes nothing.
    pub(super) fn check_free(
        files: &Arc<dyn FileSystem>,
        path: &Path,
    ) -> Result<(), ConnectorError> {
        match Self::open(files, path)? {
            // Without the file, nobody has locked it; and this is not the place to create it.
            Some(mut directory) if directory.has_lock_file()? => directory.lock(),
            Some(_) | None => Ok(()),
        }
    }

    /// Takes the directory for this run, soon or not at all, until this is dropped.
    pub(super) fn lock(&mut self) -> Result<(), ConnectorError> {
        for _ in 0..TRIES {
            match self.dir.try_lock(LOCK_NAME) {
                Ok(lock) => {
                    self.lock = Some(lock);
                    // It may have been replaced before it was locked.
                    return self.check_in_place();
                }
                Err(TryLockError::WouldBlock) => std::thread::sleep(TRY_INTERVAL),
                Err(TryLockError::Error(error)) => return Err(self.not_locked(error)),
            }
        }
        // A marker that can't be read, or that the holder has not written yet, names nobody.
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
                "could not lock {}/{LOCK_NAME}, which a run of another user has made; run the job \
                 as that user, or make this one the owner of the directory and all that is in it",
                self.shown
            )
        } else {
            format!("could not lock {}/{LOCK_NAME}", self.shown)
        };
        ConnectorError::io(action)(error)
    }

    /// Checks that the directory still stands under its path, and is still the one that was marked
    /// with `marker`: nothing may be published otherwise.
    pub(super) fn check_owned(&self, marker: &Marker) -> Result<(), ConnectorError> {
        self.check_in_place()?;
        self.check_marker(|found| found == marker)
    }

    /// As [`Self::check_owned`], for the next attempt of the process that wrote `marker`: the mark
    /// of a later one of its attempts may stand there, too, if that came no further.
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
                "belongs by now to {found}, attempt {} in process {}, as {MARKER_NAME} says",
                found.attempt, found.process
            ))),
            None => Err(self.lost(&format!("has lost its {MARKER_NAME}"))),
        }
    }

    /// Checks that the directory still stands under its path.
    pub(super) fn check_in_place(&self) -> Result<(), ConnectorError> {
        let held = self.dir.identity().map_err(self.failed("look at", ""))?;
        let found = self.files.open_directory(&self.path);
        match found.and_then(|directory| directory.identity()) {
            Ok(found) if found == held => self.check_lock_file(),
            Ok(_) => Err(self.lost("was moved, and another one stands in its place")),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                Err(self.lost("was moved or removed"))
            }
            Err(error) if error.kind() == io::ErrorKind::NotADirectory => {
                Err(self.lost("was moved, and something else stands in its place"))
            }
            Err(error) => Err(self.failed("look at", "")(error)),
        }
    }

    /// Checks that the file that is locked still has its name: otherwise another run may have
    /// locked the one that has.
    fn check_lock_file(&self) -> Result<(), ConnectorError> {
        let Some(lock) = &self.lock else {
            return Ok(());
        };
        let held = lock.identity().map_err(self.failed("look at", LOCK_NAME))?;
        match self.dir.status(LOCK_NAME) {
            Ok(found) if found.identity == held => Ok(()),
            Ok(_) => Err(self.lost(&format!("has another {LOCK_NAME}"))),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                Err(self.lost(&format!("has lost its {LOCK_NAME}")))
            }
            Err(error) => Err(self.failed("look at", LOCK_NAME)(error)),
        }
    }

    fn lost(&self, how: &str) -> ConnectorError {
        ConnectorError::StateRefused {
            reason: format!(
                "output directory {} {how}: this happened while the job ran, and nothing more is \
                 published. Put it back as it was and run the job again, or start the job afresh \
                 with another `directory`",
                self.shown
            ),
        }
    }
}
