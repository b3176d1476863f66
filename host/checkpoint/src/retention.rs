//! Which files retention removes. Pure.

use std::collections::BTreeMap;

use tidegate_connector::CheckpointId;

use super::file_names::StateFileName;

/// What retention knows.
pub(super) struct Retention<'a> {
    /// Checkpoints whose manifests there are, in order.
    pub(super) complete: &'a [CheckpointId],
    /// Those of them that are kept, with the attempts that took them. A manifest refers to state
    /// files of its own checkpoint and attempt only, which is checked whenever one is written or
    /// read. None for a manifest that can't be used: it may be of any attempt.
    pub(super) kept: BTreeMap<CheckpointId, Option<u64>>,
    /// The newest attempt.
    pub(super) attempt: u64,
}

impl Retention<'_> {
    /// The checkpoints whose manifests go, oldest first.
    pub(super) fn manifests(&self) -> Vec<CheckpointId> {
        let complete = self.complete.iter().copied();
        complete
            .filter(|checkpoint| !self.kept.contains_key(checkpoint))
            .collect()
    }

    /// The state files that go once those manifests are gone for good.
    pub(super) fn state_files(&self, present: Vec<StateFileName>) -> Vec<StateFileName> {
        let newest = self.complete.last().copied();
        let may_go = |file: &StateFileName| {
            let is_kept = self
                .kept
                .get(&file.checkpoint)
                .is_some_and(|attempt| attempt.is_none_or(|attempt| attempt == file.attempt));
            // A newer checkpoint of this attempt may be in progress right now.
            let in_progress = file.attempt >= self.attempt && Some(file.checkpoint) > newest;
            !is_kept && !in_progress
        };
        present.into_iter().filter(may_go).collect()
    }
}
