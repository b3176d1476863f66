//! Record path: source → channel → aligner → **operator instance** → router → sink.
//!
//! What the runtime asks of an operator, so that it can run without a component in tests and
//! simulations. [`ComponentOperator`] is the one that users get.

use std::time::Duration;

use tidegate_operator::{
    Batch, Component, Emission, GuestFault, Instance, Limits, OperatorContext, StateChunk,
    SystemNeeds,
};

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
