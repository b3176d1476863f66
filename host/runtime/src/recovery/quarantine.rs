//! What is known of records that operators fail on, and the care that the next attempt takes. Pure:
//! time comes in as an argument.
//!
//! A fault that returns is closed in on, at most one step an attempt:
//! 1. A fault in an ordinary attempt: the next one carries origins beside its batches.
//! 2. A fault of a batch with an origin: the next attempt reads what stands there record by record,
//!    and the operator gives it to the guest record by record.
//! 3. A fault of a single record: a *finding*. With the policy "dead-letter" the next attempt
//!    diverts it. What follows it is still given record by record, so that another such record is
//!    found at once.
//!
//! The care is over when a checkpoint is complete behind all that had been given when the fault
//! happened; everything is forgotten then. All of this lives in memory: a killed process finds it
//! out again. Nothing depends on it but which record is diverted: every record reaches either the
//! guest or the dead-letter port, in each attempt.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;
use std::sync::atomic::AtomicU32;
use std::time::Duration;

use tidegate_operator::Batch;

use super::care::{CarePlan, Diversion, Diverted, FindingId, OperatorCare, may_be_same};
use super::record_fault::{RecordFault, Trace};
use crate::config::{IsolationSettings, RecordPolicy};
use crate::stream::Origin;
use crate::{CheckpointId, SubtaskId};

/// See the module.
#[derive(Debug)]
pub(crate) struct Quarantine {
    settings: IsolationSettings,
    /// Operators that get copies of a record in several subtasks: a finding is one subtask's there.
    copying: BTreeSet<String>,
    /// When there were restarts to isolate a record, within the last period.
    restarts: VecDeque<Duration>,
    /// By operator, where its failing batches came from; nothing in it: not known yet.
    suspicions: BTreeMap<String, Vec<Option<Origin>>>,
    findings: Vec<Finding>,
    next_finding: u64,
    /// See [`CarePlan::replayed`].
    replayed: BTreeMap<SubtaskId, u64>,
}

/// A record that its operator fails on.
#[derive(Debug)]
struct Finding {
    id: FindingId,
    operator: String,
    subtask: u32,
    input: u32,
    record: Arc<Batch>,
    origin: Option<Origin>,
    /// Equal records of that origin that came before it.
    before: u32,
    error: String,
    /// The last checkpoint without the diversion, if the last attempt got so far.
    diverted_after: Option<CheckpointId>,
}

impl Finding {
    /// True if it is the finding of the same record, and the last attempt did not divert it: it
    /// waits for more equal records before it than there are.
    fn has_missed(&self, other: &Self) -> bool {
        self.diverted_after.is_none()
            && self.before > other.before
            && self.subtask == other.subtask
            && self.operator == other.operator
            && self.input == other.input
            && self.record.keys() == other.record.keys()
            && self.record.values() == other.record.values()
            && may_be_same(self.origin.as_ref(), other.origin.as_ref())
    }
}

/// What follows a fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// The restart strategy decides.
    Restart,
    /// Another attempt at once, which does not count as a restart.
    Isolate,
    /// There were too many of those.
    GiveUp {
        /// How many within the period.
        restarts: u32,
    },
}

/// What an attempt leaves behind.
#[derive(Debug, Default)]
pub(crate) struct AttemptReport {
    /// By source subtask.
    pub(crate) given: BTreeMap<SubtaskId, Given>,
    /// Findings that were diverted, each with the last checkpoint without it, unless settled.
    pub(crate) diverted: Vec<(Diverted, CheckpointId)>,
    /// Findings whose diversion is part of a complete checkpoint.
    pub(crate) settled: Vec<FindingId>,
    /// True if the attempt was careful and got past what it was careful about.
    pub(crate) care_is_over: bool,
}

/// How many records a source subtask gave in an attempt.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Given {
    /// Up to the newest complete checkpoint of the attempt.
    pub(crate) covered: u64,
    /// After it.
    pub(crate) since: u64,
}

impl Quarantine {
    /// Knows nothing. `copying` are the operators that get copies of a record in several subtasks.
    pub(crate) fn new(settings: IsolationSettings, copying: BTreeSet<String>) -> Self {
        Self {
            settings,
            copying,
            restarts: VecDeque::new(),
            suspicions: BTreeMap::new(),
            findings: Vec::new(),
            next_finding: 0,
            replayed: BTreeMap::new(),
        }
    }

