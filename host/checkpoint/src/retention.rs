//! Decides which files retention removes. Pure.

use std::collections::BTreeMap;

use tidegate_connector::CheckpointId;

use super::file_names::StateFileName;

/// The facts on which retention decides.
pub(super) struct Retention<'a> {
    /// Checkpoints with a manifest, in order.
    pub(super) complete: &'a [CheckpointId],
    /// The checkpoints to keep, with the attempts that took them; `None` for an unusable manifest,
    /// which may be of any attempt. A manifest refers to state files of its own checkpoint and
    /// attempt only; every write and read checks that.
    pub(super) kept: BTreeMap<CheckpointId, Option<u64>>,
    /// The newest attempt.
    pub(super) attempt: u64,
}

impl Retention<'_> {
    /// Returns the checkpoints whose manifests are to be removed, oldest first.
    pub(super) fn manifests(&self) -> Vec<CheckpointId> {
        let complete = self.complete.iter().copied();
        complete
            .filter(|checkpoint| !self.kept.contains_key(checkpoint))
            .collect()
    }

    /// Returns the state files to remove once those manifests are removed durably.
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
