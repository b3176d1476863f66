//! Record path: [source `file`] → channel → operator instance → router → sink.
//!
//! Records of the files that match a glob. The enumerator finds the files when the job starts
//! afresh, and with `discover` repeatedly while it runs. A file is read up to its length when
//! found; later growth causes a warning, and the next start reads or rejects it. The position is
//! restored to the byte. A file that has changed is rejected, both when it is opened and while it
//! is read.

mod cut;
mod enumerator;
mod follow;
mod glob_walk;
mod growth;
mod input_root;
mod left_out_links;
mod moved;
mod options;
mod path_glob;
mod position;
mod read_files;
mod reader;
mod trail;
mod unusable_files;
mod watch;

use std::collections::VecDeque;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use tidegate_connector::source::{
    BoxFuture, FixedOption, InputMove, Isolation, MovedSplit, Source, SourceConnector,
    SourceOutput, SourcePlace, SourceSplit, SplitEnumerator,
};
use tidegate_connector::{ConnectorError, SubtaskId};

use crate::input_format::InputShape;
use crate::lines::LineLimits;
use crate::pacer::{AfterStall, Pacer};

pub use growth::OnGrowth;
pub use options::FileSourceOptions;

use enumerator::FileEnumerator;
use follow::{FollowEnumerator, FollowSource, OPEN_TAILS};
use glob_walk::Unusable;
use input_root::{Found, InputRoot};
use left_out_links::LeftOutLinks;
use path_glob::Glob;
use position::{FilePosition, FileSplit};
use read_files::{ReadEnds, ReadFiles};
use reader::SplitReader;

/// The part of the source that all subtasks share.
struct Input {
    glob: Glob,
    root: InputRoot,
    shape: Arc<InputShape>,
    limits: LineLimits,
    rate_per_subtask: Option<u32>,
    on_growth: OnGrowth,
}

impl Input {
    /// Returns the status of a file that a walk has found; `None` if it is gone.
    fn look(&self, name: &str) -> Result<Option<Found>, ConnectorError> {
        let relative = self.glob.relative(name);
        let relative = relative.expect("a walk finds files below the root");
        match self.root.find(relative) {
            Ok(found) => Ok(Some(found)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(self.root.unreachable(relative, name, error)),
        }
    }
}

/// The time between two looks for new files with `follow`, unless the user sets another.
const DISCOVER_TO_FOLLOW: Duration = Duration::from_secs(1);

struct FileConnector {
    /// The options that fix the records.
    options: Vec<FixedOption>,
    input: Arc<Input>,
    links: Arc<LeftOutLinks>,
    /// True once an attempt of this process has planned or restored the splits.
    has_started: Arc<AtomicBool>,
    /// The time between two looks for new files.
    interval: Option<Duration>,
    /// The time between two looks for new lines; `None` if files are not followed.
    follow: Option<Duration>,
    /// The root's path without links, if it could be resolved.
    root_path: Option<PathBuf>,
}

impl SourceConnector for FileConnector {
    fn connector(&self) -> &'static str {
        "file"
    }

    fn fixed_options(&self) -> Vec<FixedOption> {
        self.options.clone()
    }

    fn rejects_records(&self) -> bool {
        self.input.shape.rejects_records()
    }

    fn move_input(
        &self,
        split: SourceSplit,
        moves: &[InputMove],
    ) -> Result<MovedSplit, ConnectorError> {
        moved::moved(&self.input, self.follow.is_some(), split, moves)
    }

    fn enumerator(&self) -> Box<dyn SplitEnumerator> {
        match self.follow {
            Some(_) => Box::new(FollowEnumerator::new(
                self,
                self.interval.unwrap_or(DISCOVER_TO_FOLLOW),
            )),
            None => Box::new(FileEnumerator::new(self)),
        }
    }

