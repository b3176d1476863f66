//! The context that an operator instance opens with, and pieces of its state.
//!
//! Plain data with the meaning in `wit/operator.wit`.

use serde::{Deserialize, Serialize};
use tidegate_key_groups::KeyGroups;

use crate::cost::CHUNK_BYTES;

/// One piece of an operator's state in a checkpoint.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StateChunk {
    /// The author's name for this state.
    pub name: String,
    /// The version of the layout of `bytes`, chosen by the author.
    pub schema_version: u32,
    /// The key group that the state belongs to; `None` for operator state.
    pub key_group: Option<u32>,
    /// The state itself; only the operator can read it.
    pub bytes: Vec<u8>,
}

/// Returns the bytes of a snapshot as its limit counts them: names, state, and the host's cost of
/// each chunk.
pub(crate) fn snapshot_bytes(chunks: &[StateChunk]) -> u64 {
    let bytes = |chunk: &StateChunk| CHUNK_BYTES + (chunk.name.len() + chunk.bytes.len()) as u64;
    chunks.iter().map(bytes).sum()
}

/// An operator, as all of its subtasks know it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OperatorDescription {
    /// The job's name.
    pub job: String,
    /// The operator's name.
    pub operator: String,
    /// The names of the inputs, by input index.
    pub inputs: Vec<String>,
    /// The names of the output ports, by port.
    pub outputs: Vec<String>,
    /// The operator's `config` table of the job file, as JSON.
    pub config: String,
}

/// The place of an instance in its job, handed to the guest's `open`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OperatorContext {
    /// The job's name.
    pub job: String,
    /// The operator's name.
    pub operator: String,
    /// The index of the subtask, from 0.
    pub subtask: u32,
    /// The number of subtasks.
    pub parallelism: u32,
    /// The number of key groups.
    pub max_parallelism: u32,
    /// The first key group that the instance owns.
    pub first_key_group: u32,
    /// The last key group that the instance owns.
    pub last_key_group: u32,
    /// The names of the inputs, by input index.
    pub inputs: Vec<String>,
    /// The names of the output ports, by port.
    pub outputs: Vec<String>,
    /// The operator's `config` table of the job file, as JSON.
    pub config: String,
    /// The secret seed of the guest's hash tables.
    pub hash_seed: u64,
}

impl OperatorContext {
    /// Returns the context of subtask `subtask` of those that share `key_groups`. `hash_seed` is
    /// the secret seed of its hash tables.
    ///
    /// # Panics
    ///
    /// If the subtask does not exist.
    #[must_use]
    pub fn of_subtask(
        operator: OperatorDescription,
        key_groups: KeyGroups,
        subtask: u32,
        hash_seed: u64,
    ) -> Self {
        let (first_key_group, last_key_group) = key_groups.owned_by(subtask).into_inner();
        let OperatorDescription {
            job,
            operator,
            inputs,
            outputs,
            config,
        } = operator;
        Self {
            job,
            operator,
            subtask,
            parallelism: key_groups.parallelism(),
            max_parallelism: key_groups.max_parallelism(),
            first_key_group,
            last_key_group,
            inputs,
            outputs,
            config,
            hash_seed,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_contexts_of_all_subtasks_differ_in_their_place_and_share_out_all_key_groups() {
        let operator = OperatorDescription {
            job: "job".to_owned(),
            operator: "count".to_owned(),
            inputs: vec!["words".to_owned()],
            outputs: vec!["counts".to_owned(), "late".to_owned()],
            config: "{}".to_owned(),
        };
        let key_groups = KeyGroups::new(128, 3);
        let of = |subtask| OperatorContext::of_subtask(operator.clone(), key_groups, subtask, 7);
        let second = OperatorContext {
            job: "job".to_owned(),
            operator: "count".to_owned(),
            subtask: 1,
            parallelism: 3,
            max_parallelism: 128,
            first_key_group: 43,
            last_key_group: 85,
            inputs: vec!["words".to_owned()],
            outputs: vec!["counts".to_owned(), "late".to_owned()],
            config: "{}".to_owned(),
            hash_seed: 7,
        };
        assert_eq!(of(1), second);
        let ranges =
            [0, 1, 2].map(|subtask| (of(subtask).first_key_group, of(subtask).last_key_group));
        assert_eq!(ranges, [(0, 42), (43, 85), (86, 127)]);
    }
}
