//! Record path, only after an operator has failed on a record: its log, and the instance that is
//! rebuilt from it.
//!
//! Each step is one guest call; between two calls the attempt may turn out to be over.

use tidegate_operator::{Emission, StateChunk};

use super::super::Chain;
use super::Log;
use crate::JobError;
use crate::chain::guest::Recycled;
use crate::isolation::{ReplayLog, ReplayedCall};

impl Chain {
    /// Restores a new instance and repeats all calls of a log. Returns the output to emit, which is
    /// empty unless the log was cut; `None` if the attempt was over before.
    pub(super) fn replay(
        &mut self,
        at: usize,
        log: Box<ReplayLog>,
    ) -> Result<Option<Vec<Emission>>, JobError> {
        // The previous instance has already emitted everything that the new instance emits.
        self.restore_instance(at, log.state().to_vec(), log.watermark())?;
        for call in log.calls() {
            if self.cancelled.is_cancelled() {
                return Ok(None);
            }
            let guest = self.guest(at);
            let repeated = match call {
                ReplayedCall::Process { input, batch } => {
                    guest.instance().process(*input, batch.clone())
                }
                ReplayedCall::Watermark(watermark) => {
                    guest.instance().advance_watermark(*watermark)
                }
            };
            repeated.map_err(Box::new)?;
        }
        // They were shown when the previous instance was called.
        drop(self.guest(at).instance().take_counts());
        let is_long = log.is_long_after_fault();
        self.isolation().links[at].log = Log::Kept(log);
        match is_long {
            true => self.begin_log(at).map(Some),
            false => Ok(Some(Vec::new())),
        }
    }

    pub(super) fn begin_log_if_due(&mut self, at: usize) -> Result<Vec<Emission>, JobError> {
        let is_due = match &self.isolation().links[at].log {
            Log::Due => true,
            Log::Kept(log) => log.is_long(),
            Log::Impossible => false,
        };
        match is_due {
            true => self.begin_log(at),
            false => Ok(Vec::new()),
        }
    }

    /// Takes a snapshot and continues with an instance restored from it. Returns its output.
    fn begin_log(&mut self, at: usize) -> Result<Vec<Emission>, JobError> {
        let barrier = self.isolation().barrier;
        let guest = self.guest(at);
        let state = match guest.instance().snapshot(barrier.0) {
            Ok(state) => state,
            Err(fault) if fault.instance_is_usable() => {
                let subtask = &self.links[at].subtask.id;
                tracing::warn!(%subtask, "can't isolate records up to the next barrier: {fault}");
                self.isolation().links[at].log = Log::Impossible;
                return Ok(Vec::new());
            }
            Err(fault) => return Err(Box::new(fault).into()),
        };
        // A new instance takes several calls.
        if self.cancelled.is_cancelled() {
            return Ok(Vec::new());
        }
        let watermark = self.links[at].subtask.watermark.last();
        let emissions = self.restore_instance(at, state.clone(), watermark)?;
        let log = Box::new(ReplayLog::new(state, watermark));
        self.isolation().links[at].log = Log::Kept(log);
        Ok(emissions)
    }

    fn restore_instance(
        &mut self,
        at: usize,
        state: Vec<StateChunk>,
        watermark: Option<i64>,
    ) -> Result<Vec<Emission>, JobError> {
        let barrier = self.isolation().barrier;
        let restored = self.guest(at).recycle(barrier, state, watermark);
        let Recycled { emissions, .. } = restored.map_err(Box::new)?;
        Ok(emissions)
    }

    pub(super) fn log_call(&mut self, at: usize, call: ReplayedCall) {
        let isolation = self.isolation.as_mut();
        let link = isolation.map(|isolation| &mut isolation.links[at].log);
        if let Some(Log::Kept(log)) = link {
            log.push(call);
        }
    }
}
