//! From wasmtime's error of a failed call to a typed cause that the user can act on.
//!
//! wasmtime returns a trap code, or an error of another kind with only a text. The host adds what
//! it knows of the call: the guest's last log lines, and memory that it was refused.

use wasmtime::{FrameInfo, Trap, WasmBacktrace};

use super::debug_info::Place;
use super::function_name;
use super::host_state::{HandedOverTooMuch, HostState};
use crate::bounded_text::bounded;
use crate::fault::{FaultCause, GuestCall, TrapReport};
use crate::guest_text;
use crate::limits::Limits;
use crate::system_refusal::SystemRefusal;

/// A part of wasmtime's message for a guest that hands over too many bytes. The error has no public
/// type; a test checks that this is still its text.
const HANDED_OVER_TOO_MUCH: &str = "fuel allocated for hostcalls has been exhausted";

/// The number of bytes of wasmtime's text that are kept.
const KIND_BYTES: usize = 4 << 10;
/// The number of bytes of a file's name that are shown.
const FILE_BYTES: usize = 1 << 10;
/// The number of functions that a backtrace shows: inlined calls make several of one frame.
const FUNCTIONS: usize = 64;

/// Functions that run between a panic and its trap: those of these names, and those in these
/// modules and namespaces.
const PANIC_MACHINERY: [&str; 18] = [
    "__rust_*",
    "__rustc::*",
    "rust_panic",
    "rust_begin_unwind",
    "core::panicking::*",
    "core::result::unwrap_failed",
    "core::option::unwrap_failed",
    "core::option::expect_failed",
    "core::ops::function::FnOnce::call_once*",
    "std::panicking::*",
    "std::panic::*",
    "std::process::abort",
    "std::alloc::*",
    "std::sys::*",
    "alloc::alloc::handle_alloc_error",
    "alloc::raw_vec::*",
    "panic_abort::*",
    "abort",
];

/// Returns the cause of a failed call. Takes the host's record of the call from `state`.
pub(crate) fn cause(
    error: &wasmtime::Error,
    call: GuestCall,
    state: &mut HostState,
    limits: &Limits,
) -> FaultCause {
    let refused = state.memory.take_refused();
    let refused_by_system = state.memory.take_refused_by_system();
    let trap = error.downcast_ref::<Trap>().copied();
    if trap == Some(Trap::Interrupt) {
        return state.interruption.cause(limits.call_timeout);
    }
    if trap == Some(Trap::StackOverflow) {
        return FaultCause::StackOverflow;
    }
    let kind = bounded(KIND_BYTES, error.root_cause());
    if kind.contains(HANDED_OVER_TOO_MUCH) || error.is::<HandedOverTooMuch>() {
        // With frames of the guest, it was an argument for the host, in the middle of the call.
        let by_returning = error.downcast_ref::<WasmBacktrace>().is_none();
        return handed_over_too_much(call, limits, by_returning);
    }
    if let Some(refusal) = SystemRefusal::behind(error) {
        let trap = None;
        return FaultCause::SystemRefused { refusal, trap };
    }
    let report = Box::new(report(error, &kind, state));
    let Some(refused) = refused else {
        return match refused_by_system {
            Some(refusal) => FaultCause::SystemRefused {
                refusal,
                trap: Some(report),
            },
            None => FaultCause::Trap(report),
        };
    };
    // Without a trap, the engine could not make an initial memory or table.
    let by_engine = call == GuestCall::Instantiate && trap.is_none();
    FaultCause::MemoryLimit {
        limit: refused.limit,
        asked: refused.asked,
        trap: (!by_engine).then_some(report),
    }
}

/// Returns the cause for a guest that met the limit which [`crate::instance`] set for this call.
fn handed_over_too_much(call: GuestCall, limits: &Limits, by_returning: bool) -> FaultCause {
    let limit = limits.handed_over(call);
    match call {
        GuestCall::Snapshot if by_returning => FaultCause::SnapshotLimit { limit },
        GuestCall::Snapshot
        | GuestCall::Instantiate
        | GuestCall::Open
        | GuestCall::Restore
        | GuestCall::Process
        | GuestCall::AdvanceWatermark
        | GuestCall::CheckpointComplete
        | GuestCall::Finish => FaultCause::OutputLimit { limit },
    }
}

fn report(error: &wasmtime::Error, kind: &str, state: &mut HostState) -> TrapReport {
    let kind = guest_text::paragraph(kind.strip_prefix("wasm trap: ").unwrap_or(kind));
    let frames = error
        .downcast_ref::<WasmBacktrace>()
        .map_or(&[][..], WasmBacktrace::frames);
    let offsets: Vec<Option<usize>> = frames.iter().map(FrameInfo::module_offset).collect();
    let places = state.debug_info.as_deref();
    let places = places.map_or_else(Vec::new, |debug_info| debug_info.places(&offsets));
    let places = places.into_iter().chain(std::iter::repeat_with(Vec::new));
    let shown = frames.iter().zip(places);
    let shown = shown.flat_map(|(frame, places)| shown_frame(frame, &places));
    TrapReport {
        kind,
        panic_message: state.log.take_errors(),
        backtrace: without_panic_machinery(shown.take(FUNCTIONS).collect()),
    }
}

/// Returns the functions of a frame, innermost first: several where calls were inlined.
fn shown_frame(frame: &FrameInfo, places: &[Place]) -> Vec<String> {
    let of_place = |place: &Place| {
        let name = place.function.as_deref().or(frame.func_name());
        let function = shown_function(name, frame.func_index());
        let Some(file) = &place.file else {
            return function;
        };
        let file = guest_text::one_line(&bounded(FILE_BYTES, file));
        match place.line {
            Some(line) => format!("{function} ({file}:{line})"),
            None => format!("{function} ({file})"),
        }
    };
    if places.is_empty() {
        vec![of_place(&Place::default())]
    } else {
        places.iter().map(of_place).collect()
    }
}

fn shown_function(name: Option<&str>, index: u32) -> String {
    match name {
        Some(name) => function_name::shown(name),
        None => format!("function {index}"),
    }
}

/// Drops the innermost frames that only carry a panic to its trap, unless no others are left.
fn without_panic_machinery(mut frames: Vec<String>) -> Vec<String> {
    let machinery = frames
        .iter()
        .take_while(|frame| is_panic_machinery(frame))
        .count();
    if machinery < frames.len() {
        frames.drain(..machinery);
    }
    frames
}

fn is_panic_machinery(frame: &str) -> bool {
    let function = frame.split(" (").next().unwrap_or(frame);
    PANIC_MACHINERY
        .iter()
        .any(|pattern| match pattern.strip_suffix('*') {
            Some(start) => function.trim_start_matches('<').starts_with(start),
            None => function == *pattern,
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(names: &[&str]) -> Vec<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    #[test]
    fn the_frames_between_a_panic_and_its_trap_are_left_out() {
        let frames = names(&[
            "__rust_abort",
            "panic_abort::__rust_start_panic",
            "std::panicking::panic_with_hook (library/std/src/panicking.rs:800)",
            "core::panicking::panic_fmt",
            "abort_on_late::on_record (src/lib.rs:10)",
            "core::panicking::not_at_the_top",
        ]);
        assert_eq!(
            without_panic_machinery(frames),
            names(&[
                "abort_on_late::on_record (src/lib.rs:10)",
                "core::panicking::not_at_the_top"
            ])
        );
    }

    #[test]
    fn a_backtrace_of_nothing_but_machinery_is_kept() {
        let frames = names(&["abort", "rust_panic"]);
        assert_eq!(without_panic_machinery(frames.clone()), frames);
    }
}
