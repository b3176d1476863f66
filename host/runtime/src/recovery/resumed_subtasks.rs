//! The ended subtasks of a node and their last watermarks when parallelism may have changed. Pure.

use tidegate_checkpoint::{SnapshotContents, SubtaskSnapshot};

use crate::stream::MAX_WATERMARK;

/// Returns which new subtasks of an operator or sink had ended: the same as before at unchanged
/// parallelism, otherwise all or none. If only some had ended, the subtasks of a sink continue,
/// since they keep nothing and end again with their inputs. Returns `None` for an operator then:
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

/// Returns the watermark that each new subtask of a node counts as told: its own at unchanged
/// parallelism, otherwise the smallest old one. An ended subtask holds no other back, as in a
/// merge; a subtask that was never told a watermark leaves all without. A new node has none.
pub(crate) fn told_watermarks(old: &[SubtaskSnapshot], parallelism: u32) -> Vec<Option<i64>> {
    if old.len() == parallelism as usize {
        return old.iter().map(|snapshot| snapshot.watermark).collect();
    }
    let told = old.iter().map(|snapshot| match snapshot.has_ended {
        true => Some(MAX_WATERMARK),
        false => snapshot.watermark,
    });
    // `None` is less than any watermark.
    let smallest = told.min().flatten();
    vec![smallest; parallelism as usize]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::SubtaskId;

    /// Returns the watermarks of these subtasks at another parallelism; `end` had ended.
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
}
