//! Record path: source → channel → aligner → **guest** → router → sink.
//!
//! The instance of one operator subtask, and what a new one is made from when its memory has grown
//! too large. A replacement is opened, restored from the snapshot of the barrier that has just
//! passed, and told the watermark, as after a failure; it gave no snapshot itself, so that it does
//! not hear of the completion of one that its predecessor gave.
//!
//! The runtime asks operators through two traits, so that it can run without a component in tests
//! and simulations. [`ComponentOperator`] is the one that users get.

use std::sync::Arc;
use std::time::Duration;

use tidegate_operator::{
    Batch, Component, Emission, GuestFault, Instance, Limits, OperatorContext, StateChunk,
    SystemNeeds,
};

use super::recycle_policy::{Need, RecyclePolicy};
use crate::CheckpointId;
use crate::config::RecycleAt;
use crate::observe::SubtaskMetrics;

/// The guest of one operator subtask.
pub(crate) struct Guest {
    /// None while it is replaced, and after that has failed: then the attempt is over.
    instance: Option<Box<dyn OperatorInstance>>,
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
            instance: Some(opened(&*factory, &context, state)?),
            policy: RecyclePolicy::new(recycle_at, factory.memory_limit()),
            factory,
            context,
            recycled_at: None,
        })
    }

    /// The instance, to be called.
    pub(super) fn instance(&mut self) -> &mut dyn OperatorInstance {
        let instance = self.instance.as_deref_mut();
        instance.expect("a guest that could not be replaced is not called again")
    }

    /// Bytes that the instance occupies.
    pub(super) fn memory_bytes(&self) -> u64 {
        let instance = self.instance.as_deref();
        instance.map_or(0, OperatorInstance::memory_bytes)
    }

    /// Shows what the instance occupies, if that is known.
    pub(crate) fn show_memory(&self, metrics: &SubtaskMetrics) {
        if let Some(limit) = self.factory.memory_limit() {
            metrics.set_guest_memory(self.memory_bytes(), limit);
        }
    }

    /// Shows what the instance has counted, and what its log has lost. Called after each call.
    pub(super) fn show_counts(&mut self, metrics: &SubtaskMetrics) {
        let instance = self.instance();
        metrics.count_for_guest(instance.take_counts());
        metrics.count_dropped_log_lines(instance.take_dropped_log_lines());
    }

    /// What its memory makes necessary. Called once a batch.
    pub(super) fn need(&mut self) -> Need {
        self.policy.on_batch(self.memory_bytes())
    }

    /// At a barrier, after the snapshot: true if the instance is to be replaced now.
    pub(super) fn is_due(&mut self) -> bool {
        self.policy.on_barrier();
        self.policy.is_due(self.memory_bytes())
    }

    pub(super) fn checkpoint_complete(
        &mut self,
        checkpoint: CheckpointId,
    ) -> Result<(), GuestFault> {
        if self.recycled_at.is_some_and(|at| checkpoint <= at) {
            return Ok(());
        }
        self.instance().checkpoint_complete(checkpoint.0)
    }

    /// Replaces the instance by one restored from `state`, a snapshot that it gave at the barrier
    /// of `checkpoint` or later. `watermark` is the last that it had been told then.
    ///
    /// # Errors
    ///
    /// A [`GuestFault`] of the new instance. The old one is gone by then, and the attempt over.
    pub(super) fn recycle(
        &mut self,
        checkpoint: CheckpointId,
        state: Vec<StateChunk>,
        watermark: Option<i64>,
    ) -> Result<Recycled, GuestFault> {
        // The old one goes first: both together could need twice the limit.
        self.instance = None;
        let mut instance = opened(&*self.factory, &self.context, Some(state))?;
        let emissions = match watermark {
            Some(watermark) => instance.advance_watermark(watermark)?,
            None => Vec::new(),
        };
        self.recycled_at = Some(checkpoint);
        let memory = instance.memory_bytes();
        self.instance = Some(instance);
        Ok(Recycled {
            state_is_large: self.policy.on_recycled(memory),
            emissions,
        })
    }
}

/// What came of replacing an instance.
pub(super) struct Recycled {
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

/// Opens instances of an operator. Shared by the subtasks.
pub trait OperatorFactory: Send + Sync {
    /// Makes an instance and calls its `open`. Called once an attempt for each subtask, on the
    /// thread that will own the instance.
    ///
    /// # Errors
    ///
    /// A [`GuestFault`]; there is no instance then.
    fn open(&self, context: &OperatorContext) -> Result<Box<dyn OperatorInstance>, GuestFault>;

    /// What the memories and tables of an instance may occupy, if that is known.
    fn memory_limit(&self) -> Option<u64> {
        None
    }

