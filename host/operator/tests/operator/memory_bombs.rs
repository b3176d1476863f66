//! A4, A5: guests that want all available memory, for themselves or through the values that they
//! hand over. Each runs in its own process, whose peak stays within the limits and a stated margin.

use std::fmt::Write as _;

use tidegate_operator::{Component, FaultCause, GuestCall, Limits};

use crate::support::child;
use crate::support::guest::{Guest, LOG};
use crate::support::instances::with_instances;
use crate::support::{EMISSION_BYTES, ENGINE, fault_of, patient};

const MIB: u64 = 1 << 20;
/// The memory that the process needs beside the limits of its one operator: for the test itself,
/// the compiler, and the engine's own bookkeeping.
const MARGIN: u64 = 64 * MIB;

fn limits() -> Limits {
    Limits {
        memory: 48 * MIB,
        output: 8 * MIB,
        snapshot: 8 * MIB,
        ..patient()
    }
}

/// A guest that wants too much, the call that fails, and the expected fault.
struct Bomb {
    name: &'static str,
    /// Built only where the bomb is set off, so that building the others is not measured.
    component: Box<dyn Fn() -> Vec<u8>>,
    call: GuestCall,
    refused: fn(&FaultCause) -> bool,
}

fn for_memory(cause: &FaultCause) -> bool {
    matches!(cause, FaultCause::MemoryLimit { .. })
}

fn for_output(cause: &FaultCause) -> bool {
    matches!(cause, FaultCause::OutputLimit { .. })
}

fn for_snapshot(cause: &FaultCause) -> bool {
    matches!(cause, FaultCause::SnapshotLimit { .. })
}

fn by_a_trap(cause: &FaultCause) -> bool {
    matches!(cause, FaultCause::Trap(_))
}

fn in_process(name: &'static str, guest: &Guest, body: &str) -> Bomb {
    let guest = guest.clone().export(GuestCall::Process, body);
    Bomb {
        name,
        component: Box::new(move || guest.component()),
        call: GuestCall::Process,
        refused: for_memory,
    }
}

fn at_start(name: &'static str, guest: &Guest) -> Bomb {
    let guest = guest.clone();
    Bomb {
        name,
        component: Box::new(move || guest.component()),
        call: GuestCall::Instantiate,
        refused: for_memory,
    }
}

/// Returns a body that grows the memory by `step` pages and writes to all of it, until the host
/// refuses more.
fn grow(step: u32) -> String {
    format!(
        "(local $at i32)
         (loop $more
           (local.set $at (memory.grow (i32.const {step})))
           (if (i32.eq (local.get $at) (i32.const -1)) (then unreachable))
           (memory.fill (i32.mul (local.get $at) (i32.const 65536)) (i32.const 1)
                        (i32.const {}))
           (br $more))
         (call $done)",
        step * 65_536
    )
}

/// Returns a guest with `count` copies of an item.
fn many(count: usize, item: &str) -> Guest {
    Guest::idle().item(&format!("{item}\n").repeat(count))
}

/// Returns a guest with `memories` memories beside the main one, and a body that grows each by a
/// page and writes to all of it.
fn spread_over(memories: usize) -> (Guest, String) {
    let mut guest = Guest::idle();
    let mut body = "(loop $more".to_owned();
    for memory in 0..memories {
        guest = guest.item(&format!("(memory $m{memory} 1)"));
        write!(
            body,
            "(if (i32.eq (memory.grow $m{memory} (i32.const 1)) (i32.const -1)) (then unreachable))
             (memory.fill $m{memory} (i32.mul (i32.sub (memory.size $m{memory}) (i32.const 1))
                 (i32.const 65536)) (i32.const 1) (i32.const 65536))"
        )
        .expect("a string can be written");
    }
    (guest, body + "(br $more)) (call $done)")
}

fn beside(name: &'static str, module: &'static str, instances: u32) -> Bomb {
    Bomb {
        name,
        component: Box::new(move || with_instances(module, instances)),
        call: GuestCall::Instantiate,
        refused: for_memory,
    }
}

