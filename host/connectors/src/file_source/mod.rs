//! Record path: [source `file`] → channel → operator instance → router → sink.
//!
//! Lines of the files that match a glob. The files are found once, when the job starts afresh, and
//! read up to the length that they have then; files that appear or grow later are not read. The
//! position is restored to the byte, and a file that is not what it was is refused: when it is
//! opened, and while it is read.

mod cut;
mod glob_walk;
mod input_root;
mod position;
mod reader;
mod trail;
mod watch;

use std::collections::VecDeque;
use std::path::Path;
use std::sync::Arc;
use std::sync::Once;

use bytesize::ByteSize;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tidegate_connector::source::{
    BoxFuture, Isolation, Source, SourceConnector, SourceOutput, SourcePlace, SourceSplit,
};
use tidegate_connector::{ConnectorError, SubtaskId};
use tidegate_operator::shown_text;

use crate::byte_size::ByteSizeText;
use crate::lines::LineLimits;
use crate::pacer::{AfterStall, Pacer};

use cut::Span;
use glob_walk::{Glob, Matches};
use input_root::InputRoot;
use position::FilePosition;
use reader::SplitReader;

/// Options of the source `file`.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct FileSourceOptions {
    /// Which files, as a glob relative to the job file: `*`, `?` and `[…]` match within a name,
    /// `**` any number of directories. None of them matches a leading dot.
    pub path: String,
    /// Whether links are followed wherever they lead. Without it, a link to a file or to a
    /// directory that the glob names is followed below the directory before the first wildcard,
    /// and refused if it leads out of that; `**` follows no link to a directory, and a warning
    /// names each that it leaves out. With it, whoever can make links there decides what is read;
    /// `**` enters no directory twice, so links that lead in a circle end.
    #[serde(default)]
    pub follow_links: bool,
    /// How records stand in a file.
    #[serde(default)]
    pub format: FileFormat,
    /// A longer line fails the job.
    #[serde(default = "default_record_bytes")]
    #[schemars(with = "ByteSizeText")]
    pub max_record_bytes: ByteSize,
    /// A batch takes no further line once it has this many bytes.
    #[serde(default = "default_batch_bytes")]
    #[schemars(with = "ByteSizeText")]
    pub batch_bytes: ByteSize,
    /// Lines a second that each subtask gives at most, to replay a file at a pace. Without it the
    /// file is read at full speed. Smaller batches (`batch-bytes`) make the pace more even.
    #[serde(default)]
    pub rate_per_subtask: Option<u32>,
}

/// How records stand in a file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum FileFormat {
    /// A record is a line: empty key, no timestamp, and as value the bytes before the newline,
    /// including a carriage return. The last line needs no newline.
    #[default]
    Lines,
}

fn default_record_bytes() -> ByteSize {
    ByteSize::mib(1)
}

fn default_batch_bytes() -> ByteSize {
    ByteSize::kib(128)
}

/// The longest record and the largest batch that can be asked for.
const MOST_BYTES: ByteSize = ByteSize::gib(1);

impl FileSourceOptions {
    /// The connector; `path` is relative to `base`. Opens the directory before the first wildcard.
    ///
    /// # Errors
    ///
    /// [`ConnectorError::JobRefused`] names the key whose value can't be used.
    pub fn connect(self, base: &Path) -> Result<Arc<dyn SourceConnector>, ConnectorError> {
        let FileFormat::Lines = self.format;
        let limits = LineLimits {
            record_bytes: checked_bytes("max-record-bytes", self.max_record_bytes)?,
            batch_bytes: checked_bytes("batch-bytes", self.batch_bytes)?,
        };
        if self.rate_per_subtask == Some(0) {
            return Err(ConnectorError::JobRefused {
                reason: "`rate-per-subtask` must be at least 1; leave it out for full speed"
                    .to_owned(),
            });
        }
        let glob = Glob::parse(&self.path)?;
        let root = glob.open_root(base, self.follow_links)?;
        Ok(Arc::new(FileConnector {
            input: Arc::new(Input {
                glob,
                root,
                limits,
                rate_per_subtask: self.rate_per_subtask,
            }),
            links_told: Once::new(),
        }))
    }
}

fn checked_bytes(key: &str, value: ByteSize) -> Result<usize, ConnectorError> {
    let bytes = usize::try_from(value.0).ok();
    let allowed = bytes.filter(|_| (1..=MOST_BYTES.0).contains(&value.0));
    allowed.ok_or_else(|| ConnectorError::JobRefused {
        reason: format!("`{key}` must be from 1 B to {MOST_BYTES}"),
    })
}

/// What the subtasks share.
struct Input {
    glob: Glob,
    root: InputRoot,
    limits: LineLimits,
    rate_per_subtask: Option<u32>,
}

struct FileConnector {
    input: Arc<Input>,
    /// Links that were left out are told once, though a start plans several times.
    links_told: Once,
}

/// How many links a warning names.
const SHOWN_LINKS: usize = 5;

impl FileConnector {
    fn tell_left_out(&self, matches: &Matches) {
        let links = &matches.left_out;
        if links.is_empty() {
            return;
        }
        self.links_told.call_once(|| {
            let shown: Vec<&str> = links.iter().take(SHOWN_LINKS).map(String::as_str).collect();
            let more = match links.len().saturating_sub(SHOWN_LINKS) {
                0 => String::new(),
                more => format!(" and {more} more"),
            };
            tracing::warn!(
                "`path` = \"{}\" does not read what is behind the links {}{more}, since `**` does \
                 not follow links to directories. Set `follow-links = true` to read it",
                shown_text(self.input.glob.text()),
                shown_text(&shown.join(", "))
            );
        });
    }

