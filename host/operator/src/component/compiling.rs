//! Compiling a component, within bounds.
//!
//! The size of a component does not bound the compiler's time and memory: some kilobytes of nested
//! loops over many locals keep it busy for minutes. So it works on its own thread, and the caller
//! gives up when it needs too much. The thread can't be stopped: it continues until it is done or
//! the process ends, which is the next step of a rejected job.

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::sync::{Arc, OnceLock};
use std::thread;
use std::time::Duration;

use wasmtime::component::Component;

use super::refusal::RefusalCause;
use crate::engine::Engine;
use crate::foreign_text::panic_message;
use crate::limits::CompileLimits;
use crate::system_refusal::SystemRefusal;

/// The interval between two checks of the compiler. Time counts in whole slices, so that a process
/// that was stopped for a while, or a machine that slept, has used one slice.
const SLICE: Duration = Duration::from_millis(50);

/// The factor by which the elapsed time may exceed the limit if the compiler shares its processor.
const MOST_WAITING: u32 = 10;

/// The compiler's stack: generous, since the component decides how deeply it recurses.
const STACK_BYTES: usize = 16 << 20;

/// Compiles a component that passed the checks of its structure.
pub(crate) fn compile(engine: &Engine, bytes: &[u8]) -> Result<Component, RefusalCause> {
    let limits = &engine.options().compile_limits;
    let (sender, receiver) = sync_channel(1);
    let (wasmtime, bytes) = (engine.wasmtime().clone(), bytes.to_vec());
    let clock = Arc::new(OnceLock::new());
    let thread_clock = Arc::clone(&clock);
    let work = move || {
        if let Ok(thread) = std::fs::read_link("/proc/thread-self") {
            // This is the only call that sets it.
            drop(thread_clock.set(Path::new("/proc").join(thread).join("schedstat")));
        }
        let compile = || Component::from_binary(&wasmtime, &bytes);
        let compiled = catch_unwind(AssertUnwindSafe(compile));
        // The caller may have given up.
        drop(sender.send(compiled));
    };
    let thread = thread::Builder::new()
        .name("tidegate-compiler".to_owned())
        .stack_size(STACK_BYTES)
        .spawn(work);
    // Not joined: it may be busy for ever.
    let started = thread.map(drop);
    started.map_err(|error| not_started(&error))?;
    let watch = Watch {
        limits,
        clock: &clock,
        resident_before: resident_bytes(),
    };
    let compiled = watch.wait(&receiver).map_err(GivenUp::into_cause)?;
    match compiled {
        Ok(Ok(component)) => Ok(component),
        Ok(Err(error)) => Err(RefusalCause::of_engine(&error, |reason| {
            RefusalCause::Invalid { reason }
        })),
        Err(panic) => Err(RefusalCause::CompilerPanicked {
            message: panic_message(panic.as_ref()),
        }),
    }
}

/// Returns the cause when the system starts no thread for the compiler.
fn not_started(error: &io::Error) -> RefusalCause {
    match SystemRefusal::of(error) {
        Some(refusal) => RefusalCause::NotCompiled { refusal },
        // An error without a number is not the system's; the standard library returns none such.
        None => RefusalCause::CompilerGone,
    }
}

/// The reason for giving up a compiler.
#[derive(Debug, PartialEq, Eq)]
enum GivenUp {
    /// The compiler needs too much.
    TooCostly { resource: String },
    /// Its thread is gone and has sent nothing.
    Gone,
}

impl GivenUp {
    fn into_cause(self) -> RefusalCause {
        match self {
            Self::TooCostly { resource } => RefusalCause::TooCostly { resource },
            Self::Gone => RefusalCause::CompilerGone,
        }
    }
}

/// The measures of a compiler at work.
struct Watch<'a> {
    limits: &'a CompileLimits,
    /// The file in which the system reports the use of its thread, once it runs.
    clock: &'a OnceLock<PathBuf>,
    resident_before: Option<u64>,
}

impl Watch<'_> {
    /// Waits for the compiler; gives up when it needs too much or is gone.
    fn wait<T>(&self, receiver: &Receiver<T>) -> Result<T, GivenUp> {
        let limits = self.limits;
        let mut waited = Duration::ZERO;
        loop {
            match receiver.recv_timeout(SLICE) {
                Ok(compiled) => return Ok(compiled),
                Err(RecvTimeoutError::Timeout) => waited += SLICE,
                Err(RecvTimeoutError::Disconnected) => return Err(GivenUp::Gone),
            }
            let used = self.clock.get().and_then(|clock| processor_time(clock));
            let is_over = waited >= limits.time.saturating_mul(MOST_WAITING);
            if is_over || used.unwrap_or(waited) >= limits.time {
                let resource = format!("more than {} s", limits.time.as_secs_f64());
                return Err(GivenUp::TooCostly { resource });
            }
            let grown = resident_bytes()
                .zip(self.resident_before)
                .map(|(now, before)| now.saturating_sub(before));
            if grown.is_some_and(|grown| grown > limits.memory) {
                let resource = format!("more than {} MiB of memory", limits.memory >> 20);
                return Err(GivenUp::TooCostly { resource });
            }
        }
    }
}

/// Returns the processor time of a thread, which is the first number in its `schedstat`, in
/// nanoseconds.
fn processor_time(schedstat: &Path) -> Option<Duration> {
    let text = std::fs::read_to_string(schedstat).ok()?;
    let nanos = text.split(' ').next()?.parse().ok()?;
    Some(Duration::from_nanos(nanos))
}

/// Returns the resident bytes of the process, if the system reports them.
fn resident_bytes() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let resident = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kib: u64 = resident.trim().strip_suffix(" kB")?.parse().ok()?;
    Some(kib << 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_system_tells_what_a_thread_has_used() {
        let thread = std::fs::read_link("/proc/thread-self").expect("this is Linux");
        let clock = Path::new("/proc").join(thread).join("schedstat");
        let before = processor_time(&clock).expect("it is told");
        let mut sum = 0_u64;
        while processor_time(&clock).expect("it is told") < before + Duration::from_millis(5) {
            sum = std::hint::black_box(sum + 1);
        }
    }

    #[test]
    fn a_compiler_that_waits_for_a_processor_is_given_more_time_but_not_for_ever() {
        let (sender, receiver) = sync_channel::<()>(1);
        let refused = |time, nanos_used: u64| {
            let told = tempfile::NamedTempFile::new().expect("a file");
            let schedstat = format!("{nanos_used} 0 1\n");
            std::fs::write(told.path(), schedstat).expect("it can be written");
            let watch = Watch {
                limits: &CompileLimits {
                    time,
                    memory: u64::MAX,
                },
                clock: &OnceLock::from(told.path().to_owned()),
                resident_before: None,
            };
            watch.wait(&receiver).expect_err("it never sends")
        };
        let too_costly = |resource: &str| GivenUp::TooCostly {
            resource: resource.to_owned(),
        };
        assert_eq!(refused(SLICE, 1_000), too_costly("more than 0.05 s"));
        // No real time passes here.
        let hours = Duration::from_secs(7200);
        let used = refused(hours, 7_200_000_000_000);
        assert_eq!(used, too_costly("more than 7200 s"));
        drop(sender);
    }

    #[test]
    fn a_compiler_that_is_gone_without_a_result_is_a_refusal_and_no_panic() {
        let (sender, receiver) = sync_channel::<()>(1);
        drop(sender);
        let watch = Watch {
            limits: &CompileLimits::default(),
            clock: &OnceLock::new(),
            resident_before: None,
        };
        assert_eq!(watch.wait(&receiver), Err(GivenUp::Gone));
    }
}