fn memory_bombs() -> Vec<Bomb> {
    let idle = Guest::idle();
    let (spread, growing) = spread_over(50);
    let table = idle.clone().item("(table $t 1 funcref)");
    let grow_table = "(loop $more
        (br_if $more (i32.ne (table.grow $t (ref.func $done) (i32.const 1000)) (i32.const -1))))
        unreachable";
    let table = table.item("(elem declare func $done)");
    let in_realloc = "(drop (call $allocate (i32.const 100000000))) (call $done)";
    vec![
        in_process("grows by pages", &idle, &grow(1)),
        in_process("grows by megabytes", &idle, &grow(160)),
        in_process("grows all its memories", &spread, &growing),
        in_process("grows a table", &table, grow_table),
        in_process("allocates at once", &idle, in_realloc),
        at_start("starts with 4 GiB", &idle.clone().pages(65_536)),
        at_start("starts with many memories", &many(40, "(memory 25)")),
        at_start(
            "starts with a huge table",
            &idle.clone().item("(table 100000000 funcref)"),
        ),
        at_start(
            "starts with many tables",
            &many(90, "(table 100000 funcref)"),
        ),
        beside("has many instances with memory", "(module (memory 16))", 60),
        beside(
            "has many instances with tables",
            "(module (table 200000 funcref))",
            200,
        ),
        beside(
            "writes to the memory of many instances",
            "(module (memory 16) (func $f (memory.fill (i32.const 0) (i32.const 1)
               (i32.const 1048576))) (start $f))",
            60,
        ),
        Bomb {
            refused: by_a_trap,
            ..at_start("starts with a hundred memories", &many(99, "(memory 1)"))
        },
        Bomb {
            refused: by_a_trap,
            ..beside("has very many tables", "(module (table 1 funcref))", 300)
        },
    ]
}

/// Returns a body that returns a list of `length` elements at 1 MiB.
fn list(length: u32) -> String {
    format!(
        "(i32.store (i32.const 1024) (i32.const 0))
         (call $pair (i32.const 1028) (i32.const 1048576) (i32.const {length})) (i32.const 1024)"
    )
}

/// Returns a body that emits one record whose value has `bytes` bytes.
fn value(bytes: u64) -> String {
    format!(
        "(i32.store (i32.const 20) (i32.const {bytes}))
         (call $pair (i32.const 1104) (i32.const 24) (i32.const 1))
         (call $pair (i32.const 1112) (i32.const 32) (i32.const 2))
         (call $pair (i32.const 1128) (i32.const 16) (i32.const 2))
         (call $pair (i32.const 1136) (i32.const 65536) (i32.const {bytes}))
         (call $one_emission)"
    )
}

/// Returns a body that returns `count` elements of `size` bytes at 1 MiB, all of which refer to the
/// same 40 MiB, at `field`.
fn all_alike(count: u32, size: u32, field: u32) -> String {
    format!(
        "(local $i i32)
         (loop $more
           (call $pair (i32.add (i32.const {}) (i32.mul (local.get $i) (i32.const {size})))
               (i32.const 2097152) (i32.const 41943040))
           (local.set $i (i32.add (local.get $i) (i32.const 1)))
           (br_if $more (i32.lt_u (local.get $i) (i32.const {count}))))
         {}",
        (1 << 20) + field,
        list(count)
    )
}

fn output_bombs() -> Vec<Bomb> {
    let roomy = Guest::idle().pages(700);
    let emitted = |name, body: &str| Bomb {
        refused: for_output,
        ..in_process(name, &roomy, body)
    };
    let outside = |name, body: &str| Bomb {
        refused: by_a_trap,
        ..in_process(name, &roomy, body)
    };
    let kept = |name, body: &str| {
        let guest = roomy.clone().export(GuestCall::Snapshot, body);
        Bomb {
            name,
            component: Box::new(move || guest.component()),
            call: GuestCall::Snapshot,
            refused: for_snapshot,
        }
    };
    let reason = "(call $fail (i32.const 2) (i32.const 65536) (i32.const 41943040))";
    let spoken = "(call $log (i32.const 2) (i32.const 65536) (i32.const 41943040)) (call $done)";
    vec![
        emitted(
            "emits a byte too many",
            &value(8 * MIB - EMISSION_BYTES - 8 - 16 + 1),
        ),
        emitted("emits five times its limit", &value(40 * MIB)),
        emitted("emits a million times", &list(1_000_000)),
        emitted(
            "emits the same memory a thousand times",
            &all_alike(1_000, 44, 36),
        ),
        emitted("fails with 40 MiB of reasons", reason),
        outside("emits 2 GiB", &value(1 << 31)),
        outside("emits all but a byte of 4 GiB", &value((1 << 32) - 1)),
        outside("emits ten million times out of nothing", &list(10_000_000)),
        kept("keeps 40 MiB", &all_alike(1, 28, 20)),
        kept(
            "keeps the same memory a thousand times",
            &all_alike(1_000, 28, 20),
        ),
        kept("keeps a million chunks", &list(1_000_000)),
        Bomb {
            refused: for_output,
            ..in_process("says 40 MiB", &roomy.clone().item(LOG), spoken)
        },
    ]
}

