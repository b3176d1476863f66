//! The choices of an embedder that hold for all components of an engine.

use std::sync::Arc;

use crate::backtrace::Backtrace;
use crate::guest_log_sink::{GuestLogSink, TracingSink};
use crate::limits::CompileLimits;

/// The choices of an embedder that hold for all components of an engine.
///
/// The defaults suit a process that runs only this. In a process of another runtime, such as a JVM,
/// use [`TrapDetection::Checks`] and a guest stack that fits the runtime's threads.
#[derive(Clone, Debug)]
pub struct EngineOptions {
    /// Bounds for compiling a component.
    pub compile_limits: CompileLimits,
    /// True if components keep their debug information, so that the backtrace of a trap has files
    /// and lines. Reading the information is bounded, and takes up to a second for each trap.
    pub keeps_debug_info: bool,
    /// The frames that the fault of a trap shows.
    pub backtrace: Backtrace,
    /// The way in which the host detects guests' traps.
    pub trap_detection: TrapDetection,
    /// Bytes of stack that a guest may use: [`EngineOptions::LEAST_GUEST_STACK_BYTES`] to
    /// [`EngineOptions::MOST_GUEST_STACK_BYTES`]. Guests run on the stack of the calling thread.
    pub guest_stack_bytes: usize,
    /// The destination of the guests' log lines.
    pub log_sink: Arc<dyn GuestLogSink>,
}

impl EngineOptions {
    /// The smallest guest stack: plain operators need no more.
    pub const LEAST_GUEST_STACK_BYTES: usize = 64 << 10;
    /// The largest guest stack.
    pub const MOST_GUEST_STACK_BYTES: usize = 64 << 20;
}

impl Default for EngineOptions {
    fn default() -> Self {
        Self {
            compile_limits: CompileLimits::default(),
            keeps_debug_info: false,
            backtrace: Backtrace::default(),
            trap_detection: TrapDetection::Signals,
            guest_stack_bytes: 512 << 10,
            log_sink: Arc::new(TracingSink),
        }
    }
}

/// The way in which the host detects guests' traps. A trap is the same fault either way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TrapDetection {
    /// Handlers for SIGSEGV, SIGILL and SIGFPE, which the first engine of the process installs.
    /// They pass on every signal that no guest caused.
    Signals,
    /// Instructions that check before each access, and no signal handler at all. Slower by a fifth
    /// for small records, and without the engine's mitigations of Spectre, which rest on signals.
    Checks,
}
