//! A16 to A19: memory holds nothing of earlier guests, handles run out, no function of the host
//! waits, and the same input produces the same bytes.

use std::time::Instant;

use tidegate_operator::{Batch, GuestCall, Instance};
use tidegate_random::{Random, TestSeed};

use crate::support::guest::{COUNT, Guest, KEY_GROUPS, LOG};
use crate::support::records::{CHECKPOINT, batch};
use crate::support::wit::Packages;
use crate::support::{context, load, patient, process_cause, trap};

#[test]
fn a_fresh_instance_reads_nothing_but_zeroes_a_thousand_times() {
    // Traps if any word behind the first 4 MiB is not 0, in initial and in grown memory; then fills
    // all of it, and a table.
    let body = "(local $at i32) (local $end i32)
        (if (i32.eq (memory.grow (i32.const 64)) (i32.const -1)) (then unreachable))
        (local.set $at (i32.const 4194304))
        (local.set $end (i32.mul (memory.size) (i32.const 65536)))
        (loop $next
          (if (i64.ne (i64.load (local.get $at)) (i64.const 0)) (then unreachable))
          (local.set $at (i32.add (local.get $at) (i32.const 8)))
          (br_if $next (i32.lt_u (local.get $at) (local.get $end))))
        (if (i32.eqz (ref.is_null (table.get $table (i32.const 99)))) (then unreachable))
        (memory.fill (i32.const 4194304) (i32.const 0xa5)
                     (i32.sub (local.get $end) (i32.const 4194304)))
        (table.fill $table (i32.const 0) (ref.func $done) (i32.const 100))
        (call $done)";
    let guest = Guest::idle()
        .pages(80)
        .item("(table $table 100 funcref) (elem declare func $done)")
        .export(GuestCall::Process, body);
    let component = load(&guest);
    for _ in 0..1_000 {
        let instance = component.instantiate(&context(), &patient());
        let read = instance.expect("it opens").process(0, batch(&[]));
        read.unwrap_or_else(|fault| panic!("something was left: {fault}"));
    }
}

/// Returns a guest with its own resource, of which `process` makes more and more.
fn leaking() -> Guest {
    let things = "package test:things; interface things { resource thing; }";
    let world = "package test:leaking; world leaking {
        include tidegate:operator/stream-operator@0.1.0; export test:things/things; }";
    Guest::idle()
        .packages(Packages::contract().and(things).and(world))
        .item(
            "(import \"[export]test:things/things\" \"[resource-new]thing\"
               (func $new (param i32) (result i32)))"
                .replace('\n', " ")
                .as_str(),
        )
        .export(
            GuestCall::Process,
            "(loop $more (drop (call $new (i32.const 1))) (br $more)) unreachable",
        )
}

#[test]
fn handles_run_out_before_the_hosts_memory_does() {
    let kind = trap(process_cause(&leaking())).kind;
    assert_eq!(
        kind,
        "cannot allocate another handle: store handle limit exceeded"
    );
}

#[test]
fn no_function_of_the_host_waits_for_anything() {
    // No receiver takes the guest's emissions, log lines or counts, as when everything downstream
    // stands still. Each call is made many times; the bound is far above the computing time of any.
    let calls = [
        "(call $log (i32.const 4) (i32.const 0) (i32.const 8192))",
        "(call $count (i32.const 4000) (i32.const 4) (i64.const 1))",
        "(call $key_groups (local.get $key_offsets) (local.get $key_offsets_len)
                           (local.get $keys) (local.get $keys_len) (i32.const 512))",
    ];
    for call in calls {
        let body = format!(
            "(local $n i32)
             (loop $more {call}
               (global.set $next (i32.const 65536))
               (local.set $n (i32.add (local.get $n) (i32.const 1)))
               (br_if $more (i32.lt_u (local.get $n) (i32.const 10000))))
             (call $done)"
        );
        let guest = Guest::idle()
            .pages(8)
            .item(LOG)
            .item(COUNT)
            .item(KEY_GROUPS)
            .item("(data (i32.const 4000) \"tide\")")
            .export(GuestCall::Process, &body);
        let instance = load(&guest).instantiate(&context(), &patient());
        let mut instance = instance.expect("it opens");
        let started = Instant::now();
        instance.process(0, batch(&[])).expect("it returns");
        let taken = started.elapsed();
        assert!(taken.as_secs() < 100, "10,000 times {call} took {taken:?}");
    }
}

