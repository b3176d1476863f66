//! Tests of `pacer`.

use super::*;

#[tokio::test(start_paused = true)]
async fn a_batch_waits_for_its_last_record() {
    let mut pacer = Pacer::new(10_000, 1, AfterStall::Forgive);
    let start = Instant::now();
    let mut given = 0;
    for _ in 0..1_000 {
        let records = pacer.wait(4_096).await;
        given += records;
        // Record 0 is due at the start.
        let due = f64::from(given - 1) / 10_000.0;
        assert!(start.elapsed().as_secs_f64() + 1e-6 >= due, "{given}");
        pacer.spend(records as usize);
    }
    assert!(given >= 10_000, "{given}");
}

#[tokio::test(start_paused = true)]
async fn a_rate_below_one_batch_a_millisecond_gives_single_records() {
    let mut pacer = Pacer::new(2, 1, AfterStall::Forgive);
    let start = Instant::now();
    for record in 0..5 {
        assert_eq!(pacer.wait(4_096).await, 1);
        assert_eq!(start.elapsed().as_millis(), record * 500);
        pacer.spend(1);
    }
}

#[tokio::test(start_paused = true)]
async fn a_stall_is_made_up_for_whole_or_for_a_second() {
    for (after_stall, expected) in [(AfterStall::Forgive, 1_001), (AfterStall::CatchUp, 5_000)] {
        let mut pacer = Pacer::new(1_000, 1, after_stall);
        assert_eq!(pacer.wait(100).await, 1);
        pacer.spend(1);
        tokio::time::advance(Duration::from_secs(5)).await;
        let stalled_until = Instant::now();
        let mut given = 0;
        loop {
            let records = pacer.wait(100).await;
            if Instant::now() > stalled_until {
                break;
            }
            pacer.spend(records as usize);
            given += records;
        }
        // One record more or less, since a record's time is rounded.
        assert!(given.abs_diff(expected) <= 1, "{after_stall:?}: {given}");
    }
}

#[tokio::test(start_paused = true)]
async fn due_times_are_those_of_the_schedule_whatever_the_stall() {
    let mut pacer = Pacer::new(1_000, 1, AfterStall::CatchUp);
    pacer.wait(1).await;
    let before = pacer.due_times();
    pacer.spend(1);
    tokio::time::advance(Duration::from_secs(7)).await;
    pacer.wait(1).await;
    let after = pacer.due_times();
    assert_eq!(after.first_nanos - before.first_nanos, 1_000_000);
    assert_eq!(after.millis(2_500) - after.millis(500), 2_000);
}
