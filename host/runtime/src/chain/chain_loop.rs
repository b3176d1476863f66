//! Record path: source or channel → feed → **chain loop** → processing → router → channel.
//! Barrier path: control message or aligner → **chain loop** → snapshot → router → persister.
//!
//! THE loop of the data path: takes a control message or the next step of the chain's feed, and
//! performs it. The loop decides nothing. The feed knows whether a snapshot is due, the watermark
//! has advanced or the input is over; the chain knows the consequences of a step.

use std::convert::Infallible;
use std::future::ready;
use std::time::Instant;

use tidegate_connector::source::SourceSplit;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::gate_feed::GateFeed;
use super::persister::PersistMessage;
use super::snapshot::Snapshot;
use super::source_feed::SourceFeed;
use super::{Chain, Exit, Fed};
use crate::protocol::{ChainEvent, ControlMessage};
use crate::stream::{Activity, StreamElement};
use crate::{ChainId, CheckpointId};

/// The input of a chain.
pub(crate) enum Feed {
    /// A source, which is the first subtask of the chain.
    Source(SourceFeed),
    /// The channels of an input gate, which end in the first link.
    Gate(GateFeed),
}

impl Feed {
    /// Returns true while [`Self::next`] may return a step.
    fn is_open(&self) -> bool {
        match self {
            Self::Source(source) => source.is_open(),
            Self::Gate(gate) => gate.is_open(),
        }
    }

    /// Returns true while there is no input, though there may be again.
    fn is_idle(&self) -> bool {
        match self {
            Self::Source(source) => source.is_idle(),
            Self::Gate(gate) => gate.is_idle(),
        }
    }

    /// Waits for the next step. Cancel-safe.
    async fn next(&mut self) -> Result<Fed, Exit> {
        match self {
            Self::Source(source) => source.next().await,
            Self::Gate(gate) => gate.next().await,
        }
    }
}

/// The lines of a chain to the coordinator and the persister.
pub(crate) struct ChainLines {
    pub(crate) chain: ChainId,
    pub(crate) control: mpsc::Receiver<ControlMessage>,
    pub(crate) events: mpsc::Sender<ChainEvent>,
    pub(crate) persister: mpsc::Sender<PersistMessage>,
    /// Cancelled when the attempt is over.
    pub(crate) cancelled: CancellationToken,
}

/// Runs one chain.
pub(crate) struct ChainLoop {
    chain: Chain,
    feed: Feed,
    /// True if the readers of the chain know it as idle.
    is_idle: bool,
    lines: ChainLines,
    /// The newest checkpoint that the chain took part in or declined.
    last_snapshot: CheckpointId,
}

impl ChainLoop {
    /// Runs a chain that was restored from `checkpoint`.
    pub(crate) fn new(
        chain: Chain,
        feed: Feed,
        lines: ChainLines,
        checkpoint: CheckpointId,
    ) -> Self {
        Self {
            chain,
            feed,
            is_idle: false,
            lines,
            last_snapshot: checkpoint,
        }
    }

    /// Runs until the chain is told to leave.
    pub(crate) async fn run(mut self) -> Exit {
        match self.run_until_exit().await {
            Ok(never) => match never {},
            Err(exit) => exit,
        }
    }

    async fn run_until_exit(&mut self) -> Result<Infallible, Exit> {
        self.start().await?;
        loop {
            // Control first, so that a busy source is triggered in time. All branches are
            // cancel-safe: a receive that is dropped has received nothing, and a source that is
            // no longer polled has not moved its position.
            tokio::select! {
                biased;
                () = self.lines.cancelled.cancelled() => return Err(Exit::Told),
                message = self.lines.control.recv() => match message {
                    Some(message) => self.on_control(message).await?,
                    None => return Err(Exit::NeighbourGone),
                },
                fed = self.feed.next(), if self.feed.is_open() => self.on_fed(fed?).await?,
                // Reached only if there is nothing to do: the last step before the chain sleeps.
                () = ready(()), if self.chain.outbox.owes_wakes() => {
                    self.chain.outbox.wake_receivers();
                }
            }
        }
    }