    fn open(
        &self,
        _subtask: &SubtaskId,
        splits: Vec<SourceSplit>,
    ) -> Result<Box<dyn Source>, ConnectorError> {
        if let Some(interval) = self.follow {
            return Ok(Box::new(FollowSource::open(
                &self.input,
                interval,
                &splits,
            )?));
        }
        let mut source = FileSource {
            input: Arc::clone(&self.input),
            current: None,
            waiting: VecDeque::new(),
            unlisted: 0,
            read: ReadEnds::new(),
            is_discovering: self.interval.is_some(),
            is_idle: false,
            pacer: self
                .input
                .rate_per_subtask
                .map(|rate| Pacer::new(rate, 1, AfterStall::Forgive)),
            isolation: Isolation::default(),
        };
        source.take_splits(splits)?;
        Ok(Box::new(source))
    }

    fn check_input(&self) -> Result<(), ConnectorError> {
        self.input
            .glob
            .files(&self.input.root, usize::MAX, Unusable::Refused)
            .map(drop)
    }

    fn reads(&self, path: &Path) -> bool {
        let root = self.root_path.as_deref();
        let relative = root.and_then(|root| path.strip_prefix(root).ok());
        relative.is_some_and(|relative| self.input.glob.matches(relative))
    }

    fn open_files(&self, subtasks: u32) -> u64 {
        let walks = self.interval.is_some() || self.follow.is_some();
        let of_walk = if walks { DIRECTORIES_OF_A_WALK } else { 0 };
        let of_subtask = FILES_OF_A_SUBTASK + self.follow.map_or(0, |_| OPEN_TAILS as u64);
        of_subtask * u64::from(subtasks) + of_walk
    }
}

/// Nested directories that a walk has open besides the files of the subtasks.
const DIRECTORIES_OF_A_WALK: u64 = 32;
/// The file being read, and a directory on its path.
const FILES_OF_A_SUBTASK: u64 = 2;

/// Reads the splits of one subtask, one after the other.
struct FileSource {
    input: Arc<Input>,
    current: Option<SplitReader>,
    waiting: VecDeque<FilePosition>,
    /// The number of splits, the last in `waiting`, that were discovered in this attempt and are in
    /// no checkpoint.
    unlisted: usize,
    /// Files that the subtask has read, in earlier attempts too.
    read: ReadEnds,
    /// True if more files can appear.
    is_discovering: bool,
    /// True if the last output was [`SourceOutput::Idle`].
    is_idle: bool,
    pacer: Option<Pacer>,
    isolation: Isolation,
}

impl FileSource {
    /// Takes a step towards the next output; `None` if more steps are needed.
    fn step(&mut self) -> Result<Option<SourceOutput>, ConnectorError> {
        let Input { glob, root, .. } = &*self.input;
        if let Some(reader) = &mut self.current {
            if !reader.is_closing() {
                let read = reader.next_output(self.isolation);
                if let Ok(Some(output)) = read {
                    return Ok(Some(output));
                }
                if read.is_err() {
                    // An unusable line may mean that the file is another one.
                    reader.check(root, glob)?;
                }
                read?;
            }
            // Here, the lines since the last checkpoint are compared with the file.
            reader.close(root, glob)?;
            if reader.is_closed() {
                reader.warn_of_unread();
                let position = reader.position();
                let end = position.read_end();
                read_files::insert(&mut self.read, position.digest(glob)?, end);
                self.current = None;
            }
            return Ok(None);
        }
        let Some(position) = self.waiting.front() else {
            return Ok(Some(match self.is_discovering {
                true => SourceOutput::Idle,
                false => SourceOutput::Ended,
            }));
        };
        let is_unlisted = self.waiting.len() <= self.unlisted;
        let opened = SplitReader::open(&self.input, position.clone());
        self.current = Some(opened.map_err(|error| match is_unlisted {
            true => found_again(error),
            false => error,
        })?);
        self.waiting.pop_front();
        self.unlisted = self.unlisted.min(self.waiting.len());
        Ok(None)
    }

