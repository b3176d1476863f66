//! The enumerator of the files of a glob: those that exist when the job starts, and with `discover`
//! those that appear later.
//!
//! A file is known by its path below the root and is found only once: until it is read, its splits
//! are in the checkpoint, and afterwards a digest of that path.
//!
//! With `discover`, a file that is still being copied is not cut off: the plan takes a file only if
//! it has not changed for some seconds, and a later walk once the file has bytes and two walks in a
//! row have found it unchanged.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, SystemTime};

use tidegate_connector::ConnectorError;
use tidegate_connector::source::{Assignment, RestoredSubtask, SourceSplit, SplitEnumerator};

use super::cut::{self, Span};
use super::glob_walk::Unusable;
use super::input_root::Found;
use super::position::{FilePosition, FileSplit};
use super::read_files::{self, FileDigest, MOST_FILES, ReadEnds, ReadFiles};
use super::unusable_files::UnusableFiles;
use super::watch::is_settled;
use super::{FileConnector, Input, LeftOutLinks, growth};

/// The largest number of new files that one walk takes; the next walk takes others.
const TAKEN_AT_ONCE: usize = 1_000;

/// Enumerates the files of one source in one attempt.
pub(super) struct FileEnumerator {
    input: Arc<Input>,
    links: Arc<LeftOutLinks>,
    /// See [`FileConnector`].
    has_started: Arc<AtomicBool>,
    /// The time between two walks; `None` if files that appear later are not read.
    interval: Option<Duration>,
    /// Subtasks that can be assigned another file.
    readers: Vec<u32>,
    /// All files that were assigned to a subtask, with the ends of those that were read.
    known: ReadEnds,
    /// All other files, as the last walk found them.
    seen: BTreeMap<String, Found>,
    unusable: UnusableFiles,
}

impl FileEnumerator {
    pub(super) fn new(connector: &FileConnector) -> Self {
        Self {
            input: Arc::clone(&connector.input),
            links: Arc::clone(&connector.links),
            has_started: Arc::clone(&connector.has_started),
            interval: connector.interval,
            readers: Vec::new(),
            known: ReadEnds::new(),
            seen: BTreeMap::new(),
            unusable: UnusableFiles::default(),
        }
    }

    /// Returns the names of the files that match, in order. Warns of unusable ones that are listed.
    fn walk(
        &mut self,
        most: usize,
        unusable: Unusable,
    ) -> Result<BTreeSet<String>, ConnectorError> {
        let Input { glob, root, .. } = &*self.input;
        let matches = glob.files(root, most, unusable)?;
        self.links.warn_once(glob, &matches);
        for (name, reason) in &matches.unusable {
            self.unusable.warn_once(name, reason);
        }
        Ok(matches.files)
    }

    /// Returns a result about a new file; warns of an error, since one file must not end the job.
    fn tolerate<T>(&mut self, name: &str, result: Result<Option<T>, ConnectorError>) -> Option<T> {
        result.unwrap_or_else(|error| {
            self.unusable.warn_once(name, &error.to_string());
            None
        })
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
        let lists = match self.input.shape.is_divisible() {
            true => cut::cut(&spans, parallelism),
            false => cut::deal(&spans, parallelism),
        };
        lists
            .iter()
            .map(|list| list.iter().map(to_split).collect())
            .collect()
    }

    /// Records that the files of a split were assigned. Rejects files below another root.
    fn remember(&mut self, split: &SourceSplit) -> Result<(), ConnectorError> {
        let glob = &self.input.glob;
        match FileSplit::of_split(split)? {
            FileSplit::Part(position) => {
                let digest = position.digest(glob)?;
                read_files::insert(&mut self.known, digest, position.read_end());
            }
            FileSplit::Read(read) => {
                read.check_root(glob)?;
                for (digest, end) in read.files {
                    read_files::insert(&mut self.known, digest, end);
                }
            }
        }
        Ok(())
    }

