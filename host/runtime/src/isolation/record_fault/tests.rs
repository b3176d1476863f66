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
