//! Limits of memory, output and snapshot: met to the byte, or exceeded with a fault by name.

use tidegate_operator::{FaultCause, GuestCall, Limits};

use crate::support::guest::{Guest, KEY_GROUPS, LOG};
use crate::support::records::{CHECKPOINT, batch};
use crate::support::{
    CHUNK_BYTES, EMISSION_BYTES, context, load, open_within, patient, process_cause_within, trap,
};

const PAGE: u64 = 65_536;

fn memory(limit: u64) -> Limits {
    Limits {
        memory: limit,
        ..patient()
    }
}

/// Returns the limit, the requested amount and the trap of a fault for lack of memory.
fn refused(cause: FaultCause) -> (u64, u64, Option<String>) {
    let FaultCause::MemoryLimit { limit, asked, trap } = cause else {
        panic!("{cause}");
    };
    (limit, asked, trap.map(|report| report.kind))
}

fn unreachable() -> Option<String> {
    Some("wasm `unreachable` instruction executed".to_owned())
}

/// Instantiates a guest that can't even start within 16 MiB.
fn refused_at_start(guest: &Guest) -> (u64, u64, Option<String>) {
    let fault = open_within(guest, &memory(16 << 20)).expect_err("it needs more");
    assert_eq!(fault.call, GuestCall::Instantiate);
    refused(fault.cause)
}

#[test]
fn a_guest_that_grows_without_end_is_stopped_at_its_limit() {
    let grow = "(loop $more
        (if (i32.eq (memory.grow (i32.const 1)) (i32.const -1)) (then unreachable))
        (br $more))
        (call $done)";
    let guest = Guest::idle().export(GuestCall::Process, grow);
    let cause = process_cause_within(&guest, &memory(16 << 20));
    assert_eq!(refused(cause), (16 << 20, (16 << 20) + PAGE, unreachable()));
}

#[test]
fn a_guest_that_copes_with_a_refused_growth_goes_on() {
    let ask = "(drop (memory.grow (i32.const 1000))) (call $done)";
    let guest = Guest::idle().export(GuestCall::Process, ask);
    let mut instance = open_within(&guest, &memory(16 << 20)).expect("it opens");
    let before = instance.memory_bytes();
    instance.process(0, batch(&[])).expect("it copes");
    assert_eq!(instance.memory_bytes(), before);
}

#[test]
fn a_trap_long_after_a_refused_growth_is_not_blamed_on_memory() {
    let guest = Guest::idle()
        .export(
            GuestCall::Process,
            "(drop (memory.grow (i32.const 1000))) (call $done)",
        )
        .export(GuestCall::Finish, "unreachable");
    let mut instance = open_within(&guest, &memory(16 << 20)).expect("it opens");
    instance.process(0, batch(&[])).expect("it copes");
    let cause = instance.finish().expect_err("it traps").cause;
    assert!(matches!(cause, FaultCause::Trap(_)), "{cause}");
}

#[test]
fn a_broken_answer_after_a_refused_growth_says_what_is_broken() {
    let body = "(drop (memory.grow (i32.const 1000))) (i32.const -4)";
    let guest = Guest::idle().export(GuestCall::Process, body);
    let (limit, asked, trap) = refused(process_cause_within(&guest, &memory(16 << 20)));
    assert_eq!((limit, asked > limit), (16 << 20, true));
    assert_eq!(trap.as_deref(), Some("pointer out of bounds of memory"));
}

#[test]
fn growth_past_a_memorys_own_maximum_is_not_blamed_on_the_limit() {
    let guest = Guest::idle().item("(memory $small 1 2)").export(
        GuestCall::Process,
        "(if (i32.eq (memory.grow $small (i32.const 9)) (i32.const -1)) (then unreachable))
             (call $done)",
    );
    let cause = process_cause_within(&guest, &memory(16 << 20));
    assert!(matches!(cause, FaultCause::Trap(_)), "{cause}");
}

#[test]
fn a_huge_initial_memory_is_refused_before_it_is_made() {
    let asked = 65_536 * PAGE;
    assert_eq!(
        refused_at_start(&Guest::idle().pages(65_536)),
        (16 << 20, asked, None)
    );
}

#[test]
fn many_memories_are_summed() {
    let mut guest = Guest::idle().pages(20);
    for _ in 0..20 {
        guest = guest.item("(memory 20)");
    }
    let (limit, asked, trap) = refused_at_start(&guest);
    assert_eq!((limit, trap), (16 << 20, None));
    // The twelve that fit and the thirteenth, without the tables that the encoder adds.
    assert_eq!(asked / PAGE, 13 * 20);
}