    /// Returns the start of a file at a fresh start of the job; `None` if it is left to discovery,
    /// since it may still be written.
    fn first(&self, name: &str) -> Result<Option<FilePosition>, ConnectorError> {
        let Input { glob, root, .. } = &*self.input;
        if self.interval.is_none() {
            return FilePosition::at_start(root, glob, name).map(Some);
        }
        match self.input.look(name)? {
            Some(found) if is_settled(found, SystemTime::now()) => self.take(name, found),
            Some(_) | None => Ok(None),
        }
    }

    /// Returns the start of a file that was `seen`; `None` if it has changed since or is gone.
    fn take(&self, name: &str, seen: Found) -> Result<Option<FilePosition>, ConnectorError> {
        let Input { glob, root, .. } = &*self.input;
        match FilePosition::at_start(root, glob, name) {
            Ok(position) if position.file_length == seen.length => Ok(Some(position)),
            Ok(_) => Ok(None),
            Err(error) if is_other(&error) => Ok(None),
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
        let files = self.walk(usize::MAX, Unusable::Refused)?;
        if files.is_empty() && self.interval.is_none() {
            return Err(ConnectorError::JobRefused {
                reason: format!("`path` = \"{}\" matches no file", self.input.glob.text()),
            });
        }
        let positions = files.iter().map(|name| self.first(name));
        let positions: Result<Vec<_>, _> = positions.filter_map(Result::transpose).collect();
        let planned = self.divide(&positions?, parallelism)?;
        self.has_started.store(true, Ordering::Relaxed);
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
        let glob = &self.input.glob;
        let unread = positions.iter().filter(|position| !position.is_done());
        let unread = unread.map(|position| position.digest(glob));
        let unread: BTreeSet<FileDigest> = unread.collect::<Result<_, _>>()?;
        let known = self.known.iter();
        // An unread part of a file may stand before its end, which was read.
        let read = known.filter(|(digest, end)| end.is_some() || !unread.contains(digest));
        let read: ReadEnds = read.map(|(digest, end)| (*digest, *end)).collect();
        if let (false, Some(first)) = (read.is_empty(), lists.first_mut()) {
            first.push(FileSplit::Read(ReadFiles::of(glob, read)).to_split());
        }
        Ok(lists)
    }

    /// Remembers the files of ended subtasks too: they are never found again, whether they were
    /// read to their ends or not.
    fn restore(
        &mut self,
        mut subtasks: Vec<RestoredSubtask>,
        parallelism: u32,
    ) -> Result<Vec<Vec<SourceSplit>>, ConnectorError> {
        for split in subtasks.iter().flat_map(|subtask| &subtask.splits) {
            self.remember(split)?;
        }
        // A restart within the process continues with the input that the start has found.
        if !self.has_started.load(Ordering::Relaxed) {
            growth::take_added(&self.input, self.interval.is_some(), &mut subtasks)?;
            self.has_started.store(true, Ordering::Relaxed);
        }
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
        for name in self.walk(MOST_FILES, Unusable::Listed)? {
            let digest = FileDigest::of(self.input.glob.below_root(&name)?);
            if self.known.contains_key(&digest) {
                continue;
            }
            let found = self.input.look(&name);
            let Some(found) = self.tolerate(&name, found) else {
                continue;
            };
            let is_settled = found.length > 0 && self.seen.get(&name) == Some(&found);
            let taken = match is_settled && assignments.len() < TAKEN_AT_ONCE {
                true => {
                    let taken = self.take(&name, found);
                    self.tolerate(&name, taken)
                }
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
            self.known.insert(digest, None);
        }
        self.seen = seen;
        Ok(assignments)
    }
}

/// Returns true if the file was removed, cut short or replaced since the walk that found it.
fn is_other(error: &ConnectorError) -> bool {
    match error {
        ConnectorError::Io { source, .. } => matches!(
            source.kind(),
            io::ErrorKind::NotFound | io::ErrorKind::UnexpectedEof
        ),
        ConnectorError::StateRefused { .. } => true,
        ConnectorError::Record { .. }
        | ConnectorError::InvalidRecord { .. }
        | ConnectorError::InUse { .. }
        | ConnectorError::JobRefused { .. } => false,
    }
}
