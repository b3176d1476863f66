//! The quarantine beside a model of a job: a source, an operator that fails on some of its records,
//! and checkpoints in between. Attempts follow each other as the supervisor makes them.

use proptest::prelude::*;
use tidegate_operator::{FaultCause, GuestCall, GuestFault};

use super::super::care::{Candidate, diversion_of};
use super::*;
use crate::source::SourcePlace;

const SECOND: Duration = Duration::from_secs(1);

fn source() -> SubtaskId {
    SubtaskId {
        operator: "numbers".to_owned(),
        index: 0,
    }
}

fn origin(from: u64, to: u64) -> Origin {
    Origin {
        source: source(),
        place: Some(SourcePlace {
            split: "numbers".to_owned(),
            from,
            to,
        }),
    }
}

fn record(value: u64) -> Batch {
    let mut batch = Batch::default();
    batch.push(0, b"", &value.to_le_bytes());
    batch
}

fn fault(record: Option<Batch>, trace: Trace) -> RecordFault {
    RecordFault {
        fault: Box::new(GuestFault {
            operator: "count".to_owned(),
            subtask: 0,
            call: GuestCall::Process,
            cause: FaultCause::Trap(Box::default()),
        }),
        input: 0,
        records: 10,
        record,
        trace,
    }
}

fn quarantine(restarts: u32) -> Quarantine {
    let period = SECOND * 600;
    Quarantine::new(IsolationSettings { restarts, period }, BTreeSet::new())
}

fn single(from: u64, to: u64) -> Trace {
    Trace::Single {
        origin: Some(Arc::new(origin(from, to))),
        before: 0,
    }
}

#[test]
fn nothing_is_done_with_care_before_the_first_fault_and_after_it_lies_behind() {
    let mut quarantine = quarantine(10);
    assert!(quarantine.plan().is_none());
    let fault = fault(None, Trace::Off);
    let verdict = quarantine.on_fault(&fault, RecordPolicy::DeadLetter, SECOND);
    assert_eq!(verdict, Verdict::Isolate);
    let plan = quarantine.plan().expect("the next attempt is careful");
    assert!(
        plan.single.is_empty(),
        "it only looks where records come from"
    );
    quarantine.on_attempt_failed(&AttemptReport {
        care_is_over: true,
        ..AttemptReport::default()
    });
    assert!(quarantine.plan().is_none());
}

#[test]
fn the_replay_is_what_was_given_since_the_checkpoint_that_the_next_attempt_starts_from() {
    let mut quarantine = quarantine(10);
    let report = |covered, since| AttemptReport {
        given: BTreeMap::from([(source(), Given { covered, since })]),
        ..AttemptReport::default()
    };
    let replayed = |quarantine: &Quarantine| quarantine.replayed[&source()];
    quarantine.on_attempt_failed(&report(1000, 70));
    assert_eq!(replayed(&quarantine), 70);
    // An attempt that gave up early has the rest of it still before it.
    quarantine.on_attempt_failed(&report(0, 20));
    assert_eq!(replayed(&quarantine), 70);
    quarantine.on_attempt_failed(&report(30, 5));
    assert_eq!(replayed(&quarantine), 40);
    quarantine.on_attempt_failed(&report(30, 50));
    assert_eq!(replayed(&quarantine), 50);
}

#[test]
fn a_restart_to_isolate_is_one_of_so_many_within_a_period() {
    let mut quarantine = quarantine(2);
    let fault = fault(None, Trace::Off);
    let mut verdict_at =
        |seconds| quarantine.on_fault(&fault, RecordPolicy::DeadLetter, SECOND * seconds);
    assert_eq!(verdict_at(0), Verdict::Isolate);
    assert_eq!(verdict_at(10), Verdict::Isolate);
    assert_eq!(verdict_at(599), Verdict::GiveUp { restarts: 2 });
    assert_eq!(verdict_at(600), Verdict::Isolate);
    assert_eq!(verdict_at(601), Verdict::GiveUp { restarts: 2 });
}

#[test]
fn with_the_policy_fail_a_record_is_looked_for_and_never_diverted() {
    let mut quarantine = quarantine(0);
    for trace in [
        Trace::Off,
        Trace::On(Some(Arc::new(origin(40, 50)))),
        single(45, 46),
        single(45, 46),
    ] {
        let fault = fault(Some(record(45)), trace);
        let verdict = quarantine.on_fault(&fault, RecordPolicy::Fail, SECOND);
        assert_eq!(verdict, Verdict::Restart);
    }
    let plan = quarantine.plan().expect("there is something to look for");
    let care = &plan.operators["count"];
    assert!(care.diversions.is_empty());
    assert_eq!(plan.single, [origin(40, 50), origin(45, 46)]);
}

