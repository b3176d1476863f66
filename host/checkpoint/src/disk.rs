//! Barrier path: every change that a checkpoint store makes on a disk, one function each.
//!
//! The invariant: a change that a function here reports as done survives a power failure. No other
//! file of this crate writes, renames, removes or syncs. This file decides nothing: the caller
//! knows what a failure means for the store. A failed fsync is never repeated on the same file.

use std::fmt;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tidegate_file_system::{DirectoryHandle, FileSystem, OpenAs, PrivateFiles};
use tidegate_operator::shown;

use super::StoreError;

/// A step that changes a disk, about to be taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DiskStep {
    /// A directory is created.
    CreateDirectory,
    /// A file is created, empty.
    CreateFile,
    /// A file's contents are written.
    WriteFile,
    /// A file is synced.
    SyncFile,
    /// A file gets its final name; the path is that name.
    RenameFile,
    /// A file is removed.
    RemoveFile,
    /// A directory is synced.
    SyncDirectory,
}

/// A function that is called before each [`DiskStep`] with the path concerned. Its error simulates
/// a failing disk: the step is not taken.
pub type DiskHook = Arc<dyn Fn(DiskStep, &Path) -> io::Result<()> + Send + Sync>;

/// An open directory, and the path by which it was opened, for messages only.
#[derive(Debug)]
pub(super) struct Directory {
    pub(super) handle: Box<dyn DirectoryHandle>,
    pub(super) path: PathBuf,
}

/// Length and BLAKE3 of a file that was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Written {
    pub(super) length: u64,
    pub(super) digest: [u8; 32],
}

/// The ways in which a commit can fail.
#[derive(Debug)]
pub(super) enum CommitFailure {
    /// The final name does not exist, and this call will never create it.
    NotCommitted(StoreError),
    /// The final name may or may not exist, now or after a power failure.
    Uncertain {
        /// The step that failed.
        action: String,
        /// The operating system's message.
        source: io::Error,
    },
}

/// The ways in which a new file can fail to become durable.
#[derive(Debug)]
pub(super) enum WriteFailure {
    /// The file failed; it was removed.
    File(StoreError),
    /// The sync of its directory failed.
    Directory(StoreError),
}

/// The disk.
#[derive(Clone)]
pub(super) struct Disk {
    files: Arc<dyn FileSystem>,
    hook: Option<DiskHook>,
}

impl Disk {
    /// Returns a disk on this file system.
    pub(super) fn new(files: Arc<dyn FileSystem>) -> Self {
        Self { files, hook: None }
    }

    /// Returns the disk of this machine, which calls `hook` before each step.
    pub(super) fn with_hook(hook: DiskHook) -> Self {
        Self {
            files: Arc::new(PrivateFiles),
            hook: Some(hook),
        }
    }

