//! From wasmtime's error of a failed call to a typed cause that the user can act on.
//!
//! wasmtime returns a trap code, or an error of another kind with only a text. The host adds what
//! it knows of the call: the guest's last log lines, and memory that it was refused.

use wasmtime::{FrameInfo, Trap, WasmBacktrace};

use super::debug_info::Place;
use super::function_name;
use super::host_state::{HandedOverTooMuch, HostState};
use crate::backtrace::{EngineFrame, SourcesSection, view};
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

/// Returns the cause of a failed call. Takes the host's record of the call from `state`; errors
/// that the guest logged are in the cause, or else written to the log.
pub(crate) fn cause(
    error: &wasmtime::Error,
    call: GuestCall,
    state: &mut HostState,
    limits: &Limits,
) -> FaultCause {
    let cause = cause_of(error, call, state, limits);
    state.log.write_held();
    cause
}

fn cause_of(
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
    let frames = frames.iter().zip(places);
    let frames = frames.flat_map(|(frame, places)| engine_frames(frame, &places));
    let sources = state.sources.as_deref().and_then(SourcesSection::read);
    let errors = state.log.take_errors();
    let shown = view(
        state.backtrace,
        sources.as_ref(),
        errors.as_deref(),
        frames.take(FUNCTIONS).collect(),
    );
    TrapReport {
        kind,
        panic_message: shown.message.map(|message| guest_text::paragraph(&message)),
        backtrace: shown.frames,
    }
}

/// Returns the functions of a frame, innermost first: several where calls were inlined.
fn engine_frames(frame: &FrameInfo, places: &[Place]) -> Vec<EngineFrame> {
    let of_place = |place: &Place| {
        let name = place.function.as_deref().or(frame.func_name());
        let file = place.file.as_deref().map(|file| {
            let file = guest_text::one_line(&bounded(FILE_BYTES, file));
            let line = place
                .line
                .map_or_else(String::new, |line| format!(":{line}"));
            file + &line
        });
        EngineFrame {
            function: shown_function(name, frame.func_index()),
            is_named: name.is_some(),
            place: file,
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
