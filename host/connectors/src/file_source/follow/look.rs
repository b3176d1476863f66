//! The look at all followed files: which have news, which were renamed or removed, and which names
//! have a new file.

use std::collections::BTreeSet;
use std::io;
use std::path::Path;
use std::time::{Duration, Instant, SystemTime};

use tidegate_connector::ConnectorError;
use tidegate_operator::shown_text;

use super::siblings::{self, Copied, Sibling};
use super::tail::{Seen, Tail};
use super::{FollowSource, Mark};
use crate::file_source::input_root::Found;

/// The time for which a name without a file is looked at. The enumerator has walked by then, and
/// finds a later file of that name.
const EXPECTED_FOR: Duration = Duration::from_secs(60);

impl FollowSource {
    /// Looks at every followed file and at every expected name, and queues what is to be read.
    pub(super) fn look(&mut self) -> Result<(), ConnectorError> {
        assert!(self.active.is_none(), "no tail is being read during a look");
        assert!(self.queue.is_empty(), "every tail with news was read");
        for at in 0..self.tails.len() {
            self.look_at(at)?;
        }
        self.drop_tails();
        self.look_for_new()?;
        let all = self.tails.iter().enumerate();
        let unread = all.filter(|(_, tail)| tail.is_unsettled());
        self.queue = unread.map(|(at, _)| at).collect();
        Ok(())
    }

