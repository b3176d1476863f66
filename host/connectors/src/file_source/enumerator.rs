//! The enumerator of the files of a glob: those that exist when the job starts, and with `discover`
//! those that appear later.
//!
//! A file is known by its name and is found only once: until it is read, its splits are in the
//! checkpoint, and afterwards a digest of its name. A new file is taken once it has bytes and two
//! walks in a row have found it unchanged, so that a file that is still being copied is not cut
//! off.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::sync::Arc;
use std::time::Duration;

use tidegate_connector::ConnectorError;
use tidegate_connector::source::{Assignment, RestoredSubtask, SourceSplit, SplitEnumerator};

use super::cut::{self, Span};
use super::input_root::Found;
use super::position::{FilePosition, FileSplit};
use super::read_files::{FileDigest, MOST_FILES, ReadFiles};
use super::{Input, LeftOutLinks};

/// The largest number of new files that one walk takes; the next walk takes others.
const TAKEN_AT_ONCE: usize = 1_000;

/// Enumerates the files of one source in one attempt.
pub(super) struct FileEnumerator {
    input: Arc<Input>,
    links: Arc<LeftOutLinks>,
    /// The time between two walks; `None` if files that appear later are not read.
    interval: Option<Duration>,
    /// Subtasks that can be assigned another file.
    readers: Vec<u32>,
    /// All files that were assigned to a subtask.
    known: BTreeSet<FileDigest>,
    /// All other files, as the last walk found them.
    seen: BTreeMap<String, Found>,
}

impl FileEnumerator {
    pub(super) fn new(
        input: Arc<Input>,
        links: Arc<LeftOutLinks>,
        interval: Option<Duration>,
    ) -> Self {
        Self {
            input,
            links,
            interval,
            readers: Vec::new(),
            known: BTreeSet::new(),
            seen: BTreeMap::new(),
        }
    }

    /// Returns the names of the files that match, in order.
    fn walk(&self, most: usize) -> Result<BTreeSet<String>, ConnectorError> {
        let Input { glob, root, .. } = &*self.input;
        let matches = glob.files(root, most)?;
        self.links.warn_once(glob, &matches);
        Ok(matches.files)
    }

    /// Divides the unread rest of `positions`, whose files have been checked.
    fn divide(
        &self,
        positions: &[FilePosition],
        parallelism: u32,
    ) -> Result<Vec<Vec<SourceSplit>>, ConnectorError> {
        let left = positions
            .iter()
            .enumerate()
            .filter(|(_, position)| !position.is_done());
        let to_span = |(file, position): (usize, &FilePosition)| Span {
            file,
            start: position.position,
            end: position.end,
        };
        let spans: Vec<Span> = left.map(to_span).collect();
        let to_split = |span: &Span| {
            let position = &positions[span.file];
            if (span.start, span.end) == (position.position, position.end) {
                return Ok(FileSplit::Part(position.clone()).to_split());
            }
            let file = position.open(&self.input.root, &self.input.glob)?;
            let part = position.cut(&file, span.start, span.end)?;
            Ok(FileSplit::Part(part).to_split())
        };
        let lists = cut::cut(&spans, parallelism);
        lists
            .iter()
            .map(|list| list.iter().map(to_split).collect())
            .collect()
    }

    /// Records that the files of a split were assigned.
    fn remember(&mut self, split: &SourceSplit) -> Result<(), ConnectorError> {
        match FileSplit::of_split(split)? {
            FileSplit::Part(position) => drop(self.known.insert(position.digest())),
            FileSplit::Read(read) => self.known.extend(read.0),
        }
        Ok(())
    }

