//! A disk whose power may fail, with cached and durable contents.
//!
//! Each file has its contents now and its durable contents, each directory its names now and its
//! durable names. A sync copies the present state into the durable one. A killed process leaves the
//! present state. A power failure leaves the durable state and a random part of the rest: changes
//! of names one by one, contents whole, in part or not at all. If the sync of a file fails, the
//! disk drops the data that it should have made durable, as Linux does: a second sync succeeds and
//! changes nothing. If the sync of a directory fails, nothing changes, and a second sync may
//! succeed.

mod handles;
mod power;
mod takeover;

use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::faults::{Faults, OnDisk};
use crate::trace::Trace;

pub(crate) use takeover::{LOCK, Takeover};

/// The directory that holds one directory per sink, under the sink's name.
pub(crate) const OUTPUT: &str = "output";

/// The unit that a power failure leaves written or unwritten as a whole.
const BLOCK_BYTES: usize = 512;

/// An inode's number.
type Inode = usize;

/// The disk. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct SimulatedDisk {
    state: Arc<Mutex<State>>,
}

#[derive(Debug)]
struct State {
    inodes: Vec<Node>,
    faults: Faults,
    trace: Trace,
}

#[derive(Debug)]
enum Node {
    File(File),
    Directory(Directory),
}

#[derive(Debug, Default)]
struct File {
    now: Vec<u8>,
    durable: Vec<u8>,
    /// True if the file was written to since the last sync, failed or not.
    is_dirty: bool,
    is_locked: bool,
}

#[derive(Debug, Default)]
struct Directory {
    now: BTreeMap<String, Inode>,
    durable: BTreeMap<String, Inode>,
    /// The changes of names since the last sync, in order.
    changes: Vec<Change>,
}

/// A change of a directory's names, which a power failure leaves done or undone.
#[derive(Clone, Debug)]
enum Change {
    Add(String, Inode),
    Rename { from: String, to: String },
    Remove(String),
}

impl Directory {
    fn change(&mut self, change: Change) {
        change.make(&mut self.now);
        self.changes.push(change);
    }
}

impl Change {
    fn make(&self, names: &mut BTreeMap<String, Inode>) {
        match self {
            Self::Add(name, inode) => drop(names.insert(name.clone(), *inode)),
            Self::Rename { from, to } => {
                if let Some(inode) = names.remove(from) {
                    names.insert(to.clone(), inode);
                }
            }
            Self::Remove(name) => drop(names.remove(name)),
        }
    }
}

impl SimulatedDisk {
    /// Returns an empty disk.
    pub(crate) fn new(faults: Faults, trace: Trace) -> Self {
        let state = State {
            inodes: vec![Node::Directory(Directory::default())],
            faults,
            trace,
        };
        Self {
            state: Arc::new(Mutex::new(state)),
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Ends the process: its locks are released, its writes stay.
    pub(crate) fn end_process(&self) {
        for node in &mut self.lock().inodes {
            if let Node::File(file) = node {
                file.is_locked = false;
            }
        }
    }

    /// Returns the contents of all files in a directory by name; no files if there is no directory.
    /// Never fails.
    pub(crate) fn contents(&self, path: &[&str]) -> BTreeMap<String, Vec<u8>> {
        let state = self.lock();
        let mut inode = 0;
        for name in path {
            match state.directory(inode).now.get(*name) {
                Some(next) => inode = *next,
                None => return BTreeMap::new(),
            }
        }
        let names = state.directory(inode).now.iter();
        let files = names.filter_map(|(name, inode)| match &state.inodes[*inode] {
            Node::File(file) => Some((name.clone(), file.now.clone())),
            Node::Directory(_) => None,
        });
        files.collect()
    }
}

impl State {
    /// Announces an operation on `name`; an error is the operation's failure.
    fn step(&self, operation: OnDisk, name: &str) -> io::Result<()> {
        self.trace.note(operation as u64);
        self.trace.note_text(name);
        let done = self.faults.on_disk(operation);
        self.trace.tell(|| match &done {
            Ok(()) => format!("disk: {operation:?} {name}"),
            Err(error) => format!("disk: {operation:?} {name} fails: {error}"),
        });
        done
    }

    fn directory(&self, inode: Inode) -> &Directory {
        match &self.inodes[inode] {
            Node::Directory(directory) => directory,
            Node::File(_) => unreachable!("inode {inode} is a file"),
        }
    }

    fn directory_mut(&mut self, inode: Inode) -> &mut Directory {
        match &mut self.inodes[inode] {
            Node::Directory(directory) => directory,
            Node::File(_) => unreachable!("inode {inode} is a file"),
        }
    }

    fn file_mut(&mut self, inode: Inode) -> &mut File {
        match &mut self.inodes[inode] {
            Node::File(file) => file,
            Node::Directory(_) => unreachable!("inode {inode} is a directory"),
        }
    }

    fn file(&self, inode: Inode) -> &File {
        match &self.inodes[inode] {
            Node::File(file) => file,
            Node::Directory(_) => unreachable!("inode {inode} is a directory"),
        }
    }

    fn add(&mut self, node: Node) -> Inode {
        self.inodes.push(node);
        self.inodes.len() - 1
    }

    fn find(&self, directory: Inode, name: &str) -> io::Result<Inode> {
        let found = self.directory(directory).now.get(name).copied();
        found.ok_or_else(|| io::ErrorKind::NotFound.into())
    }
}
