//! Tests of `record_fault`.

use tidegate_operator::GuestCall;

use super::*;
use crate::SubtaskId;
use tidegate_connector::source::SourcePlace;

fn fault(record: Option<&[u8]>, origin: Option<Arc<RecordOrigin>>) -> RecordFault {
    let record = record.map(|key| {
        let mut batch = Batch::default();
        batch.push(0, key, b"value");
        batch
    });
    RecordFault {
        fault: Box::new(GuestFault {
            operator: "count".to_owned(),
            subtask: 1,
            call: GuestCall::Process,
            cause: FaultCause::StackOverflow,
        }),
        input: 2,
        records: 700,
        record,
        origin,
    }
}

fn origin() -> Option<Arc<RecordOrigin>> {
    Some(Arc::new(RecordOrigin {
        source: SubtaskId {
            operator: "lines".to_owned(),
            index: 0,
        },
        place: Some(SourcePlace {
            split: "a.txt".to_owned(),
            from: 120,
            to: 131,
        }),
    }))
}

#[test]
fn a_message_names_as_much_of_the_record_as_is_known() {
    let prefix = "operator `count`, subtask 1: `process` recursed too deeply and exhausted its \
                  call stack\n    record: ";
    let told = [
        fault(None, None),
        fault(None, origin()),
        fault(Some(b"k\x1b[1m"), origin()),
    ];
    let expected = [
        "one of 700 on input 2",
        "one of 700 on input 2, from source lines[0] at a.txt 120..131",
        "key `k\\x1b[1m`, value of 5 bytes, on input 2, from source lines[0] at a.txt 120..131",
    ];
    assert_eq!(
        told.map(|fault| fault.to_string()),
        expected.map(|line| format!("{prefix}{line}"))
    );
}

#[test]
fn a_long_key_is_cut() {
    let shown = shown_key(&[b'x'; 100]);
    assert_eq!(shown, format!("`{}` and 36 bytes more", "x".repeat(64)));
    assert_eq!(shown_key(b""), "empty");
}

#[test]
fn a_record_that_the_guest_names_has_its_row_if_its_place_is_unknown() {
    let reason = "no number".to_owned();
    let rejected = |origin| {
        let mut fault = fault(Some(b"k"), origin);
        let reason = reason.clone();
        fault.fault.cause = FaultCause::InvalidRecord { row: 7, reason };
        fault.to_string()
    };
    let prefix = "operator `count`, subtask 1: `process` can't process a record: no number\n    \
                  record: key `k`, value of 5 bytes, on input 2, ";
    assert_eq!(rejected(None), format!("{prefix}row 7 of a batch of 700"));
    assert_eq!(
        rejected(origin()),
        format!("{prefix}from source lines[0] at a.txt 120..131")
    );
}

#[test]
fn the_text_of_a_failure_is_split_before_its_record() {
    let text = fault(None, None).to_string();
    let (about_fault, record) = RecordFault::split_text(&text);
    assert_eq!(about_fault, fault(None, None).fault.to_string());
    assert_eq!(record, "\n    record: one of 700 on input 2");
    assert_eq!(RecordFault::split_text("disk full"), ("disk full", ""));
}
