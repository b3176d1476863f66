//! In the real binary: a guest that is full again after each recycling. The checkpoints that it
//! requests keep their distance, and if it makes no progress the error names it.

use std::time::Instant;

use tidegate_tests::{JobDirectory, JobText, WatGuest};

/// The state that each checkpoint writes for the neighbour.
const STATE_BYTES: u32 = 1 << 20;

/// Returns a guest that keeps a state of [`STATE_BYTES`].
fn neighbour() -> WatGuest {
    WatGuest::idle()
        .pages(STATE_BYTES / 65_536 + 2)
        .export(
            "snapshot",
            &format!(
                "(call $pair (i32.const 1100) (i32.const 2048) (i32.const 1))
            (i32.store (i32.const 1108) (i32.const 3))
            (i32.store (i32.const 1112) (i32.const 0))
            (call $pair (i32.const 1120) (i32.const 65536) (i32.const {STATE_BYTES}))
            (call $one_chunk)"
            ),
        )
        .item("(data (i32.const 2048) \"n\")")
}

/// Returns a job that runs for `seconds`, with `storm`, of 256 MiB, beside the neighbour.
fn job(storm: &WatGuest, seconds: u64) -> JobDirectory {
    let records = seconds * 2_000;
    let inputs = [("integers", "hash")];
    let job = JobText::new("storm", "interval = \"2s\"\nretain = 10_000")
        .table("restart", "strategy = \"none\"")
        .generator("integers", &format!("to = {records}\nrate = 2_000"))
        .operator(
            "storm",
            "storm.wasm",
            &inputs,
            "limits = { memory = \"256MiB\", call-timeout = \"1m\" }",
        )
        .operator(
            "neighbour",
            "neighbour.wasm",
            &inputs,
            "limits = { call-timeout = \"1m\" }",
        )
        .discard("out", &["storm", "neighbour"]);
    let job = JobDirectory::new(&job.text());
    job.write("storm.wasm", storm.component());
    job.write("neighbour.wasm", neighbour().component());
    job
}

/// The first batch fills more than three quarters of the limit, and less than seven eighths.
const FILL: &str = "(drop (memory.grow (i32.sub (i32.const 3300) (memory.size)))) (call $done)";

#[test]
fn a_guest_that_each_first_batch_fills_is_a_fault_after_five_replacements() {
    // Without the fault, the job would run for an hour.
    let job = job(&WatGuest::idle().export("process", FILL), 3_600);
    let failed = job.tidegate(&["run", "job.toml"]);
    let expected = [
        "operator `storm`, subtask 0: 5 new instances in a row",
        "the last one with 206 MiB",
        "raise `memory` in the `limits` of [operator.storm]",
        "recycle-at = \"never\"",
    ];
    failed.assert_fails(1, &expected);
    // One checkpoint for each replacement, and the first one; the timer may add some.
    let checkpoints = job.checkpoints();
    assert!((5..=8).contains(&checkpoints.len()), "{checkpoints:?}");
}

#[test]
fn checkpoints_for_a_guest_that_is_soon_full_again_keep_a_distance_that_grows() {
    let in_two_steps = "
        (if (global.get $has_begun)
            (then (drop (memory.grow (i32.sub (i32.const 3300) (memory.size))))))
        (global.set $has_begun (i32.const 1))
        (call $done)";
    let storm = WatGuest::idle()
        .export("process", in_two_steps)
        .item("(global $has_begun (mut i32) (i32.const 0))");
    let job = job(&storm, 6);
    let started = Instant::now();
    let finished = job.tidegate(&["run", "job.toml"]);
    finished.assert_succeeds();
    let checkpoints = u64::try_from(job.checkpoints().len()).expect("a number");
    println!("{checkpoints} checkpoints");
    // The timer alone takes 3; the first and the last come on top.
    assert!(
        checkpoints > 6,
        "nothing was asked for: {checkpoints} checkpoints"
    );
    // After six of them the distance is the interval, which allows one or two in 2 s.
    let most = 10 + started.elapsed().as_secs();
    assert!(checkpoints <= most, "{checkpoints} checkpoints");
}
