//! Record path: **source subtask** → operator chain → router → channel.
//! Barrier path: records the position and emits the barrier between two batches.
//!
//! The loop of a chain that starts with a source. A source that has ended, or that was told to
//! give nothing more, stays to answer for its position until the job is done.

use std::future::ready;
use std::sync::Arc;

use tidegate_connector::source::{CloseLook, Source, SourceOutput, SourceSplit};

use super::chain_context::{ChainContext, Exit};
use crate::CheckpointId;
use crate::error::connector_failed;
use crate::protocol::ControlMessage;
use crate::stream::{MAX_WATERMARK, Origin};

/// What the source does between control messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reading {
    /// It is polled.
    Polled,
    /// It gave its last record before the barrier of the job's last checkpoint.
    Suspended,
    /// Its splits are at their ends, or it was told to end.
    Ended,
}

/// A chain that starts with a source.
pub(crate) struct SourceSubtask {
    context: ChainContext,
    source: Box<dyn Source>,
    reading: Reading,
    /// How many records it gives before it reads record by record; none if it need not.
    before_close_look: Option<u64>,
    /// The newest checkpoint that it took part in, with its positions.
    cut: Option<(CheckpointId, Vec<SourceSplit>)>,
}

impl SourceSubtask {
    pub(crate) fn new(context: ChainContext, source: Box<dyn Source>) -> Self {
        let plan = context.chain.care_plan();
        let head = context.chain.head();
        let mut subtask = Self {
            before_close_look: plan.map(|plan| plan.records_before_close_look(head)),
            context,
            source,
            reading: Reading::Polled,
            cut: None,
        };
        subtask.count_before_close_look(0);
        subtask
    }

    /// Runs until told to leave.
    pub(crate) async fn run(mut self) -> Exit {
        match self.run_until_exit().await {
            Ok(never) => match never {},
            Err(exit) => exit,
        }
    }

    async fn run_until_exit(&mut self) -> Result<std::convert::Infallible, Exit> {
        if self.context.chain.head_has_ended() {
            self.end().await?;
        }
        loop {
            // Control first, so that a busy source is triggered in time. Dropping `poll` does not
            // move the position.
            tokio::select! {
                biased;
                () = self.context.cancelled.cancelled() => return Err(Exit::Told),
                message = self.context.control.recv() => match message {
                    Some(message) => self.on_control(message).await?,
                    None => return Err(Exit::NeighbourGone),
                },
                output = self.source.poll(), if self.reading == Reading::Polled => {
                    let head = self.context.chain.head();
                    let output = output.map_err(|error| connector_failed(head, error))?;
                    self.on_output(output).await?;
                }
                // Only reached if there is nothing to do: the last thing before the chain sleeps.
                () = ready(()), if self.context.chain.owes_wakes() => {
                    self.context.chain.wake_receivers();
                }
            }
        }
    }

    async fn on_output(&mut self, output: SourceOutput) -> Result<(), Exit> {
        match output {
            SourceOutput::Batch(batch) => {
                let origin = self.origin();
                self.count_before_close_look(batch.len() as u64);
                self.context.chain.emit_from_source(batch, origin);
                self.context.flush().await
            }
            SourceOutput::Watermark(watermark) => self.context.advance_watermark(watermark).await,
            SourceOutput::Idle => Ok(()),
            SourceOutput::Ended => self.end().await,
        }
    }

    fn count_before_close_look(&mut self, given: u64) {
        let left = self
            .before_close_look
            .map(|left| left.saturating_sub(given));
        self.before_close_look = left.filter(|left| *left > 0);
        if left == Some(0) {
            self.source.look_closely(CloseLook::On);
        }
    }

    /// Where the last batch came from, while that is of interest.
    fn origin(&self) -> Option<Arc<Origin>> {
        let chain = &self.context.chain;
        chain.care_plan()?;
        Some(Arc::new(Origin {
            source: chain.head().clone(),
            place: self.source.last_place(),
        }))
    }

    async fn on_control(&mut self, message: ControlMessage) -> Result<(), Exit> {
        match message {
            ControlMessage::Trigger {
                checkpoint,
                suspend,
            } => self.on_trigger(checkpoint, suspend).await,
            ControlMessage::Complete(id) => {
                if let Some((_, splits)) = self.cut.take_if(|(cut, _)| *cut == id) {
                    self.source.release(&splits);
                }
                self.context.checkpoint_complete(id).await
            }
            ControlMessage::EndCare => {
                self.context.chain.end_care();
                self.before_close_look = None;
                self.source.look_closely(CloseLook::Off);
                Ok(())
            }
            ControlMessage::AddSplits(splits) => {
                if self.reading == Reading::Ended {
                    return Ok(());
                }
                let added = self.source.add_splits(splits);
                added.map_err(|error| connector_failed(self.context.chain.head(), error).into())
            }
            ControlMessage::EndSources => self.end().await,
            ControlMessage::Shutdown => Err(Exit::Told),
        }
    }

    async fn on_trigger(&mut self, checkpoint: CheckpointId, suspend: bool) -> Result<(), Exit> {
        if checkpoint <= self.context.last_snapshot {
            return Ok(());
        }
        let checked = self.source.check();
        checked.map_err(|error| connector_failed(self.context.chain.head(), error))?;
        let splits = self.source.splits();
        self.cut = Some((checkpoint, splits.clone()));
        let announce = self.reading != Reading::Ended;
        let taken = self
            .context
            .take_snapshot(checkpoint, Some(splits), announce);
        taken.await?;
        if suspend && self.reading == Reading::Polled {
            self.reading = Reading::Suspended;
        }
        Ok(())
    }

    async fn end(&mut self) -> Result<(), Exit> {
        if self.reading == Reading::Ended {
            return Ok(());
        }
        self.reading = Reading::Ended;
        self.context.advance_watermark(MAX_WATERMARK).await?;
        self.context.end().await
    }
}
