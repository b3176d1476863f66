//! Remembers which operators fail on records, and plans how the next attempt isolates those
//! records. Pure: time comes in as an argument.
//!
//! A fault in an ordinary attempt reveals which operator failed, and seldom on which record. The
//! next attempt isolates: sources read record by record close to where the fault happened, and
//! batches carry their origins. With the policy "dead-letter", the operator's subtasks send every
//! record that it fails on to the dead-letter port (see
//! [`SubtaskIsolation`](super::SubtaskIsolation)), without another restart.
//!
//! Isolation is over when a checkpoint is complete that covers all records from before the fault,
//! and no fault has come for [`IsolationPlanner::calm`]: however many faults there are, they cost
//! at most as many restarts as [`IsolationSettings`] allow. All of this lives in memory: a process
//! that replaces a killed one starts the search again. Every record reaches either the guest or the
//! dead-letter port, in each attempt.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

use super::plan::IsolationPlan;
use super::record_fault::RecordFault;
use crate::config::{IsolationSettings, RecordPolicies, RecordPolicy};
use crate::observe::SourceProgress;
use crate::{CheckpointId, SubtaskId};

/// Plans the isolation of each attempt of a job.
#[derive(Debug)]
pub(crate) struct IsolationPlanner {
    settings: IsolationSettings,
    /// The policies by operator; operators whose dead letters have no reader have no policy.
    policies: BTreeMap<String, RecordPolicies>,
    /// The times of restarts to isolate records, within the last period.
    restarts: VecDeque<Duration>,
    /// The operators that failed since isolation was over.
    failed_operators: BTreeSet<String>,
    /// See [`IsolationPlan::replayed`].
    replayed: BTreeMap<SubtaskId, u64>,
    /// See [`AttemptReport::uncounted`].
    uncounted: BTreeMap<CheckpointId, u64>,
}

/// The consequence of a fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum AfterFault {
    /// The restart strategy decides.
    Restart,
    /// Another attempt follows at once and does not count as a restart.
    Isolate,
    /// Too many attempts have isolated records: the job ends.
    GiveUp {
        /// Their number within the period.
        restarts: u32,
    },
}

/// The experience of an attempt that is over.
#[derive(Debug, Default)]
pub(crate) struct AttemptReport {
    /// The time at which all of its chains were open and restored, if they were.
    pub(crate) running_since: Option<Duration>,
    /// The records returned by each source subtask.
    pub(crate) given: BTreeMap<SubtaskId, SourceProgress>,
    /// The dead letters that no complete checkpoint was seen to cover, by the last checkpoint
    /// without them.
    pub(crate) uncounted: BTreeMap<CheckpointId, u64>,
    /// True if the attempt isolated records and its isolation is over.
    pub(crate) isolation_is_over: bool,
}

impl IsolationPlanner {
    /// Starts without any fault. `policies` are those of the operators whose dead letters are read.
    pub(crate) fn new(
        settings: IsolationSettings,
        policies: BTreeMap<String, RecordPolicies>,
    ) -> Self {
        Self {
            settings,
            policies,
            restarts: VecDeque::new(),
            failed_operators: BTreeSet::new(),
            replayed: BTreeMap::new(),
            uncounted: BTreeMap::new(),
        }
    }

    /// Returns the policy for the record behind a fault.
    pub(crate) fn policy(&self, fault: &RecordFault) -> RecordPolicy {
        fault.policy(&self.policies_of(&fault.fault.operator))
    }

    /// Called when an attempt failed, for whatever reason, before [`Self::on_fault`].
    pub(crate) fn on_attempt_failed(&mut self, report: AttemptReport) {
        if report.isolation_is_over {
            self.failed_operators.clear();
            self.replayed.clear();
        }
        self.uncounted = report.uncounted;
        for (source, given) in report.given {
            let left = self.replayed.entry(source).or_default();
            *left = left.saturating_sub(given.covered).max(given.since);
        }
    }

    /// Called when a record made the attempt fail.
    pub(crate) fn on_fault(&mut self, fault: &RecordFault, now: Duration) -> AfterFault {
        self.failed_operators.insert(fault.fault.operator.clone());
        match self.policy(fault) {
            RecordPolicy::Fail => AfterFault::Restart,
            RecordPolicy::DeadLetter => self.spend_restart(now),
        }
    }

    /// Called when the next attempt starts from `checkpoint`. Returns the number of dead letters
    /// that the checkpoint covers and that were not counted yet.
    pub(crate) fn on_restored(&mut self, checkpoint: CheckpointId) -> u64 {
        let uncounted = std::mem::take(&mut self.uncounted).into_iter();
        let covered = uncounted.filter(|(after, _)| *after < checkpoint);
        covered.map(|(_, letters)| letters).sum()
    }

    /// Returns the plan of the next attempt; `None` if no operator has failed.
    pub(crate) fn plan(&self) -> Option<IsolationPlan> {
        if self.failed_operators.is_empty() {
            return None;
        }
        let failed_operators = self.failed_operators.iter();
        let operators = failed_operators.map(|name| (name.clone(), self.policies_of(name)));
        let operators: BTreeMap<String, RecordPolicies> = operators.collect();
        let isolates = operators.values().any(RecordPolicies::has_dead_letters);
        Some(IsolationPlan {
            operators,
            replayed: self.replayed.clone(),
            in_a_row: self.settings.in_a_row,
            // A record that need only be named makes the attempt fail when it comes again.
            calm: match isolates {
                true => self.calm(),
                false => Duration::ZERO,
            },
        })
    }

    /// Returns the time between faults beyond which they do not use up the restarts of a period.
    fn calm(&self) -> Duration {
        self.settings.period / self.settings.restarts.max(1)
    }

    fn policies_of(&self, operator: &str) -> RecordPolicies {
        self.policies.get(operator).copied().unwrap_or_default()
    }

    fn spend_restart(&mut self, now: Duration) -> AfterFault {
        let IsolationSettings {
            restarts, period, ..
        } = self.settings;
        let is_recent = |at: &Duration| now.saturating_sub(*at) < period;
        while self.restarts.front().is_some_and(|at| !is_recent(at)) {
            self.restarts.pop_front();
        }
        if self.restarts.len() >= restarts as usize {
            return AfterFault::GiveUp { restarts };
        }
        self.restarts.push_back(now);
        AfterFault::Isolate
    }
}

#[cfg(test)]
mod tests;
