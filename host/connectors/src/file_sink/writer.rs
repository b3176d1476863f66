//! Record path: source → channel → operator instance → router → [sink `file`].
//!
//! Writes one subtask's parts. A barrier cuts a part cheaply: file and buffer move into the closure
//! that makes them durable, and the next record begins the next part.

use std::sync::Arc;

use tidegate_connector::sink::{PendingOutput, PreCommit, Sink};
use tidegate_connector::{CheckpointId, ConnectorError, Lineage, SubtaskId};
use tidegate_file_system::FileHandle;
use tidegate_operator::Batch;

use super::directory::OutputDirectory;
use super::names::PendingName;
use super::part::PendingPart;
use crate::record_format::RecordForm;

/// The smallest number of bytes written to a part's file at once, apart from the last.
const FLUSH_BYTES: usize = 256 * 1024;

/// The largest buffer that is reused; a large batch may make a buffer larger.
const MOST_KEPT_BYTES: usize = 4 * FLUSH_BYTES;

pub(super) struct FileSink {
    pub(super) directory: Arc<OutputDirectory>,
    pub(super) form: RecordForm,
    pub(super) subtask: SubtaskId,
    pub(super) lineage: Lineage,
    pub(super) attempt: u64,
    /// The number of the next part.
    pub(super) sequence: u64,
    /// The part being written; `None` if nothing was written since the last cut.
    pub(super) part: Option<OpenPart>,
}

/// A part being written.
pub(super) struct OpenPart {
    name: PendingName,
    file: Box<dyn FileHandle>,
    /// The bytes that are not in the file yet.
    buffer: Vec<u8>,
    /// The number of bytes in the file.
    length: u64,
}

impl OpenPart {
    fn flush(&mut self, directory: &OutputDirectory) -> Result<(), ConnectorError> {
        directory.write(&mut *self.file, &self.name.to_string(), &self.buffer)?;
        self.length += self.buffer.len() as u64;
        if self.buffer.capacity() > MOST_KEPT_BYTES {
            self.buffer = Vec::with_capacity(2 * FLUSH_BYTES);
        }
        self.buffer.clear();
        Ok(())
    }

    /// Makes the part durable.
    fn finish(
        mut self,
        directory: &OutputDirectory,
        checkpoint: CheckpointId,
        extension: &str,
    ) -> Result<PendingOutput, ConnectorError> {
        self.flush(directory)?;
        directory.sync_file(&*self.file, &self.name.to_string())?;
        Ok(PendingPart::new(&self.name, checkpoint, extension, self.length).to_output())
    }
}

impl FileSink {
    fn begin_part(&mut self) -> Result<OpenPart, ConnectorError> {
        let name = PendingName {
            lineage: self.lineage,
            attempt: self.attempt,
            subtask: self.subtask.index,
            sequence: self.sequence,
        };
        self.sequence += 1;
        Ok(OpenPart {
            file: self.directory.create_new(&name.to_string())?,
            name,
            buffer: Vec::with_capacity(2 * FLUSH_BYTES),
            length: 0,
        })
    }
}

impl Sink for FileSink {
    fn write(&mut self, batch: &Batch) -> Result<(), ConnectorError> {
        if batch.is_empty() {
            return Ok(());
        }
        let mut part = match self.part.take() {
            Some(part) => part,
            None => self.begin_part()?,
        };
        let appended = self.form.append(batch, &mut part.buffer);
        appended.map_err(|refused| refused.into_error(&self.subtask))?;
        if part.buffer.len() >= FLUSH_BYTES {
            part.flush(&self.directory)?;
        }
        self.part = Some(part);
        Ok(())
    }

    fn pre_commit(&mut self, checkpoint: CheckpointId) -> Result<PreCommit, ConnectorError> {
        let Some(part) = self.part.take() else {
            return Ok(Box::new(|| Ok(Vec::new())));
        };
        let directory = Arc::clone(&self.directory);
        let extension = self.form.extension();
        Ok(Box::new(move || {
            Ok(vec![part.finish(&directory, checkpoint, extension)?])
        }))
    }
}