    /// Takes splits to read, whose files must still be those of their positions.
    fn take_splits(&mut self, splits: Vec<SourceSplit>) -> Result<(), ConnectorError> {
        let Input { glob, root, .. } = &*self.input;
        for split in &splits {
            match FileSplit::of_split(split)? {
                FileSplit::Part(position) if position.is_done() => {
                    let digest = position.digest(glob)?;
                    read_files::insert(&mut self.read, digest, position.read_end());
                }
                FileSplit::Part(position) => {
                    // Check now, so that a job does not start on input that it can't finish; open
                    // later, so that many files are not many open files.
                    position.open(root, glob)?;
                    self.waiting.push_back(position);
                }
                FileSplit::Read(read) => {
                    for (digest, end) in read.files {
                        read_files::insert(&mut self.read, digest, end);
                    }
                }
            }
        }
        Ok(())
    }

    /// Steps to the next output. Yields during the comparison at the end of a split, so that a
    /// checkpoint or the end of the job can come between two steps.
    async fn next(&mut self) -> Result<SourceOutput, ConnectorError> {
        loop {
            if let Some(output) = self.step()? {
                return Ok(output);
            }
            if self.current.as_ref().is_some_and(SplitReader::is_closing) {
                tokio::task::yield_now().await;
            }
        }
    }
}

/// Makes the failure of a split that was discovered and is in no checkpoint. Another attempt may
/// succeed, since it looks for new files again.
fn found_again(error: ConnectorError) -> ConnectorError {
    match error {
        ConnectorError::StateRefused { reason } | ConnectorError::JobRefused { reason } => {
            ConnectorError::Io {
                action: "could not read a new input file, which is in no checkpoint".to_owned(),
                source: io::Error::other(reason),
            }
        }
        error @ (ConnectorError::Io { .. }
        | ConnectorError::Record { .. }
        | ConnectorError::InvalidRecord { .. }
        | ConnectorError::InUse { .. }) => error,
    }
}

impl Source for FileSource {
    /// Cancel-safe: waits only when every line that was read has been returned.
    fn poll(&mut self) -> BoxFuture<'_, Result<SourceOutput, ConnectorError>> {
        Box::pin(async {
            if let Some(pacer) = &mut self.pacer {
                // A batch is measured in bytes, so it comes when its first line is due.
                pacer.wait(1).await;
            }
            let output = self.next().await?;
            if let (SourceOutput::Idle, true) = (&output, self.is_idle) {
                // Wait until a new file is added, between two polls.
                return std::future::pending().await;
            }
            self.is_idle = matches!(output, SourceOutput::Idle);
            let records = match &output {
                SourceOutput::Batch(batch) => batch.len(),
                SourceOutput::Invalid(_) => 1,
                SourceOutput::Watermark(_) | SourceOutput::Idle | SourceOutput::Ended => 0,
            };
            if let (Some(pacer), 1..) = (&mut self.pacer, records) {
                pacer.spend(records);
            }
            Ok(output)
        })
    }

    fn check(&mut self) -> Result<(), ConnectorError> {
        self.unlisted = 0;
        match &mut self.current {
            Some(reader) => reader.check(&self.input.root, &self.input.glob),
            None => Ok(()),
        }
    }

    fn splits(&self) -> Vec<SourceSplit> {
        let current = self.current.iter().map(SplitReader::position);
        let positions = current.chain(self.waiting.iter().cloned());
        let mut read = self.read.clone();
        let mut splits = Vec::new();
        for position in positions {
            if position.is_done() {
                let digest = position.digest(&self.input.glob);
                let digest = digest.expect("a file that was opened is below the root");
                read_files::insert(&mut read, digest, position.read_end());
            } else {
                splits.push(FileSplit::Part(position).to_split());
            }
        }
        if !read.is_empty() {
            let read = ReadFiles::of(&self.input.glob, read);
            splits.push(FileSplit::Read(read).to_split());
        }
        splits
    }

    fn add_splits(&mut self, splits: Vec<SourceSplit>) -> Result<(), ConnectorError> {
        self.unlisted += splits.len();
        self.take_splits(splits).map_err(found_again)
    }

    fn last_place(&self) -> Option<SourcePlace> {
        self.current.as_ref().map(SplitReader::last_place)
    }

    fn isolate(&mut self, isolation: Isolation) {
        self.isolation = isolation;
    }
}
