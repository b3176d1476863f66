//! Decides which checkpoints are drilled beside a running job, and counts the outcomes. Pure.
//!
//! Every n-th complete checkpoint is drilled, one at a time. If the drill before is not over, the
//! checkpoint is skipped and counted, and the next drill is due after n more.

use crate::CheckpointId;
use crate::observe::DrillStatus;

/// Decides when a drill begins, and counts.
#[derive(Debug, Default)]
pub(super) struct DrillSchedule {
    /// `None`: never.
    every: Option<u32>,
    /// Checkpoints that were completed since the last drill was due.
    completed: u32,
    status: DrillStatus,
}

/// The outcome of a drill.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum DrillOutcome {
    /// The checkpoint can be restored.
    Proven,
    /// It can't be restored, for this reason.
    Failed(String),
    /// The drill was told to stop.
    Stopped,
}

impl DrillSchedule {
    /// Creates a schedule with a drill after each `every` complete checkpoints.
    pub(super) fn new(every: Option<u32>) -> Self {
        Self {
            every,
            ..Self::default()
        }
    }

    pub(super) fn status(&self) -> &DrillStatus {
        &self.status
    }

    /// Called when a checkpoint is complete. Returns true if its drill begins now.
    #[must_use]
    pub(super) fn on_completed(&mut self, checkpoint: CheckpointId) -> bool {
        let Some(every) = self.every else {
            return false;
        };
        self.completed += 1;
        if self.completed < every {
            return false;
        }
        self.completed = 0;
        if self.status.in_progress.is_some() {
            self.status.skipped += 1;
            return false;
        }
        self.status.in_progress = Some(checkpoint.0);
        true
    }

    /// Called when the drill that had begun is over.
    pub(super) fn on_over(&mut self, outcome: DrillOutcome) {
        let drilled = self.status.in_progress.take();
        let checkpoint = drilled.expect("a drill that is over had begun");
        match outcome {
            DrillOutcome::Proven => {
                self.status.proven += 1;
                self.status.last_proven = Some(checkpoint);
            }
            DrillOutcome::Failed(reason) => {
                self.status.failed += 1;
                self.status.last_failure = Some(format!("checkpoint {checkpoint}: {reason}"));
            }
            DrillOutcome::Stopped => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn begun(schedule: &mut DrillSchedule, checkpoints: std::ops::RangeInclusive<u64>) -> Vec<u64> {
        checkpoints
            .filter(|id| schedule.on_completed(CheckpointId(*id)))
            .collect()
    }

    #[test]
    fn every_nth_checkpoint_is_drilled() {
        let mut schedule = DrillSchedule::new(Some(3));
        assert_eq!(begun(&mut schedule, 1..=5), [3]);
        schedule.on_over(DrillOutcome::Proven);
        assert_eq!(begun(&mut schedule, 6..=7), [6]);
        schedule.on_over(DrillOutcome::Failed("lost".to_owned()));
        let expected = DrillStatus {
            proven: 1,
            failed: 1,
            last_proven: Some(3),
            last_failure: Some("checkpoint 6: lost".to_owned()),
            ..DrillStatus::default()
        };
        assert_eq!(schedule.status(), &expected);
    }

    #[test]
    fn a_drill_that_is_due_while_one_runs_is_skipped_and_counted() {
        let mut schedule = DrillSchedule::new(Some(2));
        assert_eq!(begun(&mut schedule, 1..=5), [2]);
        assert_eq!(schedule.status().skipped, 1);
        schedule.on_over(DrillOutcome::Stopped);
        assert_eq!(begun(&mut schedule, 6..=6), [6]);
        assert_eq!(schedule.status().proven, 0);
    }

    #[test]
    fn without_a_number_nothing_is_drilled() {
        assert!(begun(&mut DrillSchedule::new(None), 1..=100).is_empty());
    }
}
