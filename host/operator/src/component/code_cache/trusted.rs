//! Loading machine code, which is unsafe.
//!
//! wasmtime checks only that precompiled code fits the engine, so whoever chooses the bytes can run
//! anything. They come from [`CodeCache`](super::CodeCache), which has verified that this
//! installation made them, and pass through here as the very slice that was verified.

use wasmtime::component::Component;

/// Loads code that this installation compiled.
#[expect(
    unsafe_code,
    reason = "compiling takes up to seconds a start; what is loaded is authenticated"
)]
pub(super) fn load(engine: &wasmtime::Engine, code: &[u8]) -> wasmtime::Result<Component> {
    // SAFETY: `Component::serialize` returned `code` in a process of this installation: its keyed
    // digest was compared before, and only this user can read the key. It was read to memory first,
    // so it can't change between the comparison and this call, which copies it.
    unsafe { Component::deserialize(engine, code) }
}
