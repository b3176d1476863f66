//! Record path: [source `stdin`] → channel → operator instance → router → sink.
//!
//! Lines of standard input. Within a process a restart loses nothing: up to 64 MiB of lines that no
//! complete checkpoint covers are kept. Another process can't replay them: a job that is killed and
//! run again continues with the next input, and has lost the lines since its newest complete
//! checkpoint. Reading blocks, so a separate thread does it; when the job ends, the thread remains
//! until input arrives or ends.

use std::io::{self, Read};
use std::sync::{Arc, Mutex, PoisonError, mpsc as std_mpsc};
use std::thread;

use bytesize::ByteSize;
use memchr::memchr;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tidegate_connector::source::{
    BoxFuture, Isolation, Source, SourceConnector, SourceOutput, SourcePlace, SourceSplit,
    SplitEnumerator,
};
use tidegate_connector::{ConnectContext, ConnectorError, SourceOptions, SubtaskId};
use tokio::sync::mpsc;

use crate::byte_size::ByteSizeText;
use crate::lines::{self, LineLimits, Lines, Unread};
use crate::versioned;

/// Options of the source `stdin`, which can't be replayed.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct StdinOptions {
    /// Must be true: lines that were read before a crash can't be read again, so the job is not
    /// exactly-once.
    #[serde(default)]
    pub accept_loss: bool,
    /// A longer line fails the job.
    #[serde(default = "default_record_bytes")]
    #[schemars(with = "ByteSizeText")]
    pub max_record_bytes: ByteSize,
}

fn default_record_bytes() -> ByteSize {
    ByteSize::mib(1)
}

/// The number of bytes of one read.
const CHUNK_BYTES: usize = 64 * 1024;

/// The number of chunks that may wait for the job before the reading thread does.
const WAITING_CHUNKS: usize = 4;

/// A batch takes no further line once it has this many bytes.
const BATCH_BYTES: usize = 64 * 1024;

/// The largest number of bytes that are kept for a restart, which loses any earlier ones.
const MOST_KEPT_BYTES: usize = 64 << 20;

/// The longest line that the user can ask for.
const MOST_RECORD_BYTES: ByteSize = ByteSize::gib(1);

impl SourceOptions for StdinOptions {
    fn connect(
        self,
        _context: &ConnectContext<'_>,
    ) -> Result<Arc<dyn SourceConnector>, ConnectorError> {
        self.connect_reader(Box::new(io::stdin()))
    }
}

impl StdinOptions {
    /// Makes the connector with a reader in place of standard input, for embedding and for tests.
    ///
    /// # Errors
    ///
    /// [`ConnectorError::JobRefused`] unless `accept-loss` is set.
    pub fn connect_reader(
        self,
        reader: Box<dyn Read + Send>,
    ) -> Result<Arc<dyn SourceConnector>, ConnectorError> {
        if !self.accept_loss {
            return Err(ConnectorError::JobRefused {
                reason: "standard input can't be replayed: after a crash, the lines read since \
                         the last checkpoint are lost. Read from a file, or set `accept-loss = \
                         true` if that is fine"
                    .to_owned(),
            });
        }
        if !(1..=MOST_RECORD_BYTES.0).contains(&self.max_record_bytes.0) {
            return Err(ConnectorError::JobRefused {
                reason: format!("`max-record-bytes` must be from 1 B to {MOST_RECORD_BYTES}"),
            });
        }
        let record_bytes = usize::try_from(self.max_record_bytes.0).unwrap_or(usize::MAX);
        let limits = LineLimits {
            record_bytes,
            batch_bytes: BATCH_BYTES,
        };
        Ok(Arc::new(StdinConnector {
            limits,
            input: Arc::new(Mutex::new(Input::Unopened(reader))),
        }))
    }
}

struct StdinConnector {
    limits: LineLimits,
    input: Arc<Mutex<Input>>,
}

/// The state of the process's one input.
enum Input {
    Unopened(Box<dyn Read + Send>),
    /// Returned by the source of the last attempt, with the bytes that are no records yet.
    Idle(LineStream),
    InUse,
}

/// The version of a position. It is the number of bytes read, for people and not for resuming.
const POSITION_VERSION: u8 = 1;

#[derive(Serialize, Deserialize)]
struct StdinPosition {
    bytes: u64,
}

fn split_at(bytes: u64) -> SourceSplit {
    SourceSplit {
        name: format!("standard input after byte {bytes}"),
        position: versioned::encode(POSITION_VERSION, &StdinPosition { bytes }),
    }
}

