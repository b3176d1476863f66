//! Record path: [source `file`] → channel → operator instance → router → sink.
//!
//! Reads one split: large blocks into a buffer, whole records out of it. The buffer keeps the bytes
//! before the position whose digest a checkpoint needs, so that taking a position reads nothing.
//!
//! A look compares the bytes that were read with the file as it is now. The invariant: unless the
//! file has grown, a split that ends has returned the lines that the file held at the last look. A
//! look compares the bytes since the previous look and some MiB of earlier ones; later looks
//! compare more, and the end of the split compares the rest.

use std::fs::File;
use std::io::{ErrorKind, Read, Seek, SeekFrom};
use std::ops::Range;
use std::time::SystemTime;

use memchr::memchr;
use tidegate_connector::ConnectorError;
use tidegate_connector::source::{InvalidRecord, Isolation, SourceOutput, SourcePlace};
use tidegate_operator::shown_text;

use super::Input;
use super::input_root::{Found, InputRoot};
use super::path_glob::Glob;
use super::position::{FilePosition, HISTORY_BYTES, digest, read_before, refused};
use super::trail::Trail;
use super::watch::{Compare, FileWatch};
use crate::input_format::{Contents, DecodeError, Decoder};
use crate::lines::{LineLimits, Unread};

pub(super) mod header;

/// The approximate number of bytes of one read.
const BLOCK_BYTES: usize = 256 * 1024;

/// The number of earlier segments, read before the previous look, that one look compares.
const OWED_SEGMENTS: usize = 16;

pub(super) struct SplitReader {
    file: File,
    watch: FileWatch,
    /// The digests of all bytes that were read.
    trail: Trail,
    last_look: LastLook,
    /// The number of segments, from the first, that are still to be compared.
    owed_segments: usize,
    /// True once the split is read and only owed segments remain.
    is_closing: bool,
    /// Its `history` is that of the start; [`Self::position`] makes the current one.
    position: FilePosition,
    decoder: Decoder,
    limits: LineLimits,
    /// `buffer[..filled]` are bytes of the file; `buffer[cursor]` is the byte at the position. At
    /// least the last `HISTORY_BYTES` before the position are kept.
    buffer: Vec<u8>,
    cursor: usize,
    filled: usize,
    /// True in the middle of a line that belongs to the previous split.
    is_skipping: bool,
    /// The beginning of the last batch, in bytes of the file.
    batch_start: u64,
}

/// The results of a look that the next look needs.
struct LastLook {
    position: u64,
    /// BLAKE3 of the bytes before `position`.
    history: [u8; 32],
    /// The number of segments of the trail that were whole at this look.
    segments: usize,
}

impl SplitReader {
    /// Opens a split, whose file must still be the file of its position.
    pub(super) fn open(input: &Input, position: FilePosition) -> Result<Self, ConnectorError> {
        let Input {
            glob,
            root,
            shape,
            limits,
            ..
        } = input;
        let is_divisible = shape.is_divisible();
        if !is_divisible && position.end != position.file_length {
            return Err(position.divided());
        }
        let failed = || ConnectorError::io(format!("could not read input file {}", position.file));
        let mut file = position.open(root, glob)?;
        // Before the first read, so that every later write shows.
        let open = Found::of(&file).map_err(failed())?;
        let watch = FileWatch::new(open, SystemTime::now());
        let mut buffer = read_before(&file, position.position, HISTORY_BYTES).map_err(failed())?;
        file.seek(SeekFrom::Start(position.position))
            .map_err(failed())?;
        let filled = buffer.len();
        let is_skipping = is_divisible && buffer.last().is_some_and(|byte| *byte != b'\n');
        let mut decoder = Decoder::at_start(shape, *limits);
        if position.position > 0 {
            header::read(&file, &position, &mut decoder, *limits)?;
            decoder.seek();
        }
        buffer.resize(HISTORY_BYTES + BLOCK_BYTES, 0);
        Ok(Self {
            file,
            watch,
            trail: Trail::new(position.position),
            last_look: LastLook {
                position: position.position,
                history: position.history,
                segments: 0,
            },
            owed_segments: 0,
            is_closing: false,
            position,
            decoder,
            limits: *limits,
            buffer,
            cursor: filled,
            filled,
            is_skipping,
            batch_start: 0,
        })
    }

