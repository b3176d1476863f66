//! The part of the simulation that every change has to pass.

use tidegate_sim::{Suite, run_schedule};

#[test]
fn the_same_seed_gives_the_same_run() {
    for seed in 0..100 {
        assert_eq!(run_schedule(seed), run_schedule(seed), "seed {seed}");
    }
}

/// Seeds of schedules that once found a bug in a longer run: an empty marker of an output directory
/// after two power failures. If the way that schedules are drawn changes, the seeds lose their
/// meaning.
const FOUND: [u64; 1] = [20_281_012];

#[test]
fn what_longer_runs_found_stays_mended() {
    for seed in FOUND {
        assert_eq!(run_schedule(seed).violation, None, "seed {seed}");
    }
}

#[test]
fn ten_thousand_schedules_lose_nothing_and_repeat_nothing() {
    let suite = Suite {
        first: 0,
        schedules: 10_000,
        for_at_most: None,
        threads: 2,
    };
    let summary = suite.run();
    println!("{summary}");
    assert!(summary.failed.is_empty(), "{summary}");
    assert_eq!(summary.fired_too_seldom(), [], "{summary}");
}
