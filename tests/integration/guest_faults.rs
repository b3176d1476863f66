//! A2, A6, A8, A9 in the real binary: a guest that breaks down once, in every way and at every
//! place that a checkpoint gives meaning to. The job continues from the checkpoint before, and its
//! output is exact.

use std::collections::BTreeSet;
use std::thread;

use tidegate_tests::{Finished, JobDirectory, JobText, WatGuest, published_lines};

const RECORDS: u64 = 8_000;

/// Returns a job of 0.4 s with many checkpoints, all of which are kept.
fn job(restart: &str) -> String {
    let checkpoint = "interval = \"20ms\"\nretain = 1000\ntolerable-failures = 3";
    JobText::new("faults", checkpoint)
        .table("restart", restart)
        .generator("integers", &format!("to = {RECORDS}\nrate = 20_000"))
        .operator("guest", "guest.wasm", &[("integers", "")], "")
        .table(
            "operator.guest.limits",
            "memory = \"64MiB\"\ncall-timeout = \"1s\"\noutput = \"8MiB\"\nsnapshot = \"8MiB\"",
        )
        .files("out", "guest", "output", "lines")
        .text()
}

const RESTARTS: &str = "strategy = \"fixed-delay\"\ndelay = \"10ms\"\nattempts = 10";
const NO_RESTARTS: &str = "strategy = \"none\"";

/// Returns the echo guest, with variables and functions for a fault that happens only before a
/// restore.
fn guest() -> WatGuest {
    WatGuest::echo()
        .item("(global $restored (mut i32) (i32.const 0))")
        .item("(global $snapshots (mut i32) (i32.const 0))")
        .item("(global $since (mut i32) (i32.const 0))")
        .item("(table $table 4 funcref) (elem (table $table) (i32.const 0) func $fault)")
        .item("(data $bytes \"abcd\") (type $none (func)) (type $other (func (param i64)))")
        .export(
            "restore",
            "(global.set $restored (i32.const 1))
            (global.set $records (i64.load (i32.load offset=20 (local.get $chunks))))
            (call $done)",
        )
}

const SNAPSHOT: &str = "
    (i64.store (i32.const 0) (global.get $records))
    (call $pair (i32.const 1100) (i32.const 2048) (i32.const 7))
    (i32.store (i32.const 1108) (i32.const 3))
    (i32.store (i32.const 1112) (i32.const 0))
    (call $pair (i32.const 1120) (i32.const 0) (i32.const 8))
    (call $one_chunk)";

const PROCESS: &str = "
    (global.set $records (i64.add (global.get $records) (i64.extend_i32_u (local.get $rows))))
    (global.set $since (i32.add (global.get $since) (local.get $rows)))
    (if (i32.and (i32.eqz (global.get $restored)) WHEN) (then (call $fault)))
    (i32.store (i32.const 1100) (i32.const 0))
    (call $pair (i32.const 1104) (local.get $times) (local.get $rows))
    (call $pair (i32.const 1112) (local.get $key_offsets) (local.get $key_offsets_len))
    (call $pair (i32.const 1120) (local.get $keys) (local.get $keys_len))
    (call $pair (i32.const 1128) (local.get $value_offsets) (local.get $value_offsets_len))
    (call $pair (i32.const 1136) (local.get $values) (local.get $values_len))
    (call $one_emission)";

/// Runs the job with this guest.
fn run(guest: &WatGuest, restart: &str) -> (JobDirectory, Finished) {
    let job = JobDirectory::new(&job(restart));
    job.write("guest.wasm", guest.component());
    let finished = job.tidegate(&["run", "job.toml"]);
    assert!(!finished.stderr.contains("panicked at"), "{finished:#?}");
    (job, finished)
}

#[track_caller]
fn assert_exact(name: &str, job: &JobDirectory, finished: &Finished) {
    finished.assert_succeeds();
    let mut integers: Vec<u64> = published_lines(&job.path().join("output"))
        .iter()
        .map(|line| line.parse().expect("a line is an integer"))
        .collect();
    integers.sort_unstable();
    assert_eq!(integers, (1..=RECORDS).collect::<Vec<u64>>(), "{name}");
}

/// Every kind of trap that can end a core module, and its message.
const TRAPS: [(&str, &str); 13] = [
    ("unreachable", "wasm `unreachable` instruction executed"),
    (
        "(drop (i32.load (i32.const -4)))",
        "out of bounds memory access",
    ),
    (
        "(i64.store (i32.const -8) (i64.const 1))",
        "out of bounds memory access",
    ),
    (
        "(memory.copy (i32.const 0) (i32.const 1) (i32.const -1))",
        "out of bounds memory access",
    ),
    (
        "(memory.init $bytes (i32.const 0) (i32.const 3) (i32.const 2))",
        "out of bounds memory access",
    ),
    ("(drop (table.get $table (i32.const 4)))", "table access"),
    (
        "(call_indirect $table (type $none) (i32.const 9))",
        "undefined element",
    ),
    (
        "(call_indirect $table (type $none) (i32.const 1))",
        "uninitialized element",
    ),
    (
        "(call_indirect $table (type $other) (i64.const 1) (i32.const 0))",
        "indirect call type mismatch",
    ),
    (
        "(drop (i32.div_u (i32.const 1) (i32.const 0)))",
        "integer divide by zero",
    ),
    (
        "(drop (i32.div_s (i32.const 0x80000000) (i32.const -1)))",
        "integer overflow",
    ),
    (
        "(drop (i32.trunc_f64_s (f64.const 1e99)))",
        "integer overflow",
    ),
    ("(call $fault) (call $fault)", "exhausted its call stack"),
];