    /// Brings the chain, and its readers, to where they stood at the barrier.
    async fn start(&mut self) -> Result<(), Exit> {
        self.chain.repeat_watermarks();
        self.finish_pending().await?;
        self.report(ChainEvent::Running).await?;
        match self.chain.head().has_ended {
            true => self.end_source().await,
            false => Ok(()),
        }
    }

    async fn on_fed(&mut self, fed: Fed) -> Result<(), Exit> {
        // Before the consequences of the step; otherwise a reader that has merged the other
        // channels' watermarks meanwhile could take its records for late ones.
        if self.is_idle && !self.feed.is_idle() {
            self.broadcast(Activity::Active);
        }
        match fed {
            Fed::Nothing => {}
            Fed::Batch {
                input,
                batch,
                origin,
            } => self.chain.process(input, batch, origin)?,
            Fed::Invalid { record, origin } => self.chain.reject(&record, origin),
            Fed::Watermark(watermark) => self.chain.advance_watermark(watermark)?,
            Fed::Barrier(checkpoint) => self.take_snapshot(checkpoint, None, true).await?,
            Fed::End {
                barrier,
                watermark,
                is_over,
            } => {
                // The snapshot comes before the watermark: output that the end releases is after
                // the barrier.
                if let Some(checkpoint) = barrier {
                    self.take_snapshot(checkpoint, None, true).await?;
                }
                if let Some(watermark) = watermark {
                    self.chain.advance_watermark(watermark)?;
                    self.finish_pending().await?;
                }
                if is_over {
                    self.chain.end()?;
                    self.finish_pending().await?;
                    self.report(ChainEvent::Ended(self.lines.chain)).await?;
                }
            }
        }
        self.finish_pending().await?;
        if !self.is_idle && self.feed.is_idle() {
            self.broadcast(Activity::Idle);
            self.finish_pending().await?;
        }
        Ok(())
    }

    /// Reports to the readers of the chain whether it has input.
    fn broadcast(&mut self, activity: Activity) {
        self.is_idle = activity == Activity::Idle;
        self.chain.broadcast(&StreamElement::Activity(activity));
    }

    async fn on_control(&mut self, message: ControlMessage) -> Result<(), Exit> {
        match message {
            ControlMessage::Trigger {
                checkpoint,
                suspend,
            } => self.on_trigger(checkpoint, suspend).await,
            ControlMessage::Complete(checkpoint) => {
                if let Feed::Source(source) = &mut self.feed {
                    source.release(checkpoint);
                }
                self.chain.checkpoint_complete(checkpoint)?;
                self.persist(PersistMessage::Complete(checkpoint)).await
            }
            ControlMessage::EndIsolation => {
                self.chain.end_isolation();
                if let Feed::Source(source) = &mut self.feed {
                    source.end_isolation();
                }
                Ok(())
            }
            ControlMessage::AddSplits(splits) => match &mut self.feed {
                Feed::Source(source) => source.add_splits(splits),
                Feed::Gate(_) => unreachable!("only sources receive splits"),
            },
            ControlMessage::EndSources => self.end_source().await,
            ControlMessage::Shutdown => Err(Exit::Told),
        }
    }

    async fn on_trigger(&mut self, checkpoint: CheckpointId, suspend: bool) -> Result<(), Exit> {
        // It may have taken part already, by a barrier that came before the end of its input.
        if checkpoint <= self.last_snapshot {
            return Ok(());
        }
        let splits = match &mut self.feed {
            Feed::Source(source) => Some(source.cut(checkpoint, suspend)?),
            Feed::Gate(_) => {
                let id = self.lines.chain;
                assert!(self.chain.has_ended(), "{id} was triggered before its end");
                None
            }
        };
        let announce = !self.chain.head().has_ended;
        self.take_snapshot(checkpoint, splits, announce).await
    }

