//! A refused snapshot costs its checkpoint and nothing else: the instance continues with its state.
//! Only a guest that breaks down in `snapshot` is replaced.

use tidegate_operator::{FaultCause, GuestCall, Instance, Limits, StateChunk};
use tracing::Level;

use crate::support::guest::{Guest, LOG};
use crate::support::lines::Lines;
use crate::support::records::{CHECKPOINT, batch};
use crate::support::{CHUNK_BYTES, load, open_within, patient};

const LIMIT: u64 = 1 << 20;

fn limits() -> Limits {
    Limits {
        snapshot: LIMIT,
        ..patient()
    }
}

/// Returns a guest that counts records. Its snapshot is one chunk named `records`, as many times
/// `unit` bytes long as the last batch had records; its first bytes are the count.
fn growing(unit: u32) -> Guest {
    let process = "
        (global.set $records (i32.add (global.get $records) (local.get $rows)))
        (global.set $size (local.get $rows))
        (call $done)";
    let snapshot = format!(
        "(i32.store (i32.const 65536) (global.get $records))
         (call $pair (i32.const 1100) (i32.const 2048) (i32.const 7))
         (call $pair (i32.const 1120) (i32.const 65536)
             (i32.mul (global.get $size) (i32.const {unit})))
         (call $one_chunk)"
    );
    Guest::idle()
        .pages(300)
        .item("(global $records (mut i32) (i32.const 0))")
        .item("(global $size (mut i32) (i32.const 0))")
        .item("(data (i32.const 2048) \"records\")")
        .export(GuestCall::Process, process)
        .export(GuestCall::Snapshot, &snapshot)
}

fn process(instance: &mut Instance, records: usize) {
    let records = batch(&vec![("", ""); records]);
    instance.process(0, records).expect("it counts");
}

/// Returns the count at the beginning of the snapshot, and the snapshot's length.
fn snapshot(instance: &mut Instance) -> Result<(u32, usize), FaultCause> {
    let chunks = instance.snapshot(CHECKPOINT).map_err(|fault| fault.cause)?;
    let [StateChunk { bytes, .. }] = chunks.as_slice() else {
        panic!("{} chunks", chunks.len());
    };
    let head = bytes.first_chunk().expect("it begins with the count");
    Ok((u32::from_le_bytes(*head), bytes.len()))
}

#[test]
fn a_snapshot_over_its_limit_leaves_the_instance_as_it_was() {
    const KIB: u32 = 1024;
    let mut instance = open_within(&growing(KIB), &limits()).expect("it opens");
    let refused = || FaultCause::SnapshotLimit { limit: LIMIT };
    // The name counts, too. Some are refused after the copy, some before, and one would not even
    // fit if the guest's memory were the limit.
    for records in [1024, 1100, 5_000, 18_000] {
        process(&mut instance, records);
        assert_eq!(snapshot(&mut instance), Err(refused()), "{records}");
        process(&mut instance, 1);
        let counted = snapshot(&mut instance).expect("now it fits");
        assert_eq!(counted.1, 1024);
    }
    process(&mut instance, 1023);
    let all = 1024 + 1100 + 5_000 + 18_000 + 4 + 1023;
    assert_eq!(snapshot(&mut instance), Ok((all, 1023 << 10)));
}

#[test]
fn state_that_grows_is_taken_to_the_last_byte_and_then_refused_every_time() {
    let mut instance = open_within(&growing(1), &limits()).expect("it opens");
    let cost = "records".len() as u64 + CHUNK_BYTES;
    let limit = usize::try_from(LIMIT - cost).expect("it fits");
    for (bytes, is_taken) in [(limit - 1, true), (limit, true), (limit + 1, false)] {
        process(&mut instance, bytes);
        let taken = snapshot(&mut instance);
        assert_eq!(taken.is_ok(), is_taken, "{bytes} bytes: {taken:?}");
    }
    for _ in 0..20 {
        snapshot(&mut instance).expect_err("it is still too large");
    }
    process(&mut instance, 4);
    let records = u32::try_from(3 * limit + 4).expect("it fits");
    assert_eq!(snapshot(&mut instance), Ok((records, 4)));
}

