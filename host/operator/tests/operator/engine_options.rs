//! The choices of an embedder: traps without signals, guest stacks of other sizes.

use std::collections::BTreeMap;

use tidegate_operator::{
    CodeCache, Component, Engine, EngineError, EngineOptions, FaultCause, GuestCall, TrapDetection,
};

use crate::support::guest::Guest;
use crate::support::records::{batch, emitted};
use crate::support::{ENGINE, context, engine, fault_of, patient};

/// Functions that a body may call: `$deep` recurses for ever, `$down` to a given depth.
const RECURSIONS: &str = "(func $deep (result i32) (i32.add (call $deep) (i32.const 1)))
     (func $down (param i32) (result i32)
       (if (result i32) (local.get 0)
         (then (i32.add (call $down (i32.sub (local.get 0) (i32.const 1))) (i32.const 1)))
         (else (i32.const 0))))
     (table 1 funcref) (type $none (func)) (elem (i32.const 0) $done)";

/// Bodies that break down, each in its own way.
const BREAKDOWNS: [&str; 9] = [
    "unreachable",
    "(drop (i32.load (i32.const -4))) (call $done)",
    "(drop (i64.load (i32.const 0x7fff0000))) (call $done)",
    "(i32.store8 (i32.const 131072) (i32.const 1)) (call $done)",
    "(i32.div_s (i32.const 1) (i32.const 0))",
    "(i32.div_s (i32.const 0x80000000) (i32.const -1))",
    "(i32.trunc_f64_s (f64.const nan))",
    "(call_indirect (type $none) (i32.const 0)) (call $done)",
    "(drop (call $deep)) (call $done)",
];

fn guest(body: &str) -> Guest {
    Guest::idle()
        .item(RECURSIONS)
        .export(GuestCall::Process, body)
}

fn cause(engine: &Engine, body: &str) -> FaultCause {
    let component = Component::load(engine, "guest.wasm", &guest(body).component());
    let component = component.unwrap_or_else(|refusal| panic!("{refusal}"));
    let fault = fault_of(&component, GuestCall::Process, &patient());
    assert_eq!(fault.call, GuestCall::Process, "{fault}");
    fault.cause
}

fn without_signals() -> Engine {
    engine(EngineOptions {
        trap_detection: TrapDetection::Checks,
        ..EngineOptions::default()
    })
}

#[test]
fn a_breakdown_is_the_same_fault_without_signals() {
    let checks = without_signals();
    let mut codes = BTreeMap::new();
    for body in BREAKDOWNS {
        let with_signals = cause(&ENGINE, body);
        *codes.entry(with_signals.code()).or_insert(0) += 1;
        assert_eq!(cause(&checks, body), with_signals, "{body}");
    }
    assert_eq!(codes, BTreeMap::from([("stack-exhausted", 1), ("trap", 8)]));
}

#[test]
fn without_signals_an_operator_does_the_same_and_its_code_is_cached_apart() {
    let directory = tempfile::tempdir().expect("a directory");
    let place = |name| directory.path().join(name);
    let cache = CodeCache::open(&place("entries"), &place("state/key")).expect("a cache");
    let bytes = Guest::echo().component();
    let engines = [ENGINE.clone(), without_signals()];
    for engine in engines.iter().chain(&engines) {
        let component = Component::load_cached(engine, "guest.wasm", &bytes, &cache);
        let instance = component
            .expect("it loads")
            .instantiate(&context(), &patient());
        let echoed = instance.expect("it opens").process(0, batch(&[("a", "1")]));
        assert_eq!(echoed.expect("it echoes"), emitted(batch(&[("a", "1")])));
    }
    let entries = std::fs::read_dir(place("entries")).expect("it is there");
    assert_eq!(entries.count(), 2);
}

#[test]
fn a_guest_may_use_the_stack_that_the_engine_was_given_and_no_more() {
    // Frames of `$down` have 32 bytes or so.
    let deep = "(drop (call $down (i32.const 9000))) (call $done)";
    let of = |kib: usize| {
        engine(EngineOptions {
            guest_stack_bytes: kib << 10,
            ..EngineOptions::default()
        })
    };
    let small = EngineOptions::LEAST_GUEST_STACK_BYTES >> 10;
    assert_eq!(cause(&of(small), deep), FaultCause::StackOverflow);
    let component = Component::load(&of(1024), "guest.wasm", &guest(deep).component());
    let instance = component
        .expect("it loads")
        .instantiate(&context(), &patient());
    let processed = instance.expect("it opens").process(0, batch(&[]));
    assert_eq!(processed.expect("it comes back"), []);
}

#[test]
fn a_guest_stack_out_of_bounds_is_an_error_that_says_the_bounds() {
    let least = EngineOptions::LEAST_GUEST_STACK_BYTES;
    let most = EngineOptions::MOST_GUEST_STACK_BYTES;
    for bytes in [0, least - 1, most + 1, usize::MAX] {
        let options = EngineOptions {
            guest_stack_bytes: bytes,
            ..EngineOptions::default()
        };
        let error = Engine::with_options(options).expect_err("it is out of bounds");
        assert!(matches!(error, EngineError::GuestStack { bytes: found } if found == bytes));
        assert_eq!(
            error.to_string(),
            format!("a guest stack of {bytes} bytes is not possible; choose 65536 to 67108864")
        );
    }
}
