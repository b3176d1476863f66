//! The directories of this machine, through handles of cap-std.

use std::fs::TryLockError;
use std::io;
use std::path::Path;

use cap_fs_ext::{DirExt, FollowSymlinks, OpenOptionsFollowExt};
use cap_std::ambient_authority;
use cap_std::fs::{Dir, DirBuilder, DirBuilderExt as _};
use cap_std::fs::{MetadataExt as _, OpenOptions, OpenOptionsExt as _};

use crate::local_file::{OWNERS_FILE, open_to_lock};
use crate::{
    DirectoryEntry, DirectoryHandle, FileHandle, FileIdentity, FileLock, FileStatus, FileSystem,
    OpenAs,
};

/// The file system of this machine. The user's umask limits who else can open new files and
/// directories.
#[derive(Clone, Copy, Debug, Default)]
pub struct LocalFiles;

/// The file system of this machine. Only the user can open new directories (mode 0700) and files
/// (mode 0600), whatever the umask is. Existing ones keep their mode.
#[derive(Clone, Copy, Debug, Default)]
pub struct PrivateFiles;

impl FileSystem for LocalFiles {
    fn open_directory(&self, path: &Path) -> io::Result<Box<dyn DirectoryHandle>> {
        LocalDirectory::open(path, Access::Umask)
    }
}

impl FileSystem for PrivateFiles {
    fn open_directory(&self, path: &Path) -> io::Result<Box<dyn DirectoryHandle>> {
        LocalDirectory::open(path, Access::Owner)
    }
}

/// The users who may open a new file or directory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Access {
    /// Everyone whom the umask does not exclude.
    Umask,
    /// The user only.
    Owner,
}

impl Access {
    fn directory_mode(self) -> u32 {
        match self {
            Self::Umask => 0o777,
            Self::Owner => 0o700,
        }
    }

    fn file_mode(self) -> u32 {
        match self {
            Self::Umask => 0o666,
            Self::Owner => OWNERS_FILE,
        }
    }
}

/// A directory of this machine.
#[derive(Debug)]
struct LocalDirectory {
    dir: Dir,
    access: Access,
}

impl LocalDirectory {
    fn open(path: &Path, access: Access) -> io::Result<Box<dyn DirectoryHandle>> {
        let dir = Dir::open_ambient_dir(path, ambient_authority())?;
        Ok(Box::new(Self { dir, access }))
    }
}

impl DirectoryHandle for LocalDirectory {
    fn open_directory(&self, name: &Path) -> io::Result<Box<dyn DirectoryHandle>> {
        let dir = self.dir.open_dir_nofollow(name)?;
        let access = self.access;
        Ok(Box::new(Self { dir, access }))
    }

    fn create_directory(&self, name: &Path) -> io::Result<()> {
        let mut builder = DirBuilder::new();
        builder.mode(self.access.directory_mode());
        self.dir.create_dir_with(name, &builder)
    }

    fn open_file(&self, name: &str, open_as: OpenAs) -> io::Result<Box<dyn FileHandle>> {
        let mut options = OpenOptions::new();
        options.mode(self.access.file_mode());
        match open_as {
            OpenAs::Read => options.read(true).follow(FollowSymlinks::No),
            OpenAs::New => options.write(true).create_new(true),
            OpenAs::ReadWrite => {
                let options = options.read(true).write(true).create(true);
                options.follow(FollowSymlinks::No)
            }
        };
        Ok(Box::new(self.dir.open_with(name, &options)?.into_std()))
    }

    fn status(&self, name: &str) -> io::Result<FileStatus> {
        let metadata = self.dir.symlink_metadata(name)?;
        Ok(FileStatus {
            is_file: metadata.is_file(),
            length: metadata.len(),
            identity: FileIdentity(metadata.dev(), metadata.ino()),
        })
    }

    fn entries(&self) -> io::Result<Vec<DirectoryEntry>> {
        let entry = |entry: io::Result<cap_std::fs::DirEntry>| {
            let entry = entry?;
            Ok(DirectoryEntry {
                name: entry.file_name().to_string_lossy().into_owned(),
                is_file: entry.file_type()?.is_file(),
            })
        };
        self.dir.entries()?.map(entry).collect()
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        self.dir.rename(from, &self.dir, to)
    }

    fn remove_file(&self, name: &str) -> io::Result<()> {
        self.dir.remove_file(name)
    }

    fn remove_directory(&self, name: &str) -> io::Result<()> {
        self.dir.remove_dir_all(name)
    }

    fn sync(&self) -> io::Result<()> {
        // The handle itself is open with O_PATH, which can't be synced.
        self.dir.open(".")?.sync_all()
    }

    fn identity(&self) -> io::Result<FileIdentity> {
        let metadata = self.dir.dir_metadata()?;
        Ok(FileIdentity(metadata.dev(), metadata.ino()))
    }

    fn try_lock(&self, name: &str) -> Result<Box<dyn FileLock>, TryLockError> {
        let opened = open_to_lock(&self.dir, name).map_err(TryLockError::Error)?;
        opened.try_lock()?;
        Ok(Box::new(opened))
    }
}
