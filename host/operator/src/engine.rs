//! The wasmtime engine, configured once for all components of the process, and its clock.
//!
//! Invariant: as long as an [`Engine`] lives, its epoch advances every [`TICK`], so that a deadline
//! ends every call. The ticker holds only a weak engine and ends with it.

use std::num::NonZeroUsize;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;
use std::{io, thread};

use thiserror::Error;

use crate::engine_options::{EngineOptions, TrapDetection};
use crate::system_refusal::SystemRefusal;

/// The interval at which the epoch advances: the precision of call timeouts.
pub(crate) const TICK: Duration = Duration::from_millis(10);

/// The address space that a memory reserves, and that is kept free on both sides of it.
pub(crate) const MEMORY_RESERVATION_BYTES: u64 = 1 << 32;
pub(crate) const MEMORY_GUARD_BYTES: u64 = 32 << 20;

/// The largest number of frames in a trap's backtrace.
const BACKTRACE_FRAMES: NonZeroUsize = NonZeroUsize::new(32).expect("32 is not 0");

/// Compiles and runs components. A clone is a handle to the same engine.
#[derive(Clone)]
pub struct Engine {
    inner: wasmtime::Engine,
    clock: Clock,
    options: EngineOptions,
}

impl Engine {
    /// Configures an engine for untrusted components and starts its ticker thread.
    ///
    /// One per process is enough; the ticker ends when the last handle and the last component of
    /// the engine are dropped.
    ///
    /// # Errors
    ///
    /// [`EngineError`] if this machine can't run compiled components, or no thread can be started.
    pub fn new() -> Result<Self, EngineError> {
        Self::with_options(EngineOptions::default())
    }

    /// Configures an engine as [`Engine::new`] does, with the choices of an embedder.
    ///
    /// # Errors
    ///
    /// [`EngineError`], as for [`Engine::new`], and if a choice is out of its bounds.
    pub fn with_options(options: EngineOptions) -> Result<Self, EngineError> {
        check(&options)?;
        let inner = wasmtime::Engine::new(&config(&options));
        let inner = inner.map_err(|error| match SystemRefusal::behind(&error) {
            Some(source) => EngineError::Refused { source },
            None => EngineError::Unsupported {
                reason: format!("{error:#}"),
            },
        })?;
        let clock = Clock::default();
        // Not joined: the thread ends with the engine.
        drop(start_ticker(&inner, clock.clone())?);
        Ok(Self {
            inner,
            clock,
            options,
        })
    }

    pub(crate) fn options(&self) -> &EngineOptions {
        &self.options
    }

    pub(crate) fn clock(&self) -> &Clock {
        &self.clock
    }

    pub(crate) fn wasmtime(&self) -> &wasmtime::Engine {
        &self.inner
    }
}

impl std::fmt::Debug for Engine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Engine").finish_non_exhaustive()
    }
}

/// The counted ticks of an engine. A clone is the same clock.
#[derive(Clone, Debug, Default)]
pub(crate) struct Clock {
    ticks: Arc<AtomicU64>,
}

impl Clock {
    /// Returns the number of ticks since the engine was made.
    pub(crate) fn ticks(&self) -> u64 {
        self.ticks.load(Ordering::Relaxed)
    }

    /// Counts a tick. Called by the ticker.
    pub(crate) fn advance(&self) {
        self.ticks.fetch_add(1, Ordering::Relaxed);
    }
}

/// The reason why no component can run in this process.
#[derive(Debug, Error)]
pub enum EngineError {
    /// wasmtime does not work on this machine.
    #[error("components can't be run on this machine: {reason}")]
    Unsupported {
        /// The message of wasmtime.
        reason: String,
    },
    /// The system refused this process a resource that the engine needs.
    #[error("the engine for components could not be started")]
    Refused {
        /// The system's error.
        source: SystemRefusal,
    },
    /// The guest stack is too small or too large.
    #[error(
        "a guest stack of {bytes} bytes is not possible; choose {} to {}",
        EngineOptions::LEAST_GUEST_STACK_BYTES,
        EngineOptions::MOST_GUEST_STACK_BYTES
    )]
    GuestStack {
        /// The requested size.
        bytes: usize,
    },
    /// The thread that ends calls after their timeout could not be started.
    #[error("the thread that watches call timeouts could not be started")]
    Ticker {
        /// The error of the operating system.
        source: io::Error,
    },
}

fn check(options: &EngineOptions) -> Result<(), EngineError> {
    let bytes = options.guest_stack_bytes;
    let possible = EngineOptions::LEAST_GUEST_STACK_BYTES..=EngineOptions::MOST_GUEST_STACK_BYTES;
    if !possible.contains(&bytes) {
        return Err(EngineError::GuestStack { bytes });
    }
    Ok(())
}

fn config(options: &EngineOptions) -> wasmtime::Config {
    let by_signals = match options.trap_detection {
        TrapDetection::Signals => true,
        TrapDetection::Checks => false,
    };
    let mut config = wasmtime::Config::new();
    config
        .epoch_interruption(true)
        .max_wasm_stack(options.guest_stack_bytes)
        .memory_reservation(MEMORY_RESERVATION_BYTES)
        .memory_guard_size(MEMORY_GUARD_BYTES)
        .guard_before_linear_memory(true)
        .memory_may_move(true)
        .signals_based_traps(by_signals)
        .wasm_backtrace_max_frames(Some(BACKTRACE_FRAMES))
        // wasmtime reads debug information at each trap, without bounds; see `debug_info.rs`.
        .wasm_backtrace_details(wasmtime::WasmBacktraceDetails::Disable);

    // The same input yields the same bytes on every machine.
    config
        .cranelift_nan_canonicalization(true)
        .wasm_relaxed_simd(false)
        .relaxed_simd_deterministic(true);

    // No guest needs these, and most advisories were in them. Shared memories would also evade the
    // memory limit. Multi-memory stays on: wasmtime needs it to load composed components.
    config
        .concurrency_support(false)
        .gc_support(false)
        .wasm_gc(false)
        .wasm_function_references(false)
        .wasm_exceptions(false)
        .wasm_threads(false)
        .shared_memory(false)
        .wasm_memory64(false)
        .wasm_stack_switching(false);
    config
}

fn start_ticker(engine: &wasmtime::Engine, clock: Clock) -> Result<JoinHandle<()>, EngineError> {
    let weak = engine.weak();
    let tick = move || {
        loop {
            thread::sleep(TICK);
            match weak.upgrade() {
                Some(engine) => {
                    // First, so that a call that this tick stops sees the new time.
                    clock.advance();
                    engine.increment_epoch();
                }
                None => return,
            }
        }
    };
    thread::Builder::new()
        .name("tidegate-ticker".to_owned())
        .spawn(tick)
        .map_err(|source| EngineError::Ticker { source })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_configuration_is_accepted() {
        Engine::new().expect("wasmtime accepts our configuration");
    }

    #[test]
    fn the_ticker_ends_with_its_engine() {
        let engine = wasmtime::Engine::new(&config(&EngineOptions::default()));
        let engine = engine.expect("an engine");
        let ticker = start_ticker(&engine, Clock::default()).expect("a thread");
        drop(engine);
        ticker.join().expect("it ends, and without a panic");
    }
}
