//! One WebAssembly component, safely called.
//!
//! The path of a component: an [`Engine`] for the process, [`Component::load`] for each file,
//! [`Component::instantiate`] for each subtask, then the calls of [`Instance`]. What is wrong with
//! a file is a [`Refusal`], before any of its code runs; what is wrong with a call is a
//! [`GuestFault`], and costs that instance only.
//!
//! This crate is the only one that knows wasmtime, and none of its types appear outside. It knows
//! nothing of job graphs, channels or checkpoint files, so that it can be embedded elsewhere.

mod engine;

mod code_cache;
mod compiling;
mod loader;
mod structure;
mod system_needs;
mod system_refusal;

mod file_kind;
mod refusal;

mod instance;

mod batch;
mod output;
mod state_chunk;

mod fault;
mod trap;

mod debug_info;
mod function_name;

mod cost;
mod limits;

mod host_state;

mod bounded_text;
mod foreign_text;
mod guest_log;
mod guest_text;

mod bindings;

pub use batch::{
    Batch, Column, Emission, GatherBatch, GatherColumn, MalformedBatch, MalformedColumn,
    NO_TIMESTAMP,
};
pub use code_cache::{CodeCache, CodeCacheError};
pub use compiling::CompileLimits;
pub use engine::{Engine, EngineError};
pub use fault::{BatchColumn, FaultCause, GuestCall, GuestFault, MalformedSnapshot, TrapReport};
pub use foreign_text::{
    Foreign, MOST_BYTES, is_steering, panic_message, quiet_json, shown, shown_text, with_causes,
};
pub use instance::Instance;
pub use limits::Limits;
pub use loader::{Component, OPERATOR_INTERFACE, SDK_VERSION};
pub use refusal::{Direction, Refusal};
pub use state_chunk::{OperatorContext, StateChunk};
pub use system_needs::SystemNeeds;
pub use system_refusal::SystemRefusal;
