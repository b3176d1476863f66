//! Output that breaks a rule of the contract is a fault that names the rule.

use tidegate_operator::{
    BatchColumn, FaultCause, GuestCall, MalformedBatch, MalformedColumn, MalformedSnapshot,
};

use crate::support::guest::Guest;
use crate::support::records::{CHECKPOINT, batch};
use crate::support::{open, process_cause};

/// A column in a guest's memory: offsets as given, and the number of bytes of data.
struct RawColumn<'a> {
    offsets: &'a [u32],
    bytes: u32,
}

const EMPTY: RawColumn<'static> = RawColumn {
    offsets: &[0],
    bytes: 0,
};

/// Returns a guest that emits a batch of `timestamps` timestamps and these columns to `port`.
fn emitter(port: u32, timestamps: u32, keys: &RawColumn, values: &RawColumn) -> Guest {
    let store = |at: u32, column: &RawColumn| -> String {
        let words = column.offsets.iter().zip((at..).step_by(4));
        words
            .map(|(word, at)| format!("(i32.store (i32.const {at}) (i32.const {word}))"))
            .collect()
    };
    let body = format!(
        "{} {}
         (i32.store (i32.const 1100) (i32.const {port}))
         (call $pair (i32.const 1104) (i32.const 512) (i32.const {timestamps}))
         (call $pair (i32.const 1112) (i32.const 0) (i32.const {}))
         (call $pair (i32.const 1120) (i32.const 4096) (i32.const {}))
         (call $pair (i32.const 1128) (i32.const 256) (i32.const {}))
         (call $pair (i32.const 1136) (i32.const 4096) (i32.const {}))
         (call $one_emission)",
        store(0, keys),
        store(256, values),
        keys.offsets.len(),
        keys.bytes,
        values.offsets.len(),
        values.bytes,
    );
    Guest::idle().export(GuestCall::Process, &body)
}

fn column(offsets: &[u32], bytes: u32) -> RawColumn<'_> {
    RawColumn { offsets, bytes }
}

#[test]
fn every_broken_rule_of_a_column_is_named() {
    let broken = [
        (column(&[], 0), MalformedColumn::NoOffsets),
        (
            column(&[1, 1], 1),
            MalformedColumn::FirstOffset { found: 1 },
        ),
        (
            column(&[0, 2, 1, 3], 3),
            MalformedColumn::DecreasingOffset { row: 1 },
        ),
        (
            column(&[0, 2], 3),
            MalformedColumn::LastOffset { found: 2, bytes: 3 },
        ),
        (
            column(&[0, u32::MAX], 3),
            MalformedColumn::LastOffset {
                found: u32::MAX,
                bytes: 3,
            },
        ),
    ];
    for (raw, error) in broken {
        let as_keys = process_cause(&emitter(0, 0, &raw, &EMPTY));
        let as_values = process_cause(&emitter(0, 0, &EMPTY, &raw));
        let fault = |column| FaultCause::MalformedColumn {
            emission: 0,
            column,
            error: error.clone(),
        };
        assert_eq!(as_keys, fault(BatchColumn::Key));
        assert_eq!(as_values, fault(BatchColumn::Value));
    }
}

#[test]
fn columns_of_different_lengths_are_refused() {
    let two = column(&[0, 1, 2], 2);
    let error = |timestamps, keys, values| FaultCause::MalformedBatch {
        emission: 0,
        error: MalformedBatch {
            timestamps,
            keys,
            values,
        },
    };
    assert_eq!(process_cause(&emitter(0, 1, &two, &two)), error(1, 2, 2));
    assert_eq!(process_cause(&emitter(0, 2, &EMPTY, &two)), error(2, 0, 2));
    assert_eq!(process_cause(&emitter(0, 2, &two, &EMPTY)), error(2, 2, 0));
}

#[test]
fn a_port_that_the_operator_does_not_have_is_refused() {
    for port in [1, u32::MAX] {
        let cause = process_cause(&emitter(port, 0, &EMPTY, &EMPTY));
        assert_eq!(cause, FaultCause::UndeclaredPort { port, declared: 1 });
    }
}