    /// Returns the status of a name; `None` if it is gone.
    fn find(&self, name: &str) -> Result<Option<Found>, ConnectorError> {
        let relative = self.input.glob.below_root(name)?;
        match self.input.root.find(relative) {
            Ok(found) => Ok(Some(found)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(self.input.root.unreachable(relative, name, error)),
        }
    }

    fn look_at(&mut self, at: usize) -> Result<(), ConnectorError> {
        if self.tails[at].is_gone {
            return self.look_at_open_file(at);
        }
        let named = self.find(&self.tails[at].name)?;
        if let Some(found) = named.filter(|found| self.tails[at].is(found)) {
            return match self.tails[at].has_news(&found) {
                true => self.on_news(at, &found),
                false => Ok(()),
            };
        }
        self.follow_rename(at)
    }

    /// Handles a file that has other bytes than at the last look. A copy that is still being made
    /// of another followed file has none of its own.
    fn on_news(&mut self, at: usize, found: &Found) -> Result<(), ConnectorError> {
        let name = self.tails[at].name.clone();
        let failed = || ConnectorError::io(format!("could not compare input file {name}"));
        let is_longer = found.length > self.tails[at].mark.position;
        let copied = match is_longer {
            true => siblings::copied(&self.input, (&name, found), &self.tails),
            false => Ok(Copied::No),
        };
        let copied = copied.map_err(failed())?;
        let tail = &mut self.tails[at];
        match copied {
            Copied::No => {
                tail.seen = None;
                tail.last_news = Instant::now();
            }
            // Looked at again each time.
            Copied::Ahead => tail.seen = Some(settled(tail.mark.position)),
            Copied::Behind => {
                let mark = siblings::mark_at_end(&self.input, &name, found.length);
                tail.mark = mark.map_err(failed())?;
                tail.seen = Some(Seen::new(found, found.length, SystemTime::now()));
            }
        }
        Ok(())
    }

    /// Finds the new name of a file whose name is gone or has another file.
    fn follow_rename(&mut self, at: usize) -> Result<(), ConnectorError> {
        let old_name = self.tails[at].name.clone();
        let listed = siblings::siblings(&self.input, &old_name);
        let failed = ConnectorError::io(format!("could not list the directory of {old_name}"));
        let siblings = match listed {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
            listed => listed.map_err(failed)?,
        };
        self.expect(old_name.clone());
        let tail = &mut self.tails[at];
        if let Some(name) = siblings::renamed(&siblings, tail) {
            self.candidates.remove(&name);
            tail.left_name = Some(old_name);
            tail.name = name;
            tail.seen = None;
            return Ok(());
        }
        if tail.file.is_some() {
            tail.is_gone = true;
            tail.left_name = Some(old_name);
            return self.look_at_open_file(at);
        }
        self.adopt(at, &siblings)
    }

    /// Looks for a file with the contents of one that is gone: a copy, or the file itself on a
    /// device that has another number now.
    fn adopt(&mut self, at: usize, siblings: &[Sibling]) -> Result<(), ConnectorError> {
        let known: BTreeSet<_> = self.tails.iter().map(|tail| tail.identity).collect();
        let tail = &mut self.tails[at];
        let failed = ConnectorError::io(format!("could not read the files beside {}", tail.name));
        let of = (tail.origin.as_str(), tail.mark);
        let copy = siblings::copy(&self.input, siblings, of, &known).map_err(failed)?;
        match copy {
            Some(copy) => {
                self.candidates.remove(&copy.name);
                if copy.name != tail.name {
                    tail.left_name = Some(tail.name.clone());
                }
                copy.name.clone_into(&mut tail.name);
                tail.identity = copy.found.identity;
                tail.seen = None;
            }
            None => {
                tracing::warn!(
                    "input file {} was removed or moved out of its directory; the source had read \
                     it up to byte {}, and lines behind it, if there were any, are lost",
                    shown_text(&tail.name),
                    tail.mark.position
                );
                tail.is_gone = true;
                tail.seen = Some(settled(tail.mark.position));
            }
        }
        Ok(())
    }

    /// Looks at a file that has no name, or none that is known.
    fn look_at_open_file(&mut self, at: usize) -> Result<(), ConnectorError> {
        let tail = &mut self.tails[at];
        let Some(file) = &tail.file else {
            return Ok(());
        };
        let action = format!("could not read input file {}", tail.name);
        let found = Found::of(file).map_err(ConnectorError::io(action))?;
        let has_news = tail.seen.is_none_or(|seen| seen.length != found.length);
        match has_news && found.length > tail.mark.position {
            true => {
                tail.seen = None;
                tail.last_news = Instant::now();
            }
            false => tail.seen = Some(settled(found.length)),
        }
        Ok(())
    }

    /// Drops tails that are read and need not be followed any longer.
    fn drop_tails(&mut self) {
        let now = Instant::now();
        let glob = &self.input.glob;
        self.tails.retain(|tail| {
            let is_matched = glob.relative(&tail.name);
            let is_matched = is_matched.is_some_and(|relative| glob.matches(Path::new(relative)));
            let is_dropped = tail.seen.is_some() && tail.is_over(is_matched, now);
            if let (true, Some(seen)) = (is_dropped, tail.seen)
                && seen.length > tail.mark.position
            {
                tracing::warn!(
                    "input file {} is gone and ended with an unfinished line of {} bytes, which \
                     the source does not read",
                    shown_text(&tail.name),
                    seen.length - tail.mark.position
                );
            }
            !is_dropped
        });
    }

    /// Looks for new files under the expected names.
    fn look_for_new(&mut self) -> Result<(), ConnectorError> {
        let mut sighted = BTreeSet::new();
        // A file that may be a copy of another waits with it: it is recognised once that was read.
        let mut waiting: Vec<String> = Vec::new();
        for name in self.candidates.keys().cloned().collect::<Vec<_>>() {
            let identity = self.find(&name)?.map(|found| found.identity);
            sighted.extend(identity);
            let is_new = identity.is_some_and(|identity| !self.sighted.contains(&identity));
            let waits = waiting.iter().any(|other| name.starts_with(other.as_str()));
            if waits || self.must_wait(&name) || (is_new && self.may_be_copy(&name)) {
                waiting.push(name);
            } else {
                self.look_for(&name)?;
            }
        }
        self.sighted = sighted;
        Ok(())
    }

    /// Returns true if a file of this name may be a copy of one that has news. If that file was
    /// truncated, its next read tells; by the next look, all files with news were read.
    fn may_be_copy(&self, name: &str) -> bool {
        let mut tails = self.tails.iter();
        tails.any(|tail| tail.seen.is_none() && name.starts_with(&tail.origin))
    }

    /// Returns true if other files are to be read before a new one of this name.
    fn must_wait(&self, name: &str) -> bool {
        // The rest of the old file comes first.
        let is_left = |tail: &Tail| tail.left_name.as_deref() == Some(name);
        // A copy of a file is recognised once the file was read.
        let is_first = |tail: &Tail| tail.mark.position == 0 && name.starts_with(&tail.origin);
        let mut tails = self.tails.iter();
        tails.any(|tail| tail.seen.is_none() && (is_left(tail) || is_first(tail)))
    }

    /// Looks for a new file under an expected name.
    fn look_for(&mut self, name: &str) -> Result<(), ConnectorError> {
        let Some(found) = self.find(name)?.filter(|found| found.is_file) else {
            let now = Instant::now();
            let since = self.candidates.entry(name.to_owned()).or_default();
            if now.duration_since(*since.get_or_insert(now)) >= EXPECTED_FOR {
                self.candidates.remove(name);
            }
            return Ok(());
        };
        if self
            .tails
            .iter()
            .any(|tail| tail.is(&found) && !tail.is_gone)
        {
            self.candidates.remove(name);
            return Ok(());
        }
        if found.length == 0 {
            self.candidates.insert(name.to_owned(), None);
            return Ok(());
        }
        let failed = || ConnectorError::io(format!("could not compare input file {name}"));
        let copied = siblings::copied(&self.input, (name, &found), &self.tails);
        let (mark, seen) = match copied.map_err(failed())? {
            Copied::Ahead => return Ok(()),
            Copied::No => (Mark::default(), None),
            Copied::Behind => {
                let mark = siblings::mark_at_end(&self.input, name, found.length);
                let seen = Seen::new(&found, found.length, SystemTime::now());
                (mark.map_err(failed())?, Some(seen))
            }
        };
        self.candidates.remove(name);
        let mut tail = Tail::new(name, found.identity, mark, Instant::now());
        tail.seen = seen;
        self.tails.push(tail);
        Ok(())
    }
}

/// Returns the sight of a file that was read up to `length`, and whose times do not matter.
fn settled(length: u64) -> Seen {
    Seen {
        length,
        changed: (0, 0),
        is_settled: true,
    }
}