/// In a child: sets off one bomb. Asserts the expected refusal.
fn set_off(bombs: Vec<Bomb>, name: &str) {
    let bomb = bombs.into_iter().find(|bomb| bomb.name == name);
    let bomb = bomb.unwrap_or_else(|| panic!("no bomb {name}"));
    let component = Component::load(&ENGINE, "bomb.wasm", &(bomb.component)());
    let component = component.unwrap_or_else(|refusal| panic!("{refusal}"));
    let fault = fault_of(&component, bomb.call, &limits());
    assert_eq!(fault.call, bomb.call, "{fault}");
    assert!((bomb.refused)(&fault.cause), "{fault}");
    child::report_peak();
}

#[test]
fn no_memory_bomb_takes_more_than_its_limit_and_the_margin() {
    if let Some(name) = child::task() {
        return set_off(memory_bombs(), &name);
    }
    let test = "memory_bombs::no_memory_bomb_takes_more_than_its_limit_and_the_margin";
    let allowed = limits().memory + MARGIN;
    for bomb in memory_bombs() {
        let peak = child::peak_of(test, bomb.name);
        assert!(peak <= allowed, "{}: {peak} bytes of {allowed}", bomb.name);
    }
}

#[test]
fn nothing_that_is_handed_over_is_copied_beyond_its_limit() {
    if let Some(name) = child::task() {
        return set_off(output_bombs(), &name);
    }
    let test = "memory_bombs::nothing_that_is_handed_over_is_copied_beyond_its_limit";
    let allowed = limits().memory + limits().output + MARGIN;
    for bomb in output_bombs() {
        let peak = child::peak_of(test, bomb.name);
        assert!(peak <= allowed, "{}: {peak} bytes of {allowed}", bomb.name);
    }
}

/// Returns limits so large that the cost of pieces beside their bytes can't hide in the margin.
fn roomy_limits() -> Limits {
    Limits {
        memory: 192 * MIB,
        output: 96 * MIB,
        snapshot: 96 * MIB,
        ..patient()
    }
}

/// Returns the call that returns very many elements of a kind, whose lists have an element or two,
/// and the body of that call.
fn tiny_pieces(name: &str) -> (GuestCall, String) {
    let (call, size, count, fields) = match name {
        // As many as the engine lifts: by its count, 66 bytes each, and 154.
        "chunks" => (GuestCall::Snapshot, 28, 1_500_000, &[(0, 1), (20, 1)][..]),
        "chunks without bytes" => (GuestCall::Snapshot, 28, 1_570_000, &[][..]),
        "emissions" => (
            GuestCall::Process,
            44,
            650_000,
            &[(4, 1), (12, 2), (20, 1), (28, 2), (36, 1)][..],
        ),
        "emissions without rows" => (GuestCall::Process, 44, 730_000, &[(12, 1), (28, 1)][..]),
        other => panic!("no pieces {other}"),
    };
    let fields: String = fields
        .iter()
        .map(|(at, length)| {
            format!(
                "(call $pair (i32.add (local.get $at) (i32.const {at}))
                     (i32.const {}) (i32.const {length}))",
                if matches!((call, at), (GuestCall::Process, 12 | 28)) {
                    4096
                } else {
                    4104
                }
            )
        })
        .collect();
    let body = format!(
        "(local $i i32) (local $at i32)
         (i32.store (i32.const 4096) (i32.const 0)) (i32.store (i32.const 4100) (i32.const 1))
         (local.set $at (i32.const 1048576))
         (loop $more
           {fields}
           (local.set $at (i32.add (local.get $at) (i32.const {size})))
           (local.set $i (i32.add (local.get $i) (i32.const 1)))
           (br_if $more (i32.lt_u (local.get $i) (i32.const {count}))))
         {}",
        list(count)
    );
    (call, body)
}

#[test]
fn pieces_that_are_tiny_take_no_more_than_twice_their_limit_before_they_are_refused() {
    if let Some(name) = child::task() {
        let (call, body) = tiny_pieces(&name);
        let guest = Guest::idle().pages(720).export(call, &body);
        let component = Component::load(&ENGINE, "pieces.wasm", &guest.component());
        let fault = fault_of(&component.expect("it loads"), call, &roomy_limits());
        assert!(
            for_output(&fault.cause) || for_snapshot(&fault.cause),
            "{fault}"
        );
        return child::report_peak();
    }
    let test = "memory_bombs::\
                pieces_that_are_tiny_take_no_more_than_twice_their_limit_before_they_are_refused";
    // The guest's own memory has 720 pages.
    let allowed = 720 * 65_536 + 2 * roomy_limits().snapshot + MARGIN;
    for name in [
        "chunks",
        "chunks without bytes",
        "emissions",
        "emissions without rows",
    ] {
        let peak = child::peak_of(test, name);
        // The engine lifted as many as the limit lets through.
        assert!(peak >= roomy_limits().snapshot, "{name}: {peak} bytes");
        assert!(peak <= allowed, "{name}: {peak} bytes of {allowed}");
    }
}
