//! Record path: [source `file` with `follow`] → channel → operator instance → router → sink.
//!
//! Files that grow and are rotated, as logs are: each new line is read once. A file is known by its
//! inode and by the bytes that were read of it, so it may be renamed, or copied and truncated; the
//! rest of the old file comes before the new file of its name. See `position.rs` for the identity
//! and `look.rs` for the decisions.
//!
//! What log shippers can't do, this can't: bytes that were truncated or removed before they were
//! read are lost, unless a copy of them stands in the same directory.

mod enumerator;
mod look;
mod position;
mod siblings;
mod tail;
mod tail_reader;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fs::File;
use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use tidegate_connector::ConnectorError;
use tidegate_connector::source::{
    BoxFuture, InputMove, Isolation, MovedSplit, Source, SourceOutput, SourcePlace, SourceSplit,
};
use tidegate_operator::shown_text;

use super::Input;
use super::input_root::Found;
use crate::pacer::{AfterStall, Pacer};

pub(super) use enumerator::FollowEnumerator;

pub(super) use position::FOLLOW_VERSION;

use position::{FollowPosition, Mark};
use tail::{Seen, Tail};
use tail_reader::{Opened, Step, TailReader};

/// The largest number of batches of one file before the next file has its turn.
const BATCHES_OF_A_TURN: usize = 64;

/// The largest number of files that one subtask keeps open between two looks. Others are opened by
/// their names.
pub(super) const OPEN_TAILS: usize = 64;

/// The largest number of files that one subtask follows.
const MOST_TAILS: usize = 100_000;

/// Returns the directory of a file with the slash behind it; nothing without a directory.
fn directory_of(name: &str) -> &str {
    name.rfind('/').map_or("", |slash| &name[..=slash])
}

/// Follows the files of one subtask.
pub(super) struct FollowSource {
    input: Arc<Input>,
    interval: Duration,
    tails: Vec<Tail>,
    /// Names under which a new file is expected, with the time since when there is none.
    candidates: BTreeMap<String, Option<Instant>>,
    /// The files under these names at the last look, by device and inode.
    sighted: BTreeSet<(u64, u64)>,
    /// The tails to read, by place.
    queue: VecDeque<usize>,
    /// The tail that is being read.
    active: Option<Active>,
    /// True if the last output was [`SourceOutput::Idle`].
    is_idle: bool,
    pacer: Option<Pacer>,
    isolation: Isolation,
}

/// The turn of a tail.
struct Active {
    /// The place of the tail.
    at: usize,
    reader: Box<TailReader>,
    /// The file before it was read in this turn.
    found: Found,
    /// The number of batches of this turn.
    batches: usize,
}

impl FollowSource {
    /// Follows the files of these splits, and looks at them every `interval`.
    pub(super) fn open(
        input: &Arc<Input>,
        interval: Duration,
        splits: &[SourceSplit],
    ) -> Result<Self, ConnectorError> {
        let rate = input.rate_per_subtask;
        let mut source = Self {
            input: Arc::clone(input),
            interval,
            tails: Vec::new(),
            candidates: BTreeMap::new(),
            sighted: BTreeSet::new(),
            queue: VecDeque::new(),
            active: None,
            is_idle: false,
            pacer: rate.map(|rate| Pacer::new(rate, 1, AfterStall::Forgive)),
            isolation: Isolation::default(),
        };
        source.take(splits)?;
        Ok(source)
    }

    fn take(&mut self, splits: &[SourceSplit]) -> Result<(), ConnectorError> {
        for split in splits {
            let position = FollowPosition::of_split(split)?;
            self.input.glob.below_root(&position.file)?;
            match position.identity {
                Some(identity) => {
                    let now = Instant::now();
                    let mut tail = Tail::new(&position.file, identity, position.mark, now);
                    tail.origin = position.origin;
                    self.tails.push(tail);
                }
                None => self.expect(position.file),
            }
        }
        let followed = self.tails.len() + self.candidates.len();
        if followed > MOST_TAILS {
            return Err(ConnectorError::JobRefused {
                reason: format!(
                    "`path` = \"{}\" matches {followed} files, and one subtask follows at most \
                     {MOST_TAILS}: use a narrower `path`, or files in several directories and more \
                     subtasks",
                    self.input.glob.text()
                ),
            });
        }
        Ok(())
    }

