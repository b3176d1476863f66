//! The input and output of a well-behaved guest.

use tidegate_operator::{FaultCause, GuestCall, NO_TIMESTAMP, StateChunk};

use crate::support::guest::{COUNT, Guest, KEY_GROUPS};
use crate::support::records::{CHECKPOINT, WATERMARK, batch, emitted};
use crate::support::{context, load, open, patient};

/// Returns the state of the echo guest: a count of records.
fn count_chunk(records: u64) -> StateChunk {
    StateChunk {
        name: "records".to_owned(),
        schema_version: 3,
        key_group: Some(64),
        bytes: records.to_le_bytes().to_vec(),
    }
}

#[test]
fn a_batch_comes_back_from_an_echo_unchanged() {
    let mut records = batch(&[("a", "1"), ("", ""), ("é", "two words")]);
    records.push(i64::MAX, b"\0", b"\xff");
    let echoed = open(&Guest::echo()).process(0, records.clone());
    assert_eq!(echoed.expect("it echoes"), emitted(records));
}

#[test]
fn an_empty_batch_comes_back_empty() {
    let echoed = open(&Guest::echo()).process(0, batch(&[]));
    assert_eq!(echoed.expect("it echoes"), emitted(batch(&[])));
}

#[test]
fn a_restored_instance_goes_on_from_the_snapshot() {
    let component = load(&Guest::echo());
    let instantiate = || {
        component
            .instantiate(&context(), &patient())
            .expect("it opens")
    };
    let two = batch(&[("a", "1"), ("b", "2")]);

    let mut first = instantiate();
    first.process(0, two.clone()).expect("it processes");
    let snapshot = first.snapshot(CHECKPOINT).expect("it has a state");
    assert_eq!(snapshot, [count_chunk(2)]);

    let mut second = instantiate();
    second.restore(snapshot).expect("it takes the state");
    second.process(0, two).expect("it processes");
    assert_eq!(
        second.snapshot(CHECKPOINT + 1).expect("a state"),
        [count_chunk(4)]
    );
}

#[test]
fn a_fresh_instance_has_nothing_of_an_earlier_one() {
    let component = load(&Guest::echo());
    for _ in 0..3 {
        let mut instance = component
            .instantiate(&context(), &patient())
            .expect("it opens");
        assert_eq!(
            instance.snapshot(CHECKPOINT).expect("a state"),
            [count_chunk(0)]
        );
        instance
            .process(0, batch(&[("a", "1")]))
            .expect("it processes");
    }
}

#[test]
fn the_other_calls_reach_the_guest_with_their_arguments() {
    // Traps unless it gets the values that the test sends.
    let expect = |value: i64, local: &str| {
        format!(
            "(if (i64.ne (local.get {local}) (i64.const {value})) (then unreachable)) (call $done)"
        )
    };
    let checkpoint = i64::try_from(CHECKPOINT).expect("it is small");
    let guest = Guest::idle()
        .export(
            GuestCall::AdvanceWatermark,
            &expect(WATERMARK, "$watermark"),
        )
        .export(GuestCall::Snapshot, &expect(checkpoint, "$checkpoint"))
        .export(
            GuestCall::CheckpointComplete,
            &expect(checkpoint, "$checkpoint"),
        );
    let mut instance = open(&guest);

    assert_eq!(
        instance.advance_watermark(WATERMARK).expect("it advances"),
        []
    );
    assert_eq!(instance.snapshot(CHECKPOINT).expect("it has no state"), []);
    instance
        .checkpoint_complete(CHECKPOINT)
        .expect("it hears of it");
    assert_eq!(instance.finish().expect("it finishes"), []);
}

#[test]
fn the_context_reaches_the_guest() {
    let check = "(if (i32.or (i32.or
            (i32.ne (local.get $subtask) (i32.const 1))
            (i32.ne (local.get $parallelism) (i32.const 2)))
          (i32.or
            (i32.or (i32.ne (local.get $max) (i32.const 128))
                    (i32.ne (local.get $first) (i32.const 64)))
            (i32.or (i32.ne (local.get $last) (i32.const 127))
                    (i32.or (i32.ne (local.get $inputs_len) (i32.const 1))
                            (i32.ne (local.get $outputs_len) (i32.const 1))))))
        (then unreachable))
      (call $fail (i32.const 2) (local.get $operator) (local.get $operator_len))";
    let component = load(&Guest::idle().export(GuestCall::Open, check));
    let fault = component
        .instantiate(&context(), &patient())
        .expect_err("it says its name");
    assert_eq!(fault.cause, FaultCause::Failed("count".to_owned()));
}

