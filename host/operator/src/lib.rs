//! One WebAssembly component, safely called.
//!
//! The path of a component: an [`Engine`] for the process, [`Component::load`] for each file,
//! [`Component::instantiate`] for each subtask, then the calls of [`Instance`]. A defective file is
//! a [`Refusal`], before any of its code runs; a failed call is a [`GuestFault`], and costs that
//! instance only.
//!
//! An embedder whose process is not the host's own chooses [`EngineOptions`]: traps without
//! signals, the guests' stack, and a [`GuestLogSink`] for their log lines. A call runs on the stack
//! of its thread and is rejected if too little is left; an [`InstanceCanceller`] ends it from
//! another thread. [`FaultCause::code`] names a fault for programs, in any language.
//!
//! Only this crate knows wasmtime, and none of wasmtime's types appear outside. It knows nothing of
//! job graphs, channels or checkpoint files, so that other programs can embed it.

mod component;
mod instance;

mod backtrace;
mod batch;
mod engine;
mod engine_options;
mod fault;
mod guest_log_sink;
mod limits;
mod state_chunk;
mod system_refusal;

mod bindings;
mod contract;
mod cost;

mod bounded_text;
mod foreign_text;
mod guest_text;

pub use backtrace::{Backtrace, SourceMap, SourceRoot, Sources};
pub use batch::{
    Batch, Column, Emission, GatherBatch, GatherColumn, MalformedBatch, MalformedColumn,
    NO_TIMESTAMP,
};
pub use component::{
    CodeCache, CodeCacheError, Component, Direction, Refusal, RefusalCause, SystemNeeds,
};
pub use contract::{OPERATOR_INTERFACE, SDK_VERSION};
pub use engine::{Engine, EngineError};
pub use engine_options::{EngineOptions, TrapDetection};
pub use fault::{
    BatchColumn, FaultCause, GuestCall, GuestFault, MalformedSnapshot, TrapReport, headline,
};
pub use foreign_text::{
    Foreign, MOST_BYTES, is_steering, panic_message, quiet_json, shown, shown_text, with_causes,
};
pub use guest_log_sink::{GuestLogSink, LogLevel, LogSource, TracingSink};
pub use instance::{Instance, InstanceCanceller};
pub use limits::{CompileLimits, Limits};
pub use state_chunk::{OperatorContext, OperatorDescription, StateChunk};
pub use system_refusal::SystemRefusal;
/// The ranges of key groups that [`OperatorContext::of_subtask`] takes, for embedders.
pub use tidegate_key_groups::KeyGroups;
