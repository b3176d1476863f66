//! One followed file, and what a look at it means. Pure, except that it holds the open file.

use std::fs::File;
use std::time::{Duration, Instant, SystemTime};

use super::super::input_root::Found;
use super::super::watch::is_settled;
use super::position::{FollowPosition, Mark};

/// The time without news after which a file that was renamed out of the glob, or removed, is left.
const LEFT_AFTER: Duration = Duration::from_secs(60);

/// One followed file.
pub(super) struct Tail {
    /// The name that the file has, or had last.
    pub(super) name: String,
    /// The name under which the file was found; its copies have names that begin with it.
    pub(super) origin: String,
    /// Device and inode.
    pub(super) identity: (u64, u64),
    pub(super) mark: Mark,
    /// The open file; without one, it is opened by its name.
    pub(super) file: Option<File>,
    /// The file as it was when it was read last; `None` if it has more to read.
    pub(super) seen: Option<Seen>,
    /// The name from which the file was renamed, whose new file waits for the rest of this one.
    pub(super) left_name: Option<String>,
    /// True once no name in the directory leads to the file.
    pub(super) is_gone: bool,
    /// The last time at which the file had something new.
    pub(super) last_news: Instant,
}

/// A file as it was when it was read last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Seen {
    /// The end of the bytes that were seen.
    pub(super) length: u64,
    /// The time of the last change, by the clock of the file system, before the bytes were read.
    pub(super) changed: (i64, i64),
    /// False if a further change may have the same time.
    pub(super) is_settled: bool,
}

impl Seen {
    /// Returns the sight of a file that was found before it was read up to `length`.
    pub(super) fn new(found: &Found, length: u64, now: SystemTime) -> Self {
        Self {
            length,
            changed: found.changed,
            is_settled: is_settled(*found, now),
        }
    }
}

impl Tail {
    pub(super) fn new(name: &str, identity: (u64, u64), mark: Mark, now: Instant) -> Self {
        Self {
            name: name.to_owned(),
            origin: name.to_owned(),
            identity,
            mark,
            file: None,
            seen: None,
            left_name: None,
            is_gone: false,
            last_news: now,
        }
    }

    pub(super) fn position(&self) -> FollowPosition {
        FollowPosition {
            file: self.name.clone(),
            origin: self.origin.clone(),
            identity: Some(self.identity),
            mark: self.mark,
        }
    }

    /// Returns true if the file has changed since it was read last.
    pub(super) fn has_news(&self, found: &Found) -> bool {
        let seen = self.seen.map(|seen| (seen.length, seen.changed));
        seen != Some((found.length, found.changed))
    }

    /// Returns true if the file must be read again, since it may have changed without a trace.
    pub(super) fn is_unsettled(&self) -> bool {
        self.seen.is_none_or(|seen| !seen.is_settled)
    }

    /// Returns true if the file, without news, need not be followed any longer.
    pub(super) fn is_over(&self, is_matched: bool, now: Instant) -> bool {
        let is_left = self.is_gone || !is_matched;
        let is_quiet = now.duration_since(self.last_news) >= LEFT_AFTER;
        (self.is_gone && self.file.is_none()) || (is_left && is_quiet)
    }

    /// Returns true if the file that was found is this one, by device and inode.
    pub(super) fn is(&self, found: &Found) -> bool {
        found.is_file && found.identity == self.identity
    }
}