/// Returns a guest that computes over its input with random operations, some of which make NaNs
/// with arbitrary bits, and keeps all bits of the results.
fn computing(seed: u64) -> Guest {
    let mut random = Random::new(seed);
    let operations = [
        "(f64.div (local.get $f) (f64.const 0))",
        "(f64.sqrt (f64.neg (f64.abs (local.get $f))))",
        "(f64.sub (f64.const inf) (f64.mul (local.get $f) (f64.const inf)))",
        "(f64.promote_f32 (f32.demote_f64 (f64.mul (local.get $f) (f64.const 1.1))))",
        "(f64.add (local.get $f) (f64.reinterpret_i64 (i64.const 0x7ff0dead0000beef)))",
        "(f64.copysign (local.get $f) (f64.const -1))",
        "(f64.min (local.get $f) (f64.const nan:0x4000000000001))",
        "(f64x2.extract_lane 1 (f64x2.pmax (f64x2.splat (local.get $f))
           (v128.const f64x2 -0 nan)))",
        "(f64.convert_i64_u (i64.reinterpret_f64 (local.get $f)))",
        "(f64.convert_i32_s (memory.grow (i32.const 60000)))",
        "(f64.convert_i32_u (memory.size))",
        "(f64.convert_i32_u (local.get $rows))",
    ];
    let steps: String = (0..40)
        .map(|step| {
            let operation = usize::try_from(random.in_range(0..12)).expect("it is small");
            let operation = operations[operation];
            let at = 65_536 * 2 + 8 * step;
            format!(
                "(local.set $f {operation}) (f64.store (i32.const {at}) (local.get $f))
                 (if (i32.eqz (i32.trunc_sat_f64_s (local.get $f)))
                   (then (local.set $f (f64.convert_i32_u (i32.const {}))))) ",
                random.in_range(1..1_000)
            )
        })
        .collect();
    let snapshot = "(call $pair (i32.const 1100) (i32.const 2048) (i32.const 1))
        (call $pair (i32.const 1120) (i32.const 131072) (i32.const 320)) (call $one_chunk)";
    Guest::idle()
        .pages(4)
        .item("(data (i32.const 2048) \"f\")")
        .export(
            GuestCall::Process,
            &format!("(local $f f64) {steps} (call $done)"),
        )
        .export(GuestCall::Snapshot, snapshot)
}

fn snapshot_after(mut instance: Instance, records: &Batch) -> Vec<u8> {
    instance.process(0, records.clone()).expect("it computes");
    let chunks = instance.snapshot(CHECKPOINT).expect("it has a state");
    chunks[0].bytes.clone()
}

#[test]
fn the_same_input_gives_the_same_bytes_and_every_nan_the_same_bits() {
    const GUESTS: u64 = 100;
    let records = batch(&[("a", "1"), ("b", "2"), ("c", "3")]);
    let seed = TestSeed::of_run();
    let mut nans = 0;
    for guest in 0..GUESTS {
        let component = load(&computing(seed.number().wrapping_add(guest)));
        let run = |_| {
            let instance = component.instantiate(&context(), &patient());
            snapshot_after(instance.expect("it opens"), &records)
        };
        let runs: Vec<Vec<u8>> = (0..10).map(run).collect();
        for run in &runs {
            assert_eq!(run, &runs[0], "seed {seed}, guest {guest}");
        }
        // Not only equal on this machine: every NaN from arithmetic is wasm's canonical one, on
        // every machine.
        let (words, _) = runs[0].as_chunks::<8>();
        let words = words.iter().map(|word| u64::from_le_bytes(*word));
        for bits in words.filter(|bits| f64::from_bits(*bits).is_nan()) {
            let canonical = f64::from_bits(bits).abs().to_bits();
            assert_eq!(
                canonical, 0x7ff8_0000_0000_0000,
                "seed {seed}, guest {guest}"
            );
            nans += 1;
        }
    }
    assert!(nans > GUESTS, "only {nans} NaNs were made");
}
