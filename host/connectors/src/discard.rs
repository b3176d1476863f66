//! Record path: source → channel → operator instance → router → [sink `discard`].
//!
//! Counts records and discards them, for benchmarks and for jobs whose effect is elsewhere.

use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use schemars::JsonSchema;
use serde::Deserialize;
use tidegate_connector::sink::{LagHistogram, PreCommit, Sink, SinkConnector, SinkLag};
use tidegate_connector::{
    CheckpointId, ConnectContext, ConnectorError, Lineage, SinkOptions, SubtaskId,
};
use tidegate_operator::Batch;

/// Options of the sink `discard`.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct DiscardOptions {
    /// True if the sink measures the lag of records, which `/metrics` shows as
    /// `tidegate_sink_lag_seconds` and the status as `sink_lag`. Useful if timestamps are times of
    /// the wall clock, such as those of the generator's `timestamps = "due"`.
    #[serde(default)]
    pub measure_lag: bool,
}

impl SinkOptions for DiscardOptions {
    fn connect(
        self,
        _context: &ConnectContext<'_>,
    ) -> Result<Arc<dyn SinkConnector>, ConnectorError> {
        Ok(Arc::new(DiscardConnector {
            lag: self.measure_lag.then(Arc::default),
        }))
    }
}

struct DiscardConnector {
    lag: Option<Arc<LagHistogram>>,
}

impl SinkConnector for DiscardConnector {
    fn connector(&self) -> &'static str {
        "discard"
    }

    /// No output appears, so none appears twice.
    fn is_exactly_once(&self) -> bool {
        true
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
            lag: self.lag.clone(),
        }))
    }

    fn lag(&self) -> Option<SinkLag> {
        self.lag.as_ref().map(|lag| lag.status())
    }
}

struct DiscardSink {
    subtask: SubtaskId,
    records: u64,
    lag: Option<Arc<LagHistogram>>,
}

impl Sink for DiscardSink {
    fn write(&mut self, batch: &Batch) -> Result<(), ConnectorError> {
        self.records += batch.len() as u64;
        if let Some(lag) = &self.lag {
            lag.count(batch.timestamps(), now_micros());
        }
        Ok(())
    }

    fn pre_commit(&mut self, checkpoint: CheckpointId) -> Result<PreCommit, ConnectorError> {
        let records = self.records;
        tracing::debug!(subtask = %self.subtask, %checkpoint, records, "discarded so far");
        Ok(Box::new(|| Ok(Vec::new())))
    }
}

/// Returns the microseconds since the epoch.
fn now_micros() -> i64 {
    let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH);
    i64::try_from(since_epoch.unwrap_or_default().as_micros()).unwrap_or(i64::MAX)
}
