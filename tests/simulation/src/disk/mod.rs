//! A disk whose power may fail: what is in its cache, and what is durable.
//!
//! Each file has contents now and durable contents, each directory names now and durable names.
//! A sync carries the one over to the other. A killed process leaves what is now; a power failure
//! leaves what is durable, and of the rest what chance leaves: changes of names one by one,
//! contents whole, in part or not at all. A sync of a file that failed has written off what it was
//! to make durable, as Linux does: a second one succeeds and changes nothing. A sync of a directory
//! that failed has changed nothing, and a second one may succeed.

mod handles;
mod power;
mod takeover;

use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::faults::{Faults, OnDisk};
use crate::trace::Trace;

pub(crate) use takeover::{LOCK, Takeover};

/// The directory in which each sink has one of its name.
pub(crate) const OUTPUT: &str = "output";

/// What is written at once or not at all when the power fails.
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
    /// True if it was written to since the last sync, whether that failed or not.
    is_dirty: bool,
    is_locked: bool,
}

#[derive(Debug, Default)]
struct Directory {
    now: BTreeMap<String, Inode>,
    durable: BTreeMap<String, Inode>,
    /// What was done to names since the last sync, in order.
    changes: Vec<Change>,
}

/// Something done to the names of a directory, which a power failure leaves done or undone.
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
    /// An empty disk.
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

    /// The process is gone: its locks are, what it wrote is not.
    pub(crate) fn end_process(&self) {
        for node in &mut self.lock().inodes {
            if let Node::File(file) = node {
                file.is_locked = false;
            }
        }
    }

    /// The contents of all files in a directory by name; nothing if there is none. Never fails.
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
    /// An operation is about to be done to `name`; an error is its failure.
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
