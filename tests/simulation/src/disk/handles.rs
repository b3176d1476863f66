//! The runtime's view of the disk. Each call is one step that may fail, or be the last one.

use std::fs::TryLockError;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Component, Path};

use tidegate_file_system::{
    DirectoryEntry, DirectoryHandle, FileHandle, FileIdentity, FileLock, FileStatus, FileSystem,
    OpenAs,
};

use super::{Change, Directory, File, Inode, Node, SimulatedDisk, State};
use crate::faults::OnDisk;

impl FileSystem for SimulatedDisk {
    fn open_directory(&self, path: &Path) -> io::Result<Box<dyn DirectoryHandle>> {
        let state = self.lock();
        state.step(OnDisk::Open, &path.to_string_lossy())?;
        let mut inode = 0;
        for component in path.components() {
            match component {
                Component::RootDir => {}
                Component::Normal(name) => inode = state.find(inode, &name.to_string_lossy())?,
                Component::Prefix(_) | Component::CurDir | Component::ParentDir => {
                    return Err(io::ErrorKind::InvalidInput.into());
                }
            }
        }
        match state.inodes[inode] {
            Node::Directory(_) => Ok(self.directory(inode, &path.to_string_lossy())),
            Node::File(_) => Err(io::ErrorKind::NotADirectory.into()),
        }
    }
}

impl SimulatedDisk {
    fn directory(&self, inode: Inode, name: &str) -> Box<dyn DirectoryHandle> {
        Box::new(OpenDirectory {
            disk: self.clone(),
            inode,
            name: name.to_owned(),
        })
    }

    fn file(&self, inode: Inode, name: &str) -> Box<dyn FileHandle> {
        Box::new(OpenFile {
            disk: self.clone(),
            inode,
            name: name.to_owned(),
            at: 0,
            holds_lock: false.into(),
        })
    }
}

#[derive(Debug)]
struct OpenDirectory {
    disk: SimulatedDisk,
    inode: Inode,
    /// The path, for the trace.
    name: String,
}

impl OpenDirectory {
    fn create(&self, state: &mut State, name: &str, node: Node) -> io::Result<Inode> {
        if state.find(self.inode, name).is_ok() {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        state.step(OnDisk::Create, name)?;
        let inode = state.add(node);
        let change = Change::Add(name.to_owned(), inode);
        state.directory_mut(self.inode).change(change);
        Ok(inode)
    }
}

impl DirectoryHandle for OpenDirectory {
    fn open_directory(&self, name: &Path) -> io::Result<Box<dyn DirectoryHandle>> {
        let state = self.disk.lock();
        let name = name.to_string_lossy();
        state.step(OnDisk::Open, &name)?;
        let inode = state.find(self.inode, &name)?;
        match state.inodes[inode] {
            Node::Directory(_) => Ok(self.disk.directory(inode, &name)),
            Node::File(_) => Err(io::ErrorKind::NotADirectory.into()),
        }
    }

    fn create_directory(&self, name: &Path) -> io::Result<()> {
        let mut state = self.disk.lock();
        let directory = Node::Directory(Directory::default());
        let name = name.to_string_lossy();
        self.create(&mut state, &name, directory).map(|_| ())
    }

    fn open_file(&self, name: &str, open_as: OpenAs) -> io::Result<Box<dyn FileHandle>> {
        let mut state = self.disk.lock();
        let new = || Node::File(File::default());
        let found = state.find(self.inode, name);
        let inode = match (open_as, found) {
            (OpenAs::New, _) | (OpenAs::ReadWrite, Err(_)) => {
                self.create(&mut state, name, new())?
            }
            (OpenAs::Read | OpenAs::ReadWrite, found) => {
                state.step(OnDisk::Open, name)?;
                found?
            }
        };
        Ok(self.disk.file(inode, name))
    }

    fn status(&self, name: &str) -> io::Result<FileStatus> {
        let state = self.disk.lock();
        state.step(OnDisk::Open, name)?;
        let inode = state.find(self.inode, name)?;
        Ok(match &state.inodes[inode] {
            Node::File(file) => FileStatus {
                is_file: true,
                length: file.now.len() as u64,
                identity: identity(inode),
            },
            Node::Directory(_) => FileStatus {
                is_file: false,
                length: 0,
                identity: identity(inode),
            },
        })
    }

    fn entries(&self) -> io::Result<Vec<DirectoryEntry>> {
        let state = self.disk.lock();
        state.step(OnDisk::List, &self.name)?;
        let names = state.directory(self.inode).now.iter();
        let entries = names.map(|(name, inode)| DirectoryEntry {
            name: name.clone(),
            is_file: matches!(state.inodes[*inode], Node::File(_)),
        });
        Ok(entries.collect())
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        let mut state = self.disk.lock();
        state.step(OnDisk::Rename, to)?;
        state.find(self.inode, from)?;
        let (from, to) = (from.to_owned(), to.to_owned());
        let directory = state.directory_mut(self.inode);
        directory.change(Change::Rename { from, to });
        Ok(())
    }

