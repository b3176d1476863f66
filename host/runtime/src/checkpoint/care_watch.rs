//! Control path, only while a record is being looked for: when the care of an attempt is over, and
//! which diversions are covered by a complete checkpoint. Decides; the driver does.
//!
//! The care is over when a checkpoint is complete that was triggered after each source had given
//! again all that it had given when the fault happened: what was looked for is before its barrier.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::metrics::SubtaskMetrics;
use crate::recovery::{AttemptReport, CarePlan, Diverted, FindingId};
use crate::{CheckpointId, SubtaskId};

/// Watches the care of one attempt.
#[derive(Debug)]
pub(crate) struct CareWatch {
    phase: Phase,
    diverted: Vec<(Diverted, CheckpointId)>,
    settled: Vec<FindingId>,
}

#[derive(Debug)]
enum Phase {
    /// The attempt is an ordinary one.
    Off,
    /// The sources have not given all of it again.
    Replaying(Vec<(Arc<SubtaskMetrics>, u64)>),
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
    /// Diversions that it is the first to cover.
    pub(crate) dead_letters: u64,
    /// True if the chains need not be careful any more.
    pub(crate) care_is_over: bool,
}

impl CareWatch {
    pub(crate) fn new(
        plan: Option<&CarePlan>,
        mut sources: BTreeMap<SubtaskId, Arc<SubtaskMetrics>>,
    ) -> Self {
        let phase = plan.map_or(Phase::Off, |plan| {
            let replayed = plan.replayed.iter();
            let counters = replayed.filter_map(|(id, records)| {
                let metrics = sources.remove(id)?;
                Some((metrics, *records))
            });
            Phase::Replaying(counters.collect())
        });
        Self {
            phase,
            diverted: Vec::new(),
            settled: Vec::new(),
        }
    }

    /// True while the chains are careful.
    pub(crate) fn is_on(&self) -> bool {
        match self.phase {
            Phase::Off | Phase::Over => false,
            Phase::Replaying(_) | Phase::Replayed | Phase::Covered(_) => true,
        }
    }

    /// Called often. True, once, if a checkpoint is wanted now.
    #[must_use]
    pub(crate) fn on_tick(&mut self) -> bool {
        let Phase::Replaying(sources) = &self.phase else {
            return false;
        };
        let is_replayed = sources
            .iter()
            .all(|(metrics, records)| metrics.has_given(*records));
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

    /// A record was diverted, by a chain that had taken part in `after` and in no later checkpoint.
    pub(crate) fn on_diverted(&mut self, diverted: Diverted, after: CheckpointId) {
        self.diverted.push((diverted, after));
    }

    /// A checkpoint is complete.
    pub(crate) fn on_complete(&mut self, checkpoint: CheckpointId) -> Settled {
        let (settled, open): (Vec<_>, Vec<_>) = std::mem::take(&mut self.diverted)
            .into_iter()
            .partition(|(_, after)| *after < checkpoint);
        self.diverted = open;
        let dead_letters = settled.len() as u64;
        let settled = settled.into_iter().map(|(diverted, _)| diverted.finding);
        self.settled.extend(settled);
        let care_is_over = match self.phase {
            Phase::Covered(first) => first <= checkpoint,
            Phase::Off | Phase::Replaying(_) | Phase::Replayed | Phase::Over => false,
        };
        if care_is_over {
            self.phase = Phase::Over;
        }
        Settled {
            dead_letters,
            care_is_over,
        }
    }

    /// What is to be remembered when the attempt is over; `given` is left empty.
    pub(crate) fn into_report(self) -> AttemptReport {
        AttemptReport {
            given: BTreeMap::new(),
            care_is_over: matches!(self.phase, Phase::Over),
            diverted: self.diverted,
            settled: self.settled,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FINDING: FindingId = FindingId(7);

    fn source() -> SubtaskId {
        SubtaskId {
            operator: "numbers".to_owned(),
            index: 0,
        }
    }

    fn watch(records: u64) -> (CareWatch, Arc<SubtaskMetrics>) {
        let metrics = Arc::new(SubtaskMetrics::default());
        let plan = CarePlan {
            replayed: BTreeMap::from([(source(), records)]),
            ..CarePlan::default()
        };
        let sources = BTreeMap::from([(source(), Arc::clone(&metrics))]);
        (CareWatch::new(Some(&plan), sources), metrics)
    }

    #[test]
    fn care_is_over_with_a_checkpoint_that_was_triggered_after_the_replay() {
        let (mut watch, source) = watch(10);
        source.count_out(9, 0);
        assert!(!watch.on_tick());
        watch.on_triggered(CheckpointId(1));
        source.count_out(1, 0);
        assert!(watch.on_tick());
        assert!(!watch.on_tick(), "a checkpoint is asked for once");
        assert!(!watch.on_complete(CheckpointId(1)).care_is_over);
        watch.on_triggered(CheckpointId(2));
        // Checkpoint 2 was abandoned.
        watch.on_triggered(CheckpointId(3));
        assert!(watch.is_on());
        assert!(watch.on_complete(CheckpointId(3)).care_is_over);
        assert!(!watch.is_on());
        assert!(!watch.on_complete(CheckpointId(4)).care_is_over);
        assert!(watch.into_report().care_is_over);
    }

    #[test]
    fn a_source_that_has_ended_has_given_everything() {
        let (mut watch, source) = watch(10);
        source.set_ended();
        assert!(watch.on_tick());
    }

    #[test]
    fn a_diversion_is_settled_by_the_first_checkpoint_after_it() {
        let (mut watch, _) = watch(10);
        let diverted = Diverted {
            finding: FINDING,
            origin: None,
            before: 0,
        };
        watch.on_diverted(diverted, CheckpointId(2));
        assert_eq!(watch.on_complete(CheckpointId(2)).dead_letters, 0);
        assert_eq!(watch.on_complete(CheckpointId(3)).dead_letters, 1);
        assert_eq!(watch.on_complete(CheckpointId(4)).dead_letters, 0);
        let report = watch.into_report();
        assert_eq!((report.settled, report.diverted), (vec![FINDING], vec![]));
    }
}
