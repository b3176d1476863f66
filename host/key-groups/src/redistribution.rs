//! The new place of state when the number of subtasks changes. Pure.
//!
//! Keyed state follows its key group. Operator state, which has none, returns to its subtask at
//! unchanged parallelism and otherwise goes to each subtask in turn, like Flink's list state.

use crate::KeyGroups;

/// Assigns the chunks of the old subtasks to the new ones: every chunk arrives exactly once.
/// `key_group` returns the group of a chunk, or `None` for operator state.
///
/// # Panics
///
/// If a chunk belongs to a key group that `key_groups` does not have.
#[must_use]
pub fn redistribute<Chunk>(
    old: Vec<Vec<Chunk>>,
    key_groups: KeyGroups,
    key_group: impl Fn(&Chunk) -> Option<u32>,
) -> Vec<Vec<Chunk>> {
    let mut new: Vec<Vec<Chunk>> = (0..key_groups.parallelism()).map(|_| Vec::new()).collect();
    let is_unchanged = old.len() == new.len();
    let mut turn = 0;
    for (old_subtask, chunks) in old.into_iter().enumerate() {
        for chunk in chunks {
            let subtask = match key_group(&chunk) {
                Some(group) => key_groups.owner(group) as usize,
                None if is_unchanged => old_subtask,
                None => {
                    turn += 1;
                    (turn - 1) % new.len()
                }
            };
            new[subtask].push(chunk);
        }
    }
    new
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// A chunk with its name and group.
    type Named = (&'static str, Option<u32>);

    fn group_of(chunk: &Named) -> Option<u32> {
        chunk.1
    }

    #[test]
    fn operator_state_returns_to_its_subtask_at_unchanged_parallelism() {
        let old = vec![vec![("a", None)], vec![("b", None)]];
        let new = redistribute(old.clone(), KeyGroups::new(128, 2), group_of);
        assert_eq!(new, old);
    }

    proptest! {
        #[test]
        fn every_chunk_arrives_once_at_the_owner_of_its_group(
            old_parallelism in 1u32..8,
            new_parallelism in 1u32..8,
            operator_chunks in 0usize..5,
        ) {
            let before = KeyGroups::new(16, old_parallelism);
            let old: Vec<Vec<Named>> = (0..old_parallelism)
                .map(|subtask| {
                    let keyed = before.owned_by(subtask).map(|group| ("k", Some(group)));
                    keyed.chain((0..operator_chunks).map(|_| ("o", None))).collect()
                })
                .collect();
            let after = KeyGroups::new(16, new_parallelism);
            let new = redistribute(old.clone(), after, group_of);
            for (subtask, chunks) in new.iter().enumerate() {
                let subtask = u32::try_from(subtask).unwrap();
                for group in chunks.iter().filter_map(group_of) {
                    prop_assert!(after.owned_by(subtask).contains(&group));
                }
            }
            let mut before: Vec<_> = old.into_iter().flatten().collect();
            let mut after: Vec<_> = new.into_iter().flatten().collect();
            before.sort_unstable();
            after.sort_unstable();
            prop_assert_eq!(before, after);
        }
    }
}