    fn remove_file(&self, name: &str) -> io::Result<()> {
        let mut state = self.disk.lock();
        state.step(OnDisk::Remove, name)?;
        state.find(self.inode, name)?;
        let directory = state.directory_mut(self.inode);
        directory.change(Change::Remove(name.to_owned()));
        Ok(())
    }

    fn remove_directory(&self, name: &str) -> io::Result<()> {
        self.remove_file(name)
    }

    fn sync(&self) -> io::Result<()> {
        let mut state = self.disk.lock();
        state.step(OnDisk::SyncDirectory, &self.name)?;
        let directory = state.directory_mut(self.inode);
        for change in std::mem::take(&mut directory.changes) {
            change.make(&mut directory.durable);
        }
        Ok(())
    }

    fn identity(&self) -> io::Result<FileIdentity> {
        Ok(identity(self.inode))
    }

    fn try_lock(&self, name: &str) -> Result<Box<dyn FileLock>, TryLockError> {
        let mut state = self.disk.lock();
        let inode = match state.find(self.inode, name) {
            Ok(inode) => inode,
            Err(_) => {
                let created = self.create(&mut state, name, Node::File(File::default()));
                created.map_err(TryLockError::Error)?
            }
        };
        let file = state.file_mut(inode);
        if file.is_locked {
            return Err(TryLockError::WouldBlock);
        }
        file.is_locked = true;
        Ok(Box::new(LockedFile {
            disk: self.disk.clone(),
            inode,
        }))
    }
}

#[derive(Debug)]
struct LockedFile {
    disk: SimulatedDisk,
    inode: Inode,
}

impl FileLock for LockedFile {
    fn identity(&self) -> io::Result<FileIdentity> {
        Ok(identity(self.inode))
    }
}

impl Drop for LockedFile {
    fn drop(&mut self) {
        self.disk.lock().file_mut(self.inode).is_locked = false;
    }
}

fn identity(inode: Inode) -> FileIdentity {
    FileIdentity(0, inode as u64)
}

#[derive(Debug)]
struct OpenFile {
    disk: SimulatedDisk,
    inode: Inode,
    /// The path, for the trace.
    name: String,
    at: usize,
    holds_lock: std::sync::atomic::AtomicBool,
}

impl Read for OpenFile {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let state = self.disk.lock();
        state.step(OnDisk::Read, &self.name)?;
        let contents = &state.file(self.inode).now;
        let rest = contents.get(self.at..).unwrap_or_default();
        let bytes = rest.len().min(buffer.len());
        buffer[..bytes].copy_from_slice(&rest[..bytes]);
        self.at += bytes;
        Ok(bytes)
    }
}

impl Write for OpenFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut state = self.disk.lock();
        let written = state.step(OnDisk::Write, &self.name);
        if state.faults.has_crashed() {
            return Err(written.err().unwrap_or_else(|| io::ErrorKind::Other.into()));
        }
        // A full disk takes only a part.
        let bytes = match written {
            Ok(()) => bytes,
            Err(_) => &bytes[..bytes.len() / 2],
        };
        let at = self.at;
        let file = state.file_mut(self.inode);
        let end = at + bytes.len();
        if file.now.len() < end {
            file.now.resize(end, 0);
        }
        file.now[at..end].copy_from_slice(bytes);
        file.is_dirty = true;
        self.at = end;
        written.map(|()| bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Seek for OpenFile {
    fn seek(&mut self, position: SeekFrom) -> io::Result<u64> {
        let SeekFrom::Start(at) = position else {
            return Err(io::ErrorKind::Unsupported.into());
        };
        self.at = usize::try_from(at).expect("files are small");
        Ok(at)
    }
}

impl FileHandle for OpenFile {
    fn set_length(&self, length: u64) -> io::Result<()> {
        let mut state = self.disk.lock();
        state.step(OnDisk::Write, &self.name)?;
        let length = usize::try_from(length).expect("files are small");
        let file = state.file_mut(self.inode);
        file.now.resize(length, 0);
        file.is_dirty = true;
        Ok(())
    }

    fn sync(&self) -> io::Result<()> {
        let mut state = self.disk.lock();
        let synced = state.step(OnDisk::SyncFile, &self.name);
        let crashed = state.faults.has_crashed();
        let file = state.file_mut(self.inode);
        if crashed {
            return synced;
        }
        if synced.is_ok() && file.is_dirty {
            file.durable = file.now.clone();
        }
        file.is_dirty = false;
        synced
    }

    fn identity(&self) -> io::Result<FileIdentity> {
        Ok(identity(self.inode))
    }

    fn try_lock(&self) -> Result<(), TryLockError> {
        let mut state = self.disk.lock();
        let file = state.file_mut(self.inode);
        if file.is_locked {
            return Err(TryLockError::WouldBlock);
        }
        file.is_locked = true;
        self.holds_lock
            .store(true, std::sync::atomic::Ordering::Relaxed);
        Ok(())
    }
}

impl Drop for OpenFile {
    fn drop(&mut self) {
        if self.holds_lock.load(std::sync::atomic::Ordering::Relaxed) {
            self.disk.lock().file_mut(self.inode).is_locked = false;
        }
    }
}
