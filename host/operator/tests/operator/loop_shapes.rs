//! A1: endless loops, in every combination of seven ways to repeat and sixteen bodies. Each is
//! stopped at its deadline, many times over, and a neighbour that shares the engine computes the
//! same results as it would alone.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;

use tidegate_operator::{Component, FaultCause, GuestCall, StateChunk};

use crate::support::guest::{COUNT, Guest, KEY_GROUPS, LOG};
use crate::support::records::{CHECKPOINT, batch, emitted};
use crate::support::{brief, context, fault_of, load, patient};

/// The number of runs of each shape.
const RUNS: usize = 10;
/// The number of loops that run at the same time, far more than there are processors.
const AT_ONCE: usize = 16;
/// The processor time after which a call must have been stopped. It is some hundred times the
/// deadline, so that only a shape that is not stopped at all exceeds it.
const LONGEST_CALL_NS: u64 = 5_000_000_000;

/// Ways to repeat `BODY` for ever; they leave the address of a result that is never returned.
const WAYS: [&str; 7] = [
    "(loop $l BODY (br $l)) unreachable",
    "(loop $l BODY (br_if $l (i32.const 1))) unreachable",
    "(loop $l BODY (br_table $l $l $l (i32.const 1))) unreachable",
    "(loop $outer
       (global.set $n (i32.const 100))
       (loop $inner BODY
         (global.set $n (i32.sub (global.get $n) (i32.const 1)))
         (br_if $inner (global.get $n)))
       (br $outer)) unreachable",
    "(return_call $again)",
    "(return_call_indirect $table (result i32) (i32.const 1))",
    "(loop $l (call $down (i32.const 60)) (br $l)) unreachable",
];

/// Repeated bodies. They leave nothing on the stack.
const BODIES: [&str; 16] = [
    "",
    "(global.set $sum (i64.rem_u (i64.mul (global.get $sum) (i64.const 31)) (i64.const 1009)))",
    "(global.set $float (f64.sqrt (f64.add (global.get $float) (f64.const 1))))",
    "(v128.store (i32.const 0) (i32x4.add (v128.load (i32.const 16)) (v128.load (i32.const 0))))",
    "(i64.store (i32.const 0) (i64.add (i64.load (i32.const 0)) (i64.const 1)))",
    "(memory.copy (i32.const 65536) (i32.const 131072) (i32.const 1000000))",
    "(memory.fill (i32.const 65536) (i32.const 7) (i32.const 30000000))",
    "(memory.init $bytes (i32.const 65536) (i32.const 0) (i32.const 4))",
    "(drop (memory.grow (i32.const 0)))",
    "(drop (memory.grow (i32.const 60000)))",
    "(table.fill $table (i32.const 16) (ref.null func) (i32.const 100000))",
    "(table.copy $table $table (i32.const 16) (i32.const 2000) (i32.const 100000))",
    "(drop (call_indirect $table (result i32) (i32.const 0)))",
    "(call $log (i32.const 0) (i32.const 0) (i32.const 64))",
    "(call $count (i32.const 0) (i32.const 1) (i64.const 1))",
    "(call $key_groups (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0)
                       (i32.const 512))",
];

fn shape(way: &str, body: &str) -> Guest {
    // The column of the last body has to be well formed: one offset, which is 0.
    let body = body.replace(
        "(call $key_groups (i32.const 0) (i32.const 0)",
        "(call $key_groups (i32.const 3000) (i32.const 1)",
    );
    let again = format!("(func $again (result i32) {body} (return_call $again))");
    let indirect = format!(
        "(func $indirect (result i32) {body}
           (return_call_indirect $table (result i32) (i32.const 1)))"
    );
    let down = format!(
        "(func $down (param $depth i32) {body}
           (if (local.get $depth)
             (then (call $down (i32.sub (local.get $depth) (i32.const 1))))))"
    );
    // The result of `key-groups` is allocated at the same place every time.
    Guest::idle()
        .pages(600)
        .item(LOG)
        .item(COUNT)
        .item(KEY_GROUPS)
        .item("(table $table 200000 funcref)")
        .item("(elem (table $table) (i32.const 0) func $done $indirect)")
        .item("(data $bytes \"wave\")")
        .item("(data (i32.const 0) \"tide\")")
        .item("(global $n (mut i32) (i32.const 0))")
        .item("(global $sum (mut i64) (i64.const 7))")
        .item("(global $float (mut f64) (f64.const 0))")
        .item(&again)
        .item(&indirect)
        .item(&down)
        .export(GuestCall::Process, &way.replace("BODY", &body))
}

