//! Record path: [source `file` with `follow`] → channel → operator instance → router → sink.
//!
//! Reads the new records of one followed file. The invariant: a block of bytes becomes records only
//! if, after it was read, the file still held the bytes before it. So a file that was truncated and
//! written again in between is noticed, however long it is by then.
//!
//! An unfinished record waits in the file: the position is always the beginning of a record.

use std::fs::File;
use std::io::{self, ErrorKind};
use std::os::unix::fs::FileExt as _;

use tidegate_connector::ConnectorError;
use tidegate_connector::source::{InvalidRecord, Isolation, SourceOutput, SourcePlace};

use super::super::Input;
use super::super::position::{FilePosition, read_before};
use super::super::reader::header;
use super::position::{MARK_BYTES, Mark, digest};
use crate::input_format::{Contents, Decoder};
use crate::lines::Unread;

/// The approximate number of bytes of one read.
const BLOCK_BYTES: usize = 128 * 1024;

/// The next step of a reader.
pub(super) enum Step {
    /// A batch, or an invalid record.
    Output(SourceOutput),
    /// No further record is whole.
    End,
    /// The file does not hold the bytes before the position any more.
    Changed,
}

/// The result of opening a reader.
pub(super) enum Opened {
    Reader(Box<TailReader>),
    /// The file does not hold the bytes before the position. Returns the file.
    Changed(File),
}

/// Reads one file from a position on.
pub(super) struct TailReader {
    file: File,
    name: String,
    decoder: Decoder,
    record_bytes: usize,
    /// The first bytes of the file before the position, at most [`MARK_BYTES`].
    head: Vec<u8>,
    /// `buffer[cursor..]` are the bytes from the position on. Before them stand at least as many
    /// bytes of the file as a mark covers.
    buffer: Vec<u8>,
    cursor: usize,
    position: u64,
    /// The beginning of the last batch, in bytes of the file.
    batch_start: u64,
    limits: crate::lines::LineLimits,
}

impl TailReader {
    /// Opens a reader behind `mark`.
    pub(super) fn open(
        input: &Input,
        name: &str,
        file: File,
        mark: Mark,
    ) -> Result<Opened, ConnectorError> {
        let failed = || ConnectorError::io(format!("could not read input file {name}"));
        let length = file.metadata().map_err(failed())?.len();
        if !continues(&file, length, mark).map_err(failed())? {
            return Ok(Opened::Changed(file));
        }
        let covered = mark.length();
        let before = read_before(&file, mark.position, covered).map_err(failed())?;
        let head = read_before(&file, covered as u64, covered).map_err(failed())?;
        let mut decoder = Decoder::at_start(&input.shape, input.limits);
        if mark.position > 0 {
            let position = FilePosition::of_length(name, mark.position, length);
            header::read(&file, &position, &mut decoder, input.limits)?;
            decoder.seek();
        }
        Ok(Opened::Reader(Box::new(Self {
            file,
            name: name.to_owned(),
            decoder,
            record_bytes: input.limits.record_bytes,
            head,
            cursor: before.len(),
            buffer: before,
            position: mark.position,
            batch_start: mark.position,
            limits: input.limits,
        })))
    }

    /// Returns the next records of the file.
    pub(super) fn next(&mut self, isolation: Isolation) -> Result<Step, ConnectorError> {
        loop {
            let unread = Unread {
                bytes: &self.buffer[self.cursor..],
                owned: usize::MAX,
                is_last: false,
            };
            let taken = self.decoder.take(unread.up_to(isolation.reach()));
            let taken = taken.map_err(|error| ConnectorError::Record {
                position: format!("{}, byte {}", self.name, self.position),
                reason: error.reason(self.limits),
            })?;
            if taken.end == 0 {
                match self.fill()? {
                    Filled::Bytes => continue,
                    Filled::Nothing => return Ok(Step::End),
                    Filled::Changed => return Ok(Step::Changed),
                }
            }
            self.batch_start = self.position + taken.start as u64;
            self.advance(taken.end);
            match taken.contents {
                Contents::Nothing => {}
                Contents::Batch(batch) => return Ok(Step::Output(SourceOutput::Batch(batch))),
                Contents::Invalid { reason, value } => {
                    let place = self.last_place();
                    let invalid = InvalidRecord {
                        place,
                        reason,
                        value,
                    };
                    return Ok(Step::Output(SourceOutput::Invalid(invalid)));
                }
            }
        }
    }