    /// Opens the directory at `path`, which the user chose, and creates it if it is missing. Always
    /// syncs its name too, because an earlier run may have created it and been killed before the
    /// sync.
    pub(super) fn open_or_create(&self, path: &Path) -> Result<Directory, StoreError> {
        match Directory::open_ambient(&*self.files, path) {
            Ok(directory) => {
                self.sync_parent(path)?;
                Ok(directory)
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let (Some(parent), Some(name)) = (parent_of(path), path.file_name()) else {
                    return Err(failed("open", path)(error));
                };
                let parent = self.open_or_create(parent)?;
                match self.make_directory(&parent, Path::new(name)) {
                    // Another run may start at the same moment; the lock decides between them.
                    Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
                        Err(failed("create", path)(error))
                    }
                    Ok(()) | Err(_) => self.open_made(&parent, Path::new(name)),
                }
            }
            Err(error) => Err(failed("open", path)(error)),
        }
    }

    fn sync_parent(&self, path: &Path) -> Result<(), StoreError> {
        let Some(parent) = parent_of(path) else {
            return Ok(());
        };
        match Directory::open_ambient(&*self.files, parent) {
            Ok(parent) => self.sync_directory(&parent),
            // Who may not read it has not created anything in it.
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied => Ok(()),
            Err(error) => Err(failed("open", parent)(error)),
        }
    }

    /// Creates a directory, which must not exist yet.
    pub(super) fn create_directory(
        &self,
        parent: &Directory,
        name: &Path,
    ) -> Result<Directory, StoreError> {
        self.make_directory(parent, name)
            .map_err(failed("create", &parent.path.join(name)))?;
        self.open_made(parent, name)
    }

    fn make_directory(&self, parent: &Directory, name: &Path) -> io::Result<()> {
        self.step(DiskStep::CreateDirectory, &parent.path.join(name))
            .and_then(|()| parent.handle.create_directory(name))
    }

    /// Makes the name of a new directory durable and opens the directory.
    fn open_made(&self, parent: &Directory, name: &Path) -> Result<Directory, StoreError> {
        self.sync_directory(parent)?;
        parent
            .open(name)
            .map_err(failed("open", &parent.path.join(name)))
    }

    /// Writes a new, immutable file durably, and its name in `directory`.
    pub(super) fn write_once(
        &self,
        directory: &Directory,
        name: &str,
        contents: impl FnOnce(&mut dyn Write) -> io::Result<()>,
    ) -> Result<Written, WriteFailure> {
        let written = self.create_and_sync(directory, name, contents);
        let written = written.map_err(WriteFailure::File)?;
        self.sync_directory(directory)
            .map_err(WriteFailure::Directory)?;
        Ok(written)
    }

    /// Writes a file under a temporary name, syncs it, gives it its final name and syncs that.
    /// The caller has made sure that the final name is free, or wants it replaced.
    pub(super) fn commit(
        &self,
        directory: &Directory,
        (temporary, name): (&str, &str),
        bytes: &[u8],
    ) -> Result<(), CommitFailure> {
        self.create_and_sync(directory, temporary, |out| out.write_all(bytes))
            .map_err(CommitFailure::NotCommitted)?;
        let path = directory.path.join(name);
        let uncertain = |action: String| |source| CommitFailure::Uncertain { action, source };
        self.step(DiskStep::RenameFile, &path)
            .and_then(|()| directory.handle.rename(temporary, name))
            .map_err(uncertain(format!("rename {temporary} to {}", shown(&path))))?;
        self.step(DiskStep::SyncDirectory, &directory.path)
            .and_then(|()| directory.handle.sync())
            .map_err(uncertain(format!("sync {}", shown(&directory.path))))
    }

    /// Removes a file. Until the directory is synced, a power failure may bring the name back.
    pub(super) fn remove_file(&self, directory: &Directory, name: &str) -> Result<(), StoreError> {
        let path = directory.path.join(name);
        self.step(DiskStep::RemoveFile, &path)
            .and_then(|()| directory.handle.remove_file(name))
            .map_err(failed("remove", &path))
    }

    /// Makes the names in a directory durable.
    pub(super) fn sync_directory(&self, directory: &Directory) -> Result<(), StoreError> {
        self.step(DiskStep::SyncDirectory, &directory.path)
            .and_then(|()| directory.handle.sync())
            .map_err(failed("sync", &directory.path))
    }

    /// Calls the hook.
    pub(super) fn step(&self, step: DiskStep, path: &Path) -> io::Result<()> {
        self.hook.as_ref().map_or(Ok(()), |hook| hook(step, path))
    }

    /// Writes and syncs a new file with these contents, but not its name. Removes it on failure.
    fn create_and_sync(
        &self,
        directory: &Directory,
        name: &str,
        contents: impl FnOnce(&mut dyn Write) -> io::Result<()>,
    ) -> Result<Written, StoreError> {
        let path = directory.path.join(name);
        let mut file = self
            .step(DiskStep::CreateFile, &path)
            .and_then(|()| directory.handle.open_file(name, OpenAs::New))
            .map_err(failed("create", &path))?;

        let write = || {
            self.step(DiskStep::WriteFile, &path)?;
            let mut out = HashingWriter::new(BufWriter::new(&mut file));
            contents(&mut out)?;
            let written = out.finish()?;
            self.step(DiskStep::SyncFile, &path)?;
            file.sync()?;
            Ok(written)
        };
        write().map_err(|error| {
            // Its space may be what the next checkpoint needs. If this fails too, retention finds
            // the file by its name.
            let _ = self.remove_file(directory, name);
            failed("write", &path)(error)
        })
    }
}

impl fmt::Debug for Disk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let hook = if self.hook.is_some() {
            "hooked"
        } else {
            "plain"
        };
        f.debug_tuple("Disk").field(&hook).finish()
    }
}

impl Directory {
    /// Opens a directory that the user named.
    pub(super) fn open_ambient(files: &dyn FileSystem, path: &Path) -> io::Result<Self> {
        Ok(Self {
            handle: files.open_directory(path)?,
            path: path.to_owned(),
        })
    }

    /// Opens a directory in this one. Rejects a symbolic link, since its target could be exchanged.
    pub(super) fn open(&self, name: impl AsRef<Path>) -> io::Result<Self> {
        let name = name.as_ref();
        Ok(Self {
            handle: self.handle.open_directory(name)?,
            path: self.path.join(name),
        })
    }
}

/// Returns the parent directory of a path; for a bare name, the working directory.
fn parent_of(path: &Path) -> Option<&Path> {
    let parent = path.parent()?;
    let is_here = parent.as_os_str().is_empty();
    Some(if is_here { Path::new(".") } else { parent })
}

/// Returns a function for `map_err` that makes a [`StoreError::Io`].
pub(super) fn failed(verb: &str, path: &Path) -> impl FnOnce(io::Error) -> StoreError {
    let action = format!("{verb} {}", shown(path));
    move |source| StoreError::Io { action, source }
}

/// A writer that counts and digests the bytes passing through.
struct HashingWriter<W> {
    out: W,
    hasher: blake3::Hasher,
}

impl<W: Write> HashingWriter<W> {
    fn new(out: W) -> Self {
        let hasher = blake3::Hasher::new();
        Self { out, hasher }
    }

    fn finish(mut self) -> io::Result<Written> {
        self.out.flush()?;
        Ok(Written {
            length: self.hasher.count(),
            digest: *self.hasher.finalize().as_bytes(),
        })
    }
}

impl<W: Write> Write for HashingWriter<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.out.write(bytes)?;
        self.hasher.update(&bytes[..written]);
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}
