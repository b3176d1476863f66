//! A guest that breaks down: the report, and the state of the instance afterwards.

use tidegate_operator::{Component, FaultCause, GuestCall, GuestFault, Instance};

use crate::support::guest::{Guest, KEY_GROUPS, LOG};
use crate::support::records::{CHECKPOINT, batch};
use crate::support::wit::Packages;
use crate::support::{
    ENGINE, EXPORTS, engine_with_debug_info, fault_of, impatient, load, make, open, open_within,
    patient, process_cause, trap,
};

/// Returns the kind of trap that ends `process` with this body.
fn trap_kind(guest: Guest, body: &str) -> String {
    trap(process_cause(&guest.export(GuestCall::Process, body))).kind
}

#[test]
fn every_kind_of_trap_is_named() {
    let table = "(table 1 funcref) (type $none (func)) (elem (i32.const 0) $done)";
    let kinds = [
        ("unreachable", "wasm `unreachable` instruction executed"),
        ("(i32.load (i32.const -4))", "out of bounds memory access"),
        (
            "(i32.div_s (i32.const 1) (i32.const 0))",
            "integer divide by zero",
        ),
        (
            "(i32.div_s (i32.const 0x80000000) (i32.const -1))",
            "integer overflow",
        ),
        (
            "(i32.trunc_f64_s (f64.const nan))",
            "invalid conversion to integer",
        ),
        (
            "(call_indirect (type $none) (i32.const 0)) (call $done)",
            "indirect call type mismatch",
        ),
        (
            "(call_indirect (type $none) (i32.const 9)) (call $done)",
            "undefined element: out of bounds table access",
        ),
        (
            "(memory.fill (i32.const 0) (i32.const 0) (i32.const -1)) (call $done)",
            "out of bounds memory access",
        ),
    ];
    for (body, kind) in kinds {
        assert_eq!(trap_kind(Guest::idle().item(table), body), kind, "{body}");
    }
}

#[test]
fn a_call_through_an_empty_table_element_is_named() {
    let guest = Guest::idle().item("(table 1 funcref) (type $none (func))");
    let body = "(call_indirect (type $none) (i32.const 0)) (call $done)";
    assert_eq!(trap_kind(guest, body), "uninitialized element");
}

#[test]
fn values_that_the_contract_does_not_know_are_traps() {
    let kinds = [
        // A result that is neither `ok` nor `err`.
        (
            "(i32.store (i32.const 1024) (i32.const 2)) (i32.const 1024)",
            "invalid expected discriminant",
        ),
        // A failure of an unknown kind.
        (
            "(call $fail (i32.const 9) (i32.const 0) (i32.const 0))",
            "unexpected discriminant: 9",
        ),
        // A reason that is not UTF-8.
        (
            "(i32.store (i32.const 0) (i32.const 0xff)) \
             (call $fail (i32.const 2) (i32.const 0) (i32.const 1))",
            "invalid utf-8 sequence of 1 bytes from index 0",
        ),
        // A list behind the end of memory, and one that starts at an odd address.
        (
            "(call $one (i32.const -8))",
            "list pointer/length out of bounds of memory",
        ),
        (
            "(call $one (i32.const 1101))",
            "list pointer is not aligned",
        ),
        // A return area outside of memory, and a misaligned one.
        ("(i32.const -1)", "return pointer not aligned"),
        ("(i32.const -4)", "pointer out of bounds of memory"),
    ];
    for (body, kind) in kinds {
        assert_eq!(trap_kind(Guest::idle(), body), kind, "{body}");
    }
}

#[test]
fn a_malformed_column_for_key_groups_is_a_trap_that_says_so() {
    let body = "(call $key_groups (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0)
                                  (i32.const 512)) (call $done)";
    assert_eq!(
        trap_kind(Guest::idle().item(KEY_GROUPS), body),
        "the guest passed a malformed column to `key-groups`: it has no offsets, not even the \
         first, which is 0"
    );
}