/// Returns the processor time of this thread so far, in nanoseconds.
fn processor_time_ns() -> u64 {
    let statistics = std::fs::read_to_string("/proc/thread-self/schedstat");
    let statistics = statistics.expect("the kernel keeps the time of its threads");
    let running = statistics.split_whitespace().next();
    running
        .and_then(|time| time.parse().ok())
        .expect("the first number is the time spent running")
}

/// Runs the guest until `process` is the stopped call; on a machine that stood still it may be an
/// earlier one. Returns the processor time of that run.
fn stopped(component: &Component, name: &str) -> u64 {
    for _ in 0..10_000 {
        let before = processor_time_ns();
        let fault = fault_of(component, GuestCall::Process, &brief());
        let taken = processor_time_ns() - before;
        let limit = brief().call_timeout;
        assert_eq!(fault.cause, FaultCause::Timeout { limit }, "{name}");
        if fault.call == GuestCall::Process {
            return taken;
        }
    }
    panic!("{name}: the earlier calls do end");
}

/// Echoes batches until the loops are over, and checks every one. Returns their number.
fn neighbour(component: &Component, is_over: &AtomicBool) -> u64 {
    let mut instance = component
        .instantiate(&context(), &patient())
        .expect("it opens");
    let records = batch(&[("a", "1"), ("b", "2")]);
    let mut batches = 0_u64;
    while !is_over.load(Ordering::Relaxed) {
        let echoed = instance.process(0, records.clone());
        assert_eq!(echoed.expect("it echoes"), emitted(records.clone()));
        batches += 1;
    }
    let snapshot = instance.snapshot(CHECKPOINT).expect("it has a state");
    let count = StateChunk {
        name: "records".to_owned(),
        schema_version: 3,
        key_group: Some(64),
        bytes: (2 * batches).to_le_bytes().to_vec(),
    };
    assert_eq!(snapshot, [count]);
    batches
}

#[test]
fn every_shape_of_loop_is_stopped_every_time_and_the_neighbour_is_exact() {
    let mut shapes = Vec::new();
    for (way, text) in WAYS.iter().enumerate() {
        for (body, repeated) in BODIES.iter().enumerate() {
            shapes.push((format!("way {way}, body {body}"), shape(text, repeated)));
        }
    }
    assert!(shapes.len() >= 100, "only {} shapes", shapes.len());

    let echo = load(&Guest::echo());
    let (next, runs) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let is_over = AtomicBool::new(false);
    let loops = || {
        while let Some((name, guest)) = shapes.get(next.fetch_add(1, Ordering::Relaxed)) {
            let component = load(guest);
            for _ in 0..RUNS {
                let taken = stopped(&component, name);
                assert!(taken < LONGEST_CALL_NS, "{name} ran for {taken} ns");
                runs.fetch_add(1, Ordering::Relaxed);
            }
        }
    };
    let batches = thread::scope(|scope| {
        let neighbour = scope.spawn(|| neighbour(&echo, &is_over));
        let threads: Vec<_> = (0..AT_ONCE).map(|_| scope.spawn(loops)).collect();
        let ended: Vec<_> = threads.into_iter().map(|thread| thread.join()).collect();
        is_over.store(true, Ordering::Relaxed);
        ended
            .into_iter()
            .for_each(|end| end.expect("every loop is stopped"));
        neighbour.join().expect("nothing happens to the neighbour")
    });
    assert_eq!(runs.into_inner(), shapes.len() * RUNS);
    assert!(batches > 1_000, "the neighbour only did {batches} batches");
}