#[test]
fn output_of_finish_and_of_a_watermark_is_checked_too() {
    let to_port_nine = "(i32.store (i32.const 1100) (i32.const 9)) (call $one_emission)";
    let guest = Guest::idle()
        .export(GuestCall::Finish, to_port_nine)
        .export(GuestCall::AdvanceWatermark, to_port_nine);
    let undeclared = || FaultCause::UndeclaredPort {
        port: 9,
        declared: 1,
    };
    let finish = open(&guest).finish().expect_err("there is no port 9");
    assert_eq!(finish.cause, undeclared());
    let advance = open(&guest)
        .advance_watermark(0)
        .expect_err("there is no port 9");
    assert_eq!(advance.cause, undeclared());
}

/// Returns a guest whose snapshot is empty chunks named `sum`, one for each of these key groups or
/// `None`.
fn keeper(key_groups: &[Option<u32>]) -> Guest {
    let chunk = |(at, key_group): (u32, &Option<u32>)| {
        format!(
            "(call $pair (i32.const {at}) (i32.const 2048) (i32.const 3))
             (i32.store (i32.const {}) (i32.const {}))
             (i32.store (i32.const {}) (i32.const {}))",
            at + 12,
            u32::from(key_group.is_some()),
            at + 16,
            key_group.unwrap_or(0),
        )
    };
    let chunks: String = (4096..).step_by(28).zip(key_groups).map(chunk).collect();
    let body = format!(
        "{chunks} (i32.store (i32.const 1024) (i32.const 0))
         (call $pair (i32.const 1028) (i32.const 4096) (i32.const {}))
         (i32.const 1024)",
        key_groups.len()
    );
    Guest::idle()
        .item("(data (i32.const 2048) \"sum\")")
        .export(GuestCall::Snapshot, &body)
}

#[test]
fn state_of_every_owned_key_group_and_of_none_is_taken() {
    let key_groups: Vec<Option<u32>> = (64..=127).map(Some).chain([None]).collect();
    let chunks = open(&keeper(&key_groups)).snapshot(CHECKPOINT);
    let taken: Vec<Option<u32>> = chunks
        .expect("it is well formed")
        .iter()
        .map(|chunk| chunk.key_group)
        .collect();
    assert_eq!(taken, key_groups);
}

#[test]
fn state_of_a_key_group_of_another_subtask_is_refused() {
    for key_group in [0, 63, 128, u32::MAX] {
        let fault = open(&keeper(&[Some(64), Some(key_group)])).snapshot(CHECKPOINT);
        let error = MalformedSnapshot::KeyGroupNotOwned {
            name: "sum".to_owned(),
            key_group,
            first: 64,
            last: 127,
        };
        let cause = fault.expect_err("it is not owned").cause;
        assert_eq!(cause, FaultCause::MalformedSnapshot(error));
    }
}

#[test]
fn two_chunks_of_one_name_and_key_group_are_refused() {
    let cause = |key_groups: &[Option<u32>]| {
        let fault = open(&keeper(key_groups)).snapshot(CHECKPOINT);
        fault.expect_err("there are two").cause
    };
    assert_eq!(
        cause(&[Some(70), Some(71), Some(70)]),
        FaultCause::MalformedSnapshot(MalformedSnapshot::DuplicateKeyedChunk {
            name: "sum".to_owned(),
            key_group: 70
        })
    );
}

#[test]
fn operator_state_may_come_in_several_chunks_of_one_name() {
    let chunks = open(&keeper(&[None, Some(70), None])).snapshot(CHECKPOINT);
    let key_groups: Vec<_> = chunks
        .expect("it is well formed")
        .iter()
        .map(|chunk| chunk.key_group)
        .collect();
    assert_eq!(key_groups, [None, Some(70), None]);
}

#[test]
fn a_fault_in_a_later_emission_names_it() {
    // The first emission has no rows; the second one is all zero and so has no offsets.
    let body = "(i32.store (i32.const 0) (i32.const 0))
        (call $pair (i32.const 1112) (i32.const 0) (i32.const 1))
        (call $pair (i32.const 1128) (i32.const 0) (i32.const 1))
        (drop (call $one_emission))
        (i32.store (i32.const 1032) (i32.const 2))
        (i32.const 1024)";
    let fault = open(&Guest::idle().export(GuestCall::Process, body)).process(0, batch(&[]));
    assert_eq!(
        fault.expect_err("the second is malformed").to_string(),
        "operator `count`, subtask 1: `process` returned a malformed batch: in emission 1, \
         the key column: it has no offsets, not even the first, which is 0"
    );
}
