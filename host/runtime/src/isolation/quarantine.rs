//! Which operators fail on records, and the care that the next attempt takes. Pure: time comes in
//! as an argument.
//!
//! A fault in an ordinary attempt says which operator failed, and seldom on which record. The next
//! attempt is careful with that operator: sources read record by record close to where the fault
//! happened, batches carry their origins, and with the policy "dead-letter" the operator's
//! subtasks divert every record that it fails on (see [`Isolation`](super::Isolation)),
//! without another restart.
//!
//! The care is over when a checkpoint is complete behind all that had been given when the fault
//! happened, and no fault has come for [`Quarantine::calm`]: faults cost at most as many restarts
//! as [`IsolationSettings`] allow, however many there are. All of this lives in memory: a killed
//! process finds it out again. Every record reaches either the guest or the dead-letter port, in
//! each attempt.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

use super::care::CarePlan;
use super::record_fault::RecordFault;
use crate::config::{IsolationSettings, RecordPolicies, RecordPolicy};
use crate::observe::SourceProgress;
use crate::{CheckpointId, SubtaskId};

/// See the module.
#[derive(Debug)]
pub(crate) struct Quarantine {
    settings: IsolationSettings,
    /// By operator; one without a reader of its dead letters has none.
    policies: BTreeMap<String, RecordPolicies>,
    /// When there were restarts to isolate records, within the last period.
    restarts: VecDeque<Duration>,
    /// The operators that failed since the care was over.
    suspects: BTreeSet<String>,
    /// See [`CarePlan::replayed`].
    replayed: BTreeMap<SubtaskId, u64>,
    /// See [`AttemptReport::uncounted`].
    uncounted: BTreeMap<CheckpointId, u64>,
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
    /// When all of its chains were open and restored, if it got so far.
    pub(crate) running_since: Option<Duration>,
    /// By source subtask.
    pub(crate) given: BTreeMap<SubtaskId, SourceProgress>,
    /// Dead letters that no complete checkpoint was seen to cover, by the last checkpoint without
    /// them.
    pub(crate) uncounted: BTreeMap<CheckpointId, u64>,
    /// True if the attempt was careful and the care is over.
    pub(crate) care_is_over: bool,
}

impl Quarantine {
    /// Knows of no fault. `policies` are those of the operators whose dead letters are read.
    pub(crate) fn new(
        settings: IsolationSettings,
        policies: BTreeMap<String, RecordPolicies>,
    ) -> Self {
        Self {
            settings,
            policies,
            restarts: VecDeque::new(),
            suspects: BTreeSet::new(),
            replayed: BTreeMap::new(),
            uncounted: BTreeMap::new(),
        }
    }

    /// What becomes of the record behind a fault.
    pub(crate) fn policy(&self, fault: &RecordFault) -> RecordPolicy {
        fault.policy(&self.policies_of(&fault.fault.operator))
    }

    /// An attempt failed, for whatever reason. Comes before [`Self::on_fault`].
    pub(crate) fn on_attempt_failed(&mut self, report: AttemptReport) {
        if report.care_is_over {
            self.suspects.clear();
            self.replayed.clear();
        }
        self.uncounted = report.uncounted;
        for (source, given) in report.given {
            let left = self.replayed.entry(source).or_default();
            *left = left.saturating_sub(given.covered).max(given.since);
        }
    }

    /// A record made the attempt fail.
    pub(crate) fn on_fault(&mut self, fault: &RecordFault, now: Duration) -> Verdict {
        self.suspects.insert(fault.fault.operator.clone());
        match self.policy(fault) {
            RecordPolicy::Fail => Verdict::Restart,
            RecordPolicy::DeadLetter => self.spend_restart(now),
        }
    }

    /// The next attempt starts from `checkpoint`. Gives the number of dead letters that it covers
    /// and that were not counted yet.
    pub(crate) fn on_restored(&mut self, checkpoint: CheckpointId) -> u64 {
        let uncounted = std::mem::take(&mut self.uncounted).into_iter();
        let covered = uncounted.filter(|(after, _)| *after < checkpoint);
        covered.map(|(_, letters)| letters).sum()
    }

    /// The care that the next attempt takes, if any.
    pub(crate) fn plan(&self) -> Option<CarePlan> {
        if self.suspects.is_empty() {
            return None;
        }
        let suspects = self.suspects.iter();
        let operators = suspects.map(|name| (name.clone(), self.policies_of(name)));
        let operators: BTreeMap<String, RecordPolicies> = operators.collect();
        let isolates = operators.values().any(RecordPolicies::has_dead_letters);
        Some(CarePlan {
            operators,
            replayed: self.replayed.clone(),
            in_a_row: self.settings.in_a_row,
            // A record that is only to be named makes the attempt fail when it comes again.
            calm: match isolates {
                true => self.calm(),
                false => Duration::ZERO,
            },
        })
    }

    /// Faults that are further apart than this do not use up the restarts of a period.
    fn calm(&self) -> Duration {
        self.settings.period / self.settings.restarts.max(1)
    }

    fn policies_of(&self, operator: &str) -> RecordPolicies {
        self.policies.get(operator).copied().unwrap_or_default()
    }

    fn spend_restart(&mut self, now: Duration) -> Verdict {
        let IsolationSettings {
            restarts, period, ..
        } = self.settings;
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
}

#[cfg(test)]
mod tests;