#[test]
fn a_trap_in_any_export_names_the_export() {
    for call in EXPORTS {
        let component = load(&Guest::idle().export(call, "unreachable"));
        let fault = fault_of(&component, call, &patient());
        assert_eq!(fault.call, call);
        assert!(matches!(fault.cause, FaultCause::Trap(_)), "{fault}");
        assert!(!fault.instance_is_usable(), "{fault}");
    }
}

#[test]
fn a_trap_says_the_last_error_logged_in_its_call_and_where_it_happened() {
    let guest = Guest::idle()
        .item(LOG)
        .item("(data (i32.const 2048) \"panicked at src/lib.rs:10:5:\\nboom\\1b[0m\")")
        .item("(func $_ZN5count9on_record17h0123456789abcdefE (call $broken))")
        .item("(func $broken unreachable)")
        .export(
            GuestCall::Process,
            "(call $log (i32.const 4) (i32.const 2048) (i32.const 37))
             (call $_ZN5count9on_record17h0123456789abcdefE) (call $done)",
        );
    let fault = open(&guest).process(0, batch(&[])).expect_err("it panics");
    assert_eq!(
        fault.to_string(),
        "operator `count`, subtask 1: `process` trapped: \
         panicked: boom\\u{1b}[0m\n    \
         at broken (src/lib.rs:10:5)\n    \
         at count::on_record\n    \
         at export.process"
    );
}

#[test]
fn a_trap_has_file_and_line_if_debug_information_is_asked_for() {
    let text = Guest::idle()
        .item("(func $broken unreachable)")
        .export(GuestCall::Process, "(call $broken) (call $done)")
        .module();
    let module = wat::Parser::new()
        .generate_dwarf(wat::GenerateDwarf::Full)
        .parse_str(Some("src/guest.wat".as_ref()), &text);
    let bytes = Packages::contract().component_of(module.expect("it parses"));
    let engine = engine_with_debug_info();
    let component = Component::load(&engine, "guest.wasm", &bytes).expect("it loads");
    let report = trap(fault_of(&component, GuestCall::Process, &patient()).cause);

    let line = |part| 1 + text.lines().take_while(|line| !line.contains(part)).count();
    let expected = [
        ("broken", "$broken unreachable"),
        ("export.process", "(call $broken)"),
    ]
    .map(|(name, part)| format!("{name} (src/guest.wat:{})", line(part)));
    assert_eq!(report.backtrace, expected);

    let component = Component::load(&ENGINE, "guest.wasm", &bytes).expect("it loads");
    let report = trap(fault_of(&component, GuestCall::Process, &patient()).cause);
    assert_eq!(report.backtrace, ["broken", "export.process"]);
}

#[test]
fn an_error_logged_in_an_earlier_call_is_not_taken_for_a_panic_message() {
    let guest = Guest::idle()
        .item(LOG)
        .export(
            GuestCall::Process,
            "(call $log (i32.const 4) (i32.const 0) (i32.const 4)) (call $done)",
        )
        .export(GuestCall::Finish, "unreachable");
    let mut instance = open(&guest);
    instance.process(0, batch(&[])).expect("it only logs");
    let report = trap(instance.finish().expect_err("it traps").cause);
    assert_eq!(report.panic_message, None);
}

#[test]
fn deep_recursion_is_a_stack_overflow_in_every_export() {
    // With and without locals: a small and a large frame.
    let frames = [
        "(func $deep (result i32) (i32.add (call $deep) (i32.const 1)))",
        "(func $deep (result i32) (local v128 v128 v128 v128)
           (local.set 0 (v128.load (i32.const 0))) (local.set 1 (v128.load (i32.const 16)))
           (i32.add (call $deep) (i32x4.extract_lane 0 (i32x4.add (local.get 0) (local.get 1)))))",
    ];
    for frame in frames {
        for call in EXPORTS {
            let component = load(&Guest::idle().item(frame).export(call, "(call $deep)"));
            let fault = fault_of(&component, call, &patient());
            assert_eq!((fault.call, fault.cause), (call, FaultCause::StackOverflow));
        }
    }
}

