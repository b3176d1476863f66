//! Record path: router → **guest** → operator instance.
//!
//! The instance of one operator subtask, and what a new one is made from when its memory has grown
//! too large. A replacement is opened, restored from the snapshot of the barrier that has just
//! passed, and told the watermark, as after a failure; it gave no snapshot itself, so that it does
//! not hear of the completion of one that its predecessor gave.

use std::sync::Arc;

use tidegate_operator::{Emission, GuestFault, OperatorContext, StateChunk};

use super::operator::{OperatorFactory, OperatorInstance};
use super::recycling::{Need, RecyclePolicy};
use crate::CheckpointId;
use crate::config::RecycleAt;
use crate::observe::SubtaskMetrics;

/// The guest of one operator subtask.
pub(crate) struct Guest {
    pub(crate) instance: Box<dyn OperatorInstance>,
    factory: Arc<dyn OperatorFactory>,
    context: OperatorContext,
    policy: RecyclePolicy,
    /// The checkpoint at whose barrier the instance was replaced. It knows of later ones only.
    recycled_at: Option<CheckpointId>,
}

impl Guest {
    /// Opens the first instance of an attempt, and restores it if there is state.
    pub(crate) fn open(
        factory: Arc<dyn OperatorFactory>,
        context: OperatorContext,
        state: Option<Vec<StateChunk>>,
        recycle_at: RecycleAt,
    ) -> Result<Self, GuestFault> {
        Ok(Self {
            instance: opened(&*factory, &context, state)?,
            policy: RecyclePolicy::new(recycle_at, factory.memory_limit()),
            factory,
            context,
            recycled_at: None,
        })
    }

    /// Shows what the instance occupies, if that is known.
    pub(crate) fn show_memory(&self, metrics: &SubtaskMetrics) {
        if let Some(limit) = self.factory.memory_limit() {
            metrics.set_guest_memory(self.instance.memory_bytes(), limit);
        }
    }

    /// Shows what the instance has counted, and what its log has lost. Called after each call.
    pub(super) fn show_counts(&mut self, metrics: &SubtaskMetrics) {
        metrics.count_for_guest(self.instance.take_counts());
        metrics.count_dropped_log_lines(self.instance.take_dropped_log_lines());
    }

    /// What its memory makes necessary. Called once a batch.
    pub(super) fn need(&mut self) -> Need {
        self.policy.on_batch(self.instance.memory_bytes())
    }

    /// At a barrier, after the snapshot: true if the instance is to be replaced now.
    pub(super) fn is_due(&mut self) -> bool {
        self.policy.on_barrier();
        self.policy.is_due(self.instance.memory_bytes())
    }

    pub(super) fn checkpoint_complete(
        &mut self,
        checkpoint: CheckpointId,
    ) -> Result<(), GuestFault> {
        if self.recycled_at.is_some_and(|at| checkpoint <= at) {
            return Ok(());
        }
        self.instance.checkpoint_complete(checkpoint.0)
    }

    /// Replaces the instance by one restored from `state`, a snapshot that it gave at the barrier
    /// of `checkpoint` or later. `watermark` is the last that it had been told then.
    ///
    /// # Errors
    ///
    /// A [`GuestFault`] of the new instance. The old one is gone by then, and the attempt over.
    pub(super) fn recycled(
        mut self,
        checkpoint: CheckpointId,
        state: Vec<StateChunk>,
        watermark: Option<i64>,
    ) -> Result<Recycled, GuestFault> {
        // The old one goes first: both together could need twice the limit.
        drop(self.instance);
        self.instance = opened(&*self.factory, &self.context, Some(state))?;
        let emissions = match watermark {
            Some(watermark) => self.instance.advance_watermark(watermark)?,
            None => Vec::new(),
        };
        self.recycled_at = Some(checkpoint);
        Ok(Recycled {
            state_is_large: self.policy.on_recycled(self.instance.memory_bytes()),
            guest: self,
            emissions,
        })
    }
}

/// A guest with a new instance.
pub(super) struct Recycled {
    pub(super) guest: Guest,
    /// What the new instance emitted when it was told the watermark.
    pub(super) emissions: Vec<Emission>,
    /// True, once, if the state itself is so large that replacing the instance is of little use.
    pub(super) state_is_large: bool,
}

/// A new instance, restored if there is state.
pub(crate) fn opened(
    factory: &dyn OperatorFactory,
    context: &OperatorContext,
    state: Option<Vec<StateChunk>>,
) -> Result<Box<dyn OperatorInstance>, GuestFault> {
    let mut instance = factory.open(context)?;
    if let Some(chunks) = state {
        instance.restore(chunks)?;
    }
    Ok(instance)
}