    /// Ends the source, unless it has ended. The end of a gate comes through its channels.
    async fn end_source(&mut self) -> Result<(), Exit> {
        let ended = match &mut self.feed {
            Feed::Source(source) => source.end(),
            Feed::Gate(_) => None,
        };
        match ended {
            Some(fed) => self.on_fed(fed).await,
            None => Ok(()),
        }
    }

    /// Takes the snapshot of a checkpoint and passes it to the persister. `announce` is false if
    /// the chain's output has ended: no one reads the barrier then.
    ///
    /// Not cancel-safe; only dropped when the attempt is over.
    async fn take_snapshot(
        &mut self,
        checkpoint: CheckpointId,
        splits: Option<Vec<SourceSplit>>,
        announce: bool,
    ) -> Result<(), Exit> {
        let id = self.lines.chain;
        let is_newer = checkpoint > self.last_snapshot;
        assert!(is_newer, "{id} takes part in checkpoint {checkpoint} twice");
        self.report_rejected().await?;
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
                self.persist(PersistMessage::Snapshot {
                    checkpoint,
                    parts,
                    pause,
                })
                .await?;
                for due in recycling {
                    // The readers of the barrier do not wait for this.
                    self.finish_pending().await?;
                    self.chain.leave_if_cancelled()?;
                    self.chain.recycle(checkpoint, due)?;
                }
            }
            Snapshot::Declined(fault) => {
                self.report(ChainEvent::Declined {
                    chain: id,
                    checkpoint,
                    reason: fault.to_string(),
                })
                .await?;
            }
        }
        self.finish_pending().await
    }

    /// Performs all pending work of the current step and sends its output, unless the attempt is
    /// over.
    async fn finish_pending(&mut self) -> Result<(), Exit> {
        while self.chain.has_pending() {
            // Also for the sake of receivers that sleep while this chain is busy.
            if self.chain.outbox.must_wait() || self.chain.outbox.owes_wakes() {
                self.send_output().await?;
            }
            self.chain.leave_if_cancelled()?;
            self.chain.go_on()?;
        }
        if self.chain.isolation_plan().is_some() {
            self.report_dead_letters().await?;
        }
        if let Some(urgency) = self.chain.takes_wish_for_checkpoint() {
            self.report(ChainEvent::WantsCheckpoint(urgency)).await?;
        }
        self.send_output().await
    }

    /// Sends the chain's output, unless the attempt is over.
    async fn send_output(&mut self) -> Result<(), Exit> {
        tokio::select! {
            biased;
            sent = self.chain.outbox.send_queued() => Ok(sent?),
            () = self.lines.cancelled.cancelled() => Err(Exit::Told),
        }
    }

    /// Reports dead letters before the next snapshot: so the coordinator knows what covers them.
    async fn report_dead_letters(&mut self) -> Result<(), Exit> {
        let after = self.last_snapshot;
        match self.chain.take_dead_letters() {
            0 => Ok(()),
            letters => {
                self.report(ChainEvent::DeadLetters { letters, after })
                    .await
            }
        }
    }

    /// Reports the dead letters of the source since the last snapshot, once for all of them.
    async fn report_rejected(&mut self) -> Result<(), Exit> {
        let after = self.last_snapshot;
        match self.chain.take_rejected() {
            0 => Ok(()),
            letters => self.report(ChainEvent::Rejected { letters, after }).await,
        }
    }

    async fn persist(&mut self, message: PersistMessage) -> Result<(), Exit> {
        self.chain.outbox.wake_receivers();
        tokio::select! {
            biased;
            sent = self.lines.persister.send(message) => sent.map_err(|_| Exit::NeighbourGone),
            // The persister may be inside a write that does not return.
            () = self.lines.cancelled.cancelled() => Err(Exit::Told),
        }
    }

    async fn report(&mut self, event: ChainEvent) -> Result<(), Exit> {
        self.chain.outbox.wake_receivers();
        let sent = self.lines.events.send(event).await;
        sent.map_err(|_| Exit::NeighbourGone)
    }
}