#[test]
fn a_snapshot_that_breaks_a_rule_leaves_the_instance_as_it_was() {
    // Key group 3 belongs to another subtask; in the second case, two chunks are for group 64.
    let foreign = "(i32.store (i32.const 1112) (i32.const 1))
        (i32.store (i32.const 1116) (i32.const 3)) (call $one_chunk)";
    let twice = "(memory.fill (i32.const 4096) (i32.const 0) (i32.const 56))
        (i64.store (i32.const 4108) (i64.const 0x4000000001))
        (i64.store (i32.const 4136) (i64.const 0x4000000001))
        (i32.store (i32.const 1024) (i32.const 0))
        (call $pair (i32.const 1028) (i32.const 4096) (i32.const 2)) (i32.const 1024)";
    for body in [foreign, twice] {
        let guest = Guest::echo().export(GuestCall::Snapshot, body);
        let mut instance = open_within(&guest, &limits()).expect("it opens");
        let fault = instance.snapshot(CHECKPOINT).expect_err("it is refused");
        assert!(
            matches!(fault.cause, FaultCause::MalformedSnapshot(_)),
            "{fault}"
        );
        assert!(fault.instance_is_usable(), "{fault}");
        let records = batch(&[("a", "1")]);
        let emissions = instance.process(0, records.clone()).expect("it goes on");
        assert_eq!(emissions[0].batch, records);
    }
}

#[test]
fn a_guest_that_breaks_down_in_snapshot_is_not_called_again() {
    // The last one hands the host too much in the middle of the call.
    let bodies = [
        "unreachable",
        "(i32.const -4)",
        "(call $log (i32.const 4) (i32.const 0) (i32.const 4000000)) (call $done)",
    ];
    for body in bodies {
        let guest = Guest::idle()
            .pages(100)
            .item(LOG)
            .export(GuestCall::Snapshot, body);
        let mut instance = open_within(&guest, &limits()).expect("it opens");
        let fault = instance.snapshot(CHECKPOINT).expect_err("it breaks down");
        assert!(!fault.instance_is_usable(), "{fault}");
        let spent = instance.finish().expect_err("it is not called");
        assert_eq!(spent.cause, FaultCause::InstanceSpent);
    }
}

#[test]
fn a_snapshot_near_its_limit_is_warned_of_once_each_time_that_it_comes_near() {
    let component = load(&growing(1));
    let mut instance = component
        .instantiate(&crate::support::context(), &limits())
        .expect("it opens");
    let lines = Lines::default();
    let cost = usize::try_from(CHUNK_BYTES).expect("it fits") + "records".len();
    let eighty_percent = 838_861 - cost;
    let sizes = [
        eighty_percent - 1,
        eighty_percent,
        900_000,
        eighty_percent - 1,
        900_000,
    ];
    let warned: Vec<usize> = sizes
        .into_iter()
        .map(|bytes| {
            process(&mut instance, bytes);
            tracing::subscriber::with_default(lines.clone(), || {
                snapshot(&mut instance).expect("it fits");
            });
            lines.take().len()
        })
        .collect();
    assert_eq!(warned, [0, 1, 0, 0, 1]);

    process(&mut instance, 900_000 / 4);
    tracing::subscriber::with_default(lines.clone(), || {
        snapshot(&mut instance).expect("it fits");
        process(&mut instance, 900_000);
        snapshot(&mut instance).expect("it fits");
    });
    let expected = "message=the snapshot is close to its limit, above which checkpoints fail; \
                    raise `limits.snapshot` operator=\"count\" subtask=1 bytes=900135 \
                    limit=1048576";
    assert_eq!(lines.take(), [(Level::WARN, expected.to_owned())]);
}