/// The moments of the fault: the first record after the barrier of checkpoint 2, the middle between
/// two barriers, and the last record of the job.
const WHEN: [&str; 3] = [
    "(i32.ge_u (global.get $snapshots) (i32.const 2))",
    "(i32.and (i32.ge_u (global.get $snapshots) (i32.const 2))
              (i32.ge_u (global.get $since) (i32.const 150)))",
    "(i64.ge_u (global.get $records) (i64.const 8000))",
];

#[test]
fn every_kind_of_trap_anywhere_between_two_barriers_is_survived_exactly() {
    let trap = |(body, kind): (&str, &str)| {
        for when in WHEN {
            let guest = guest()
                .item(&format!("(func $fault {body})"))
                .export("process", &PROCESS.replace("WHEN", when))
                .export(
                    "snapshot",
                    &format!(
                        "(global.set $since (i32.const 0))
                         (global.set $snapshots
                            (i32.add (global.get $snapshots) (i32.const 1))) {SNAPSHOT}"
                    ),
                );
            let (job, finished) = run(&guest, RESTARTS);
            let name = format!("{body} when {when}");
            assert_exact(&name, &job, &finished);
            let said = &finished.stderr;
            let expected = "operator `guest`, subtask 0: `process` ";
            assert!(
                said.contains("restart 1: "),
                "{name}: the fault did not fire: {said}"
            );
            assert!(
                said.contains(expected) && said.contains(kind),
                "{name}: {said}"
            );
        }
    };
    thread::scope(|scope| {
        let threads: Vec<_> = TRAPS
            .chunks(4)
            .map(|traps| scope.spawn(move || traps.iter().copied().for_each(trap)))
            .collect();
        threads
            .into_iter()
            .for_each(|thread| thread.join().expect("all are survived"));
    });
}

/// Returns the existing checkpoints.
fn checkpoints(job: &JobDirectory) -> BTreeSet<u64> {
    let listed = std::fs::read_dir(job.path().join("state/checkpoints"));
    let names = listed.expect("it was made").map(|entry| {
        let name = entry.expect("an entry can be read").file_name();
        name.to_string_lossy()
            .parse()
            .expect("a partial manifest was left")
    });
    names.collect()
}

#[test]
fn a_snapshot_that_breaks_down_costs_its_checkpoint_and_the_attempt() {
    let faults = [
        ("unreachable", "`snapshot` trapped"),
        ("(loop $l (br $l))", "`snapshot` ran for more than 1 s"),
    ];
    for (body, said) in faults {
        for checkpoint in 2..=6 {
            let snapshot = format!(
                "(if (i32.and (i32.eqz (global.get $restored))
                              (i64.eq (local.get $checkpoint) (i64.const {checkpoint})))
                   (then (call $fault))) {SNAPSHOT}"
            );
            let guest = guest()
                .item(&format!("(func $fault {body})"))
                .export("snapshot", &snapshot);
            let (job, finished) = run(&guest, RESTARTS);
            let name = format!("{body} at {checkpoint}");
            assert_exact(&name, &job, &finished);
            assert!(
                finished.stderr.contains("restart 1: "),
                "{name}: {finished:#?}"
            );
            assert!(finished.stderr.contains(said), "{name}: {finished:#?}");
            // All checkpoints are whole, and the job continued from the one before.
            assert!(checkpoints(&job).contains(&(checkpoint - 1)), "{name}");
            job.tidegate(&["checkpoint", "verify", "state"])
                .assert_succeeds();
        }
    }
}

#[test]
fn a_snapshot_that_is_refused_costs_its_checkpoint_and_nothing_else() {
    // 9 MiB and 60 MiB of state where the limit is 8 MiB, and state of a foreign key group.
    let refused = [
        (
            "(i32.store (i32.const 1124) (i32.const 9437184))",
            "returned a snapshot of more than 8 MiB",
        ),
        (
            "(i32.store (i32.const 1124) (i32.const 62000000))",
            "returned a snapshot of more than 8 MiB",
        ),
        (
            "(i64.store (i32.const 1112) (i64.const 0x70000000001))",
            "key group 1792",
        ),
    ];
    for (spoil, said) in refused {
        let snapshot = format!(
            "{SNAPSHOT} drop (if (i64.eq (local.get $checkpoint) (i64.const 3)) (then {spoil}))
             (i32.const 1024)"
        );
        let guest = guest()
            .pages(960)
            .item("(func $fault)")
            .export("snapshot", &snapshot);
        let (job, finished) = run(&guest, NO_RESTARTS);
        assert_exact(spoil, &job, &finished);
        let stderr = &finished.stderr;
        let named = "a checkpoint failed, the job continues: checkpoint 3: ";
        assert!(!stderr.contains("restart 1"), "{stderr}");
        assert!(stderr.contains(named), "{stderr}");
        assert!(
            stderr.contains("operator `guest`, subtask 0: `snapshot`"),
            "{stderr}"
        );
        assert!(stderr.contains(said), "{stderr}");
        let there = checkpoints(&job);
        assert!(!there.contains(&3), "{there:?}");
        assert!(there.contains(&2) && there.contains(&4), "{there:?}");
        job.tidegate(&["checkpoint", "verify", "state"])
            .assert_succeeds();
    }
}
