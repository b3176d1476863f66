//! Takeover of a directory of output by a second owner, and its reversal.

use std::collections::BTreeSet;

use super::{Directory, File, Inode, Node, OUTPUT, SimulatedDisk, State};

/// The file sink's marker.
const MARKER: &str = "_tidegate";
/// The file that a run locks.
pub(crate) const LOCK: &str = ".tidegate-lock";
/// The text before the lineage in a marker.
const LINEAGE: &str = "\"lineage\": \"";
/// A lineage that no simulated job has.
const RIVAL: &str = "ffffffffffffffffffffffffffffffff";

/// A directory that was taken from its owner.
#[derive(Debug)]
pub(crate) struct Takeover {
    /// The owner's directory.
    directory: Inode,
    /// The directory in which a name was changed, the name, and the inode that it named before.
    changed: (Inode, String, Inode),
}

impl SimulatedDisk {
    /// Returns true if a run has locked a sink's directory.
    pub(crate) fn is_output_locked(&self, sink: &str) -> bool {
        let state = self.lock();
        let directory = state.directory(state.output(sink).1);
        let lock = directory.now.get(LOCK);
        lock.is_some_and(|lock| state.file(*lock).is_locked)
    }

    /// Gives a sink's directory to another owner, at once and durably: replaces the directory, or
    /// the marker in it.
    pub(crate) fn take_over(&self, sink: &str, by_another: bool) -> Takeover {
        let mut state = self.lock();
        let (outputs, directory) = state.output(sink);
        let marker = state.directory(directory).now[MARKER];
        let theirs = state.rival_marker(marker);
        let (changed, new) = if by_another {
            let mut another = Directory::default();
            another.set(MARKER, theirs);
            let another = state.add(Node::Directory(another));
            ((outputs, sink.to_owned(), directory), another)
        } else {
            ((directory, MARKER.to_owned(), marker), theirs)
        };
        state.directory_mut(changed.0).set(&changed.1, new);
        Takeover { directory, changed }
    }

    /// Returns the names of the visible output in the owner's directory.
    pub(crate) fn visible(&self, takeover: &Takeover) -> BTreeSet<String> {
        let state = self.lock();
        let names = state.directory(takeover.directory).now.keys();
        let visible = names.filter(|name| !name.starts_with(['.', '_']));
        visible.cloned().collect()
    }

    /// Undoes a takeover.
    pub(crate) fn give_back(&self, takeover: &Takeover) {
        let (changed, name, before) = &takeover.changed;
        self.lock().directory_mut(*changed).set(name, *before);
    }
}

impl State {
    /// Returns the directory of all outputs, and a sink's directory in it.
    fn output(&self, sink: &str) -> (Inode, Inode) {
        let outputs = self.directory(0).now[OUTPUT];
        (outputs, self.directory(outputs).now[sink])
    }

    fn rival_marker(&mut self, ours: Inode) -> Inode {
        let mut text = String::from_utf8_lossy(&self.file(ours).now).into_owned();
        let at = text.find(LINEAGE).expect("a marker has a lineage") + LINEAGE.len();
        text.replace_range(at..at + RIVAL.len(), RIVAL);
        self.add(Node::File(File {
            now: text.clone().into_bytes(),
            durable: text.into_bytes(),
            ..File::default()
        }))
    }
}

impl Directory {
    fn set(&mut self, name: &str, inode: Inode) {
        self.now.insert(name.to_owned(), inode);
        self.durable.insert(name.to_owned(), inode);
    }
}