fn diverted(quarantine: &Quarantine) -> Diverted {
    Diverted {
        finding: quarantine.findings[0].id,
        origin: Some(origin(45, 46)),
        before: 0,
    }
}

#[test]
fn a_finding_is_kept_until_a_checkpoint_covers_its_diversion() {
    let mut quarantine = quarantine(10);
    let fault = fault(Some(record(45)), single(45, 46));
    let diversions = |quarantine: &Quarantine| {
        let plan = quarantine.plan().expect("care is not over");
        plan.operators["count"].diversions.len()
    };
    let diverted_after = |id: &Quarantine, after| AttemptReport {
        diverted: vec![(diverted(id), CheckpointId(after))],
        ..AttemptReport::default()
    };
    assert_eq!(
        quarantine.on_fault(&fault, RecordPolicy::DeadLetter, SECOND),
        Verdict::Isolate
    );
    assert_eq!(quarantine.on_restored(CheckpointId(3)), 0);
    quarantine.on_attempt_failed(&diverted_after(&quarantine, 3));
    assert_eq!(quarantine.on_restored(CheckpointId(3)), 0);
    assert_eq!(diversions(&quarantine), 1, "it is replayed");
    // This attempt did not get to the record.
    quarantine.on_attempt_failed(&AttemptReport::default());
    assert_eq!(quarantine.on_restored(CheckpointId(5)), 0);
    assert_eq!(diversions(&quarantine), 1, "it is still to come");
    quarantine.on_attempt_failed(&diverted_after(&quarantine, 5));
    assert_eq!(quarantine.on_restored(CheckpointId(6)), 1);
    assert_eq!(diversions(&quarantine), 0);
}

/// It would take a healthy record that is equal to it: what it counts is no longer replayed.
#[test]
fn a_finding_that_missed_its_record_gives_way_to_the_new_one() {
    let mut quarantine = quarantine(10);
    let found = |origin: Origin, before| {
        let origin = Some(Arc::new(origin));
        fault(Some(record(1)), Trace::Single { origin, before })
    };
    let on_fault = |quarantine: &mut Quarantine, fault| {
        let verdict = quarantine.on_fault(&fault, RecordPolicy::DeadLetter, SECOND);
        assert_eq!(verdict, Verdict::Isolate);
    };
    on_fault(&mut quarantine, found(origin(35, 70), 1));
    quarantine.on_attempt_failed(&AttemptReport::default());
    on_fault(&mut quarantine, found(origin(36, 37), 0));
    let plan = quarantine.plan().expect("care is not over");
    let diversions = plan.operators["count"].diversions.iter();
    let origins: Vec<_> = diversions
        .map(|diversion| diversion.origin.clone())
        .collect();
    assert_eq!(origins, [Some(origin(36, 37))]);
}

/// What has become of the model's records, as of a checkpoint.
#[derive(Clone, Default)]
struct State {
    next: u64,
    processed: Vec<u64>,
    letters: Vec<u64>,
    last_checkpoint: u64,
}

/// Record n has the value `n % values`, so that there are equal ones.
struct Model {
    records: u64,
    values: u64,
    batch: u64,
    poison: BTreeSet<u64>,
    /// Records between two checkpoints of an attempt.
    interval: u64,
    durable: State,
}

enum End {
    Finished,
    Failed(Box<AttemptReport>, Option<RecordFault>),
}

impl Model {
    fn value(&self, number: u64) -> Batch {
        record(number % self.values)
    }

    fn equal_before(&self, first: u64, number: u64) -> u32 {
        let equal = |other: &u64| self.value(*other) == self.value(number);
        u32::try_from((first..number).filter(equal).count()).unwrap()
    }

    fn diverted(
        &self,
        diversion: &Diversion,
        origin: Option<&Origin>,
        before: std::ops::Range<u64>,
    ) -> Diverted {
        Diverted {
            finding: diversion.finding,
            origin: origin.cloned(),
            before: self.equal_before(before.start, before.end),
        }
    }

