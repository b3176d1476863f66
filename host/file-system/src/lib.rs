//! The file system behind a small interface: the operations that the checkpoint store and the file
//! sink need, and no others.
//!
//! [`LocalFiles`] is the real file system, through handles of cap-std; [`PrivateFiles`] is the same
//! for files that only the job's user may open. A simulation brings its own, whose power may fail.
//! Nothing here decides when to sync.

use std::fmt::Debug;
use std::fs::{File, Permissions, TryLockError};
use std::io::{self, Read, Seek, Write};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::Path;

use cap_fs_ext::{DirExt, FollowSymlinks, OpenOptionsFollowExt};
use cap_std::ambient_authority;
use cap_std::fs::{Dir, DirBuilder, DirBuilderExt as _};
use cap_std::fs::{MetadataExt as _, OpenOptions, OpenOptionsExt as _};

/// Opens directories that the user named.
pub trait FileSystem: Debug + Send + Sync {
    /// Opens the directory at `path`.
    ///
    /// # Errors
    ///
    /// The error of the system.
    fn open_directory(&self, path: &Path) -> io::Result<Box<dyn DirectoryHandle>>;
}

/// The ways to open a file. It is never opened through a symbolic link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OpenAs {
    /// To read an existing file.
    Read,
    /// To write a file that must not exist yet.
    New,
    /// To read and write a file, which is created if missing.
    ReadWrite,
}

/// The kind, length and identity of the entry with a name. A symbolic link is not a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FileStatus {
    /// True for a regular file.
    pub is_file: bool,
    /// The length in bytes.
    pub length: u64,
    /// The identity of the entry.
    pub identity: FileIdentity,
}

/// Device and inode, which distinguish a file or directory from any other that exists at the same
/// time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FileIdentity(pub u64, pub u64);

/// A name in a directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DirectoryEntry {
    /// The name. Invalid UTF-8 in it is replaced, so that it matches no name of ours.
    pub name: String,
    /// True for a regular file.
    pub is_file: bool,
}

/// An open directory. Names are single components. Errors are those of the system.
#[expect(clippy::missing_errors_doc, reason = "each is an error of the system")]
pub trait DirectoryHandle: Debug + Send + Sync {
    /// Opens a directory in this one, which may not be a symbolic link.
    fn open_directory(&self, name: &Path) -> io::Result<Box<dyn DirectoryHandle>>;

    /// Creates a directory, which must not exist.
    fn create_directory(&self, name: &Path) -> io::Result<()>;

    /// Opens or creates a file.
    fn open_file(&self, name: &str, open_as: OpenAs) -> io::Result<Box<dyn FileHandle>>;

    /// Returns the status of the entry with this name.
    fn status(&self, name: &str) -> io::Result<FileStatus>;

    /// Returns all entries, in no order.
    fn entries(&self) -> io::Result<Vec<DirectoryEntry>>;

    /// Renames within this directory, atomically; replaces an existing entry named `to`.
    fn rename(&self, from: &str, to: &str) -> io::Result<()>;

    /// Removes a file.
    fn remove_file(&self, name: &str) -> io::Result<()>;

    /// Removes a directory with its contents.
    fn remove_directory(&self, name: &str) -> io::Result<()>;

    /// Makes the names in the directory durable.
    fn sync(&self) -> io::Result<()>;

    /// Returns the directory's identity, whatever its name is by now.
    fn identity(&self) -> io::Result<FileIdentity>;

    /// Locks a file, which is created if missing, or fails at once. Dropping the returned lock
    /// releases it. Only the owner can open the file, so that no other user can keep it locked. The
    /// kernel releases the lock when the process ends, however that happens.
    fn try_lock(&self, name: &str) -> Result<Box<dyn FileLock>, TryLockError>;
}

/// Keeps a file locked while it lives.
pub trait FileLock: Debug + Send + Sync {
    /// Returns the file's identity, whatever its name is by now.
    ///
    /// # Errors
    ///
    /// The error of the system.
    fn identity(&self) -> io::Result<FileIdentity>;
}

/// An open file.
#[expect(clippy::missing_errors_doc, reason = "each is an error of the system")]
pub trait FileHandle: Debug + Read + Write + Seek + Send {
    /// Truncates or extends the file.
    fn set_length(&self, length: u64) -> io::Result<()>;

    /// Makes the contents durable, but not the name.
    fn sync(&self) -> io::Result<()>;

    /// Returns the file's identity, whatever its name is by now.
    fn identity(&self) -> io::Result<FileIdentity>;

    /// Locks the file until it is closed, or fails at once.
    fn try_lock(&self) -> Result<(), TryLockError>;
}

/// Opens the directory at `path`, which is created if missing. Its name is durable on return, even
/// if an earlier run created it and was killed before the sync.
///
/// # Errors
///
/// The error of the system.
pub fn open_or_create(files: &dyn FileSystem, path: &Path) -> io::Result<Box<dyn DirectoryHandle>> {
    let parent = path
        .parent()
        .map(|parent| match parent.as_os_str().is_empty() {
            true => Path::new("."),
            false => parent,
        });
    match files.open_directory(path) {
        Ok(directory) => {
            match parent.map(|parent| files.open_directory(parent)) {
                Some(Ok(parent)) => parent.sync()?,
                // A process that may not read the parent has not created anything in it.
                Some(Err(error)) if error.kind() == io::ErrorKind::PermissionDenied => {}
                Some(Err(error)) => return Err(error),
                None => {}
            }
            Ok(directory)
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let (Some(parent), Some(name)) = (parent, path.file_name()) else {
                return Err(error);
            };
            let parent = open_or_create(files, parent)?;
            match parent.create_directory(Path::new(name)) {
                // Another sink may have created it at the same moment.
                Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
                Ok(()) | Err(_) => parent.sync()?,
            }
            parent.open_directory(Path::new(name))
        }
        Err(error) => Err(error),
    }
}

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

/// The mode of a file that only its owner can open.
const OWNERS_FILE: u32 = 0o600;

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

/// Opens a regular file that only its owner can open; creates it if missing.
fn open_to_lock(dir: &Dir, name: &str) -> io::Result<File> {
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
