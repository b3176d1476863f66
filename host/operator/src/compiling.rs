//! Compiling a component, within bounds.
//!
//! The time and memory that the compiler needs are not bound by the size of what it is given: some
//! kilobytes of nested loops over many locals keep it busy for minutes. So it works on a thread of
//! its own, and whoever waits for it gives up when it needs too much. The thread can't be stopped:
//! it goes on until it is done or the process ends, which is what a refused job does next.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::thread;
use std::time::Duration;

use wasmtime::component::Component;

use crate::engine::Engine;
use crate::guest_text;
use crate::instance::panic_message;
use crate::refusal::Refusal;

/// How often the compiler is looked after. Time counts in whole slices, so that a process that was
/// stopped for a while, or a machine that slept, has used one of them.
const SLICE: Duration = Duration::from_millis(50);

/// Stack of the compiler: generous, since what it nests is not ours.
const STACK_BYTES: usize = 16 << 20;

/// What compiling one component may need.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CompileLimits {
    /// How long it may take.
    pub time: Duration,
    /// Bytes by which the process may grow meanwhile. Looked at where the system tells them, which
    /// Linux does.
    pub memory: u64,
}

impl Default for CompileLimits {
    fn default() -> Self {
        Self {
            time: Duration::from_secs(60),
            memory: 1 << 30,
        }
    }
}

/// Compiles a component that passed the checks of its structure.
pub(crate) fn compile(engine: &Engine, origin: &str, bytes: &[u8]) -> Result<Component, Refusal> {
    let limits = engine.compile_limits();
    let before = resident_bytes();
    let (sender, receiver) = sync_channel(1);
    let (wasmtime, bytes) = (engine.wasmtime().clone(), bytes.to_vec());
    let work = move || {
        let compile = || Component::from_binary(&wasmtime, &bytes);
        let compiled = catch_unwind(AssertUnwindSafe(compile));
        // Whoever gave up does not want to know.
        drop(sender.send(compiled));
    };
    let thread = thread::Builder::new()
        .name("tidegate-compiler".to_owned())
        .stack_size(STACK_BYTES)
        .spawn(work);
    // Not joined: it may be busy for ever.
    let started = thread.map(drop);
    started.map_err(|error| Refusal::NotCompiled {
        origin: origin.to_owned(),
        reason: error.to_string(),
    })?;
    let compiled = wait(&receiver, limits, before).map_err(|resource| Refusal::TooCostly {
        origin: origin.to_owned(),
        resource,
    })?;
    match compiled {
        Ok(Ok(component)) => Ok(component),
        Ok(Err(error)) => Err(Refusal::Invalid {
            origin: origin.to_owned(),
            reason: guest_text::one_line(&format!("{error:#}")),
        }),
        Err(panic) => Err(Refusal::CompilerPanicked {
            origin: origin.to_owned(),
            message: panic_message(panic.as_ref()),
        }),
    }
}

/// Waits for the compiler, or says what it needs too much of.
fn wait<T>(
    receiver: &Receiver<T>,
    limits: &CompileLimits,
    before: Option<u64>,
) -> Result<T, String> {
    let mut waited = Duration::ZERO;
    loop {
        match receiver.recv_timeout(SLICE) {
            Ok(compiled) => return Ok(compiled),
            Err(RecvTimeoutError::Timeout) => waited += SLICE,
            Err(RecvTimeoutError::Disconnected) => {
                unreachable!("the compiler's thread sends before it ends")
            }
        }
        if waited >= limits.time {
            return Err(format!("more than {} s", limits.time.as_secs_f64()));
        }
        let grown = resident_bytes()
            .zip(before)
            .map(|(now, before)| now.saturating_sub(before));
        if grown.is_some_and(|grown| grown > limits.memory) {
            return Err(format!("more than {} MiB of memory", limits.memory >> 20));
        }
    }
}

/// Bytes of the process that are in memory, where the system says so.
fn resident_bytes() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let resident = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kib: u64 = resident.trim().strip_suffix(" kB")?.parse().ok()?;
    Some(kib << 10)
}
