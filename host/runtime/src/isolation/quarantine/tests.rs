//! The quarantine: what it plans after which faults, and that its restarts suffice.

use tidegate_operator::{FaultCause, GuestCall, GuestFault};

use super::*;
use crate::config::RecordPolicy::{DeadLetter, Fail};

const SECOND: Duration = Duration::from_secs(1);

fn source() -> SubtaskId {
    SubtaskId {
        operator: "numbers".to_owned(),
        index: 0,
    }
}

fn fault(operator: &str, cause: FaultCause) -> RecordFault {
    RecordFault {
        fault: Box::new(GuestFault {
            operator: operator.to_owned(),
            subtask: 0,
            call: GuestCall::Process,
            cause,
        }),
        input: 0,
        records: 10,
        record: None,
        origin: None,
    }
}

fn trap(operator: &str) -> RecordFault {
    fault(operator, FaultCause::Trap(Box::default()))
}

const LETTERS: RecordPolicies = RecordPolicies {
    on_invalid_record: DeadLetter,
    on_trap: DeadLetter,
};

/// Of a job whose operator `count` has dead letters.
fn quarantine(restarts: u32) -> Quarantine {
    let settings = IsolationSettings {
        restarts,
        period: SECOND * 600,
        in_a_row: 1_000,
    };
    Quarantine::new(settings, BTreeMap::from([("count".to_owned(), LETTERS)]))
}

/// A report of an attempt whose source gave so much.
fn report(covered: u64, since: u64) -> AttemptReport {
    AttemptReport {
        given: BTreeMap::from([(source(), SourceProgress { covered, since })]),
        ..AttemptReport::default()
    }
}

#[test]
fn an_ordinary_attempt_has_no_plan_and_a_fault_makes_the_next_one_careful() {
    let mut quarantine = quarantine(3);
    assert!(quarantine.plan().is_none());
    quarantine.on_attempt_failed(report(100, 7));
    assert!(quarantine.plan().is_none(), "it was no record's fault");
    assert_eq!(
        quarantine.on_fault(&trap("count"), SECOND),
        Verdict::Isolate
    );
    let plan = quarantine.plan().unwrap();
    assert_eq!(
        plan.operators,
        BTreeMap::from([("count".to_owned(), LETTERS)])
    );
    assert_eq!(plan.replayed, BTreeMap::from([(source(), 7)]));
    assert_eq!((plan.in_a_row, plan.calm), (1_000, SECOND * 200));
}

#[test]
fn an_operator_whose_letters_nobody_reads_fails_and_its_record_is_looked_for() {
    let mut quarantine = quarantine(3);
    assert_eq!(
        quarantine.on_fault(&trap("other"), SECOND),
        Verdict::Restart
    );
    let plan = quarantine.plan().unwrap();
    assert_eq!(plan.calm, Duration::ZERO, "nothing is diverted");
    let none = RecordPolicies::default();
    assert_eq!(plan.operators, BTreeMap::from([("other".to_owned(), none)]));
}

#[test]
fn the_policy_is_that_of_the_kind_of_fault() {
    let policies = RecordPolicies {
        on_invalid_record: DeadLetter,
        on_trap: Fail,
    };
    let by_name = BTreeMap::from([("count".to_owned(), policies)]);
    let mut quarantine = Quarantine::new(IsolationSettings::default(), by_name);
    assert_eq!(
        quarantine.on_fault(&trap("count"), SECOND),
        Verdict::Restart
    );
    let invalid = FaultCause::InvalidRecord {
        row: 0,
        reason: String::new(),
    };
    let invalid = fault("count", invalid);
    assert_eq!(quarantine.on_fault(&invalid, SECOND), Verdict::Isolate);
}

#[test]
fn the_restarts_of_a_period_are_used_up_and_come_back() {
    let mut quarantine = quarantine(2);
    let mut fault_at = |seconds| quarantine.on_fault(&trap("count"), SECOND * seconds);
    assert_eq!([0, 1].map(&mut fault_at), [Verdict::Isolate; 2]);
    assert_eq!(fault_at(599), Verdict::GiveUp { restarts: 2 });
    assert_eq!(fault_at(600), Verdict::Isolate);
    assert_eq!(fault_at(600), Verdict::GiveUp { restarts: 2 });
}

#[test]
fn faults_that_follow_a_calm_time_each_never_use_up_the_restarts() {
    for restarts in [1, 3, 100] {
        let mut quarantine = quarantine(restarts);
        quarantine.on_fault(&trap("count"), Duration::ZERO);
        let calm = quarantine.plan().unwrap().calm;
        for nth in 1..1_000 {
            let verdict = quarantine.on_fault(&trap("count"), calm * nth);
            assert_eq!(
                verdict,
                Verdict::Isolate,
                "{restarts} restarts, fault {nth}"
            );
        }
    }
}

#[test]
fn what_is_replayed_counts_from_the_first_fault_on_until_the_care_is_over() {
    let mut quarantine = quarantine(100);
    quarantine.on_attempt_failed(report(0, 500));
    quarantine.on_fault(&trap("count"), SECOND);
    let replayed = |quarantine: &Quarantine| quarantine.plan().unwrap().replayed[&source()];
    // An attempt that fails early does not make the replay shorter than its checkpoints do.
    quarantine.on_attempt_failed(report(0, 20));
    assert_eq!(replayed(&quarantine), 500);
    quarantine.on_attempt_failed(report(200, 10));
    assert_eq!(replayed(&quarantine), 300);
    let mut over = report(300, 0);
    over.care_is_over = true;
    quarantine.on_attempt_failed(over);
    assert!(quarantine.plan().is_none());
}

#[test]
fn letters_are_counted_once_if_the_attempt_did_not_live_to_count_them() {
    let mut quarantine = quarantine(100);
    let uncounted = [(CheckpointId(3), 2), (CheckpointId(4), 5)];
    quarantine.on_attempt_failed(AttemptReport {
        uncounted: BTreeMap::from(uncounted),
        ..AttemptReport::default()
    });
    assert_eq!(quarantine.on_restored(CheckpointId(4)), 2);
    assert_eq!(
        quarantine.on_restored(CheckpointId(5)),
        0,
        "those are replayed"
    );
}
