//! The files of this machine, and locks on them.

use std::fs::{File, Permissions, TryLockError};
use std::io;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};

use cap_fs_ext::{FollowSymlinks, OpenOptionsFollowExt};
use cap_std::fs::{Dir, OpenOptions, OpenOptionsExt as _};

use crate::{FileHandle, FileIdentity, FileLock};

/// The mode of a file that only its owner can open.
pub(crate) const OWNERS_FILE: u32 = 0o600;

/// Opens a regular file that only its owner can open; creates it if missing.
pub(crate) fn open_to_lock(dir: &Dir, name: &str) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).follow(FollowSymlinks::No);
    let mut writable = options.clone();
    writable.write(true).create(true).mode(OWNERS_FILE);
    let opened = match dir.open_with(name, &writable) {
        Err(error) if error.kind() == io::ErrorKind::ReadOnlyFilesystem => {
            // An existing file can be locked. A missing one can't be created: report that error.
            dir.open_with(name, &options).map_err(|_| error)
        }
        opened => opened,
    };
    let opened = opened?.into_std();
    let metadata = opened.metadata()?;
    if !metadata.is_file() {
        return Err(io::Error::other("it is not a regular file"));
    }
    if metadata.permissions().mode() & 0o077 != 0 {
        // The user has opened the whole directory to others. On a file system without modes, the
        // file is locked as it is.
        drop(opened.set_permissions(Permissions::from_mode(OWNERS_FILE)));
    }
    Ok(opened)
}

/// Closing the file releases the lock.
impl FileLock for File {
    fn identity(&self) -> io::Result<FileIdentity> {
        FileHandle::identity(self)
    }
}

impl FileHandle for File {
    fn set_length(&self, length: u64) -> io::Result<()> {
        self.set_len(length)
    }

    fn sync(&self) -> io::Result<()> {
        self.sync_all()
    }

    fn identity(&self) -> io::Result<FileIdentity> {
        let metadata = self.metadata()?;
        Ok(FileIdentity(metadata.dev(), metadata.ino()))
    }

    fn try_lock(&self) -> Result<(), TryLockError> {
        Self::try_lock(self)
    }
}
