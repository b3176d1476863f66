//! Fuzz targets `guest-output` and `component`.
//!
//! Neither may make the host panic: a panic that the engine catches is a finding as well.

use std::cell::RefCell;
use std::time::Duration;

use tidegate_fuzz::{Target, shape, size_class};
use tidegate_operator::{
    Batch, Component, FaultCause, GuestCall, GuestFault, Limits, NO_TIMESTAMP, RefusalCause,
    StateChunk,
};

use crate::support::guest::Guest;
use crate::support::records::CHECKPOINT;
use crate::support::{ENGINE, context, load, make};

/// Returns a guest that copies its input to the beginning of its memory and returns what lies
/// there: the input is the lists, lengths and pointers that the host lifts. `process` gets the
/// input as the value of a record, `snapshot` as the state that was restored before. All other
/// memory is zero, so that an instance can be reused for many inputs.
fn puppet() -> Guest {
    Guest::idle()
        .item(
            "(func $take (param $at i32) (param $len i32) \
             (memory.copy (i32.const 0) (local.get $at) (local.get $len)) \
             (memory.fill (local.get $len) (i32.const 0) \
             (i32.sub (i32.mul (memory.size) (i32.const 65536)) (local.get $len))) \
             (global.set $next (i32.const 65536)))",
        )
        .export(
            GuestCall::Process,
            "(call $take (local.get $values) (local.get $values_len)) (i32.const 0)",
        )
        .export(
            GuestCall::Restore,
            "(call $take (i32.load offset=20 (local.get $chunks))
                (i32.load offset=24 (local.get $chunks)))
             (call $done)",
        )
        .export(GuestCall::Snapshot, "(i32.const 0)")
}

/// Returns the bytes of little-endian words.
fn words(words: &[u32]) -> Vec<u8> {
    words.iter().flat_map(|word| word.to_le_bytes()).collect()
}

/// Returns `ok` of one emission at 64 with two records: timestamps at 128, offsets at 160, data at
/// 192.
fn one_emission() -> Vec<u8> {
    let mut memory = words(&[0, 64, 1]);
    memory.resize(64, 0);
    memory.extend(words(&[0, 128, 2, 160, 3, 192, 4, 160, 3, 192, 4]));
    memory.resize(160, 0);
    memory.extend(words(&[0, 1, 4]));
    memory.resize(192, 0);
    memory.extend(b"abcd");
    memory
}

/// Returns `ok` of two state chunks at 64, one of them keyed.
fn two_chunks() -> Vec<u8> {
    let mut memory = words(&[0, 64, 2]);
    memory.resize(64, 0);
    memory.extend(words(&[160, 4, 1, 1, 100, 164, 4]));
    memory.extend(words(&[160, 4, 1, 0, 0, 164, 4]));
    memory.resize(160, 0);
    memory.extend(b"keysabcd");
    memory
}

/// Returns `err` of a kind, with a text at 64.
fn failure(kind: u32) -> Vec<u8> {
    let mut memory = match kind {
        0 => words(&[1, kind, 0, 64, 5]),
        _ => words(&[1, kind, 64, 5]),
    };
    memory.resize(64, 0);
    memory.extend("naïv".bytes());
    memory
}

#[test]
fn fuzz_guest_output() {
    let component = load(&puppet());
    let limits = Limits {
        output: 1 << 20,
        snapshot: 1 << 20,
        call_timeout: Duration::from_secs(600),
        ..Limits::default()
    };
    let mut target = Target::new("guest-output", 5_000)
        .longest(1024)
        .words([words(&[u32::MAX]).as_slice(), &words(&[0x0001_0000])])
        .seed(one_emission())
        .seed(two_chunks());
    for kind in 0..3 {
        target = target.seed(failure(kind));
    }
    let open = || {
        let opened = component.instantiate(&context(), &limits);
        opened.expect("the puppet opens")
    };
    let instance = RefCell::new(open());
    target.run(|input| {
        let mut batch = Batch::default();
        batch.push(NO_TIMESTAMP, b"", input);
        let mut instance = instance.borrow_mut();
        let processed = match instance.process(0, batch) {
            Ok(emissions) => {
                let rows = emissions.iter().map(|emission| emission.batch.len()).sum();
                let (emissions, rows) = (size_class(emissions.len()), size_class(rows));
                format!("{emissions} emissions, {rows} rows")
            }
            Err(fault) => {
                *instance = open();
                outcome(&fault)
            }
        };
        let restored = instance.restore(vec![state(input)]);
        restored.expect("the puppet takes it");
        let snapshot = match instance.snapshot(CHECKPOINT) {
            Ok(chunks) => format!("{} chunks", size_class(chunks.len())),
            Err(fault) => {
                if !fault.instance_is_usable() {
                    *instance = open();
                }
                outcome(&fault)
            }
        };
        vec![processed, snapshot]
    });
}

fn state(bytes: &[u8]) -> StateChunk {
    StateChunk {
        name: String::new(),
        schema_version: 0,
        key_group: None,
        bytes: bytes.to_vec(),
    }
}

/// Returns the shape of a fault. A panic of the engine is a finding.
fn outcome(fault: &GuestFault) -> String {
    if let FaultCause::HostPanic { message } = &fault.cause {
        panic!("the engine panicked: {message}");
    }
    format!("{:?} {}", fault.call, shape(&fault.cause))
}

#[test]
fn fuzz_component() {
    let limits = Limits {
        memory: 16 << 20,
        call_timeout: Duration::from_millis(200),
        output: 1 << 20,
        snapshot: 1 << 20,
        memories: 4,
        log_lines_per_second: 0,
        log_bytes_per_second: 0,
    };
    Target::new("component", 300)
        .longest(64 << 10)
        .seed(Guest::idle().component())
        .seed(Guest::echo().component())
        .run(|input| match Component::load(&ENGINE, "input", input) {
            Ok(component) => vec![ran(&component, &limits)],
            Err(refusal) => vec![refused(&refusal.cause)],
        });
}

/// Returns the kind of a refusal. A panic of the compiler is a finding.
fn refused(cause: &RefusalCause) -> String {
    if let RefusalCause::CompilerPanicked { message } = cause {
        panic!("the compiler panicked: {message}");
    }
    if let RefusalCause::Invalid { reason } = cause {
        return rule(reason);
    }
    shape(cause)
}

/// Returns the beginning of the validator's message, which names the broken rule. The rest is about
/// the input.
fn rule(reason: &str) -> String {
    let words = reason.split(' ').take(7).collect::<Vec<_>>();
    shape(&format_args!("{}", words.join(" ")))
}

/// Calls every export of an instance, and returns the outcome.
fn ran(component: &Component, limits: &Limits) -> String {
    let mut instance = match component.instantiate(&context(), limits) {
        Ok(instance) => instance,
        Err(fault) => return outcome(&fault),
    };
    for call in [
        GuestCall::Restore,
        GuestCall::Process,
        GuestCall::AdvanceWatermark,
        GuestCall::Snapshot,
        GuestCall::CheckpointComplete,
        GuestCall::Finish,
    ] {
        if let Err(fault) = make(&mut instance, call) {
            return outcome(&fault);
        }
    }
    "every call succeeded".to_owned()
}
