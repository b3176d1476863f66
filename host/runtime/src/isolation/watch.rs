//! Control path: the start of an attempt and, after an operator has failed on a record, the end of
//! isolation and the dead letters that a complete checkpoint covers. Pure: the driver acts, and
//! passes in the time and the progress of sources.
//!
//! Isolation is over when a checkpoint is complete that was triggered after each source had
//! returned again all its records from before the fault, and no record had become a dead letter for
//! a while: an operator that fails again soon costs no restart.

use std::collections::BTreeMap;
use std::time::Duration;

use super::{AttemptReport, IsolationPlan};
use crate::{CheckpointId, SubtaskId};

/// Watches the isolation of one attempt.
#[derive(Debug)]
pub(crate) struct IsolationWatch {
    phase: Phase,
    /// `None` until all chains are open and restored.
    running_since: Option<Duration>,
    /// The time of the last dead letter, or of the start.
    calm_since: Duration,
    /// The time without a dead letter after which isolation is over.
    calm: Duration,
    /// Dead letters that no complete checkpoint covers, by the last checkpoint without them.
    uncovered: BTreeMap<CheckpointId, u64>,
}

#[derive(Debug)]
enum Phase {
    /// The attempt is an ordinary one.
    Off,
    /// The sources still have to return these numbers of records.
    Replaying(BTreeMap<SubtaskId, u64>),
    /// The sources have returned all of them; the next checkpoint that is triggered covers them.
    Replayed,
    /// This checkpoint covers the replay, or a later one does if it is abandoned.
    Covered(CheckpointId),
    Over,
}

/// The consequence of a complete checkpoint.
#[must_use]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Settled {
    /// Dead letters that it is the first to cover.
    pub(crate) dead_letters: u64,
    /// True if the attempt is an ordinary one from now on.
    pub(crate) isolation_is_over: bool,
}

impl IsolationWatch {
    /// Watches an attempt that starts with `plan`.
    pub(crate) fn new(plan: Option<&IsolationPlan>) -> Self {
        let replaying = |plan: &IsolationPlan| Phase::Replaying(plan.replayed.clone());
        Self {
            phase: plan.map_or(Phase::Off, replaying),
            running_since: None,
            calm_since: Duration::ZERO,
            calm: plan.map_or(Duration::ZERO, |plan| plan.calm),
            uncovered: BTreeMap::new(),
        }
    }

    /// Called when all chains are open and restored.
    pub(crate) fn on_running(&mut self, now: Duration) {
        self.running_since = Some(now);
        self.calm_since = now;
    }

    /// Returns true while a checkpoint is wanted as soon as the sources have returned everything
    /// again.
    pub(crate) fn is_replaying(&self) -> bool {
        match self.phase {
            Phase::Replaying(_) => true,
            Phase::Off | Phase::Replayed | Phase::Covered(_) | Phase::Over => false,
        }
    }

    /// Returns true, once, if a checkpoint is wanted now. Called often. `has_given` returns true if
    /// a source subtask has returned that many records, or has no more to return. `given_together`
    /// returns the records of all subtasks of a source, if a restart may assign its splits to other
    /// subtasks.
    #[must_use]
    pub(crate) fn on_tick(
        &mut self,
        has_given: impl Fn(&SubtaskId, u64) -> bool,
        given_together: impl Fn(&str) -> Option<u64>,
    ) -> bool {
        let Phase::Replaying(subtasks) = &self.phase else {
            return false;
        };
        let mut sources: BTreeMap<&str, (bool, u64)> = BTreeMap::new();
        for (subtask, records) in subtasks {
            let (is_each_done, together) = sources.entry(&subtask.operator).or_insert((true, 0));
            *is_each_done &= has_given(subtask, *records);
            *together += records;
        }
        let is_replayed = sources.iter().all(|(source, (is_each_done, together))| {
            *is_each_done || given_together(source).is_some_and(|given| given >= *together)
        });
        if is_replayed {
            self.phase = Phase::Replayed;
        }
        is_replayed
    }

    /// Called when a checkpoint is triggered.
    pub(crate) fn on_triggered(&mut self, checkpoint: CheckpointId) {
        if matches!(self.phase, Phase::Replayed) {
            self.phase = Phase::Covered(checkpoint);
        }
    }

    /// Called when records became dead letters in a chain that had taken part in `after` and in no
    /// later checkpoint.
    pub(crate) fn on_dead_letters(&mut self, letters: u64, after: CheckpointId, now: Duration) {
        self.on_rejected(letters, after);
        self.calm_since = now;
    }

    /// Called when a source rejected input, which says nothing about the operators that failed.
    /// `after` is as in [`Self::on_dead_letters`].
    pub(crate) fn on_rejected(&mut self, letters: u64, after: CheckpointId) {
        *self.uncovered.entry(after).or_default() += letters;
    }

    /// Called when a checkpoint is complete.
    pub(crate) fn on_complete(&mut self, checkpoint: CheckpointId, now: Duration) -> Settled {
        let uncovered = self.uncovered.split_off(&checkpoint);
        let covered = std::mem::replace(&mut self.uncovered, uncovered);
        let is_covered = match self.phase {
            Phase::Covered(first) => first <= checkpoint,
            Phase::Off | Phase::Replaying(_) | Phase::Replayed | Phase::Over => false,
        };
        let isolation_is_over = is_covered && now.saturating_sub(self.calm_since) >= self.calm;
        if isolation_is_over {
            self.phase = Phase::Over;
        }
        Settled {
            dead_letters: covered.into_values().sum(),
            isolation_is_over,
        }
    }

    /// Returns the experience of the attempt, which is over; `given` is left empty.
    pub(crate) fn into_report(self) -> AttemptReport {
        AttemptReport {
            running_since: self.running_since,
            given: BTreeMap::new(),
            isolation_is_over: matches!(self.phase, Phase::Over),
            uncounted: self.uncovered,
        }
    }
}

#[cfg(test)]
mod tests;
