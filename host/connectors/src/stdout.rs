//! Record path: source → channel → operator instance → router → [sink `stdout`].
//!
//! Records to standard output, batch by batch. At-least-once: written records can't be taken back,
//! so those after the newest complete checkpoint appear again when the job recovers.

use std::io::Write;
use std::sync::{Arc, Mutex, PoisonError};

use schemars::JsonSchema;
use serde::Deserialize;
use tidegate_connector::sink::{PreCommit, Sink, SinkConnector, SinkStart};
use tidegate_connector::{
    CheckpointId, ConnectContext, ConnectorError, Lineage, SinkOptions, SubtaskId,
};
use tidegate_operator::Batch;

use crate::record_format::{JsonlValue, RecordForm, RecordFormat};

/// Options of the sink `stdout`, which is at-least-once.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct StdoutOptions {
    /// The form of a record.
    #[serde(default)]
    pub format: RecordFormat,
    /// The form of the value, for `format = "jsonl"`; `text` without it.
    #[serde(default)]
    pub value: Option<JsonlValue>,
    /// The members of the value that are written, in this order, for `format = "csv"`.
    #[serde(default)]
    pub columns: Option<Vec<String>>,
}

impl SinkOptions for StdoutOptions {
    fn connect(
        self,
        _context: &ConnectContext<'_>,
    ) -> Result<Arc<dyn SinkConnector>, ConnectorError> {
        self.connect_writer(Box::new(std::io::stdout()))
    }
}

impl StdoutOptions {
    /// Makes the connector with a writer in place of standard output, for embedding and for tests.
    ///
    /// # Errors
    ///
    /// [`ConnectorError::JobRefused`] if the options do not fit together.
    pub fn connect_writer(
        self,
        writer: Box<dyn Write + Send>,
    ) -> Result<Arc<dyn SinkConnector>, ConnectorError> {
        Ok(Arc::new(StdoutConnector {
            form: RecordForm::checked(self.format, self.columns, self.value)?,
            writer: Arc::new(Mutex::new(writer)),
        }))
    }
}

/// The one output of all subtasks, locked for a batch at a time so that lines stay whole.
type SharedWriter = Arc<Mutex<Box<dyn Write + Send>>>;

struct StdoutConnector {
    form: RecordForm,
    writer: SharedWriter,
}

impl SinkConnector for StdoutConnector {
    fn connector(&self) -> &'static str {
        "stdout"
    }

    fn is_exactly_once(&self) -> bool {
        false
    }

    fn recover(&self, start: &SinkStart) -> Result<(), ConnectorError> {
        if start.checkpoint > CheckpointId::default() || !start.is_first_attempt {
            tracing::warn!(
                sink = start.sink,
                checkpoint = %start.checkpoint,
                "standard output is at-least-once: records after this checkpoint appear again"
            );
        }
        Ok(())
    }

    fn open(
        &self,
        subtask: &SubtaskId,
        _lineage: Lineage,
        _attempt: u64,
    ) -> Result<Box<dyn Sink>, ConnectorError> {
        Ok(Box::new(StdoutSink {
            subtask: subtask.clone(),
            form: self.form.clone(),
            writer: Arc::clone(&self.writer),
            formatted: Vec::new(),
        }))
    }
}

struct StdoutSink {
    subtask: SubtaskId,
    form: RecordForm,
    writer: SharedWriter,
    formatted: Vec<u8>,
}

impl Sink for StdoutSink {
    fn write(&mut self, batch: &Batch) -> Result<(), ConnectorError> {
        self.formatted.clear();
        let written = self.form.append(batch, &mut self.formatted);
        written.map_err(|refused| refused.into_error(&self.subtask))?;
        // A panic of another subtask during its write leaves at worst half a line.
        let mut writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
        let written = writer
            .write_all(&self.formatted)
            .and_then(|()| writer.flush());
        written.map_err(ConnectorError::io(format!(
            "could not write to standard output for sink {}",
            self.subtask
        )))
    }

    fn pre_commit(&mut self, _checkpoint: CheckpointId) -> Result<PreCommit, ConnectorError> {
        Ok(Box::new(|| Ok(Vec::new())))
    }
}
