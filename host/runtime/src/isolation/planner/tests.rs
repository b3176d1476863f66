//! The plans of isolation after faults, and a check that its restarts suffice.

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

/// Returns the planner of a job whose operator `count` has dead letters.
fn planner(restarts: u32) -> IsolationPlanner {
    let settings = IsolationSettings {
        restarts,
        period: SECOND * 600,
        in_a_row: 1_000,
    };
    IsolationPlanner::new(settings, BTreeMap::from([("count".to_owned(), LETTERS)]))
}

/// Returns the report of an attempt whose source returned this many records.
fn report(covered: u64, since: u64) -> AttemptReport {
    AttemptReport {
        given: BTreeMap::from([(source(), SourceProgress { covered, since })]),
        ..AttemptReport::default()
    }
}

#[test]
fn an_ordinary_attempt_has_no_plan_and_a_fault_makes_the_next_one_isolate() {
    let mut planner = planner(3);
    assert!(planner.plan().is_none());
    planner.on_attempt_failed(report(100, 7));
    assert!(planner.plan().is_none(), "it was no record's fault");
    assert_eq!(
        planner.on_fault(&trap("count"), SECOND),
        AfterFault::Isolate
    );
    let plan = planner.plan().unwrap();
    assert_eq!(
        plan.operators,
        BTreeMap::from([("count".to_owned(), LETTERS)])
    );
    assert_eq!(plan.replayed, BTreeMap::from([(source(), 7)]));
    assert_eq!((plan.in_a_row, plan.calm), (1_000, SECOND * 200));
}

#[test]
fn an_operator_whose_letters_nobody_reads_fails_and_its_record_is_looked_for() {
    let mut planner = planner(3);
    assert_eq!(
        planner.on_fault(&trap("other"), SECOND),
        AfterFault::Restart
    );
    let plan = planner.plan().unwrap();
    assert_eq!(plan.calm, Duration::ZERO, "no record becomes a dead letter");
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
    let mut planner = IsolationPlanner::new(IsolationSettings::default(), by_name);
    assert_eq!(
        planner.on_fault(&trap("count"), SECOND),
        AfterFault::Restart
    );
    let invalid = FaultCause::InvalidRecord {
        row: 0,
        reason: String::new(),
    };
    let invalid = fault("count", invalid);
    assert_eq!(planner.on_fault(&invalid, SECOND), AfterFault::Isolate);
}

#[test]
fn the_restarts_of_a_period_are_used_up_and_come_back() {
    let mut planner = planner(2);
    let mut fault_at = |seconds| planner.on_fault(&trap("count"), SECOND * seconds);
    assert_eq!([0, 1].map(&mut fault_at), [AfterFault::Isolate; 2]);
    assert_eq!(fault_at(599), AfterFault::GiveUp { restarts: 2 });
    assert_eq!(fault_at(600), AfterFault::Isolate);
    assert_eq!(fault_at(600), AfterFault::GiveUp { restarts: 2 });
}

#[test]
fn faults_that_follow_a_calm_time_each_never_use_up_the_restarts() {
    for restarts in [1, 3, 100] {
        let mut planner = planner(restarts);
        planner.on_fault(&trap("count"), Duration::ZERO);
        let calm = planner.plan().unwrap().calm;
        for nth in 1..1_000 {
            let after = planner.on_fault(&trap("count"), calm * nth);
            assert_eq!(
                after,
                AfterFault::Isolate,
                "{restarts} restarts, fault {nth}"
            );
        }
    }
}

#[test]
fn what_is_replayed_counts_from_the_first_fault_on_until_isolation_is_over() {
    let mut planner = planner(100);
    planner.on_attempt_failed(report(0, 500));
    planner.on_fault(&trap("count"), SECOND);
    let replayed = |planner: &IsolationPlanner| planner.plan().unwrap().replayed[&source()];
    // An attempt that fails early does not make the replay shorter than its checkpoints do.
    planner.on_attempt_failed(report(0, 20));
    assert_eq!(replayed(&planner), 500);
    planner.on_attempt_failed(report(200, 10));
    assert_eq!(replayed(&planner), 300);
    let mut over = report(300, 0);
    over.isolation_is_over = true;
    planner.on_attempt_failed(over);
    assert!(planner.plan().is_none());
}

#[test]
fn letters_are_counted_once_if_the_attempt_did_not_live_to_count_them() {
    let mut planner = planner(100);
    let uncounted = [(CheckpointId(3), 2), (CheckpointId(4), 5)];
    planner.on_attempt_failed(AttemptReport {
        uncounted: BTreeMap::from(uncounted),
        ..AttemptReport::default()
    });
    assert_eq!(planner.on_restored(CheckpointId(4)), 2);
    assert_eq!(
        planner.on_restored(CheckpointId(5)),
        0,
        "those are replayed"
    );
}