    /// Divides what is left of `positions`, whose files have been checked.
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
                return Ok(position.to_split());
            }
            let file = position.open(&self.input.root, &self.input.glob)?;
            Ok(position.cut(&file, span.start, span.end)?.to_split())
        };
        let lists = cut::cut(&spans, parallelism);
        lists
            .iter()
            .map(|list| list.iter().map(to_split).collect())
            .collect()
    }
}

impl SourceConnector for FileConnector {
    fn connector(&self) -> &'static str {
        "file"
    }

    fn plan(&self, parallelism: u32) -> Result<Vec<Vec<SourceSplit>>, ConnectorError> {
        let Input { glob, root, .. } = &*self.input;
        let matches = glob.files(root)?;
        self.tell_left_out(&matches);
        let files = matches.files;
        if files.is_empty() {
            return Err(ConnectorError::JobRefused {
                reason: format!("`path` = \"{}\" matches no file", glob.text()),
            });
        }
        let positions: Result<Vec<_>, _> = files
            .iter()
            .map(|name| FilePosition::at_start(root, glob, name))
            .collect();
        self.divide(&positions?, parallelism)
    }

    fn replan(
        &self,
        splits: Vec<SourceSplit>,
        parallelism: u32,
    ) -> Result<Vec<Vec<SourceSplit>>, ConnectorError> {
        let positions: Result<Vec<_>, _> = splits.iter().map(FilePosition::of_split).collect();
        self.divide(&positions?, parallelism)
    }

    fn open(
        &self,
        _subtask: &SubtaskId,
        splits: Vec<SourceSplit>,
    ) -> Result<Box<dyn Source>, ConnectorError> {
        let mut waiting = VecDeque::new();
        for split in &splits {
            let position = FilePosition::of_split(split)?;
            if !position.is_done() {
                // Checked now, so that a job does not start on input that it can't finish; opened
                // when its turn comes, so that many files are not many open files.
                position.open(&self.input.root, &self.input.glob)?;
                waiting.push_back(position);
            }
        }
        Ok(Box::new(FileSource {
            input: Arc::clone(&self.input),
            current: None,
            waiting,
            pacer: self
                .input
                .rate_per_subtask
                .map(|rate| Pacer::new(rate, 1, AfterStall::Forgive)),
            isolation: Isolation::default(),
        }))
    }

    fn check_input(&self) -> Result<(), ConnectorError> {
        self.input.glob.files(&self.input.root).map(drop)
    }

    fn open_files(&self, subtasks: u32) -> u64 {
        FILES_OF_A_SUBTASK * u64::from(subtasks)
    }
}

/// The file that is read, and a directory on the way to it.
const FILES_OF_A_SUBTASK: u64 = 2;

/// Reads the splits of one subtask, one after the other.
struct FileSource {
    input: Arc<Input>,
    current: Option<SplitReader>,
    waiting: VecDeque<FilePosition>,
    pacer: Option<Pacer>,
    isolation: Isolation,
}

impl FileSource {
    /// A step towards the next output; none if there are more.
    fn step(&mut self) -> Result<Option<SourceOutput>, ConnectorError> {
        let Input {
            glob, root, limits, ..
        } = &*self.input;
        if let Some(reader) = &mut self.current {
            if !reader.is_closing() {
                let read = reader.next_batch(self.isolation);
                if let Ok(Some(batch)) = read {
                    return Ok(Some(SourceOutput::Batch(batch)));
                }
                if read.is_err() {
                    // Lines that are no records may be those of another file.
                    reader.check(root, glob)?;
                }
                read?;
            }
            // What was read since the last checkpoint is vouched for here.
            reader.close(root, glob)?;
            if reader.is_closed() {
                self.current = None;
            }
            return Ok(None);
        }
        let Some(position) = self.waiting.front() else {
            return Ok(Some(SourceOutput::Ended));
        };
        self.current = Some(SplitReader::open(root, glob, position.clone(), *limits)?);
        self.waiting.pop_front();
        Ok(None)
    }

    /// While much is compared again at the end of a split, lets a checkpoint or the end of the job
    /// in between two steps.
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

impl Source for FileSource {
    /// Waits only where it has read nothing that it did not give, so it can be given up there.
    fn poll(&mut self) -> BoxFuture<'_, Result<SourceOutput, ConnectorError>> {
        Box::pin(async {
            if let Some(pacer) = &mut self.pacer {
                // A batch is measured in bytes, so it comes when its first line is due.
                pacer.wait(1).await;
            }
            let output = self.next().await?;
            if let (Some(pacer), SourceOutput::Batch(batch)) = (&mut self.pacer, &output) {
                pacer.spend(batch.len());
            }
            Ok(output)
        })
    }

    fn check(&mut self) -> Result<(), ConnectorError> {
        match &mut self.current {
            Some(reader) => reader.check(&self.input.root, &self.input.glob),
            None => Ok(()),
        }
    }

    fn splits(&self) -> Vec<SourceSplit> {
        let current = self.current.iter().map(SplitReader::position);
        let positions = current.chain(self.waiting.iter().cloned());
        let left = positions.filter(|position| !position.is_done());
        left.map(|position| position.to_split()).collect()
    }

    fn last_place(&self) -> Option<SourcePlace> {
        self.current.as_ref().map(SplitReader::last_place)
    }

    fn isolate(&mut self, isolation: Isolation) {
        self.isolation = isolation;
    }
}