/// Returns the cause of the failure of `call` in a guest that never ends. On a machine that stands
/// still for 100 ms an earlier call may be stopped: then it tries again.
fn endless(guest: &Guest, call: GuestCall) -> FaultCause {
    let component = load(guest);
    let fault = (0..1_000)
        .map(|_| fault_of(&component, call, &impatient()))
        .find(|fault| fault.call == call);
    fault.expect("the earlier calls do end").cause
}

fn stopped() -> FaultCause {
    FaultCause::Timeout {
        limit: impatient().call_timeout,
    }
}

#[test]
fn an_endless_loop_in_any_export_is_stopped() {
    for call in EXPORTS {
        let guest = Guest::idle().export(call, "(loop $for_ever (br $for_ever)) (call $done)");
        assert_eq!(endless(&guest, call), stopped(), "{call}");
    }
}

#[test]
fn endless_loops_of_every_shape_are_stopped() {
    let shapes = [
        "(loop $l (i32.store (i32.const 0) (i32.const 1)) (br $l)) (call $done)",
        "(loop $l (drop (call $done)) (br $l)) (call $done)",
        "(loop $l (drop (call_indirect (result i32) (i32.const 0))) (br $l)) (call $done)",
        "(loop $l (memory.copy (i32.const 0) (i32.const 4096) (i32.const 61440)) (br $l))
         (call $done)",
        "(return_call $again)",
        "(loop $l (call $log (i32.const 0) (i32.const 0) (i32.const 1)) (br $l)) (call $done)",
    ];
    for body in shapes {
        let guest = Guest::idle()
            .item(LOG)
            .item("(table 1 funcref) (elem (i32.const 0) $done)")
            .item("(func $again (result i32) (return_call $again))")
            .export(GuestCall::Process, body);
        assert_eq!(endless(&guest, GuestCall::Process), stopped(), "{body}");
    }
}

#[test]
fn an_endless_start_function_is_stopped() {
    let guest = Guest::idle()
        .item("(func $spin (loop $for_ever (br $for_ever)))")
        .item("(start $spin)");
    let fault = open_within(&guest, &impatient()).expect_err("it never starts");
    assert_eq!(
        (fault.call, fault.cause),
        (GuestCall::Instantiate, stopped())
    );
}

#[test]
fn an_endless_allocator_is_stopped() {
    // The module has no other allocator, so that `open` can't even get its arguments.
    let module = Guest::idle().module().replace(
        "(call $allocate (local.get 3))",
        "(loop $for_ever (br $for_ever)) unreachable",
    );
    let bytes = Packages::contract().component(&module);
    let component = Component::load(&ENGINE, "x.wasm", &bytes);
    let fault = fault_of(&component.expect("it loads"), GuestCall::Open, &impatient());
    assert_eq!((fault.call, fault.cause), (GuestCall::Open, stopped()));
}

#[test]
fn an_endless_post_return_is_stopped() {
    let guest = Guest::idle().item(
        "(func (export \"cabi_post_tidegate:operator/operator@0.1.0#process\") (param i32) \
         (loop $for_ever (br $for_ever)))",
    );
    assert_eq!(endless(&guest, GuestCall::Process), stopped());
}

/// Returns the cause of failure of each call, if it fails.
fn answers(instance: &mut Instance) -> Vec<Option<FaultCause>> {
    EXPORTS[1..]
        .iter()
        .map(|call| make(instance, *call).err().map(|fault| fault.cause))
        .collect()
}

#[test]
fn an_instance_whose_call_failed_is_never_entered_again() {
    let bodies = [
        "unreachable",
        "(call $fail (i32.const 2) (i32.const 0) (i32.const 0))",
        "(i32.store (i32.const 1100) (i32.const 9)) (call $one_emission)",
    ];
    for body in bodies {
        let mut instance = open(&Guest::idle().export(GuestCall::Process, body));
        instance.process(0, batch(&[])).expect_err("it fails");
        let spent = || Some(FaultCause::InstanceSpent);
        assert_eq!(answers(&mut instance), [(); 6].map(|()| spent()), "{body}");
    }
}

