//! Which files retention removes. Pure.
//!
//! A manifest refers to state files of its own checkpoint only, which is checked whenever one is
//! written or read. So ids suffice here, and a manifest that can't be read still protects its
//! files.

use std::collections::BTreeSet;

use super::file_names::StateFileName;
use crate::CheckpointId;

/// What retention knows.
pub(super) struct Retention<'a> {
    /// Checkpoints whose manifests there are.
    pub(super) complete: &'a [CheckpointId],
    /// Checkpoints to keep.
    pub(super) keep: &'a [CheckpointId],
    /// The newest attempt.
    pub(super) attempt: u64,
}

impl Retention<'_> {
    /// The checkpoints whose manifests go, oldest first.
    pub(super) fn manifests(&self) -> Vec<CheckpointId> {
        let is_kept = |checkpoint: &&CheckpointId| self.keep.contains(checkpoint);
        let complete = self.complete.iter();
        complete.filter(|checkpoint| !is_kept(checkpoint)).copied().collect()
    }

    /// The state files that go once those manifests are gone for good.
    pub(super) fn state_files(&self, present: Vec<StateFileName>) -> Vec<StateFileName> {
        let complete: BTreeSet<_> = self.complete.iter().copied().collect();
        let newest = complete.last().copied();
        let may_go = |file: &StateFileName| {
            let is_kept = complete.contains(&file.checkpoint) && self.keep.contains(&file.checkpoint);
            // A newer checkpoint of this attempt may be in progress right now.
            let in_progress = file.attempt >= self.attempt && Some(file.checkpoint) > newest;
            !is_kept && !in_progress
        };
        present.into_iter().filter(may_go).collect()
    }
}
