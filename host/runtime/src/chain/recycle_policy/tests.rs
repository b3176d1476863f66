//! Tests of `recycle_policy`.

use super::*;

fn policy(percent: u8, limit: u64) -> RecyclePolicy {
    RecyclePolicy::new(RecycleAt::Percent(percent), Some(limit))
}

/// Returns the sizes at which an instance is replaced that grows by 1, and the number of
/// warnings. `begins` maps the size of an instance to that of its replacement.
fn recycled_at(mut policy: RecyclePolicy, begins: impl Fn(u64) -> u64) -> (Vec<u64>, u32) {
    let (mut memory, mut sizes, mut warnings) = (10, Vec::new(), 0);
    for _ in 0..1_000 {
        memory = policy.limit.min(memory + 1);
        if policy.is_due(memory) {
            sizes.push(memory);
            memory = begins(memory);
            warnings += u32::from(policy.on_recycled(memory));
        }
    }
    (sizes, warnings)
}

#[test]
fn an_instance_that_leaks_is_replaced_each_time_that_it_reaches_the_threshold() {
    let (sizes, warnings) = recycled_at(policy(75, 400), |_| 10);
    assert_eq!((sizes, warnings), (vec![300; 3], 0));
}

#[test]
fn what_begins_close_to_the_threshold_must_grow_by_a_quarter_first() {
    let (sizes, warnings) = recycled_at(policy(50, 400), |_| 180);
    assert_eq!(sizes[..3], [200, 225, 225]);
    assert_eq!(warnings, 0);
}

#[test]
fn state_that_really_is_large_is_not_restored_at_each_barrier_and_is_warned_of_once() {
    // Nothing of it is a leak: each replacement begins as large as the instance before.
    let (sizes, warnings) = recycled_at(policy(75, 400), |memory| memory);
    assert_eq!(sizes, [300, 350, 375, 387, 393, 396, 398, 399, 400]);
    assert_eq!(warnings, 1);
}

const PATIENT: Need = Need::Checkpoint(Urgency::Patient);
const URGENT: Need = Need::Checkpoint(Urgency::Urgent);

#[test]
fn a_checkpoint_is_asked_for_once_until_a_barrier_has_come_and_once_more_when_it_is_urgent() {
    let mut policy = policy(75, 400);
    let needs = [299, 300, 301, 349, 350, 399].map(|memory| policy.on_batch(memory));
    let nothing = Need::Nothing;
    assert_eq!(needs, [nothing, PATIENT, nothing, nothing, URGENT, nothing]);
    policy.on_barrier();
    assert_eq!(policy.on_batch(302), PATIENT);
    assert!(!policy.on_recycled(20));
    assert_eq!(policy.on_batch(299), nothing);
    assert_eq!(policy.on_batch(360), URGENT);
    assert_eq!(policy.on_batch(361), nothing);
}

/// Returns the last need of replacements that begin with 20 and have these sizes after each
/// batch.
fn needs_of_replacements(policy: &mut RecyclePolicy, batches: &[&[u64]]) -> Vec<Need> {
    let of_one = |batches: &&[u64]| {
        policy.on_recycled(20);
        let needs = batches.iter().map(|memory| policy.on_batch(*memory));
        needs.last().expect("each has a batch")
    };
    batches.iter().map(of_one).collect()
}

#[test]
fn replacements_that_their_first_batch_fills_are_patient_and_in_the_end_a_fault() {
    let mut policy = policy(75, 400);
    assert_eq!(policy.on_batch(380), URGENT);
    let full: &[u64] = &[380];
    let needs = needs_of_replacements(&mut policy, &[full; 5]);
    let in_vain = Need::InVain { replacements: 5 };
    assert_eq!(needs, [PATIENT, PATIENT, PATIENT, PATIENT, in_vain]);
}

#[test]
fn one_replacement_that_got_further_than_one_batch_is_progress() {
    let mut policy = policy(75, 400);
    let full: &[u64] = &[380];
    let further: &[u64] = &[299, 380];
    let replacements = [full, full, full, full, further, full, full, full, full];
    let needs = needs_of_replacements(&mut policy, &replacements);
    assert!(!needs.iter().any(|need| matches!(need, Need::InVain { .. })));
    assert_eq!(needs[4..6], [URGENT, PATIENT]);
}

#[test]
fn state_that_really_is_large_is_no_fault() {
    let mut policy = policy(75, 400);
    for memory in [310, 360, 380, 390, 395, 397, 398] {
        policy.on_recycled(memory);
        let full = policy.on_batch(400);
        assert!(matches!(full, Need::Checkpoint(_)), "{full:?}");
    }
}

#[test]
fn nothing_is_replaced_without_a_threshold_or_a_limit() {
    let never = RecyclePolicy::new(RecycleAt::Never, Some(400));
    let unlimited = RecyclePolicy::new(RecycleAt::Percent(1), None);
    assert!(!never.is_due(400));
    assert!(!unlimited.is_due(u64::MAX));
}