#[test]
fn growth_of_several_memories_is_summed() {
    let grow = "(loop $more
        (if (i32.eq (memory.grow $second (i32.const 1)) (i32.const -1)) (then unreachable))
        (br_if $more (i32.ne (memory.grow (i32.const 1)) (i32.const -1))))
        unreachable";
    let guest = Guest::idle()
        .item("(memory $second 1)")
        .export(GuestCall::Process, grow);
    let (limit, asked, trap) = refused(process_cause_within(&guest, &memory(16 << 20)));
    assert_eq!((limit, trap), (16 << 20, unreachable()));
    assert!(asked > limit, "asked {asked}");
    assert!(asked <= limit + PAGE, "asked {asked}");
}

#[test]
fn tables_count_as_memory() {
    let eight_bytes_each = 4 << 20;
    let at_start = Guest::idle().item(&format!("(table {eight_bytes_each} funcref)"));
    let (limit, asked, _) = refused_at_start(&at_start);
    assert!(asked >= limit * 2, "asked {asked}");

    let grow = "(loop $more
        (br_if $more (i32.ne (table.grow $t (ref.null func) (i32.const 1000)) (i32.const -1))))
        unreachable";
    let growing = Guest::idle()
        .item("(table $t 1 funcref)")
        .export(GuestCall::Process, grow);
    let (limit, asked, trap) = refused(process_cause_within(&growing, &memory(16 << 20)));
    assert_eq!(trap, unreachable());
    assert!(asked > limit, "asked {asked}");
    assert!(asked <= limit + 8_000, "asked {asked}");
}

#[test]
fn a_component_has_as_many_memories_as_its_limit_and_no_more() {
    let limits = |memories| Limits {
        memories,
        ..patient()
    };
    let guest = Guest::idle().item("(memory 1)").item("(memory 0)");
    open_within(&guest, &limits(3)).expect("it has three");
    let fault = open_within(&guest, &limits(2)).expect_err("it has three");
    let kind = "resource limit exceeded: memory count too high at 3";
    assert_eq!(trap(fault.cause).kind, kind);
}

#[test]
fn a_component_of_very_many_memories_is_not_instantiated() {
    let mut guest = Guest::idle();
    for _ in 0..90 {
        guest = guest.item("(memory 0)");
    }
    let fault = open_within(&guest, &patient()).expect_err("it has too many");
    let kind = "resource limit exceeded: memory count too high at 91";
    assert_eq!(trap(fault.cause).kind, kind);
}

#[test]
fn memory_that_is_exactly_the_limit_is_granted() {
    let guest = Guest::echo();
    let needed = open_within(&guest, &patient())
        .expect("it opens")
        .memory_bytes();
    open_within(&guest, &memory(needed)).expect("it fits");
    let fault = open_within(&guest, &memory(needed - 1)).expect_err("a byte is missing");
    assert_eq!(fault.call, GuestCall::Instantiate);
    assert_eq!(refused(fault.cause), (needed - 1, needed, None));
}

/// Returns a guest that emits one record whose value has `bytes` bytes.
fn emitter(bytes: u64) -> Guest {
    let body = format!(
        "(i32.store (i32.const 20) (i32.const {bytes}))
         (i64.store (i32.const 24) (i64.const 0))
         (call $pair (i32.const 1104) (i32.const 24) (i32.const 1))
         (call $pair (i32.const 1112) (i32.const 32) (i32.const 2))
         (call $pair (i32.const 1128) (i32.const 16) (i32.const 2))
         (call $pair (i32.const 1136) (i32.const 65536) (i32.const {bytes}))
         (call $one_emission)"
    );
    Guest::idle().pages(1_000).export(GuestCall::Process, &body)
}

fn output(limit: u64) -> Limits {
    Limits {
        output: limit,
        ..patient()
    }
}

#[test]
fn output_up_to_the_limit_is_taken_and_a_byte_more_is_not() {
    // One timestamp, two columns of two offsets each, and the value.
    let value = 1 << 20;
    let bytes = 8 + 2 * 8 + value;
    let guest = emitter(value);
    let fits = EMISSION_BYTES + bytes;
    let mut instance = open_within(&guest, &output(fits)).expect("it opens");
    let emissions = instance.process(0, batch(&[])).expect("it fits");
    assert_eq!(emissions[0].batch.byte_size() as u64, bytes);

    let limit = fits - 1;
    let cause = process_cause_within(&guest, &output(limit));
    assert_eq!(cause, FaultCause::OutputLimit { limit });
}

#[test]
fn huge_output_is_refused_before_it_is_copied() {
    let limit = 1 << 20;
    let cause = process_cause_within(&emitter(40 << 20), &output(limit));
    assert_eq!(cause, FaultCause::OutputLimit { limit });
}

