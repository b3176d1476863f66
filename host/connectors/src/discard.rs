//! Record path: source → channel → operator instance → router → [sink `discard`].
//!
//! Counts records and keeps nothing, for benchmarks and for jobs whose effect is elsewhere.

use std::path::Path;
use std::sync::Arc;

use schemars::JsonSchema;
use serde::Deserialize;
use tidegate_operator::Batch;
use tidegate_runtime::sink::{PendingOutput, PreCommit, Sink, SinkConnector, SinkStart};
use tidegate_runtime::{CheckpointId, ConnectorError, Lineage, SubtaskId};

/// Options of the sink `discard`: there are none.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct DiscardOptions {}

impl DiscardOptions {
    /// The connector; `base` is not used.
    ///
    /// # Errors
    ///
    /// None.
    pub fn connect(self, _base: &Path) -> Result<Arc<dyn SinkConnector>, ConnectorError> {
        Ok(Arc::new(DiscardConnector))
    }
}

struct DiscardConnector;

impl SinkConnector for DiscardConnector {
    fn connector(&self) -> &'static str {
        "discard"
    }

    /// Nothing appears, so nothing appears twice.
    fn is_exactly_once(&self) -> bool {
        true
    }

    fn check_fresh(&self) -> Result<(), ConnectorError> {
        Ok(())
    }

    fn recover(&self, _start: &SinkStart) -> Result<(), ConnectorError> {
        Ok(())
    }

    fn open(
        &self,
        subtask: &SubtaskId,
        _lineage: Lineage,
        _attempt: u64,
    ) -> Result<Box<dyn Sink>, ConnectorError> {
        Ok(Box::new(DiscardSink {
            subtask: subtask.clone(),
            records: 0,
        }))
    }

    fn commit(&self, _pending: &[PendingOutput]) -> Result<(), ConnectorError> {
        Ok(())
    }
}

struct DiscardSink {
    subtask: SubtaskId,
    records: u64,
}

impl Sink for DiscardSink {
    fn write(&mut self, batch: &Batch) -> Result<(), ConnectorError> {
        self.records += batch.len() as u64;
        Ok(())
    }

    fn pre_commit(&mut self, checkpoint: CheckpointId) -> Result<PreCommit, ConnectorError> {
        let records = self.records;
        tracing::debug!(subtask = %self.subtask, %checkpoint, records, "discarded so far");
        Ok(Box::new(|| Ok(Vec::new())))
    }
}
