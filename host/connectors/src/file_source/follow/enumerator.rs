//! The enumerator of followed files: finds names, and assigns them to subtasks by directory.
//!
//! A file that is rotated keeps its directory, so one subtask sees the old and the new name and can
//! tell that they are one file. The enumerator knows names only; the source decides what is new.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use tidegate_connector::ConnectorError;
use tidegate_connector::source::{Assignment, RestoredSubtask, SourceSplit, SplitEnumerator};

use super::super::glob_walk::Unusable;
use super::super::read_files::MOST_FILES;
use super::super::unusable_files::UnusableFiles;
use super::super::{FileConnector, Input, LeftOutLinks};
use super::directory_of;
use super::position::FollowPosition;

/// Finds the names that match.
pub(in super::super) struct FollowEnumerator {
    input: Arc<Input>,
    links: Arc<LeftOutLinks>,
    interval: Duration,
    /// Subtasks that have not ended.
    readers: Vec<u32>,
    /// The names of the last walk, or of the splits before the first one.
    seen: BTreeSet<String>,
    unusable: UnusableFiles,
}

impl FollowEnumerator {
    pub(in super::super) fn new(connector: &FileConnector, interval: Duration) -> Self {
        Self {
            input: Arc::clone(&connector.input),
            links: Arc::clone(&connector.links),
            interval,
            readers: Vec::new(),
            seen: BTreeSet::new(),
            unusable: UnusableFiles::default(),
        }
    }

    fn walk(&mut self, unusable: Unusable) -> Result<BTreeSet<String>, ConnectorError> {
        let Input { glob, root, .. } = &*self.input;
        let matches = glob.files(root, MOST_FILES, unusable)?;
        self.links.warn_once(glob, &matches);
        for (name, reason) in &matches.unusable {
            self.unusable.warn_once(name, reason);
        }
        Ok(matches.files)
    }

    /// Returns the place among `readers` of the one that reads a file.
    fn reader_of(name: &str, readers: usize) -> usize {
        let digest = blake3::hash(directory_of(name).as_bytes());
        let first: [u8; 8] = std::array::from_fn(|at| digest.as_bytes()[at]);
        let place = u64::from_le_bytes(first) % readers.max(1) as u64;
        usize::try_from(place).expect("it is less than a usize")
    }

    fn start_with(&mut self, splits: &[SourceSplit]) -> Result<(), ConnectorError> {
        for split in splits {
            let position = FollowPosition::of_split(split)?;
            self.input.glob.below_root(&position.file)?;
            self.seen.insert(position.file);
        }
        Ok(())
    }
}

impl SplitEnumerator for FollowEnumerator {
    fn plan(&mut self, parallelism: u32) -> Result<Vec<Vec<SourceSplit>>, ConnectorError> {
        let names = self.walk(Unusable::Refused)?;
        let split = |name: &String| FollowPosition::of_name(name).to_split();
        self.redistribute(names.iter().map(split).collect(), parallelism)
    }

    fn redistribute(
        &mut self,
        splits: Vec<SourceSplit>,
        parallelism: u32,
    ) -> Result<Vec<Vec<SourceSplit>>, ConnectorError> {
        self.start_with(&splits)?;
        self.readers = (0..parallelism).collect();
        let mut lists = vec![Vec::new(); parallelism as usize];
        for split in splits {
            let name = FollowPosition::of_split(&split)?.file;
            lists[Self::reader_of(&name, parallelism as usize)].push(split);
        }
        Ok(lists)
    }

    fn restore(
        &mut self,
        subtasks: Vec<RestoredSubtask>,
        parallelism: u32,
    ) -> Result<Vec<Vec<SourceSplit>>, ConnectorError> {
        if subtasks.len() != parallelism as usize {
            let running = subtasks.into_iter().filter(|subtask| !subtask.has_ended);
            let splits = running.flat_map(|subtask| subtask.splits).collect();
            return self.redistribute(splits, parallelism);
        }
        for subtask in &subtasks {
            self.start_with(&subtask.splits)?;
        }
        let readers = (0..parallelism).zip(&subtasks);
        let readers = readers.filter(|(_, subtask)| !subtask.has_ended);
        self.readers = readers.map(|(index, _)| index).collect();
        Ok(subtasks.into_iter().map(|subtask| subtask.splits).collect())
    }

    fn discovery_interval(&self) -> Option<Duration> {
        Some(self.interval)
    }

    fn discover(&mut self) -> Result<Vec<Assignment>, ConnectorError> {
        if self.readers.is_empty() {
            return Ok(Vec::new());
        }
        let names = self.walk(Unusable::Listed)?;
        let new = names.difference(&self.seen);
        let assignments = new.map(|name| Assignment {
            subtask: self.readers[Self::reader_of(name, self.readers.len())],
            split: FollowPosition::of_name(name).to_split(),
        });
        let assignments = assignments.collect();
        self.seen = names;
        Ok(assignments)
    }
}
