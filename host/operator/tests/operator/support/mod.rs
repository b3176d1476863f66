//! Guests, instances of them, and records, shared by the tests.

pub(crate) mod child;
pub(crate) mod instances;
pub(crate) mod lines;
pub(crate) mod records;

/// Guests in WebAssembly text, as in the tests of the real binary.
pub(crate) mod guest {
    pub(crate) use tidegate_tests::WatGuest as Guest;
    pub(crate) use tidegate_tests::wat_guest::{COUNT, KEY_GROUPS, LOG};
}

/// The way from a core module and a world to a component.
pub(crate) mod wit {
    pub(crate) use tidegate_tests::Packages;
}

use std::sync::LazyLock;
use std::time::Duration;

use tidegate_key_groups::KeyGroups;
use tidegate_operator::{
    Component, Engine, EngineOptions, FaultCause, GuestCall, GuestFault, Instance, Limits,
    OperatorContext, OperatorDescription, TrapReport,
};

use guest::Guest;

use records::{CHECKPOINT, WATERMARK, batch};

/// The engine of all tests, as in a process that runs jobs.
pub(crate) static ENGINE: LazyLock<Engine> = LazyLock::new(|| Engine::new().expect("an engine"));

/// Returns an engine with the choices of an embedder.
pub(crate) fn engine(options: EngineOptions) -> Engine {
    Engine::with_options(options).unwrap_or_else(|error| panic!("{error}"))
}

/// Returns an engine whose components keep their debug information.
pub(crate) fn engine_with_debug_info() -> Engine {
    engine(EngineOptions {
        keeps_debug_info: true,
        ..EngineOptions::default()
    })
}

/// Bytes that the host charges for a chunk of a snapshot and for an emission, beside their
/// contents, as documented.
pub(crate) const CHUNK_BYTES: u64 = 128;
pub(crate) const EMISSION_BYTES: u64 = 256;

/// Every call that runs an export.
pub(crate) const EXPORTS: [GuestCall; 7] = [
    GuestCall::Open,
    GuestCall::Process,
    GuestCall::AdvanceWatermark,
    GuestCall::Snapshot,
    GuestCall::Restore,
    GuestCall::CheckpointComplete,
    GuestCall::Finish,
];

/// Returns the context of subtask 1 of 2 with one output port.
pub(crate) fn context() -> OperatorContext {
    let operator = OperatorDescription {
        job: "word-count".to_owned(),
        operator: "count".to_owned(),
        inputs: vec!["words".to_owned()],
        outputs: vec!["counts".to_owned()],
        config: "{}".to_owned(),
    };
    OperatorContext::of_subtask(operator, KeyGroups::new(128, 2), 1, 0x7469_6465_6761_7465)
}

/// Returns the default limits, but with a very long timeout, and many memories.
pub(crate) fn patient() -> Limits {
    Limits {
        call_timeout: Duration::from_secs(600),
        memories: 64,
        ..Limits::default()
    }
}

/// Returns limits for a guest that never ends by itself.
pub(crate) fn impatient() -> Limits {
    Limits {
        call_timeout: Duration::from_millis(100),
        ..Limits::default()
    }
}

/// Returns limits for a guest that never ends and runs very often: on a busy machine, an earlier
/// call can exceed them, too.
pub(crate) fn brief() -> Limits {
    Limits {
        call_timeout: Duration::from_millis(20),
        ..Limits::default()
    }
}

pub(crate) fn load(guest: &Guest) -> Component {
    let bytes = guest.component();
    Component::load(&ENGINE, "guest.wasm", &bytes).unwrap_or_else(|refusal| panic!("{refusal}"))
}

pub(crate) fn open(guest: &Guest) -> Instance {
    open_within(guest, &patient()).unwrap_or_else(|fault| panic!("{fault}"))
}

pub(crate) fn open_within(guest: &Guest, limits: &Limits) -> Result<Instance, GuestFault> {
    load(guest).instantiate(&context(), limits)
}

/// Makes the instance and then `call`, and returns the first fault.
pub(crate) fn fault_of(component: &Component, call: GuestCall, limits: &Limits) -> GuestFault {
    match component.instantiate(&context(), limits) {
        Ok(mut instance) => make(&mut instance, call).expect_err("the call faults"),
        Err(fault) => fault,
    }
}

/// Returns the cause of the failure of `process` in this guest.
pub(crate) fn process_cause(guest: &Guest) -> FaultCause {
    process_cause_within(guest, &patient())
}

pub(crate) fn process_cause_within(guest: &Guest, limits: &Limits) -> FaultCause {
    let fault = fault_of(&load(guest), GuestCall::Process, limits);
    assert_eq!(fault.call, GuestCall::Process, "{fault}");
    fault.cause
}

/// Returns the report of the trap, which this cause must be.
pub(crate) fn trap(cause: FaultCause) -> TrapReport {
    let FaultCause::Trap(report) = cause else {
        panic!("{cause}");
    };
    *report
}

/// Makes one call with the arguments that the tests use.
pub(crate) fn make(instance: &mut Instance, call: GuestCall) -> Result<(), GuestFault> {
    match call {
        GuestCall::Instantiate | GuestCall::Open => Ok(()),
        GuestCall::Restore => instance.restore(Vec::new()),
        GuestCall::Process => instance.process(0, batch(&[("a", "1")])).map(drop),
        GuestCall::AdvanceWatermark => instance.advance_watermark(WATERMARK).map(drop),
        GuestCall::Snapshot => instance.snapshot(CHECKPOINT).map(drop),
        GuestCall::CheckpointComplete => instance.checkpoint_complete(CHECKPOINT),
        GuestCall::Finish => instance.finish().map(drop),
    }
}