    /// Returns the next batch or invalid record; `None` at the end of the split.
    pub(super) fn next_output(
        &mut self,
        isolation: Isolation,
    ) -> Result<Option<SourceOutput>, ConnectorError> {
        loop {
            if self.position.is_done() {
                return Ok(None);
            }
            if self.is_skipping {
                self.skip()?;
                continue;
            }
            match self.take(isolation)? {
                Contents::Batch(batch) => return Ok(Some(SourceOutput::Batch(batch))),
                Contents::Invalid { reason, value } => {
                    return Ok(Some(SourceOutput::Invalid(InvalidRecord {
                        place: self.last_place(),
                        reason,
                        value,
                    })));
                }
                Contents::Nothing => {}
            }
        }
    }

    /// Takes the next records from the buffer, or reads more bytes into it.
    fn take(&mut self, isolation: Isolation) -> Result<Contents, ConnectorError> {
        // Not by a method, since the decoder changes.
        let unread = unread(&self.buffer[self.cursor..self.filled], &self.position);
        let taken = match self.decoder.take(unread.up_to(isolation.reach())) {
            Err(error) if self.decoder.needs_header() => return self.reject(&error),
            taken => taken.map_err(|error| unusable(&self.position, &error, self.limits))?,
        };
        if taken.end == 0 {
            self.fill()?;
            return Ok(Contents::Nothing);
        }
        self.batch_start = self.position.position + taken.start as u64;
        self.advance(taken.end);
        Ok(taken.contents)
    }

    /// Rejects the whole file, whose header is unusable, and moves to its end. Returns the header's
    /// first line.
    fn reject(&mut self, error: &DecodeError) -> Result<Contents, ConnectorError> {
        let unread = &self.buffer[self.cursor..self.filled];
        let line = memchr(b'\n', unread).map_or(unread, |newline| &unread[..newline]);
        let value = line[..line.len().min(self.limits.record_bytes)].to_vec();
        let end = self.position.end;
        let failed =
            ConnectorError::io(format!("could not read input file {}", self.position.file));
        let before = read_before(&self.file, end, HISTORY_BYTES).map_err(failed)?;
        self.buffer[..before.len()].copy_from_slice(&before);
        (self.cursor, self.filled) = (before.len(), before.len());
        self.trail = Trail::new(end);
        self.last_look = LastLook {
            position: end,
            history: digest(&before),
            segments: 0,
        };
        self.owed_segments = 0;
        self.batch_start = 0;
        self.position.position = end;
        let reason = error.reason(self.limits);
        Ok(Contents::Invalid { reason, value })
    }

    /// Returns the place of the last batch, in bytes of the file.
    pub(super) fn last_place(&self) -> SourcePlace {
        SourcePlace {
            split: self.position.file.clone(),
            from: self.batch_start,
            to: self.position.position,
        }
    }

    /// Checks that the file still holds the lines that [`Self::next_output`] returned. The first
    /// bytes, and those before this position and that of the previous look, are always compared.
    /// All others that were read are compared, over several looks, unless the file's times show
    /// that it was not written.
    pub(super) fn check(&mut self, root: &InputRoot, glob: &Glob) -> Result<(), ConnectorError> {
        if self.is_closing {
            // The last look came after the last byte was read.
            return Ok(());
        }
        let name = &self.position.file;
        let open = Found::of(&self.file).map_err(ConnectorError::io(format!(
            "could not read input file {name}"
        )))?;
        let before = self.before();
        self.position.check(&self.file, |found| found == before)?;
        let last = &self.last_look;
        self.position
            .check_earlier(&self.file, last.position, &last.history)?;
        let named = glob
            .relative(name)
            .and_then(|relative| root.find(relative).ok());
        let look = self.watch.look(open, named, SystemTime::now());
        for change in look.changes {
            tracing::warn!("input file {} {}", shown_text(name), change.meaning());
        }
        let before_last = last.segments;
        match look.compare {
            Compare::Ends => {}
            Compare::SinceLastLook => self.compare(before_last..self.trail.segments())?,
            Compare::Everything => {
                self.compare(before_last..self.trail.segments())?;
                self.owed_segments = before_last;
            }
        }
        self.last_look = LastLook {
            position: self.position.position,
            history: digest(self.before()),
            segments: self.trail.whole_segments(),
        };
        self.compare_owed()
    }

    /// Takes the last look, after [`Self::next_output`] returned `None`. Each further call compares
    /// some of the owed segments.
    pub(super) fn close(&mut self, root: &InputRoot, glob: &Glob) -> Result<(), ConnectorError> {
        if self.is_closing {
            return self.compare_owed();
        }
        self.check(root, glob)?;
        self.is_closing = true;
        Ok(())
    }

    /// Returns true from the last look on.
    pub(super) fn is_closing(&self) -> bool {
        self.is_closing
    }

    /// Returns true once everything has been compared.
    pub(super) fn is_closed(&self) -> bool {
        self.is_closing && self.owed_segments == 0
    }