    /// Expects a new file under this name, unless a followed file has it.
    fn expect(&mut self, name: String) {
        self.candidates.entry(name).or_insert(None);
    }

    /// Returns the next output; `None` if there is nothing to read now.
    fn step(&mut self) -> Result<Option<SourceOutput>, ConnectorError> {
        let mut has_looked = false;
        loop {
            if let Some(active) = &mut self.active {
                let is_over = active.batches >= BATCHES_OF_A_TURN;
                let step = match is_over {
                    true => Step::End,
                    false => active.reader.next(self.isolation)?,
                };
                match step {
                    Step::Output(output) => {
                        active.batches += 1;
                        return Ok(Some(output));
                    }
                    Step::End => self.leave(is_over),
                    Step::Changed => {
                        let at = self.stop_reading();
                        self.on_truncated(at)?;
                    }
                }
            } else if let Some(at) = self.queue.pop_front() {
                self.enter(at)?;
            } else if has_looked {
                return Ok(None);
            } else {
                self.look()?;
                has_looked = true;
            }
        }
    }

    /// Opens the reader of a tail.
    fn enter(&mut self, at: usize) -> Result<(), ConnectorError> {
        let tail = &mut self.tails[at];
        let file = match tail.file.take() {
            Some(file) => file,
            None => match open_named(&self.input, tail)? {
                Some(file) => file,
                // The next look finds out where the file is.
                None => return Ok(()),
            },
        };
        let failed = ConnectorError::io(format!("could not read input file {}", tail.name));
        let found = Found::of(&file).map_err(failed)?;
        match TailReader::open(&self.input, &tail.name, file, tail.mark)? {
            Opened::Reader(reader) => {
                self.active = Some(Active {
                    at,
                    reader,
                    found,
                    batches: 0,
                });
                Ok(())
            }
            Opened::Changed(file) => {
                tail.file = Some(file);
                self.on_truncated(at)
            }
        }
    }

    /// Leaves the active tail, at its end or because its turn is over.
    fn leave(&mut self, is_turn_over: bool) {
        let now = SystemTime::now();
        let seen = self.active.as_ref();
        let seen = seen.map(|active| Seen::new(&active.found, active.reader.seen_up_to(), now));
        let at = self.stop_reading();
        let tail = &mut self.tails[at];
        tail.seen = seen.filter(|_| !is_turn_over);
        if is_turn_over {
            self.queue.push_back(at);
        }
    }

    /// Puts the reader away, and returns the place of its tail.
    fn stop_reading(&mut self) -> usize {
        let Active { at, reader, .. } = self.active.take().expect("a tail is being read");
        let open = self.tails.iter().filter(|tail| tail.file.is_some()).count();
        let tail = &mut self.tails[at];
        tail.mark = reader.mark();
        if open < OPEN_TAILS || tail.is_gone {
            tail.file = Some(reader.into_file());
        }
        at
    }

