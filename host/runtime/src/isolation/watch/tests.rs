//! Tests of `watch`.

use super::*;

const SECOND: Duration = Duration::from_secs(1);

fn source() -> SubtaskId {
    SubtaskId {
        operator: "numbers".to_owned(),
        index: 0,
    }
}

/// Watches an attempt that runs since the first second, replays 10 records, and has to be calm
/// for ten seconds.
fn watch() -> IsolationWatch {
    let plan = IsolationPlan {
        replayed: BTreeMap::from([(source(), 10)]),
        calm: SECOND * 10,
        ..IsolationPlan::default()
    };
    let mut watch = IsolationWatch::new(Some(&plan));
    watch.on_running(SECOND);
    watch
}

/// Returns whether a checkpoint is wanted when the source has returned that many records.
fn tick(watch: &mut IsolationWatch, given: u64) -> bool {
    let has_given = |of: &SubtaskId, records| {
        assert_eq!(*of, source());
        given >= records
    };
    watch.on_tick(has_given, |_| None)
}

fn is_over(watch: &mut IsolationWatch, checkpoint: u64, now: u32) -> bool {
    let settled = watch.on_complete(CheckpointId(checkpoint), SECOND * now);
    settled.isolation_is_over
}

#[test]
fn isolation_is_over_with_a_checkpoint_that_was_triggered_after_the_replay() {
    let mut watch = watch();
    assert!(!tick(&mut watch, 9));
    watch.on_triggered(CheckpointId(1));
    assert!(tick(&mut watch, 10));
    assert!(!tick(&mut watch, 10), "a checkpoint is asked for once");
    assert!(!is_over(&mut watch, 1, 20));
    watch.on_triggered(CheckpointId(2));
    // Checkpoint 2 was abandoned.
    watch.on_triggered(CheckpointId(3));
    assert!(is_over(&mut watch, 3, 20));
    assert!(!is_over(&mut watch, 4, 30), "it is over once");
    assert!(watch.into_report().isolation_is_over);
}

#[test]
fn splits_that_moved_to_another_subtask_count_for_their_source() {
    let other = SubtaskId {
        index: 1,
        ..source()
    };
    let plan = || IsolationPlan {
        replayed: BTreeMap::from([(source(), 10), (other.clone(), 5)]),
        ..IsolationPlan::default()
    };
    // Subtask 0 has returned 15 records and subtask 1, which has nothing to read now, none.
    let has_given = |of: &SubtaskId, records| records <= if of.index == 0 { 15 } else { 0 };
    let is_replayed = |together| {
        let mut watch = IsolationWatch::new(Some(&plan()));
        watch.on_tick(has_given, |_| together)
    };
    assert!(!is_replayed(None), "its splits stay with their subtasks");
    assert!(!is_replayed(Some(14)));
    assert!(is_replayed(Some(15)));
}

#[test]
fn isolation_continues_until_no_record_became_a_dead_letter_for_a_while() {
    let mut watch = watch();
    assert!(tick(&mut watch, 10));
    watch.on_triggered(CheckpointId(1));
    assert!(!is_over(&mut watch, 1, 5), "it runs for 4 seconds");
    watch.on_dead_letters(1, CheckpointId(1), SECOND * 8);
    assert!(!is_over(&mut watch, 2, 17));
    assert!(is_over(&mut watch, 3, 18));
}

#[test]
fn input_that_a_source_rejects_does_not_keep_isolation_going() {
    let mut watch = watch();
    assert!(tick(&mut watch, 10));
    watch.on_triggered(CheckpointId(1));
    watch.on_rejected(1, CheckpointId(0));
    let settled = watch.on_complete(CheckpointId(1), SECOND * 11);
    assert!(settled.isolation_is_over);
    assert_eq!(settled.dead_letters, 1);
}

#[test]
fn letters_are_counted_with_the_first_complete_checkpoint_after_them() {
    let mut watch = watch();
    watch.on_dead_letters(3, CheckpointId(2), SECOND);
    watch.on_dead_letters(1, CheckpointId(3), SECOND);
    let mut letters = |checkpoint| {
        let settled = watch.on_complete(CheckpointId(checkpoint), SECOND);
        settled.dead_letters
    };
    assert_eq!([2, 3, 3].map(&mut letters), [0, 3, 0]);
    let uncounted = BTreeMap::from([(CheckpointId(3), 1)]);
    assert_eq!(watch.into_report().uncounted, uncounted);
}
