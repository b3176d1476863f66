//! The bytes of standard input from the thread that reads them, and the records in them.

use std::collections::VecDeque;
use std::io::{self, Read};
use std::sync::{Arc, mpsc as std_mpsc};
use std::thread;

use memchr::memchr;
use tidegate_connector::ConnectorError;
use tidegate_connector::source::{InvalidRecord, Isolation, SourceOutput, SourcePlace};
use tokio::sync::mpsc;

use crate::input_format::{Contents, Decoder, InputShape};
use crate::lines::{LineLimits, Unread};

/// The number of bytes of one read.
const CHUNK_BYTES: usize = 64 * 1024;

/// The number of chunks that may wait for the job before the reading thread does.
const WAITING_CHUNKS: usize = 4;

/// The number of bytes that are kept for a restart, which loses any earlier records. One record may
/// be longer.
const MOST_KEPT_BYTES: usize = 64 << 20;

/// The name of the only split, in the places of records.
const STANDARD_INPUT: &str = "standard input";

/// The form of the input's records, and their limits.
pub(super) struct Encoding {
    pub(super) shape: Arc<InputShape>,
    pub(super) limits: LineLimits,
}

/// The input from the reading thread: bytes kept for replay, then bytes that are no records yet.
pub(super) struct RecordStream {
    encoding: Encoding,
    decoder: Decoder,
    /// The number of bytes that other processes have read.
    starts_at: u64,
    /// The last chunk is empty, at the end of the input, or an error.
    chunks: mpsc::Receiver<io::Result<Vec<u8>>>,
    buffer: Vec<u8>,
    /// The beginning of the buffer, in bytes of the whole input of the job.
    begins_at: u64,
    /// The number of bytes of the buffer that are records already.
    given: usize,
    /// Ends of records in the buffer, in bytes of the whole input of the job, some way apart.
    ends: VecDeque<u64>,
    /// The end of the input's header, once the decoder has read it.
    header_end: Option<u64>,
    /// False if the rest is known to hold no whole line, so that a long line is searched only once.
    is_searchable: bool,
    has_ended: bool,
    /// The error of the input, if there was one.
    failed: Option<(io::ErrorKind, String)>,
    /// True until the first read if another process has read before this one.
    pub(super) is_continued: bool,
    /// The beginning of the last batch, in bytes of the whole input of the job.
    batch_start: u64,
}

impl RecordStream {
    /// Starts the reading thread. `begins_at` is the number of bytes that other processes have read
    /// of the job's input. An error returns the reader, for the next attempt.
    pub(super) fn start(
        reader: Box<dyn Read + Send>,
        begins_at: u64,
        encoding: Encoding,
    ) -> Result<Self, (Box<dyn Read + Send>, ConnectorError)> {
        let (sender, chunks) = mpsc::channel(WAITING_CHUNKS);
        // A thread that fails to start drops its closure, so the reader follows later.
        let (hand_over, handed_over) = std_mpsc::channel::<Box<dyn Read + Send>>();
        let read = move || {
            let Ok(mut reader) = handed_over.recv() else {
                return;
            };
            loop {
                let mut chunk = vec![0; CHUNK_BYTES];
                let chunk = match reader.read(&mut chunk) {
                    Ok(length) => {
                        chunk.truncate(length);
                        Ok(chunk)
                    }
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                    Err(error) => Err(error),
                };
                let is_last = chunk.as_ref().map_or(true, Vec::is_empty);
                if sender.blocking_send(chunk).is_err() || is_last {
                    return;
                }
            }
        };
        let builder = thread::Builder::new().name("stdin".to_owned());
        if let Err(error) = builder.spawn(read) {
            let action = "could not start the thread that reads stdin";
            return Err((reader, ConnectorError::io(action)(error)));
        }
        hand_over
            .send(reader)
            .expect("the thread waits for the reader");
        Ok(Self {
            decoder: Decoder::at_start(&encoding.shape, encoding.limits),
            encoding,
            starts_at: begins_at,
            chunks,
            buffer: Vec::new(),
            begins_at,
            given: 0,
            ends: VecDeque::new(),
            header_end: None,
            is_searchable: false,
            has_ended: false,
            failed: None,
            is_continued: begins_at > 0,
            batch_start: begins_at,
        })
    }

    /// Returns the number of bytes that became records, in the whole input of the job.
    pub(super) fn bytes(&self) -> u64 {
        self.begins_at + self.given as u64
    }

    /// Rewinds to the lines after `position`, or to the first that are kept.
    pub(super) fn rewind(&mut self, position: u64) {
        let kept = position.saturating_sub(self.begins_at);
        let kept = usize::try_from(kept).unwrap_or(usize::MAX);
        self.given = kept.min(self.given);
        self.is_searchable = true;
        let is_in_header = self.header_end.is_none_or(|end| self.bytes() < end);
        if self.bytes() == self.starts_at || is_in_header {
            self.header_end = None;
            self.decoder = Decoder::at_start(&self.encoding.shape, self.encoding.limits);
        } else {
            self.decoder.seek();
        }
    }