    /// Returns the place of the last batch.
    pub(super) fn last_place(&self) -> SourcePlace {
        SourcePlace {
            split: self.name.clone(),
            from: self.batch_start,
            to: self.position,
        }
    }

    /// Returns the mark behind all records that were returned.
    pub(super) fn mark(&self) -> Mark {
        Mark::new(self.position, &self.head, self.before())
    }

    /// Returns the end of the bytes that were seen, whole records or not.
    pub(super) fn seen_up_to(&self) -> u64 {
        self.position + (self.buffer.len() - self.cursor) as u64
    }

    /// Returns the file.
    pub(super) fn into_file(self) -> File {
        self.file
    }

    /// Returns the bytes before the position that a mark covers.
    fn before(&self) -> &[u8] {
        let covered = self.covered();
        &self.buffer[self.cursor - covered..self.cursor]
    }

    fn covered(&self) -> usize {
        usize::try_from(self.position).map_or(MARK_BYTES, |position| position.min(MARK_BYTES))
    }

    fn advance(&mut self, bytes: usize) {
        let taken = &self.buffer[self.cursor..self.cursor + bytes];
        let room = MARK_BYTES - self.head.len();
        self.head.extend_from_slice(&taken[..taken.len().min(room)]);
        self.cursor += bytes;
        self.position += bytes as u64;
    }

    /// Reads a block.
    fn fill(&mut self) -> Result<Filled, ConnectorError> {
        self.buffer.drain(..self.cursor - self.covered());
        self.cursor = self.covered();
        let filled = self.buffer.len();
        let unread = filled - self.cursor;
        // A decoder rejects a record before it is much longer than a record may be.
        let most = self.record_bytes.saturating_add(2 * BLOCK_BYTES);
        assert!(unread <= most, "a longer record was rejected");
        self.buffer.resize(filled + BLOCK_BYTES, 0);
        let at = self.position + unread as u64;
        let read = loop {
            match self.file.read_at(&mut self.buffer[filled..], at) {
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                read => break read,
            }
        };
        self.buffer.truncate(filled + *read.as_ref().unwrap_or(&0));
        let action = format!("could not read input file {}", self.name);
        let read = read.map_err(ConnectorError::io(action.clone()))?;
        let is_same = self.is_same().map_err(ConnectorError::io(action))?;
        Ok(match (is_same, read) {
            (false, _) => Filled::Changed,
            (true, 0) => Filled::Nothing,
            (true, _) => Filled::Bytes,
        })
    }

    /// Returns true if the file still holds the bytes before the position.
    fn is_same(&self) -> io::Result<bool> {
        Ok(holds(&self.file, 0, &self.head)?
            && holds(
                &self.file,
                self.position - self.covered() as u64,
                self.before(),
            )?
            && self.file.metadata()?.len() >= self.position)
    }
}

/// The result of a read.
enum Filled {
    Bytes,
    Nothing,
    Changed,
}

/// Returns true if the file has these bytes there.
pub(super) fn holds(file: &File, at: u64, expected: &[u8]) -> io::Result<bool> {
    let mut bytes = vec![0; expected.len()];
    match file.read_exact_at(&mut bytes, at) {
        Err(error) if error.kind() == ErrorKind::UnexpectedEof => Ok(false),
        read => read.map(|()| bytes == expected),
    }
}

/// Returns true if a file of this length begins with the bytes that were read.
pub(super) fn continues(file: &File, length: u64, mark: Mark) -> io::Result<bool> {
    if length < mark.position {
        return Ok(false);
    }
    if mark.position == 0 {
        return Ok(true);
    }
    let covered = mark.length();
    let read = |position| match read_before(file, position, covered) {
        Err(error) if error.kind() == ErrorKind::UnexpectedEof => Ok(None),
        read => read.map(Some),
    };
    let is = |bytes: Option<Vec<u8>>, expected| bytes.is_some_and(|b| digest(&b) == expected);
    Ok(is(read(covered as u64)?, mark.head) && is(read(mark.position)?, mark.history))
}
