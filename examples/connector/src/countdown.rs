//! The source `countdown`: the integers from a number down to 1.

use std::sync::Arc;

use tidegate_connector::source::{
    BoxFuture, OneSplit, Source, SourceConnector, SourceOutput, SourceSplit, SplitEnumerator,
};
use tidegate_connector::{ConnectContext, ConnectorError, DurationText, SourceOptions, SubtaskId};
use tidegate_operator::{Batch, NO_TIMESTAMP};

#[derive(serde::Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CountdownOptions {
    /// The first integer.
    from: u64,
    /// The pause before each integer.
    every: DurationText,
}

impl SourceOptions for CountdownOptions {
    fn connect(self, _: &ConnectContext<'_>) -> Result<Arc<dyn SourceConnector>, ConnectorError> {
        Ok(Arc::new(self))
    }
}

impl SourceConnector for CountdownOptions {
    fn connector(&self) -> &'static str {
        "countdown"
    }

    fn enumerator(&self) -> Box<dyn SplitEnumerator> {
        Box::new(OneSplit(SourceSplit::new("all", self.from.to_le_bytes())))
    }

    fn open(
        &self,
        _: &SubtaskId,
        splits: Vec<SourceSplit>,
    ) -> Result<Box<dyn Source>, ConnectorError> {
        let position = splits.first().map(|split| split.position[..].try_into());
        // A subtask without the split has nothing to read.
        let next = position.map_or(0, |bytes| u64::from_le_bytes(bytes.expect("8 bytes")));
        Ok(Box::new(Countdown(next, self.every)))
    }
}

/// The next integer, and the pause before it.
struct Countdown(u64, DurationText);

impl Source for Countdown {
    fn poll(&mut self) -> BoxFuture<'_, Result<SourceOutput, ConnectorError>> {
        Box::pin(async {
            if self.0 == 0 {
                return Ok(SourceOutput::Ended);
            }
            // A poll can be dropped while it waits, so it changes nothing before this.
            tokio::time::sleep(self.1.0).await;
            let mut batch = Batch::default();
            batch.push(NO_TIMESTAMP, b"", self.0.to_string().as_bytes());
            self.0 -= 1;
            Ok(SourceOutput::Batch(batch))
        })
    }

    fn splits(&self) -> Vec<SourceSplit> {
        vec![SourceSplit::new("all", self.0.to_le_bytes())]
    }
}