#[test]
fn counters_are_summed_between_drains() {
    let count = "(call $count (i32.const 2048) (i32.const 4) (i64.const 2))
                 (call $count (i32.const 2048) (i32.const 4) (i64.const 3)) (call $done)";
    let guest = Guest::idle()
        .item(COUNT)
        .item("(data (i32.const 2048) \"late\")")
        .export(GuestCall::Process, count);
    let mut instance = open(&guest);
    instance.process(0, batch(&[])).expect("it counts");
    assert_eq!(instance.take_counts(), [("late".to_owned(), 5)]);
    assert_eq!(instance.take_counts(), []);
}

#[test]
fn key_groups_of_a_column_are_those_that_route_records() {
    // Returns the key groups as the value column's data, four bytes each.
    let groups = "(call $key_groups (local.get $key_offsets) (local.get $key_offsets_len)
                                    (local.get $keys) (local.get $keys_len) (i32.const 0))
        (i32.store (i32.const 1100) (i32.const 0))
        (call $pair (i32.const 1104) (local.get $times) (i32.const 1))
        (call $pair (i32.const 1112) (i32.const 16) (i32.const 2))
        (call $pair (i32.const 1120) (i32.const 0) (i32.const 0))
        (i32.store (i32.const 36) (i32.const 16))
        (call $pair (i32.const 1128) (i32.const 32) (i32.const 2))
        (call $pair (i32.const 1136) (i32.load (i32.const 0)) (i32.const 16))
        (call $one_emission)";
    let guest = Guest::idle()
        .item(KEY_GROUPS)
        .export(GuestCall::Process, groups);
    let keys = batch(&[("", ""), ("a", ""), ("key-1", ""), ("flink", "")]);
    let emissions = open(&guest).process(0, keys).expect("it asks the host");
    let expected: Vec<u8> = [6_u32, 7, 81, 115]
        .into_iter()
        .flat_map(u32::to_le_bytes)
        .collect();
    let mut one = batch(&[]);
    one.push(NO_TIMESTAMP, b"", &expected);
    assert_eq!(emissions, emitted(one));
}

#[test]
fn memory_is_counted_and_grows_with_the_guest() {
    let grow = "(drop (memory.grow (i32.const 3))) (call $done)";
    let mut instance = open(&Guest::idle().export(GuestCall::Process, grow));
    let before = instance.memory_bytes();
    instance.process(0, batch(&[])).expect("it grows");
    assert_eq!(instance.memory_bytes() - before, 3 * 65_536);
}

#[test]
fn a_component_knows_its_digest_size_imports_and_exports() {
    let component = load(&Guest::echo().item(COUNT));
    let bytes = Guest::echo().item(COUNT).component();
    assert_eq!(component.digest(), *blake3::hash(&bytes).as_bytes());
    assert_eq!(component.size(), bytes.len() as u64);
    assert_eq!(
        component.imports(),
        [
            "tidegate:operator/types@0.1.0",
            "tidegate:operator/host@0.1.0"
        ]
    );
    assert_eq!(component.exports(), ["tidegate:operator/operator@0.1.0"]);
}

#[test]
fn subtasks_on_several_threads_share_one_component() {
    let component = load(&Guest::echo());
    let run = |component: tidegate_operator::Component| {
        move || {
            let mut instance = component
                .instantiate(&context(), &patient())
                .expect("it opens");
            instance
                .process(0, batch(&[("a", "1")]))
                .expect("it processes")
        }
    };
    let threads = [(); 4].map(|()| std::thread::spawn(run(component.clone())));
    for thread in threads {
        assert_eq!(
            thread.join().expect("it ends"),
            emitted(batch(&[("a", "1")]))
        );
    }
}