fn assign(split: SourceSplit, parallelism: u32) -> Result<Vec<Vec<SourceSplit>>, ConnectorError> {
    if parallelism == 1 {
        return Ok(vec![vec![split]]);
    }
    Err(ConnectorError::JobRefused {
        reason: format!(
            "standard input can't be split over {parallelism} subtasks: set `parallelism = 1` in \
             the source"
        ),
    })
}

/// Enumerates standard input, which is one split.
struct StdinEnumerator;

impl SplitEnumerator for StdinEnumerator {
    fn plan(&mut self, parallelism: u32) -> Result<Vec<Vec<SourceSplit>>, ConnectorError> {
        assign(split_at(0), parallelism)
    }

    fn redistribute(
        &mut self,
        splits: Vec<SourceSplit>,
        parallelism: u32,
    ) -> Result<Vec<Vec<SourceSplit>>, ConnectorError> {
        match splits.into_iter().next() {
            Some(split) => assign(split, parallelism),
            None => Ok(vec![Vec::new(); parallelism as usize]),
        }
    }
}

impl SourceConnector for StdinConnector {
    fn connector(&self) -> &'static str {
        "stdin"
    }

    fn is_replayable(&self) -> bool {
        false
    }

    fn enumerator(&self) -> Box<dyn SplitEnumerator> {
        Box::new(StdinEnumerator)
    }

    fn open(
        &self,
        subtask: &SubtaskId,
        splits: Vec<SourceSplit>,
    ) -> Result<Box<dyn Source>, ConnectorError> {
        let Some(split) = splits.first() else {
            return Ok(Box::new(EndedSource));
        };
        let position: StdinPosition = versioned::decode(POSITION_VERSION, &split.position)
            .map_err(|e| ConnectorError::StateRefused {
                reason: format!("the position of split `{}`: {e}", split.name),
            })?;
        let mut input = self.input.lock().unwrap_or_else(PoisonError::into_inner);
        let stream = match std::mem::replace(&mut *input, Input::InUse) {
            Input::Unopened(reader) => {
                let started = LineStream::start(reader, position.bytes);
                started.map_err(|(reader, error)| {
                    *input = Input::Unopened(reader);
                    error
                })?
            }
            Input::Idle(mut stream) => {
                stream.rewind(position.bytes);
                stream
            }
            Input::InUse => {
                return Err(ConnectorError::JobRefused {
                    reason: format!("source {subtask}: standard input is in use already"),
                });
            }
        };
        if stream.bytes() != position.bytes || stream.is_continued {
            tracing::warn!(%subtask, "standard input goes on where it is: lines may be lost");
        }
        Ok(Box::new(StdinSource {
            limits: self.limits,
            stream: Some(stream),
            input: Arc::clone(&self.input),
            isolation: Isolation::default(),
        }))
    }
}

/// The name of the only split, in the places of records.
const STANDARD_INPUT: &str = "standard input";

/// The input from the reading thread: bytes kept for replay, then bytes that are no records yet.
struct LineStream {
    /// The last chunk is empty, at the end of the input, or an error.
    chunks: mpsc::Receiver<io::Result<Vec<u8>>>,
    buffer: Vec<u8>,
    /// The beginning of the buffer, in bytes of the whole input of the job.
    begins_at: u64,
    /// The number of bytes of the buffer that are records already.
    given: usize,
    /// False if the rest is known to hold no whole line, so that a long line is searched only once.
    is_searchable: bool,
    has_ended: bool,
    /// The error of the input, if there was one.
    failed: Option<(io::ErrorKind, String)>,
    /// True until the first read if another process has read before this one.
    is_continued: bool,
    /// The beginning of the last batch, in bytes of the whole input of the job.
    batch_start: u64,
}

impl LineStream {
    /// Starts the reading thread. `begins_at` is the number of bytes that other processes have read
    /// of the job's input. An error returns the reader, for the next attempt.
    fn start(
        reader: Box<dyn Read + Send>,
        begins_at: u64,
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
        hand_over.send(reader).expect("the thread waits for it");
        Ok(Self {
            chunks,
            buffer: Vec::new(),
            begins_at,
            given: 0,
            is_searchable: false,
            has_ended: false,
            failed: None,
            is_continued: begins_at > 0,
            batch_start: begins_at,
        })
    }

    /// Returns the number of bytes that became records, in the whole input of the job.
    fn bytes(&self) -> u64 {
        self.begins_at + self.given as u64
    }

    /// Rewinds to the lines after `position`, or to the first that are kept.
    fn rewind(&mut self, position: u64) {
        let kept = position.saturating_sub(self.begins_at);
        let kept = usize::try_from(kept).unwrap_or(usize::MAX);
        self.given = kept.min(self.given);
        self.is_searchable = true;
    }

