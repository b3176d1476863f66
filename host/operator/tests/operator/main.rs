//! Tests of the operator crate with guests that are written here, one small module for each
//! behaviour. Timeouts of guests that must not time out are long: no result depends on the
//! machine's speed.

mod support;

mod calls;
mod cancelling;
mod code_cache;
mod columns;
mod compile_bombs;
mod composed;
mod debug_info;
mod engine_options;
mod entry_points;
mod faults;
mod flooding;
mod fuzz;
mod limits;
mod logs;
mod loop_shapes;
mod malformed;
mod memory_bombs;
mod outputs;
mod refusals;
mod sandbox;
mod snapshots;
mod system_needs;
mod thread_stacks;