    /// An attempt failed, for whatever reason. Comes before [`Self::on_fault`].
    pub(crate) fn on_attempt_failed(&mut self, report: &AttemptReport) {
        if report.care_is_over {
            self.suspicions.clear();
            self.findings.clear();
            self.replayed.clear();
        }
        self.findings
            .retain(|finding| !report.settled.contains(&finding.id));
        for finding in &mut self.findings {
            finding.diverted_after = None;
            let mut diverted = report.diverted.iter();
            if let Some((made, after)) = diverted.find(|(made, _)| made.finding == finding.id) {
                finding.diverted_after = Some(*after);
                // The next attempt may start among the records that were counted before it.
                finding.origin.clone_from(&made.origin);
                finding.before = made.before;
            }
        }
        for (source, given) in &report.given {
            let left = self.replayed.entry(source.clone()).or_default();
            *left = left.saturating_sub(given.covered).max(given.since);
        }
    }

    /// A record made the attempt fail.
    pub(crate) fn on_fault(
        &mut self,
        fault: &RecordFault,
        policy: RecordPolicy,
        now: Duration,
    ) -> Verdict {
        self.learn(fault, policy);
        match policy {
            RecordPolicy::Fail => Verdict::Restart,
            RecordPolicy::DeadLetter => self.spend_restart(now),
        }
    }

    /// The next attempt starts from `checkpoint`. Gives the number of diversions that it covers
    /// and that were not known to be settled.
    pub(crate) fn on_restored(&mut self, checkpoint: CheckpointId) -> u64 {
        let before = self.findings.len();
        self.findings.retain(|finding| {
            let after = finding.diverted_after;
            after.is_none_or(|after| after >= checkpoint)
        });
        (before - self.findings.len()) as u64
    }

    /// The care that the next attempt takes, if any.
    pub(crate) fn plan(&self) -> Option<CarePlan> {
        if self.suspicions.is_empty() {
            return None;
        }
        let mut plan = CarePlan {
            replayed: self.replayed.clone(),
            ..CarePlan::default()
        };
        for (operator, origins) in &self.suspicions {
            let care = OperatorCare {
                single: origins.clone(),
                diversions: Vec::new(),
            };
            plan.operators.insert(operator.clone(), care);
            plan.single.extend(origins.iter().flatten().cloned());
        }
        for finding in &self.findings {
            let care = plan.operators.entry(finding.operator.clone()).or_default();
            care.diversions.push(self.diversion(finding));
            plan.single.extend(finding.origin.clone());
        }
        Some(plan)
    }

    fn learn(&mut self, fault: &RecordFault, policy: RecordPolicy) {
        let operator = fault.fault.operator.clone();
        let origins = self.suspicions.entry(operator.clone()).or_default();
        let (origin, before) = match (&fault.trace, policy) {
            (Trace::Off, _) => return,
            (Trace::Single { origin, before }, RecordPolicy::DeadLetter) => (origin, Some(*before)),
            (Trace::Single { origin, .. }, RecordPolicy::Fail) | (Trace::On(origin), _) => {
                (origin, None)
            }
        };
        let origin = origin.as_deref().cloned();
        let Some((before, record)) = before.zip(fault.record.clone()) else {
            if !origins.contains(&origin) {
                origins.push(origin);
            }
            return;
        };
        let id = FindingId(self.next_finding);
        self.next_finding += 1;
        let finding = Finding {
            id,
            operator,
            subtask: fault.fault.subtask,
            input: fault.input,
            record: Arc::new(record),
            origin,
            before,
            error: format!("{} {}", fault.fault.call, fault.fault.cause),
            diverted_after: None,
        };
        // One that should have taken this record, and did not, counted records that did not come
        // again: it would take another one that is equal.
        self.findings.retain(|known| !known.has_missed(&finding));
        self.findings.push(finding);
    }

    fn spend_restart(&mut self, now: Duration) -> Verdict {
        let IsolationSettings { restarts, period } = self.settings;
        let is_recent = |at: &Duration| now.saturating_sub(*at) < period;
        while self.restarts.front().is_some_and(|at| !is_recent(at)) {
            self.restarts.pop_front();
        }
        if self.restarts.len() >= restarts as usize {
            return Verdict::GiveUp { restarts };
        }
        self.restarts.push_back(now);
        Verdict::Isolate
    }

    fn diversion(&self, finding: &Finding) -> Diversion {
        let is_copied = self.copying.contains(&finding.operator);
        Diversion {
            finding: finding.id,
            subtask: is_copied.then_some(finding.subtask),
            input: finding.input,
            record: Arc::clone(&finding.record),
            origin: finding.origin.clone(),
            error: finding.error.clone(),
            before: AtomicU32::new(finding.before),
        }
    }
}

#[cfg(test)]
mod tests;
