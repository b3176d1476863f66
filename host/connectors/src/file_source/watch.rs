//! Changes of a file while it is read. Pure.
//!
//! A changed byte among those that were read fails the job. The reader compares them (see
//! `reader.rs`); this decides how many, by length and times of the file. Any other visible change
//! causes a warning, since the lines so far are still lines that the file has held.

use std::time::{SystemTime, UNIX_EPOCH};

use super::input_root::Found;

/// The resolution of a change's time, in seconds. A later change within it may not show: the clock
/// of a file system ticks every few milliseconds, and on some systems every two seconds.
const SETTLED_SECONDS: i64 = 3;

/// Watches one open file.
#[derive(Debug)]
pub(super) struct FileWatch {
    /// The open file, at the last look.
    seen: Found,
    /// False if `seen` had just changed, so that a further change may not show in its times.
    is_settled: bool,
    /// False once the name was found to belong to another file or none.
    has_its_name: bool,
}

/// The result of a look.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Look {
    pub(super) changes: Vec<Change>,
    pub(super) compare: Compare,
}

/// The bytes, of those that were read, to compare with the file. The first bytes and those before
/// the position are always compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Compare {
    /// No others: nothing was written since the last look.
    Ends,
    /// All bytes since the last look. The file has grown, and while another process appends to it,
    /// each look would compare all earlier bytes again.
    SinceLastLook,
    /// All bytes.
    Everything,
}

/// A change to warn of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Change {
    /// The file was written to and has the same length.
    Written,
    /// Another file has its name.
    Replaced,
    /// No readable file has its name.
    Gone,
}

impl Change {
    /// Returns the text of the warning, to follow the name of the file.
    pub(super) fn meaning(self) -> &'static str {
        match self {
            Self::Written => {
                "was written to while the source reads it; the source compares the bytes that it \
                 has read with the file again, and reads the later bytes as they are now"
            }
            Self::Replaced => {
                "was replaced by another file while the source reads it; this run reads the open \
                 file to its end, but a later run will not find it"
            }
            Self::Gone => {
                "was moved or removed while the source reads it; this run reads it to its end, but \
                 a later run will not find it"
            }
        }
    }
}

impl FileWatch {
    /// Watches the file that is `open`, before the first read.
    pub(super) fn new(open: Found, now: SystemTime) -> Self {
        Self {
            seen: open,
            is_settled: is_settled(open, now),
            has_its_name: true,
        }
    }

    /// Looks at the file that is `open`, and at the `named` file that has its name now.
    pub(super) fn look(&mut self, open: Found, named: Option<Found>, now: SystemTime) -> Look {
        let compare = self.compare(open);
        let mut changes = Vec::new();
        // An append is a write too, but is not warned of.
        if open.modified != self.seen.modified && open.length == self.seen.length {
            changes.push(Change::Written);
        }
        self.seen = open;
        self.is_settled = is_settled(open, now);
        if self.has_its_name {
            let change = match named {
                None => Some(Change::Gone),
                Some(named) if named.identity != open.identity => Some(Change::Replaced),
                Some(_) => None,
            };
            self.has_its_name = change.is_none();
            changes.extend(change);
        }
        Look { changes, compare }
    }

    fn compare(&self, open: Found) -> Compare {
        let times = |found: Found| (found.modified, found.changed);
        if open.length > self.seen.length {
            Compare::SinceLastLook
        } else if open.length == self.seen.length
            && times(open) == times(self.seen)
            && self.is_settled
        {
            Compare::Ends
        } else {
            Compare::Everything
        }
    }
}

/// Returns true if the next write to a file found so at `now` must show in its times. Returns false
/// if the file system's clock is ahead of ours.
pub(super) fn is_settled(found: Found, now: SystemTime) -> bool {
    let since_epoch = now.duration_since(UNIX_EPOCH).unwrap_or_default();
    let now = i64::try_from(since_epoch.as_secs()).unwrap_or(i64::MAX);
    now.saturating_sub(found.changed.0) >= SETTLED_SECONDS
}

#[cfg(test)]
mod tests;
