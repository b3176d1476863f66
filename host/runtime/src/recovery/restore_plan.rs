//! Which state and which watermark go to which subtask when parallelism may have changed. Pure.
//!
//! Keyed state follows its key group. Operator state, which has none, goes back to its subtask at
//! unchanged parallelism and otherwise to each subtask in turn, like Flink's list state: every
//! chunk arrives exactly once.

use tidegate_operator::StateChunk;

use crate::checkpoint::{SnapshotContents, SubtaskSnapshot};
use crate::graph::KeyGroups;
use crate::stream::MAX_WATERMARK;

/// The chunks of each new subtask, from those of each old one.
///
/// # Panics
///
/// If a chunk is of a key group that `key_groups` does not have; what a guest gave was checked.
#[must_use]
pub fn redistribute(
    old: Vec<Vec<StateChunk>>,
    key_groups: KeyGroups,
    parallelism: u32,
) -> Vec<Vec<StateChunk>> {
    let mut new: Vec<Vec<StateChunk>> = (0..parallelism).map(|_| Vec::new()).collect();
    let is_unchanged = old.len() == new.len();
    let mut turn = 0;
    for (old_subtask, chunks) in old.into_iter().enumerate() {
        for chunk in chunks {
            let subtask = match chunk.key_group {
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

/// Which of the new subtasks of an operator or sink had ended: the same as before at unchanged
/// parallelism, otherwise all or none. If only some had ended, the subtasks of a sink go on, since
/// they keep nothing and end again with their inputs. Gives none for an operator then:
/// `finish` has already been called for a part of the state.
pub(crate) fn ended_subtasks(old: &[SubtaskSnapshot], parallelism: u32) -> Option<Vec<bool>> {
    if old.len() == parallelism as usize {
        return Some(old.iter().map(|snapshot| snapshot.has_ended).collect());
    }
    let ended = old.iter().filter(|snapshot| snapshot.has_ended).count();
    let has_state = |snapshot: &SubtaskSnapshot| match &snapshot.contents {
        SnapshotContents::Source { .. } | SnapshotContents::Operator { .. } => true,
        SnapshotContents::Sink { .. } => false,
    };
    let is_some = ended > 0 && ended < old.len();
    match is_some && old.iter().any(has_state) {
        true => None,
        false => Some(vec![ended > 0 && !is_some; parallelism as usize]),
    }
}

/// The watermark that each of the new subtasks of a node counts as told: its own at unchanged
/// parallelism, otherwise the smallest of those before. One that had ended holds nobody back, as
/// in a merge; one that was never told a watermark leaves all without. A new node has none.
pub(crate) fn told_watermarks(old: &[SubtaskSnapshot], parallelism: u32) -> Vec<Option<i64>> {
    if old.len() == parallelism as usize {
        return old.iter().map(|snapshot| snapshot.watermark).collect();
    }
    let told = old.iter().map(|snapshot| match snapshot.has_ended {
        true => Some(MAX_WATERMARK),
        false => snapshot.watermark,
    });
    // None is less than any.
    let smallest = told.min().flatten();
    vec![smallest; parallelism as usize]
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::SubtaskId;
    use crate::checkpoint::SnapshotContents;

    fn chunk(name: &str, key_group: Option<u32>) -> StateChunk {
        StateChunk {
            name: name.to_owned(),
            schema_version: 1,
            key_group,
            bytes: Vec::new(),
        }
    }

    #[test]
    fn operator_state_returns_to_its_subtask_at_unchanged_parallelism() {
        let old = vec![vec![chunk("a", None)], vec![chunk("b", None)]];
        let new = redistribute(old.clone(), KeyGroups::new(128, 2), 2);
        assert_eq!(new, old);
    }

    /// What subtasks with these watermarks become at another parallelism; `end` had ended.
    fn rescaled(told: &str, parallelism: u32) -> Vec<Option<i64>> {
        let snapshots: Vec<SubtaskSnapshot> = (0..)
            .zip(told.split_terminator(' '))
            .map(|(index, told)| SubtaskSnapshot {
                subtask: SubtaskId {
                    operator: "o".to_owned(),
                    index,
                },
                has_ended: told == "end",
                watermark: match told {
                    "end" => Some(MAX_WATERMARK),
                    told => told.parse().ok(),
                },
                contents: SnapshotContents::Operator { state: None },
            })
            .collect();
        told_watermarks(&snapshots, parallelism)
    }

    #[test]
    fn a_subtask_keeps_its_watermark_and_a_rescaled_node_has_the_smallest() {
        assert_eq!(rescaled("7 none 5", 3), [Some(7), None, Some(5)]);
        assert_eq!(rescaled("7 9 5", 2), [Some(5); 2]);
        assert_eq!(rescaled("7 9 5", 4), [Some(5); 4]);
        assert_eq!(rescaled("-3", 2), [Some(-3); 2]);
    }

    #[test]
    fn an_ended_subtask_holds_no_other_back_and_one_without_a_watermark_does() {
        assert_eq!(rescaled("end 9 end", 2), [Some(9); 2]);
        assert_eq!(rescaled("end end", 3), [Some(MAX_WATERMARK); 3]);
        assert_eq!(rescaled("7 none", 1), [None]);
        assert_eq!(rescaled("", 2), [None; 2]);
    }

    fn snapshot(contents: SnapshotContents, has_ended: bool) -> SubtaskSnapshot {
        SubtaskSnapshot {
            subtask: SubtaskId {
                operator: "node".to_owned(),
                index: 0,
            },
            has_ended,
            watermark: None,
            contents,
        }
    }

    #[test]
    fn a_sink_of_which_some_subtasks_have_ended_is_rescaled_and_an_operator_is_not() {
        let sink = |ended| {
            let pending = Vec::new();
            snapshot(SnapshotContents::Sink { pending }, ended)
        };
        let operator = |ended| snapshot(SnapshotContents::Operator { state: None }, ended);
        let ended = |old: [SubtaskSnapshot; 2], now| ended_subtasks(&old, now);
        assert_eq!(ended([sink(true), sink(false)], 3), Some(vec![false; 3]));
        assert_eq!(ended([sink(true), sink(true)], 3), Some(vec![true; 3]));
        assert_eq!(ended([sink(true), sink(false)], 2), Some(vec![true, false]));
        assert_eq!(ended([operator(true), operator(false)], 3), None);
        assert_eq!(
            ended([operator(false), operator(false)], 1),
            Some(vec![false])
        );
    }

    proptest! {
        #[test]
        fn every_chunk_arrives_once_at_the_owner_of_its_group(
            old_parallelism in 1u32..8,
            new_parallelism in 1u32..8,
            operator_chunks in 0usize..5,
        ) {
            let before = KeyGroups::new(16, old_parallelism);
            let old: Vec<Vec<StateChunk>> = (0..old_parallelism)
                .map(|subtask| {
                    let keyed = before.owned_by(subtask).map(|group| chunk("k", Some(group)));
                    keyed.chain((0..operator_chunks).map(|_| chunk("o", None))).collect()
                })
                .collect();
            let after = KeyGroups::new(16, new_parallelism);
            let new = redistribute(old.clone(), after, new_parallelism);
            for (subtask, chunks) in new.iter().enumerate() {
                let subtask = u32::try_from(subtask).unwrap();
                for group in chunks.iter().filter_map(|c| c.key_group) {
                    prop_assert!(after.owned_by(subtask).contains(&group));
                }
            }
            let sorted = |all: Vec<Vec<StateChunk>>| {
                let mut all: Vec<_> = all.into_iter().flatten().map(|c| c.key_group).collect();
                all.sort_unstable();
                all
            };
            prop_assert_eq!(sorted(new), sorted(old));
        }
    }
}
