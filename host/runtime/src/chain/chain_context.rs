//! Barrier path: what a source subtask and a gate-fed subtask do alike around a snapshot.

use std::time::Instant;

use tidegate_connector::source::SourceSplit;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::persister::PersistMessage;
use super::{Chain, Snapshot};
use crate::channel::ChannelClosed;
use crate::protocol::{ChainEvent, ControlMessage};
use crate::{ChainId, CheckpointId, JobError};

/// Why a chain leaves its loop.
pub(crate) enum Exit {
    /// The coordinator said so, or the attempt is over.
    Told,
    /// A neighbour is gone; its own failure is the one to report.
    NeighbourGone,
    /// This chain failed.
    Failed(JobError),
}

impl From<ChannelClosed> for Exit {
    fn from(ChannelClosed: ChannelClosed) -> Self {
        Self::NeighbourGone
    }
}

impl From<JobError> for Exit {
    fn from(error: JobError) -> Self {
        Self::Failed(error)
    }
}

/// What one chain owns besides its input: its subtasks and its lines to the coordinator and the
/// persister.
pub(crate) struct ChainContext {
    pub(crate) id: ChainId,
    pub(crate) chain: Chain,
    pub(crate) control: mpsc::Receiver<ControlMessage>,
    pub(crate) events: mpsc::Sender<ChainEvent>,
    pub(crate) persister: mpsc::Sender<PersistMessage>,
    pub(crate) cancelled: CancellationToken,
    /// The newest checkpoint that the chain took part in or declined.
    pub(crate) last_snapshot: CheckpointId,
}

impl ChainContext {
    /// Takes the snapshot of a checkpoint and hands it to the persister. `announce` is false if the
    /// chain's output has ended: there is then nobody to send the barrier to.
    ///
    /// Not cancel-safe; only dropped when the attempt is over.
    pub(crate) async fn take_snapshot(
        &mut self,
        checkpoint: CheckpointId,
        splits: Option<Vec<SourceSplit>>,
        announce: bool,
    ) -> Result<(), Exit> {
        assert!(
            checkpoint > self.last_snapshot,
            "{} takes part in checkpoint {checkpoint} twice",
            self.id
        );
        self.last_snapshot = checkpoint;
        let started = Instant::now();
        let snapshot = self.chain.snapshot(checkpoint, splits)?;
        let pause = started.elapsed();
        // Broadcast before persisting: downstream can align while we write, which is most of the
        // latency.
        if announce {
            self.chain.broadcast_barrier(checkpoint);
        }
        match snapshot {
            Snapshot::Taken { parts, recycling } => {
                let message = PersistMessage::Snapshot {
                    checkpoint,
                    parts,
                    pause,
                };
                self.tell_persister(message).await?;
                for due in recycling {
                    // Whoever waits for the barrier does not wait for this.
                    self.flush().await?;
                    self.chain.leave_if_cancelled()?;
                    self.chain.recycle(checkpoint, due)?;
                }
            }
            Snapshot::Declined(fault) => {
                let event = ChainEvent::Declined {
                    chain: self.id,
                    checkpoint,
                    reason: fault.to_string(),
                };
                self.tell_coordinator(event).await?;
            }
        }
        self.flush().await
    }

    /// The checkpoint is durable everywhere.
    pub(crate) async fn checkpoint_complete(&mut self, id: CheckpointId) -> Result<(), Exit> {
        self.chain.checkpoint_complete(id)?;
        self.tell_persister(PersistMessage::Complete(id)).await
    }

    /// The merged watermark of the chain's input advanced.
    pub(crate) async fn advance_watermark(&mut self, watermark: i64) -> Result<(), Exit> {
        self.chain.advance_watermark(watermark)?;
        self.flush().await
    }

    /// Ends the chain's subtasks and its output, and says so.
    pub(crate) async fn end(&mut self) -> Result<(), Exit> {
        self.chain.end()?;
        self.flush().await?;
        self.tell_coordinator(ChainEvent::Ended(self.id)).await
    }

    /// Does all that the element at hand leads to and sends what comes of it, unless the attempt is
    /// over.
    pub(crate) async fn flush(&mut self) -> Result<(), Exit> {
        while self.chain.has_pending() {
            // Also for the sake of receivers that sleep while this chain is busy.
            if self.chain.must_wait() || self.chain.owes_wakes() {
                self.send().await?;
            }
            self.chain.leave_if_cancelled()?;
            self.chain.go_on()?;
        }
        if self.chain.care_plan().is_some() {
            self.tell_diverted().await?;
        }
        if let Some(urgency) = self.chain.takes_wish_for_checkpoint() {
            let wish = ChainEvent::WantsCheckpoint(urgency);
            self.tell_coordinator(wish).await?;
        }
        self.send().await
    }

    /// Sends what the chain has produced, unless the attempt is over.
    async fn send(&mut self) -> Result<(), Exit> {
        tokio::select! {
            biased;
            sent = self.chain.flush() => Ok(sent?),
            () = self.cancelled.cancelled() => Err(Exit::Told),
        }
    }

    /// Before the next snapshot, so that it is known what that covers.
    async fn tell_diverted(&mut self) -> Result<(), Exit> {
        let after = self.last_snapshot;
        match self.chain.take_diverted() {
            0 => Ok(()),
            letters => {
                let event = ChainEvent::Diverted { letters, after };
                self.tell_coordinator(event).await
            }
        }
    }

    async fn tell_persister(&mut self, message: PersistMessage) -> Result<(), Exit> {
        self.chain.wake_receivers();
        tokio::select! {
            biased;
            sent = self.persister.send(message) => sent.map_err(|_| Exit::NeighbourGone),
            // It may be inside a write that does not return.
            () = self.cancelled.cancelled() => Err(Exit::Told),
        }
    }

    async fn tell_coordinator(&mut self, event: ChainEvent) -> Result<(), Exit> {
        self.chain.wake_receivers();
        let sent = self.events.send(event).await;
        sent.map_err(|_| Exit::NeighbourGone)
    }
}
