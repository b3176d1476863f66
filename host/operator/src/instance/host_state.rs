//! The state that the host keeps for one operator instance while it runs, and the interface
//! `tidegate:operator/host` that it lends the guest.
//!
//! No function here blocks: epochs don't interrupt host code.

use std::sync::Arc;
use std::time::{Duration, Instant};

use thiserror::Error;
use tidegate_key_groups::key_group;
use tracing::warn;

use super::debug_info::DebugInfo;
use super::guest_log::{Counters, GuestLog};
use super::interruption::{InstanceCanceller, Interruption};
use super::thread_stack;
use crate::backtrace::{Backtrace, SourcesSection};
use crate::batch::Column;
use crate::bindings::tidegate::operator::{host, types};
use crate::cost::KEY_GROUP_BYTES;
use crate::engine::Engine;
use crate::limits::{Limits, MemoryMeter};
use crate::state_chunk::OperatorContext;

/// The data of an instance's wasmtime store.
#[derive(Debug)]
pub(crate) struct HostState {
    pub(crate) memory: MemoryMeter,
    pub(crate) log: GuestLog,
    pub(crate) counters: Counters,
    /// `Some` only if the user asked for debug information and the component has some.
    pub(crate) debug_info: Option<Arc<DebugInfo>>,
    /// The component's description of its sources, if it has one.
    pub(crate) sources: Option<Arc<SourcesSection>>,
    /// The frames that a trap shows.
    pub(crate) backtrace: Backtrace,
    pub(crate) interruption: Interruption,
    /// The number of bytes of stack that the calling thread must have left.
    pub(crate) stack_needed: usize,
    output_limit: u64,
    max_parallelism: u32,
    operator: String,
    subtask: u32,
}

impl HostState {
    pub(crate) fn new(
        engine: &Engine,
        canceller: InstanceCanceller,
        context: &OperatorContext,
        limits: &Limits,
    ) -> Self {
        assert!(
            context.max_parallelism > 0,
            "there is at least one key group"
        );
        let options = engine.options();
        let sink = Arc::clone(&options.log_sink);
        Self {
            memory: MemoryMeter::new(limits),
            log: GuestLog::new(context.operator.clone(), context.subtask, sink, limits),
            counters: Counters::default(),
            debug_info: None,
            sources: None,
            backtrace: options.backtrace,
            interruption: Interruption::new(canceller, engine.clock().clone()),
            stack_needed: thread_stack::needed(options.guest_stack_bytes),
            output_limit: limits.output,
            max_parallelism: context.max_parallelism,
            operator: context.operator.clone(),
            subtask: context.subtask,
        }
    }

    /// Sets the deadline of a call into the guest, and drops the errors of the last call.
    pub(crate) fn begin_call(&mut self, timeout: Duration) {
        self.interruption.begin_call(timeout);
        self.log.forget_errors();
        self.memory.take_refused();
        self.memory.take_refused_by_system();
    }
}

/// The arguments of the guest to a function of the host, with its answer, have more bytes than a
/// call may hand over.
#[derive(Debug, Error)]
#[error("the guest passed too many bytes to a function of the host")]
pub(crate) struct HandedOverTooMuch;

impl types::Host for HostState {}

impl host::Host for HostState {
    fn log(&mut self, level: host::Level, message: String) -> wasmtime::Result<()> {
        self.log.write(level, message, Instant::now());
        Ok(())
    }

    fn count(&mut self, metric: String, delta: u64) -> wasmtime::Result<()> {
        let refused = self.counters.add(metric, delta).err();
        if refused.is_some_and(|refused| refused.first) {
            let Self {
                operator, subtask, ..
            } = self;
            warn!(
                target: "tidegate::guest", operator, subtask,
                "the host drops a counter: the instance has too many, or the name is not short \
                 printable ASCII"
            );
        }
        Ok(())
    }

    fn key_groups(&mut self, keys: types::Column) -> wasmtime::Result<Vec<u32>> {
        let keys = Column::from_parts(keys.offsets, keys.data).map_err(|malformed| {
            wasmtime::format_err!(
                "the guest passed a malformed column to `key-groups`: {malformed}"
            )
        })?;
        let bytes = keys.byte_size() as u64 + KEY_GROUP_BYTES * keys.len() as u64;
        if bytes > self.output_limit {
            return Err(wasmtime::Error::new(HandedOverTooMuch));
        }
        let groups = keys.rows().map(|key| key_group(key, self.max_parallelism));
        Ok(groups.collect())
    }
}
