//! The model's checks of the coordinator: when a checkpoint may start, and the properties of a
//! committed one.

use tidegate_checkpoint::SubtaskSnapshot;

use super::super::super::pending::{AcknowledgedCheckpoint, JobEnd};
use super::{Model, Work, subtask_snapshot};
use crate::config::limits::LEAST_WISH_DISTANCE;

impl Model {
    /// Checks that a checkpoint that only guests want keeps its distance.
    pub(super) fn check_start(&mut self) {
        let is_wanted = std::mem::take(&mut self.is_requested) || self.coordinator.is_ending();
        let interval = self.coordinator.settings.interval;
        let is_time = self.now >= self.started_at + interval;
        let is_near = |over_at| self.now < over_at + LEAST_WISH_DISTANCE;
        assert!(
            is_wanted || is_time || !self.over_at.is_some_and(is_near),
            "a wish starts one at once"
        );
        self.started_at = self.now;
    }

    pub(super) fn check_commit(&mut self, checkpoint: &AcknowledgedCheckpoint) {
        assert_eq!(self.in_flight, Some(checkpoint.checkpoint));
        assert_eq!(self.work, Work::None, "committed twice");
        let expected = self
            .acknowledged
            .iter()
            .map(|(i, s)| subtask_snapshot(*i, s.has_ended));
        let expected: Vec<SubtaskSnapshot> = expected.collect();
        assert_eq!(
            expected.len(),
            self.chains.len(),
            "every chain acknowledged, once"
        );
        assert_eq!(checkpoint.snapshots, expected);

        let snapshots = || self.acknowledged.values();
        let all_ended = snapshots().all(|snapshot| snapshot.has_ended);
        assert_eq!(checkpoint.end == Some(JobEnd::Finished), all_ended);
        if checkpoint.end == Some(JobEnd::Stopped) {
            let sources = self
                .acknowledged
                .iter()
                .filter(|(i, _)| self.chains[**i].is_source());
            let mut last_words = sources.map(|(_, s)| s.has_ended || s.is_suspended);
            assert!(
                last_words.all(|last| last),
                "a source goes on after the last checkpoint"
            );
        }
        self.check_cut();
        // A job that continues from a checkpoint in which a source was told to end would never read
        // the rest of that source.
        let is_drained = snapshots().any(|snapshot| snapshot.is_drained);
        assert!(
            !is_drained || all_ended,
            "a drain is in a checkpoint as a whole or not at all"
        );
        self.work = Work::Committing(checkpoint.checkpoint);
    }

    /// Checks that the records received before the checkpoint are those that were sent before it.
    fn check_cut(&self) {
        for (reader, inputs) in self.topology.iter().enumerate() {
            let channels = (1u64..).zip(inputs.iter());
            let sent = channels.map(|(number, from)| number * self.acknowledged[from].records.sent);
            let sent: u64 = sent.sum();
            let received = self.acknowledged[&reader].records.received;
            assert_eq!(
                received, sent,
                "chain {reader} is cut elsewhere than its inputs"
            );
        }
    }
}