    /// Forgets the lines before `position` that were returned.
    fn release(&mut self, position: u64) {
        let released = position.saturating_sub(self.begins_at);
        let released = usize::try_from(released).unwrap_or(usize::MAX);
        self.forget(released.min(self.given));
    }

    fn forget(&mut self, bytes: usize) {
        self.buffer.drain(..bytes);
        self.begins_at += bytes as u64;
        self.given -= bytes;
    }

    /// Returns the next batch. Cancel-safe: the result of a wait is kept before the next wait.
    async fn next(
        &mut self,
        limits: LineLimits,
        isolation: Isolation,
    ) -> Result<SourceOutput, ConnectorError> {
        self.is_continued = false;
        loop {
            if self.is_searchable {
                let lines = self.take_lines(limits, isolation)?;
                if !lines.values.is_empty() {
                    return Ok(SourceOutput::Batch(lines::to_batch(lines.values)));
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
                    let is_too_long = self.buffer.len() - self.given > limits.record_bytes;
                    self.is_searchable = is_too_long || memchr(b'\n', &chunk).is_some();
                }
                // Kept: after a restart, an error must not pass for the input's end.
                Some(Err(error)) => self.failed = Some((error.kind(), error.to_string())),
                // The thread's last chunk is empty or an error; without one, this would pass for
                // the end of the input.
                None => {
                    let message = "its thread ended before the input".to_owned();
                    self.failed = Some((io::ErrorKind::Other, message));
                }
            }
        }
    }

    fn take_lines(
        &mut self,
        limits: LineLimits,
        isolation: Isolation,
    ) -> Result<Lines, ConnectorError> {
        let bytes = &self.buffer[self.given..];
        let unread = Unread {
            bytes,
            owned: bytes.len(),
            is_last: self.has_ended,
        };
        let unread = unread.up_to(isolation.reach());
        let lines = lines::take_lines(unread, limits).map_err(|_| ConnectorError::Record {
            position: format!("standard input, byte {}", self.bytes()),
            reason: format!("the line is longer than {} bytes", limits.record_bytes),
        })?;
        self.batch_start = self.bytes();
        self.given += lines.consumed;
        if self.given > MOST_KEPT_BYTES {
            self.forget(self.given - MOST_KEPT_BYTES / 2);
        }
        Ok(lines)
    }

    fn is_done(&self) -> bool {
        self.has_ended && self.given == self.buffer.len()
    }
}

struct StdinSource {
    limits: LineLimits,
    /// `Some` until `self` is dropped.
    stream: Option<LineStream>,
    input: Arc<Mutex<Input>>,
    isolation: Isolation,
}

impl Source for StdinSource {
    fn poll(&mut self) -> BoxFuture<'_, Result<SourceOutput, ConnectorError>> {
        Box::pin(async {
            match &mut self.stream {
                Some(stream) => stream.next(self.limits, self.isolation).await,
                None => Ok(SourceOutput::Ended),
            }
        })
    }

    fn splits(&self) -> Vec<SourceSplit> {
        let left = self.stream.iter().filter(|stream| !stream.is_done());
        left.map(|stream| split_at(stream.bytes())).collect()
    }

    fn release(&mut self, splits: &[SourceSplit]) {
        let Some(stream) = &mut self.stream else {
            return;
        };
        match splits.first() {
            Some(split) => {
                let position =
                    versioned::decode::<StdinPosition>(POSITION_VERSION, &split.position);
                stream.release(position.expect("this source made the position").bytes);
            }
            None => stream.release(u64::MAX),
        }
    }

    fn last_place(&self) -> Option<SourcePlace> {
        let stream = self.stream.as_ref()?;
        Some(SourcePlace {
            split: STANDARD_INPUT.to_owned(),
            from: stream.batch_start,
            to: stream.bytes(),
        })
    }

    fn isolate(&mut self, isolation: Isolation) {
        self.isolation = isolation;
    }
}

/// Returns the input for the next attempt.
impl Drop for StdinSource {
    fn drop(&mut self) {
        if let Some(stream) = self.stream.take() {
            *self.input.lock().unwrap_or_else(PoisonError::into_inner) = Input::Idle(stream);
        }
    }
}

/// The source of a subtask without splits.
struct EndedSource;

impl Source for EndedSource {
    fn poll(&mut self) -> BoxFuture<'_, Result<SourceOutput, ConnectorError>> {
        Box::pin(async { Ok(SourceOutput::Ended) })
    }

    fn splits(&self) -> Vec<SourceSplit> {
        Vec::new()
    }
}