    /// Forgets the lines before `position` that were returned.
    pub(super) fn release(&mut self, position: u64) {
        let released = position.saturating_sub(self.begins_at);
        let released = usize::try_from(released).unwrap_or(usize::MAX);
        self.forget(released.min(self.given));
    }

    fn forget(&mut self, bytes: usize) {
        self.buffer.drain(..bytes);
        self.begins_at += bytes as u64;
        self.given -= bytes;
        while self
            .ends
            .pop_front_if(|end| *end <= self.begins_at)
            .is_some()
        {}
    }

    /// Notes that a record ends before the next byte. Forgets whole records once too many bytes are
    /// kept.
    fn note_end(&mut self) {
        let end = self.bytes();
        // A rewind has left later ends.
        while self.ends.pop_back_if(|later| *later >= end).is_some() {}
        let last = self.ends.back().copied().unwrap_or(self.begins_at);
        if end - last >= CHUNK_BYTES as u64 {
            self.ends.push_back(end);
        }
        if self.given > MOST_KEPT_BYTES {
            let most = end - MOST_KEPT_BYTES as u64 / 2;
            let forgotten = self.ends.iter().rev().find(|end| **end <= most);
            let forgotten = forgotten.map_or(0, |end| end - self.begins_at);
            self.forget(usize::try_from(forgotten).unwrap_or(0));
        }
    }

    /// Returns the next batch. Cancel-safe: the result of a wait is kept before the next wait.
    pub(super) async fn next(
        &mut self,
        isolation: Isolation,
    ) -> Result<SourceOutput, ConnectorError> {
        self.is_continued = false;
        loop {
            if self.is_searchable {
                if let Some(output) = self.take(isolation)? {
                    return Ok(output);
                }
                self.is_searchable = false;
            }
            if let Some((kind, message)) = &self.failed {
                let error = io::Error::new(*kind, message.clone());
                return Err(ConnectorError::io("could not read stdin")(error));
            }
            if self.has_ended {
                return Ok(SourceOutput::Ended);
            }
            match self.chunks.recv().await {
                Some(Ok(chunk)) if chunk.is_empty() => {
                    self.has_ended = true;
                    self.is_searchable = true;
                }
                Some(Ok(chunk)) => {
                    self.buffer.extend_from_slice(&chunk);
                    let Encoding { shape, limits } = &self.encoding;
                    let is_too_long = self.buffer.len() - self.given > limits.record_bytes;
                    // A decoder of CSV reads each byte once, newline or not.
                    self.is_searchable =
                        !shape.is_divisible() || is_too_long || memchr(b'\n', &chunk).is_some();
                }
                // Kept: after a restart, an error must not pass for the input's end.
                Some(Err(error)) => self.failed = Some((error.kind(), error.to_string())),
                // The thread's last chunk is empty or an error; without one, this would pass for
                // the end of the input.
                None => {
                    let message = "the thread that reads it ended before the input did".to_owned();
                    self.failed = Some((io::ErrorKind::Other, message));
                }
            }
        }
    }

    /// Takes the next records from the buffer; `None` if it needs more bytes.
    fn take(&mut self, isolation: Isolation) -> Result<Option<SourceOutput>, ConnectorError> {
        loop {
            let bytes = &self.buffer[self.given..];
            let unread = Unread {
                bytes,
                owned: bytes.len(),
                is_last: self.has_ended,
            };
            let taken = self.decoder.take(unread.up_to(isolation.reach()));
            let taken = taken.map_err(|error| ConnectorError::Record {
                position: format!("{STANDARD_INPUT}, byte {}", self.bytes()),
                reason: error.reason(self.encoding.limits),
            })?;
            if taken.end == 0 {
                return Ok(None);
            }
            self.batch_start = self.bytes() + taken.start as u64;
            self.given += taken.end;
            if self.header_end.is_none() && !self.decoder.needs_header() {
                self.header_end = Some(self.bytes());
            }
            self.note_end();
            match taken.contents {
                Contents::Nothing => {}
                Contents::Batch(batch) => return Ok(Some(SourceOutput::Batch(batch))),
                Contents::Invalid { reason, value } => {
                    let place = self.last_place();
                    return Ok(Some(SourceOutput::Invalid(InvalidRecord {
                        place,
                        reason,
                        value,
                    })));
                }
            }
        }
    }

    pub(super) fn last_place(&self) -> SourcePlace {
        SourcePlace {
            split: STANDARD_INPUT.to_owned(),
            from: self.batch_start,
            to: self.bytes(),
        }
    }

    pub(super) fn is_done(&self) -> bool {
        self.has_ended && self.given == self.buffer.len()
    }
}