#[test]
fn an_instance_that_answers_that_it_has_no_snapshot_now_goes_on() {
    let failing = "(call $fail (i32.const 2) (i32.const 2048) (i32.const 4))";
    let guest = Guest::idle()
        .item("(data (i32.const 2048) \"busy\")")
        .export(GuestCall::Snapshot, failing)
        .export(GuestCall::CheckpointComplete, failing);
    let mut instance = open(&guest);
    let usable = |fault: GuestFault| (fault.instance_is_usable(), fault.cause);
    let busy = || (true, FaultCause::Failed("busy".to_owned()));
    for _ in 0..2 {
        let snapshot = instance.snapshot(CHECKPOINT).expect_err("it is busy");
        assert_eq!(usable(snapshot), busy());
        let complete = instance
            .checkpoint_complete(CHECKPOINT)
            .expect_err("it is busy");
        assert_eq!(usable(complete), busy());
    }
    instance
        .process(0, batch(&[("a", "1")]))
        .expect("it goes on");
}

#[test]
fn a_guest_that_cannot_read_its_state_says_why() {
    let guest = Guest::idle()
        .item("(data (i32.const 2048) \"schema 9\\n\")")
        .export(
            GuestCall::Restore,
            "(call $fail (i32.const 1) (i32.const 2048) (i32.const 9))",
        );
    let fault = open(&guest).restore(Vec::new()).expect_err("it can't");
    assert_eq!(
        fault.to_string(),
        "operator `count`, subtask 1: `restore` can't read the state: schema 9"
    );
}

#[test]
fn an_invalid_record_is_named_and_given_back() {
    let guest = Guest::idle()
        .item("(data (i32.const 2048) \"no number\")")
        .export(
            GuestCall::Process,
            "(call $fail_record (i32.const 1) (i32.const 2048) (i32.const 9))",
        );
    let mut instance = open(&guest);
    let records = batch(&[("a", "1"), ("b", "x"), ("c", "3")]);
    let fault = instance.process(0, records).expect_err("one is invalid");
    let reason = "no number".to_owned();
    assert_eq!(fault.cause, FaultCause::InvalidRecord { row: 1, reason });
    assert_eq!(instance.take_failed_record(), Some(batch(&[("b", "x")])));
    assert_eq!(instance.take_failed_record(), None);
}

#[test]
fn a_trap_at_the_only_record_gives_it_back_and_a_spent_instance_gives_none() {
    let guest = Guest::idle().export(GuestCall::Process, "unreachable");
    let mut instance = open(&guest);
    let record = batch(&[("b", "x")]);
    let trapped = instance.process(0, record.clone());
    trapped.expect_err("it traps");
    assert_eq!(instance.take_failed_record(), Some(record.clone()));
    let spent = instance.process(0, record).expect_err("it is spent");
    assert_eq!(spent.cause, FaultCause::InstanceSpent);
    assert_eq!(instance.take_failed_record(), None);
    let mut instance = open(&guest);
    let trapped = instance.process(0, batch(&[("a", "1"), ("b", "2")]));
    trapped.expect_err("it traps");
    assert_eq!(instance.take_failed_record(), None, "it may be either");
}

#[test]
fn only_process_can_call_a_record_invalid() {
    let body = "(call $fail_record (i32.const 0) (i32.const 0) (i32.const 0))";
    let mut instance = open(&Guest::idle().export(GuestCall::Finish, body));
    let unknown = FaultCause::UnknownRecord {
        row: 0,
        rows: 0,
        reason: String::new(),
    };
    assert_eq!(
        instance.finish().expect_err("it has no record").cause,
        unknown
    );
}

#[test]
fn an_invalid_record_that_the_batch_does_not_have_is_a_fault_of_its_own() {
    let body = "(call $fail_record (i32.const 3) (i32.const 0) (i32.const 0))";
    let mut instance = open(&Guest::idle().export(GuestCall::Process, body));
    let records = batch(&[("a", "1"), ("b", "2"), ("c", "3")]);
    let fault = instance.process(0, records).expect_err("it names row 3");
    let unknown = FaultCause::UnknownRecord {
        row: 3,
        rows: 3,
        reason: String::new(),
    };
    assert_eq!(fault.cause, unknown);
    assert_eq!(instance.take_failed_record(), None);
}
