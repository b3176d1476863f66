//! Control path: since when an attempt runs and, after an operator has failed on a record, when its
//! care is over and how many dead letters are covered by a complete checkpoint. Pure: the time and
//! the progress of the sources come in as arguments, and the driver acts.
//!
//! The care is over when a checkpoint is complete that was triggered after each source had given
//! again all that it had given when the fault happened, and no record was diverted for a while
//! before: an operator that fails again soon costs no restart.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::isolation::{AttemptReport, CarePlan};
use crate::{CheckpointId, SubtaskId};

/// Watches the care of one attempt.
#[derive(Debug)]
pub(crate) struct CareWatch {
    phase: Phase,
    /// None until all chains are open and restored.
    running_since: Option<Duration>,
    /// When it began to run, or a record was diverted last.
    calm_since: Duration,
    /// How long that must be.
    calm: Duration,
    /// Dead letters that no complete checkpoint covers, by the last checkpoint without them.
    uncovered: BTreeMap<CheckpointId, u64>,
}

#[derive(Debug)]
enum Phase {
    /// The attempt is an ordinary one.
    Off,
    /// The sources have not given all of it again.
    Replaying(BTreeMap<SubtaskId, u64>),
    /// They have; the next checkpoint that is triggered has it before its barrier.
    Replayed,
    /// That checkpoint is this one.
    Covered(CheckpointId),
    Over,
}

/// What a complete checkpoint means.
#[must_use]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Settled {
    /// Dead letters that it is the first to cover.
    pub(crate) dead_letters: u64,
    /// True if the chains need not be careful any more.
    pub(crate) care_is_over: bool,
}

impl CareWatch {
    /// Of an attempt that starts.
    pub(crate) fn new(plan: Option<&CarePlan>) -> Self {
        let replaying = |plan: &CarePlan| Phase::Replaying(plan.replayed.clone());
        let phase = plan.map_or(Phase::Off, replaying);
        Self {
            phase,
            running_since: None,
            calm_since: Duration::ZERO,
            calm: plan.map_or(Duration::ZERO, |plan| plan.calm),
            uncovered: BTreeMap::new(),
        }
    }

    /// All chains are open and restored.
    pub(crate) fn on_running(&mut self, now: Duration) {
        self.running_since = Some(now);
        self.calm_since = now;
    }

    /// True while a checkpoint is wanted as soon as the sources have given everything again.
    pub(crate) fn is_replaying(&self) -> bool {
        match self.phase {
            Phase::Replaying(_) => true,
            Phase::Off | Phase::Replayed | Phase::Covered(_) | Phase::Over => false,
        }
    }

    /// Called often. Returns true, once, if a checkpoint is wanted now. `has_given` says whether a
    /// source subtask has read this number of records, or has ended.
    #[must_use]
    pub(crate) fn on_tick(&mut self, has_given: impl Fn(&SubtaskId, u64) -> bool) -> bool {
        let Phase::Replaying(sources) = &self.phase else {
            return false;
        };
        let is_replayed = sources
            .iter()
            .all(|(source, records)| has_given(source, *records));
        if is_replayed {
            self.phase = Phase::Replayed;
        }
        is_replayed
    }

    /// A checkpoint is being triggered.
    pub(crate) fn on_triggered(&mut self, checkpoint: CheckpointId) {
        if matches!(self.phase, Phase::Replayed) {
            self.phase = Phase::Covered(checkpoint);
        }
    }

    /// Records were diverted, by a chain that had taken part in `after` and in no later checkpoint.
    pub(crate) fn on_diverted(&mut self, letters: u64, after: CheckpointId, now: Duration) {
        *self.uncovered.entry(after).or_default() += letters;
        self.calm_since = now;
    }

    /// A checkpoint is complete.
    pub(crate) fn on_complete(&mut self, checkpoint: CheckpointId, now: Duration) -> Settled {
        let uncovered = self.uncovered.split_off(&checkpoint);
        let covered = std::mem::replace(&mut self.uncovered, uncovered);
        let is_covered = match self.phase {
            Phase::Covered(first) => first <= checkpoint,
            Phase::Off | Phase::Replaying(_) | Phase::Replayed | Phase::Over => false,
        };
        let care_is_over = is_covered && now.saturating_sub(self.calm_since) >= self.calm;
        if care_is_over {
            self.phase = Phase::Over;
        }
        Settled {
            dead_letters: covered.into_values().sum(),
            care_is_over,
        }
    }

    /// What is to be remembered when the attempt is over; `given` is left empty.
    pub(crate) fn into_report(self) -> AttemptReport {
        AttemptReport {
            running_since: self.running_since,
            given: BTreeMap::new(),
            care_is_over: matches!(self.phase, Phase::Over),
            uncounted: self.uncovered,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn source() -> SubtaskId {
        SubtaskId {
            operator: "numbers".to_owned(),
            index: 0,
        }
    }

    /// Of an attempt that runs since the first second, and has to be calm for ten.
    fn watch(records: u64) -> CareWatch {
        let plan = CarePlan {
            replayed: BTreeMap::from([(source(), records)]),
            calm: SECOND * 10,
            ..CarePlan::default()
        };
        let mut watch = CareWatch::new(Some(&plan));
        watch.on_running(SECOND);
        watch
    }

    /// Ticks when the source has read this number of records.
    fn tick(watch: &mut CareWatch, read: u64) -> bool {
        watch.on_tick(|id, records| {
            assert_eq!(*id, source());
            read >= records
        })
    }

    fn is_over(watch: &mut CareWatch, checkpoint: u64, now: u32) -> bool {
        let settled = watch.on_complete(CheckpointId(checkpoint), SECOND * now);
        settled.care_is_over
    }

    #[test]
    fn care_is_over_with_a_checkpoint_that_was_triggered_after_the_replay() {
        let mut watch = watch(10);
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
        assert!(watch.into_report().care_is_over);
    }

    #[test]
    fn care_goes_on_until_no_record_was_diverted_for_a_while() {
        let mut watch = watch(10);
        assert!(watch.on_tick(|_, _| true));
        watch.on_triggered(CheckpointId(1));
        assert!(!is_over(&mut watch, 1, 5), "it runs for 4 seconds");
        watch.on_diverted(1, CheckpointId(1), SECOND * 8);
        assert!(!is_over(&mut watch, 2, 17));
        assert!(is_over(&mut watch, 3, 18));
    }

    #[test]
    fn letters_are_counted_with_the_first_complete_checkpoint_after_them() {
        let mut watch = watch(10);
        watch.on_diverted(3, CheckpointId(2), SECOND);
        watch.on_diverted(1, CheckpointId(3), SECOND);
        let mut letters = |checkpoint| {
            let settled = watch.on_complete(CheckpointId(checkpoint), SECOND);
            settled.dead_letters
        };
        assert_eq!([2, 3, 3].map(&mut letters), [0, 3, 0]);
        let uncounted = BTreeMap::from([(CheckpointId(3), 1)]);
        assert_eq!(watch.into_report().uncounted, uncounted);
    }
}
