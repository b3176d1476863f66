//! Tests of `wishes`.

use super::*;

const INTERVAL: Duration = Duration::from_secs(10);

/// Returns the times, in milliseconds, at which checkpoints start within `time`. A guest wants
/// each of them `pause` after the one before; a checkpoint takes 10 ms.
fn started(urgency: Urgency, pause: u64, time: u64) -> Vec<u64> {
    let mut wishes = Wishes::new(INTERVAL);
    let (mut now, mut started) = (Duration::ZERO, Vec::new());
    loop {
        now += Duration::from_millis(pause);
        wishes.on_wish(urgency, now);
        let due_at = wishes.due_at().expect("there is a wish");
        now = now.max(due_at);
        let at = u64::try_from(now.as_millis()).expect("a short test");
        if at > time {
            return started;
        }
        started.push(at);
        wishes.on_triggered();
        assert_eq!(wishes.due_at(), None);
        now += Duration::from_millis(10);
        wishes.on_over(now);
    }
}

#[test]
fn the_distance_doubles_while_a_guest_wants_the_next_one_at_once() {
    let first = started(Urgency::Patient, 0, 7_000);
    assert_eq!(first, [0, 110, 320, 730, 1_540, 3_150, 6_360]);
    // Then the distance is the interval of the job.
    assert_eq!(started(Urgency::Patient, 0, 100_000).len(), 16);
}

#[test]
fn what_is_urgent_waits_for_the_least_distance_only() {
    assert_eq!(
        started(Urgency::Urgent, 0, 550),
        [0, 110, 220, 330, 440, 550]
    );
}

#[test]
fn guests_that_seldom_want_one_get_it_at_once() {
    let seldom = started(Urgency::Patient, 120, 600);
    assert_eq!(seldom, [120, 250, 380, 510]);
}

#[test]
fn the_distance_is_short_again_after_a_wish_that_came_late_enough() {
    let mut wishes = Wishes::new(INTERVAL);
    let millis = Duration::from_millis;
    for (wished, due) in [(0, 0), (10, 110), (120, 320), (700, 730), (1_600, 1_600)] {
        wishes.on_wish(Urgency::Patient, millis(wished));
        let at = wishes.due_at().expect("there is a wish");
        assert_eq!(at, millis(due), "for the wish at {wished} ms");
        wishes.on_triggered();
        wishes.on_over(at + millis(10));
    }
    // The last wish did not have to wait.
    assert_eq!(wishes.distance, LEAST_WISH_DISTANCE);
}
