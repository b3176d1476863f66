//! Record path: source → channel → aligner → **guest** → router → sink.
//!
//! The instance of one operator subtask, and the parts of its replacement when its memory has grown
//! too large. A replacement is opened, restored from the snapshot of the barrier that has just
//! passed, and told the watermark, as after a failure. The replacement returned no snapshot itself,
//! so it is not notified when the checkpoint of its predecessor's snapshot completes.
//!
//! The runtime calls operators through two traits, so that it can run without a component in tests
//! and simulations. [`ComponentOperator`] is the implementation that users get.

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
    /// `None` during a replacement, and after a failed one: then the attempt is over.
    instance: Option<Box<dyn OperatorInstance>>,
    factory: Arc<dyn OperatorFactory>,
    context: OperatorContext,
    policy: RecyclePolicy,
    /// The checkpoint at whose barrier the instance was replaced. It knows of later checkpoints
    /// only.
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

    /// Returns the instance, to be called.
    pub(super) fn instance(&mut self) -> &mut dyn OperatorInstance {
        let instance = self.instance.as_deref_mut();
        instance.expect("a guest that could not be replaced is not called again")
    }

    /// Returns the bytes that the instance occupies.
    pub(super) fn memory_bytes(&self) -> u64 {
        let instance = self.instance.as_deref();
        instance.map_or(0, OperatorInstance::memory_bytes)
    }

    /// Shows the bytes that the instance occupies, if its limit is known.
    pub(crate) fn show_memory(&self, metrics: &SubtaskMetrics) {
        if let Some(limit) = self.factory.memory_limit() {
            metrics.set_guest_memory(self.memory_bytes(), limit);
        }
    }

    /// Shows the counts of the instance and its lost log lines. Called after each call.
    pub(super) fn show_counts(&mut self, metrics: &SubtaskMetrics) {
        let instance = self.instance();
        metrics.count_for_guest(instance.take_counts());
        metrics.count_dropped_log_lines(instance.take_dropped_log_lines());
    }

    /// Returns the need that its memory causes. Called once a batch.
    pub(super) fn need(&mut self) -> Need {
        self.policy.on_batch(self.memory_bytes())
    }

    /// Called at a barrier, after the snapshot. Returns true if the instance is to be replaced now.
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

    /// Replaces the instance by one restored from `state`, a snapshot that it returned at the
    /// barrier of `checkpoint` or later. `watermark` is the last that it had been told then.
    ///
    /// # Errors
    ///
    /// A [`GuestFault`] of the new instance. The old instance is gone by then, and the attempt is
    /// over.
    pub(super) fn recycle(
        &mut self,
        checkpoint: CheckpointId,
        state: Vec<StateChunk>,
        watermark: Option<i64>,
    ) -> Result<Recycled, GuestFault> {
        // The old instance goes first: both together could need twice the limit.
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

/// The result of a replacement.
pub(super) struct Recycled {
    /// The output of the new instance for the watermark.
    pub(super) emissions: Vec<Emission>,
    /// True, once, if the state itself is so large that a replacement is of little use.
    pub(super) state_is_large: bool,
}

/// Opens an instance, and restores it if there is state.
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
    /// Creates an instance and calls its `open`. Called once an attempt for each subtask, on the
    /// thread that will own the instance.
    ///
    /// # Errors
    ///
    /// A [`GuestFault`]; there is no instance then.
    fn open(&self, context: &OperatorContext) -> Result<Box<dyn OperatorInstance>, GuestFault>;

    /// Returns the bytes that an instance's memories and tables may occupy, if known.
    fn memory_limit(&self) -> Option<u64> {
        None
    }

    /// Returns the resources that each instance takes from the system, besides the memory it uses.
    fn instance_needs(&self) -> SystemNeeds {
        SystemNeeds::default()
    }

    /// Returns the time that one call of an instance may take, if known.
    fn call_timeout(&self) -> Option<Duration> {
        None
    }
}

/// One instance of an operator, owned by one subtask. After any error but a failed `snapshot` or
/// `checkpoint_complete` whose fault says that the instance is usable, it is thrown away.
pub trait OperatorInstance: Send {
    /// Processes a batch that arrived on input `input`.
    ///
    /// # Errors
    ///
    /// A [`GuestFault`].
    fn process(&mut self, input: u32, batch: Batch) -> Result<Vec<Emission>, GuestFault>;

    /// Returns the record that the last `process` failed on, as a batch of one, if it is known.
    fn take_failed_record(&mut self) -> Option<Batch> {
        None
    }

    /// Returns the bytes that its memories and tables occupy. Called once a batch.
    fn memory_bytes(&self) -> u64 {
        0
    }

    /// Returns the additions to its counters since the last call, by name. Called after each call.
    fn take_counts(&mut self) -> Vec<(String, u64)> {
        Vec::new()
    }

    /// Returns the number of log lines dropped since the last call. Called after each call.
    fn take_dropped_log_lines(&mut self) -> u64 {
        0
    }

    /// Called when the merged watermark of all inputs has advanced.
    ///
    /// # Errors
    ///
    /// A [`GuestFault`].
    fn advance_watermark(&mut self, watermark: i64) -> Result<Vec<Emission>, GuestFault>;

    /// Returns the state at the barrier of `checkpoint`.
    ///
    /// # Errors
    ///
    /// A [`GuestFault`]; the checkpoint fails, and the attempt too if the instance is not usable.
    fn snapshot(&mut self, checkpoint: u64) -> Result<Vec<StateChunk>, GuestFault>;

    /// Restores state. Called once, before any record, if there is state.
    ///
    /// # Errors
    ///
    /// A [`GuestFault`].
    fn restore(&mut self, chunks: Vec<StateChunk>) -> Result<(), GuestFault>;

    /// Called when a checkpoint is complete.
    ///
    /// # Errors
    ///
    /// A [`GuestFault`].
    fn checkpoint_complete(&mut self, checkpoint: u64) -> Result<(), GuestFault>;

    /// Called when all inputs have ended, once in the life of a job.
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
    /// Creates an operator that runs `component` within `limits`.
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