    /// Returns the start of a file that was `seen`; `None` if it has changed since or is gone.
    fn take(&self, name: &str, seen: Found) -> Result<Option<FilePosition>, ConnectorError> {
        let Input { glob, root, .. } = &*self.input;
        match FilePosition::at_start(root, glob, name) {
            Ok(position) if position.file_length == seen.length => Ok(Some(position)),
            Ok(_) => Ok(None),
            Err(error) if is_gone(&error) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Returns the subtask whose turn it is. After a restore the result is the same if files are
    /// found in the same order.
    fn next_reader(&self) -> u32 {
        self.readers[self.known.len() % self.readers.len()]
    }
}

impl SplitEnumerator for FileEnumerator {
    fn plan(&mut self, parallelism: u32) -> Result<Vec<Vec<SourceSplit>>, ConnectorError> {
        let files = self.walk(usize::MAX)?;
        let Input { glob, root, .. } = &*self.input;
        if files.is_empty() && self.interval.is_none() {
            return Err(ConnectorError::JobRefused {
                reason: format!("`path` = \"{}\" matches no file", glob.text()),
            });
        }
        let positions: Result<Vec<_>, _> = files
            .iter()
            .map(|name| FilePosition::at_start(root, glob, name))
            .collect();
        let planned = self.divide(&positions?, parallelism)?;
        self.readers = (0..parallelism).collect();
        for split in planned.iter().flatten() {
            self.remember(split)?;
        }
        Ok(planned)
    }

    fn redistribute(
        &mut self,
        splits: Vec<SourceSplit>,
        parallelism: u32,
    ) -> Result<Vec<Vec<SourceSplit>>, ConnectorError> {
        let mut positions = Vec::new();
        for split in &splits {
            self.remember(split)?;
            if let FileSplit::Part(position) = FileSplit::of_split(split)? {
                positions.push(position);
            }
        }
        let mut lists = self.divide(&positions, parallelism)?;
        self.readers = (0..parallelism).collect();
        let unread: BTreeSet<FileDigest> = positions.iter().map(FilePosition::digest).collect();
        let read = ReadFiles(self.known.difference(&unread).copied().collect());
        if let (false, Some(first)) = (read.0.is_empty(), lists.first_mut()) {
            first.push(FileSplit::Read(read).to_split());
        }
        Ok(lists)
    }

    /// Remembers the files of ended subtasks too: they are never found again, whether they were
    /// read to their ends or not.
    fn restore(
        &mut self,
        subtasks: Vec<RestoredSubtask>,
        parallelism: u32,
    ) -> Result<Vec<Vec<SourceSplit>>, ConnectorError> {
        for split in subtasks.iter().flat_map(|subtask| &subtask.splits) {
            self.remember(split)?;
        }
        if subtasks.len() != parallelism as usize {
            let running = subtasks.into_iter().filter(|subtask| !subtask.has_ended);
            let splits = running.flat_map(|subtask| subtask.splits).collect();
            return self.redistribute(splits, parallelism);
        }
        let readers = (0..parallelism).zip(&subtasks);
        let readers = readers.filter(|(_, subtask)| !subtask.has_ended);
        self.readers = readers.map(|(index, _)| index).collect();
        Ok(subtasks.into_iter().map(|subtask| subtask.splits).collect())
    }

    fn discovery_interval(&self) -> Option<Duration> {
        self.interval
    }

    fn discover(&mut self) -> Result<Vec<Assignment>, ConnectorError> {
        let mut assignments = Vec::new();
        if self.readers.is_empty() {
            return Ok(assignments);
        }
        let mut seen = BTreeMap::new();
        for name in self.walk(MOST_FILES)? {
            let digest = FileDigest::of(&name);
            if self.known.contains(&digest) {
                continue;
            }
            let Some(found) = self.input.look(&name)? else {
                continue;
            };
            let is_settled = found.length > 0 && self.seen.get(&name) == Some(&found);
            let taken = match is_settled && assignments.len() < TAKEN_AT_ONCE {
                true => self.take(&name, found)?,
                false => None,
            };
            let Some(position) = taken else {
                seen.insert(name, found);
                continue;
            };
            if self.known.len() >= MOST_FILES {
                return Err(self.input.glob.too_many(MOST_FILES));
            }
            let (subtask, split) = (self.next_reader(), FileSplit::Part(position).to_split());
            assignments.push(Assignment { subtask, split });
            self.known.insert(digest);
        }
        self.seen = seen;
        Ok(assignments)
    }
}

/// Returns true if the file was removed since the walk that found it.
fn is_gone(error: &ConnectorError) -> bool {
    matches!(error, ConnectorError::Io { source, .. } if source.kind() == io::ErrorKind::NotFound)
}