    /// Handles a file that does not hold the bytes that were read: its rest may be in a copy, and
    /// the file itself is read from its start.
    fn on_truncated(&mut self, at: usize) -> Result<(), ConnectorError> {
        let tail = &self.tails[at];
        let (name, origin, mark) = (tail.name.clone(), tail.origin.clone(), tail.mark);
        let failed = ConnectorError::io(format!("could not list the directory of {name}"));
        let known = self.tails.iter().map(|tail| tail.identity).collect();
        let siblings = match siblings::siblings(&self.input, &name) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
            siblings => siblings,
        };
        let siblings = siblings.map_err(failed)?;
        let failed = ConnectorError::io(format!("could not read the files beside {name}"));
        let copy = siblings::copy(&self.input, &siblings, (&origin, mark), &known);
        let shown = shown_text(&name);
        if let Some(copy) = copy.map_err(failed)? {
            tracing::info!(
                "input file {shown} was truncated after byte {}; the source reads the rest of its \
                 earlier contents from {}",
                mark.position,
                shown_text(&copy.name)
            );
            let identity = copy.found.identity;
            self.candidates.remove(&copy.name);
            self.queue.push_back(self.tails.len());
            let mut tail = Tail::new(&copy.name, identity, mark, Instant::now());
            tail.origin = origin;
            self.tails.push(tail);
        } else {
            tracing::warn!(
                "input file {shown} was truncated or written anew after the source had read it up \
                 to byte {}; the source reads it from its start, and lines that were removed \
                 before it read them are lost",
                mark.position
            );
        }
        let tail = &mut self.tails[at];
        tail.mark = Mark::default();
        tail.seen = None;
        self.queue.push_back(at);
        Ok(())
    }
}

/// Moves the paths of a split.
pub(super) fn moved(
    split: &SourceSplit,
    moves: &[InputMove],
) -> Result<MovedSplit, ConnectorError> {
    let mut position = FollowPosition::of_split(split)?;
    let is_used = moves.iter().map(|input_move| {
        let is_moved = input_move.apply(&mut position.file);
        // A file that was renamed may have left the name under which it was found.
        input_move.apply(&mut position.origin) || is_moved
    });
    let is_used = is_used.collect();
    let split = position.to_split();
    Ok(MovedSplit { split, is_used })
}

/// Opens a followed file by its name; `None` if the name has another file or none.
fn open_named(input: &Input, tail: &Tail) -> Result<Option<File>, ConnectorError> {
    let relative = input.glob.below_root(&tail.name)?;
    let open = || -> io::Result<Option<File>> {
        // Before opening, since opening a pipe would wait.
        if !tail.is(&input.root.find(relative)?) {
            return Ok(None);
        }
        let file = input.root.open_file(relative)?;
        let found = Found::of(&file)?;
        Ok(tail.is(&found).then_some(file))
    };
    match open() {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        opened => opened.map_err(|error| input.root.unreachable(relative, &tail.name, error)),
    }
}

impl Source for FollowSource {
    /// Cancel-safe: waits only when every record that was read has been returned.
    fn poll(&mut self) -> BoxFuture<'_, Result<SourceOutput, ConnectorError>> {
        Box::pin(async {
            if let Some(pacer) = &mut self.pacer {
                // A batch is measured in bytes, so it comes when its first line is due.
                pacer.wait(1).await;
            }
            let output = loop {
                if let Some(output) = self.step()? {
                    break output;
                }
                if !self.is_idle {
                    break SourceOutput::Idle;
                }
                tokio::time::sleep(self.interval).await;
            };
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

    fn splits(&self) -> Vec<SourceSplit> {
        let positions = self.tails.iter().enumerate().map(|(at, tail)| {
            let mut position = tail.position();
            if let Some(active) = &self.active
                && active.at == at
            {
                position.mark = active.reader.mark();
            }
            position
        });
        let names = self.candidates.keys();
        let names = names.map(|name| FollowPosition::of_name(name));
        positions.chain(names).map(|p| p.to_split()).collect()
    }

    fn add_splits(&mut self, splits: Vec<SourceSplit>) -> Result<(), ConnectorError> {
        self.take(&splits)
    }

    fn last_place(&self) -> Option<SourcePlace> {
        let active = self.active.as_ref();
        active.map(|active| active.reader.last_place())
    }

    fn isolate(&mut self, isolation: Isolation) {
        self.isolation = isolation;
    }
}

#[cfg(test)]
mod tests;