    /// One attempt, which ends at the latest after `most` batches, for another reason.
    fn attempt(&mut self, plan: Option<&CarePlan>, most: usize) -> End {
        let mut state = self.durable.clone();
        let look = plan.map(|plan| plan.look_of(&source()));
        let care = plan.and_then(|plan| plan.operators.get("count"));
        let mut report = AttemptReport::default();
        let mut has_diverted = false;
        let (start, mut covered) = (state.next, state.next);
        for _ in 0..most {
            if state.next == self.records {
                self.durable = state;
                return End::Finished;
            }
            let first = state.next;
            let reach = look.as_ref().and_then(|look| look.reach("numbers", first));
            let to = (first + self.batch.min(reach.unwrap_or(u64::MAX))).min(self.records);
            state.next = to;
            let origin = plan.map(|_| Arc::new(origin(first, to)));
            let is_single = plan.is_some() && to == first + 1
                || has_diverted
                || care.is_some_and(|care| care.is_single(origin.as_deref()));
            for number in first..to {
                let value = self.value(number);
                let candidate = Candidate {
                    subtask: 0,
                    input: 0,
                    record: &value,
                    origin: origin.as_deref(),
                };
                let diversions = care.filter(|_| is_single).map(|care| &*care.diversions);
                if let Some(diversion) = diversion_of(diversions.unwrap_or(&[]), candidate) {
                    let after = CheckpointId(state.last_checkpoint);
                    let made = self.diverted(diversion, origin.as_deref(), first..number);
                    report.diverted.push((made, after));
                    state.letters.push(number);
                    has_diverted = true;
                } else if self.poison.contains(&number) {
                    let before = self.equal_before(first, number);
                    let trace = match (plan.is_some(), is_single) {
                        (false, _) => Trace::Off,
                        (true, false) => Trace::On(origin),
                        (true, true) => Trace::Single { origin, before },
                    };
                    let record = is_single.then_some(value);
                    let given = Given {
                        covered: covered - start,
                        since: to - covered,
                    };
                    report.given.insert(source(), given);
                    return End::Failed(Box::new(report), Some(fault(record, trace)));
                } else {
                    state.processed.push(number);
                }
            }
            if to - covered >= self.interval {
                state.last_checkpoint += 1;
                covered = to;
                self.durable = state.clone();
                report
                    .settled
                    .extend(report.diverted.drain(..).map(|(made, _)| made.finding));
            }
        }
        let given = Given {
            covered: covered - start,
            since: state.next - covered,
        };
        report.given.insert(source(), given);
        End::Failed(Box::new(report), None)
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4096))]

    /// Also if some attempts end for other reasons, and if the process is killed, which forgets
    /// all that is known.
    #[test]
    fn exactly_the_records_that_are_poison_become_letters(
        records in 1u64..300,
        values in prop_oneof![1u64..4, 1u64..300],
        batch in 1u64..40,
        interval in 1u64..200,
        poison in prop::collection::btree_set(0u64..300, 0..8),
        other_ends in prop::collection::vec((1usize..20, any::<bool>()), 0..6),
    ) {
        let poison: BTreeSet<u64> = poison.into_iter().filter(|n| *n < records).collect();
        let count = poison.len() as u64;
        let durable = State::default();
        let mut model = Model { records, values, batch, poison, interval, durable };
        let mut other_ends = other_ends.into_iter();
        let mut quarantine = quarantine(u32::MAX);
        let (mut restarts, mut excused) = (0, 0);
        loop {
            _ = quarantine.on_restored(CheckpointId(model.durable.last_checkpoint));
            let plan = quarantine.plan();
            let (most, is_killed) = other_ends.next().unwrap_or((usize::MAX, false));
            match model.attempt(plan.as_ref(), most) {
                End::Finished => break,
                End::Failed(report, found) => {
                    quarantine.on_attempt_failed(&report);
                    if let Some(fault) = found {
                        restarts += 1;
                        let policy = RecordPolicy::DeadLetter;
                        prop_assert_eq!(
                            quarantine.on_fault(&fault, policy, SECOND),
                            Verdict::Isolate
                        );
                    }
                    if is_killed {
                        quarantine = self::quarantine(u32::MAX);
                        excused += 3;
                    }
                }
            }
        }
        let is_poison = |number: &u64| model.poison.contains(number);
        let letters: Vec<u64> = model.poison.iter().copied().collect();
        let healthy: Vec<u64> = (0..records).filter(|number| !is_poison(number)).collect();
        prop_assert_eq!(&model.durable.letters, &letters);
        prop_assert_eq!(&model.durable.processed, &healthy);
        prop_assert!(restarts <= 3 * count + excused, "{} restarts", restarts);
    }

    /// Without a checkpoint in between, only the first record takes three restarts.
    #[test]
    fn each_further_record_of_an_interval_takes_one_restart(
        records in 100u64..300,
        batch in 1u64..40,
        poison in prop::collection::btree_set(0u64..100, 1..8),
    ) {
        let count = poison.len() as u64;
        let (values, interval) = (u64::MAX, u64::MAX);
        let durable = State::default();
        let mut model = Model { records, values, batch, poison, interval, durable };
        let mut quarantine = quarantine(u32::MAX);
        let mut restarts = 0;
        while let End::Failed(report, Some(fault)) =
            model.attempt(quarantine.plan().as_ref(), usize::MAX)
        {
            restarts += 1;
            quarantine.on_attempt_failed(&report);
            _ = quarantine.on_fault(&fault, RecordPolicy::DeadLetter, SECOND);
        }
        prop_assert!(restarts <= count + 2, "{} restarts", restarts);
        prop_assert_eq!(model.durable.letters.len() as u64, count);
    }
}
