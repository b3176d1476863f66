//! The file system behind a small interface: the operations that the checkpoint store and the file
//! sink need, and no others.
//!
//! [`LocalFiles`] is the real file system, through handles of cap-std; [`PrivateFiles`] is the same
//! for files that only the job's user may open. A simulation brings its own, whose power may fail.
//! Nothing here decides when to sync.

mod local_directory;
mod local_file;
mod open_or_create;

use std::fmt::Debug;
use std::fs::TryLockError;
use std::io::{self, Read, Seek, Write};
use std::path::Path;

pub use local_directory::{LocalFiles, PrivateFiles};
pub use open_or_create::open_or_create;

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