    /// Warns, at the end of the file's last split, of bytes that came after the file was found.
    pub(super) fn warn_of_unread(&self) {
        let FilePosition {
            file,
            end,
            file_length,
            ..
        } = &self.position;
        let length = self.file.metadata().map_or(0, |metadata| metadata.len());
        if end == file_length && length > *file_length {
            tracing::warn!(
                "input file {} had {file_length} bytes when it was found and now has {length}; the \
                 source does not read the later bytes. Move a file into the directory only when it \
                 is complete",
                shown_text(file)
            );
        }
    }

    /// Compares some of the owed segments.
    fn compare_owed(&mut self) -> Result<(), ConnectorError> {
        let left = self.owed_segments.saturating_sub(OWED_SEGMENTS);
        self.compare(left..self.owed_segments)?;
        self.owed_segments = left;
        Ok(())
    }

    fn compare(&self, segments: Range<usize>) -> Result<(), ConnectorError> {
        let FilePosition { file, position, .. } = &self.position;
        let failed = ConnectorError::io(format!("could not read input file {file}"));
        match self.trail.changed(&self.file, segments).map_err(failed)? {
            None => Ok(()),
            Some(Range { start, end }) => {
                let difference =
                    format!("bytes {start} to {end} have changed since they were read");
                Err(refused(file, *position, &difference))
            }
        }
    }

    /// Returns the position after all batches that [`Self::next_output`] returned.
    pub(super) fn position(&self) -> FilePosition {
        FilePosition {
            history: digest(self.before()),
            ..self.position.clone()
        }
    }

    /// Returns the bytes before the position that are compared.
    fn before(&self) -> &[u8] {
        let history = self.cursor.min(HISTORY_BYTES);
        let expected = self.position.position.min(HISTORY_BYTES as u64);
        assert!(
            history as u64 == expected,
            "the buffer keeps the bytes before the position"
        );
        &self.buffer[self.cursor - history..self.cursor]
    }

    fn advance(&mut self, bytes: usize) {
        self.cursor += bytes;
        self.position.position += bytes as u64;
        assert!(
            self.cursor <= self.filled,
            "only bytes that were read are consumed"
        );
    }

    /// Moves towards the start of the first line that begins in this split.
    fn skip(&mut self) -> Result<(), ConnectorError> {
        let unread = &self.buffer[self.cursor..self.filled];
        match memchr(b'\n', unread) {
            Some(newline) => {
                self.advance(newline + 1);
                self.is_skipping = false;
            }
            None if unread.is_empty() => self.fill()?,
            None => self.advance(unread.len()),
        }
        Ok(())
    }

    /// Reads a block. The bytes exist unless the file has shrunk.
    fn fill(&mut self) -> Result<(), ConnectorError> {
        let history_start = self.cursor.saturating_sub(HISTORY_BYTES);
        self.buffer.copy_within(history_start..self.filled, 0);
        self.filled -= history_start;
        self.cursor -= history_start;
        if self.buffer.len() - self.filled < BLOCK_BYTES / 2 {
            // A long line. It is rejected before it is much longer than a record may be.
            self.buffer.resize(2 * self.buffer.len(), 0);
        }
        let read_up_to = self.position.position + (self.filled - self.cursor) as u64;
        let left = self.position.file_length - read_up_to;
        assert!(left > 0, "the last bytes of a file are whole lines");
        let room = self.buffer.len() - self.filled;
        let length = usize::try_from(left).unwrap_or(usize::MAX).min(room);
        let block = &mut self.buffer[self.filled..self.filled + length];
        let read = loop {
            match self.file.read(block) {
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                read => break read,
            }
        };
        let action = || format!("could not read input file {}", self.position.file);
        match read.map_err(|error| ConnectorError::io(action())(error))? {
            0 => Err(self.position.shrunk(read_up_to)),
            bytes => {
                self.trail.add(&block[..bytes]);
                self.filled += bytes;
                Ok(())
            }
        }
    }
}

/// Describes the bytes at a position that are in the buffer.
fn unread<'a>(bytes: &'a [u8], position: &FilePosition) -> Unread<'a> {
    let owned = position.end - position.position;
    Unread {
        bytes,
        owned: usize::try_from(owned).unwrap_or(usize::MAX),
        is_last: position.position + bytes.len() as u64 == position.file_length,
    }
}

/// Makes the failure at a record with which the split can't continue.
fn unusable(position: &FilePosition, error: &DecodeError, limits: LineLimits) -> ConnectorError {
    ConnectorError::Record {
        position: format!("{}, byte {}", position.file, position.position),
        reason: error.reason(limits),
    }
}
