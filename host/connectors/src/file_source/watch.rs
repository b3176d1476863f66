//! What becomes of a file while it is read. Pure.
//!
//! Other bytes where bytes were read fail the job: that is compared, see `position.rs`. Everything
//! else that shows is worth a warning, once: what was read so far is still what a file has held.

use super::input_root::Found;

/// Watches one open file.
#[derive(Debug)]
pub(super) struct FileWatch {
    /// The open file, at the last look.
    seen: Found,
    /// False once it was noticed that another file, or none, has its name.
    has_its_name: bool,
}

/// Something to warn of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Change {
    /// It has the same length and was written to.
    Written,
    /// Another file has its name.
    Replaced,
    /// Nothing that can be read has its name.
    Gone,
}

impl Change {
    /// What it means, behind the name of the file.
    pub(super) fn meaning(self) -> &'static str {
        match self {
            Self::Written => {
                "was written to while it is read; its first bytes and those that were read last \
                 are as they were, and those further back are not compared"
            }
            Self::Replaced => {
                "was replaced by another file while it is read; this run reads the one that it \
                 has open to its end, and a later one will not find it"
            }
            Self::Gone => {
                "was moved or removed while it is read; this run reads it to its end, and a later \
                 one will not find it"
            }
        }
    }
}

impl FileWatch {
    pub(super) fn new(open: Found) -> Self {
        Self {
            seen: open,
            has_its_name: true,
        }
    }

    /// A look at the file that is `open`, whose bytes were compared, and at the one that has its
    /// name.
    pub(super) fn look(&mut self, open: Found, named: Option<Found>) -> Vec<Change> {
        let mut changes = Vec::new();
        // What is appended is written, too.
        if open.modified != self.seen.modified && open.length == self.seen.length {
            changes.push(Change::Written);
        }
        self.seen = open;
        if self.has_its_name {
            let change = match named {
                None => Some(Change::Gone),
                Some(named) if named.identity != open.identity => Some(Change::Replaced),
                Some(_) => None,
            };
            self.has_its_name = change.is_none();
            changes.extend(change);
        }
        changes
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::{Duration, SystemTime};

    fn file(identity: u64, length: u64, modified: u64) -> Found {
        Found {
            is_file: true,
            is_directory: false,
            length,
            modified: Some(SystemTime::UNIX_EPOCH + Duration::from_secs(modified)),
            identity: (0, identity),
        }
    }

    #[test]
    fn a_file_that_is_appended_to_is_no_surprise_and_one_that_is_written_to_is_told_each_time() {
        let mut watch = FileWatch::new(file(1, 100, 1));
        let mut look = |open| watch.look(open, Some(open));
        assert_eq!(look(file(1, 100, 1)), []);
        assert_eq!(look(file(1, 110, 2)), []);
        assert_eq!(look(file(1, 110, 3)), [Change::Written]);
        assert_eq!(look(file(1, 110, 3)), []);
        assert_eq!(look(file(1, 110, 2)), [Change::Written]);
    }

    #[test]
    fn a_file_that_has_lost_its_name_is_told_once() {
        let open = file(1, 100, 1);
        let mut watch = FileWatch::new(open);
        assert_eq!(watch.look(open, Some(file(2, 100, 1))), [Change::Replaced]);
        assert_eq!(watch.look(open, None), []);
        let mut watch = FileWatch::new(open);
        assert_eq!(watch.look(open, None), [Change::Gone]);
        assert_eq!(watch.look(open, Some(open)), []);
    }
}