    /// What the system has to give for each instance, beside memory that is used.
    fn instance_needs(&self) -> SystemNeeds {
        SystemNeeds::default()
    }

    /// How long one call of an instance may take, if that is known.
    fn call_timeout(&self) -> Option<Duration> {
        None
    }
}

/// One instance of an operator, owned by one subtask. After any error but a failed `snapshot` or
/// `checkpoint_complete` whose fault says that the instance is usable, it is thrown away.
pub trait OperatorInstance: Send {
    /// A batch that arrived on input `input`.
    ///
    /// # Errors
    ///
    /// A [`GuestFault`].
    fn process(&mut self, input: u32, batch: Batch) -> Result<Vec<Emission>, GuestFault>;

    /// The record that the last `process` failed on, as a batch of one, if it is known.
    fn take_failed_record(&mut self) -> Option<Batch> {
        None
    }

    /// Bytes that its memories and tables occupy. Asked once a batch.
    fn memory_bytes(&self) -> u64 {
        0
    }

    /// Additions to its counters since this was asked before, by name. Asked after each call.
    fn take_counts(&mut self) -> Vec<(String, u64)> {
        Vec::new()
    }

    /// Lines of its log that were dropped since this was asked before. Asked after each call.
    fn take_dropped_log_lines(&mut self) -> u64 {
        0
    }

    /// The merged watermark of all inputs advanced.
    ///
    /// # Errors
    ///
    /// A [`GuestFault`].
    fn advance_watermark(&mut self, watermark: i64) -> Result<Vec<Emission>, GuestFault>;

    /// The state at the barrier of `checkpoint`.
    ///
    /// # Errors
    ///
    /// A [`GuestFault`]; the checkpoint fails, and the attempt too if the instance is not usable.
    fn snapshot(&mut self, checkpoint: u64) -> Result<Vec<StateChunk>, GuestFault>;

    /// Called once, before any record, if there is state.
    ///
    /// # Errors
    ///
    /// A [`GuestFault`].
    fn restore(&mut self, chunks: Vec<StateChunk>) -> Result<(), GuestFault>;

    /// A checkpoint is complete.
    ///
    /// # Errors
    ///
    /// A [`GuestFault`].
    fn checkpoint_complete(&mut self, checkpoint: u64) -> Result<(), GuestFault>;

    /// All inputs have ended. Called once in the life of a job.
    ///
    /// # Errors
    ///
    /// A [`GuestFault`].
    fn finish(&mut self) -> Result<Vec<Emission>, GuestFault>;
}

/// An operator that is a component.
pub struct ComponentOperator {
    component: Component,
    limits: Limits,
}

impl ComponentOperator {
    /// An operator that runs `component` within `limits`.
    #[must_use]
    pub fn new(component: Component, limits: Limits) -> Self {
        Self { component, limits }
    }
}

impl OperatorFactory for ComponentOperator {
    fn open(&self, context: &OperatorContext) -> Result<Box<dyn OperatorInstance>, GuestFault> {
        let instance = self.component.instantiate(context, &self.limits)?;
        Ok(Box::new(instance))
    }

    fn memory_limit(&self) -> Option<u64> {
        Some(self.limits.memory)
    }

    fn instance_needs(&self) -> SystemNeeds {
        self.component.instance_needs()
    }

    fn call_timeout(&self) -> Option<Duration> {
        Some(self.limits.call_timeout)
    }
}

impl OperatorInstance for Instance {
    fn process(&mut self, input: u32, batch: Batch) -> Result<Vec<Emission>, GuestFault> {
        Self::process(self, input, batch)
    }

    fn take_failed_record(&mut self) -> Option<Batch> {
        Self::take_failed_record(self)
    }

    fn memory_bytes(&self) -> u64 {
        Self::memory_bytes(self)
    }

    fn take_counts(&mut self) -> Vec<(String, u64)> {
        Self::take_counts(self)
    }

    fn take_dropped_log_lines(&mut self) -> u64 {
        Self::take_dropped_log_lines(self)
    }

    fn advance_watermark(&mut self, watermark: i64) -> Result<Vec<Emission>, GuestFault> {
        Self::advance_watermark(self, watermark)
    }

    fn snapshot(&mut self, checkpoint: u64) -> Result<Vec<StateChunk>, GuestFault> {
        Self::snapshot(self, checkpoint)
    }

    fn restore(&mut self, chunks: Vec<StateChunk>) -> Result<(), GuestFault> {
        Self::restore(self, chunks)
    }

    fn checkpoint_complete(&mut self, checkpoint: u64) -> Result<(), GuestFault> {
        Self::checkpoint_complete(self, checkpoint)
    }

    fn finish(&mut self) -> Result<Vec<Emission>, GuestFault> {
        Self::finish(self)
    }
}
