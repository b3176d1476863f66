//! Record path: [source `stdin`] → channel → operator instance → router → sink.
//!
//! Records of standard input. Within a process a restart loses nothing: up to 64 MiB of lines that
//! no complete checkpoint covers are kept. Another process can't replay them: a job that is killed
//! and run again continues with the next input, and has lost the lines since its newest complete
//! checkpoint. Reading blocks, so a separate thread does it; when the job ends, the thread remains
//! until input arrives or ends.

mod record_stream;

use std::io::{self, Read};
use std::sync::{Arc, Mutex, PoisonError};

use bytesize::ByteSize;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tidegate_connector::source::{
    BoxFuture, FixedOption, Isolation, Source, SourceConnector, SourceOutput, SourcePlace,
    SourceSplit, SplitEnumerator,
};
use tidegate_connector::{ConnectContext, ConnectorError, SourceOptions, SubtaskId};

use crate::byte_size::{self, ByteSizeText};
use crate::input_format::{InputField, InputFormat, InputShape, Parts, fixed_options};
use crate::lines::LineLimits;
use crate::versioned;

use record_stream::{Encoding, RecordStream};

/// Options of the source `stdin`, which can't be replayed.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct StdinOptions {
    /// Must be true: lines that were read before a crash can't be read again, so the job is not
    /// exactly-once.
    #[serde(default)]
    pub accept_loss: bool,
    /// The form of records.
    #[serde(default)]
    pub format: InputFormat,
    /// The names of the columns, for `format = "csv"`. Without it, the first line that a process
    /// reads has the names.
    #[serde(default)]
    pub columns: Option<Vec<String>>,
    /// The part of a record that becomes its key; without it, keys are empty. For JSON Lines
    /// `{ json = "/user" }`, a JSON pointer (RFC 6901) to a text, number or boolean, and for CSV
    /// `{ column = "user" }`. The key has the bytes of the text without quotes, or the number or
    /// boolean as it is written; a record whose key is missing, null, an object or a list is
    /// invalid.
    #[serde(default)]
    pub key: Option<InputField>,
    /// The part of a record that becomes its value, written like `key`; without it, the value is
    /// the whole line, or the JSON object of a record of CSV. An object or a list is the value as
    /// it is written.
    #[serde(default)]
    pub value: Option<InputField>,
    /// A longer line, or record of CSV, fails the job.
    #[serde(default = "default_record_bytes", deserialize_with = "byte_size::read")]
    #[schemars(with = "ByteSizeText")]
    pub max_record_bytes: ByteSize,
}

fn default_record_bytes() -> ByteSize {
    ByteSize::mib(1)
}

/// A batch takes no further line once it has this many bytes.
const BATCH_BYTES: usize = 64 * 1024;

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
                         true` to accept the loss"
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
        let parts = Parts {
            key: self.key,
            value: self.value,
        };
        let options = fixed_options(self.format, self.columns.as_deref(), &parts);
        let shape = InputShape::checked(self.format, self.columns, parts)?;
        Ok(Arc::new(StdinConnector {
            limits,
            options,
            shape: Arc::new(shape),
            input: Arc::new(Mutex::new(Input::Unopened(reader))),
        }))
    }
}

struct StdinConnector {
    limits: LineLimits,
    /// The options that fix the records.
    options: Vec<FixedOption>,
    shape: Arc<InputShape>,
    input: Arc<Mutex<Input>>,
}

/// The state of the process's one input.
enum Input {
    Unopened(Box<dyn Read + Send>),
    /// Returned by the source of the last attempt, with the bytes that are no records yet.
    Idle(Box<RecordStream>),
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

    fn fixed_options(&self) -> Vec<FixedOption> {
        self.options.clone()
    }

    fn rejects_records(&self) -> bool {
        self.shape.rejects_records()
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
                reason: format!("the position of split `{}` can't be read: {e}", split.name),
            })?;
        let mut input = self.input.lock().unwrap_or_else(PoisonError::into_inner);
        let stream = match std::mem::replace(&mut *input, Input::InUse) {
            Input::Unopened(reader) => {
                let encoding = Encoding {
                    shape: Arc::clone(&self.shape),
                    limits: self.limits,
                };
                let started = RecordStream::start(reader, position.bytes, encoding);
                started.map_err(|(reader, error)| {
                    *input = Input::Unopened(reader);
                    error
                })?
            }
            Input::Idle(mut stream) => {
                stream.rewind(position.bytes);
                *stream
            }
            Input::InUse => {
                return Err(ConnectorError::JobRefused {
                    reason: format!("source {subtask}: standard input is already in use"),
                });
            }
        };
        if stream.bytes() != position.bytes || stream.is_continued {
            tracing::warn!(
                %subtask,
                "standard input continues at its current place: lines may be lost"
            );
        }
        Ok(Box::new(StdinSource {
            stream: Some(stream),
            input: Arc::clone(&self.input),
            isolation: Isolation::default(),
        }))
    }
}

struct StdinSource {
    /// `Some` until `self` is dropped.
    stream: Option<RecordStream>,
    input: Arc<Mutex<Input>>,
    isolation: Isolation,
}

impl Source for StdinSource {
    fn poll(&mut self) -> BoxFuture<'_, Result<SourceOutput, ConnectorError>> {
        Box::pin(async {
            match &mut self.stream {
                Some(stream) => stream.next(self.isolation).await,
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
        self.stream.as_ref().map(RecordStream::last_place)
    }

    fn isolate(&mut self, isolation: Isolation) {
        self.isolation = isolation;
    }
}

/// Returns the input for the next attempt.
impl Drop for StdinSource {
    fn drop(&mut self) {
        if let Some(stream) = self.stream.take() {
            *self.input.lock().unwrap_or_else(PoisonError::into_inner) =
                Input::Idle(Box::new(stream));
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