#[test]
fn very_many_emissions_are_refused_before_they_are_copied() {
    // All emissions share the same memory, read as emissions without rows.
    let body = "(i32.store (i32.const 1024) (i32.const 0))
                (call $pair (i32.const 1028) (i32.const 65536) (i32.const 1000000))
                (i32.const 1024)";
    let guest = Guest::idle().pages(1_000).export(GuestCall::Process, body);
    let limit = 1 << 20;
    let cause = process_cause_within(&guest, &output(limit));
    assert_eq!(cause, FaultCause::OutputLimit { limit });
}

#[test]
fn a_huge_message_to_the_host_is_refused_before_it_is_copied() {
    let log = "(call $log (i32.const 0) (i32.const 0) (i32.const 41943040)) (call $done)";
    let guest = Guest::idle()
        .pages(1_000)
        .item(LOG)
        .export(GuestCall::Process, log);
    let limit = 1 << 20;
    let cause = process_cause_within(&guest, &output(limit));
    assert_eq!(cause, FaultCause::OutputLimit { limit });
}

/// Returns a guest whose snapshot is one chunk named `state` of `bytes` bytes.
fn keeper(bytes: u64) -> Guest {
    let body = format!(
        "(call $pair (i32.const 1100) (i32.const 2048) (i32.const 5))
         (call $pair (i32.const 1120) (i32.const 65536) (i32.const {bytes}))
         (call $one_chunk)"
    );
    Guest::idle()
        .pages(1_000)
        .item("(data (i32.const 2048) \"state\")")
        .export(GuestCall::Snapshot, &body)
}

#[test]
fn a_snapshot_up_to_the_limit_is_taken_and_a_byte_more_or_far_more_is_not() {
    let bytes = (1 << 20) - 5 - CHUNK_BYTES;
    let component = load(&keeper(bytes));
    let limits = |snapshot| Limits {
        snapshot,
        // The limit of other calls does not apply to a snapshot.
        output: 1_000,
        ..patient()
    };
    let snapshot = |limit| {
        let instance = component.instantiate(&context(), &limits(limit));
        instance.expect("it opens").snapshot(CHECKPOINT)
    };
    let chunks = snapshot(1 << 20).expect("it fits");
    assert_eq!(chunks[0].bytes.len() as u64, bytes);

    for limit in [(1 << 20) - 1, 1 << 19] {
        let fault = snapshot(limit).expect_err("it does not fit");
        assert_eq!(fault.cause, FaultCause::SnapshotLimit { limit });
        assert!(fault.instance_is_usable());
    }
}

/// Returns a guest that hands over `count` elements of `size` bytes, all zero, that begin at 1 MiB.
fn zeroes(count: u64, size: u64, call: GuestCall) -> Guest {
    let body = format!(
        "(i32.store (i32.const 1024) (i32.const 0))
         (call $pair (i32.const 1028) (i32.const 1048576) (i32.const {count}))
         (i32.const 1024)"
    );
    let pages = u32::try_from(18 + count * size / PAGE).expect("they are few");
    Guest::idle().pages(pages).export(call, &body)
}

#[test]
fn a_chunk_without_a_byte_is_counted_as_what_it_costs() {
    let chunks = |count| {
        let limits = Limits {
            snapshot: 1_000 * CHUNK_BYTES,
            ..patient()
        };
        let guest = zeroes(count, 28, GuestCall::Snapshot);
        let snapshot = open_within(&guest, &limits)
            .expect("it opens")
            .snapshot(CHECKPOINT);
        snapshot
            .map(|chunks| chunks.len())
            .map_err(|fault| fault.cause)
    };
    assert_eq!(chunks(1_000), Ok(1_000));
    let limit = 1_000 * CHUNK_BYTES;
    assert_eq!(chunks(1_001), Err(FaultCause::SnapshotLimit { limit }));
}

#[test]
fn an_answer_of_the_host_counts_as_handed_over() {
    // A key without bytes costs its offset, and the key group that the host returns.
    let keys = 1_000;
    let body = format!(
        "(call $key_groups (i32.const 1048576) (i32.const {}) (i32.const 0) (i32.const 0)
             (i32.const 512)) (call $done)",
        keys + 1
    );
    let guest = Guest::idle()
        .pages(20)
        .item(KEY_GROUPS)
        .export(GuestCall::Process, &body);
    let cost = 4 * (keys + 1) + 4 * keys;
    let mut instance = open_within(&guest, &output(cost)).expect("it opens");
    instance.process(0, batch(&[])).expect("it fits");
    let limit = cost - 1;
    let cause = process_cause_within(&guest, &output(limit));
    assert_eq!(cause, FaultCause::OutputLimit { limit });
}
