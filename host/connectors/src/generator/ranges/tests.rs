//! Tests of `ranges`.

use super::*;
use proptest::prelude::*;

fn read(range: &mut Range, limit: usize) -> Vec<u64> {
    let run = range.take(limit);
    run.map_or(Vec::new(), |run| {
        (run.first..run.first + run.count as u64).collect()
    })
}

fn read_all(subtasks: Vec<Vec<Range>>) -> Vec<u64> {
    let mut integers = Vec::new();
    for mut range in subtasks.into_iter().flatten() {
        while !range.is_done() {
            integers.extend(read(&mut range, 1_000));
        }
    }
    integers
}

proptest! {
    #[test]
    fn any_number_of_replans_loses_and_repeats_nothing(
        first in 0_u64..300,
        length in 0_u64..5_000,
        parallelisms in prop::collection::vec(1_u32..7, 1..6),
        reads in prop::collection::vec((0_usize..50, 1_usize..300), 0..60),
    ) {
        let mut integers = Vec::new();
        let mut reads = reads.into_iter();
        let end = i128::from(first + length);
        let mut subtasks = plan(first, end, parallelisms[0]);
        for parallelism in &parallelisms[1..] {
            let mut ranges: Vec<Range> = subtasks.into_iter().flatten().collect();
            for (which, limit) in reads.by_ref().take(20) {
                let which = which % ranges.len().max(1);
                if let Some(range) = ranges.get_mut(which) {
                    integers.extend(read(range, limit));
                }
            }
            prop_assert!(ranges.iter().all(Range::is_well_formed));
            subtasks = redistribute(ranges, *parallelism);
            prop_assert_eq!(subtasks.len(), *parallelism as usize);
        }
        integers.extend(read_all(subtasks));
        integers.sort_unstable();
        prop_assert_eq!(integers, (first..first + length).collect::<Vec<_>>());
    }

    #[test]
    fn a_replan_gives_all_subtasks_nearly_the_same_amount(
        before in 1_u32..5, after in 1_u32..5, taken in 0_usize..20_000,
    ) {
        let mut subtasks = plan(0, 100_000, before);
        for _ in 0..taken / 127 {
            subtasks[0][0].take(127);
        }
        let dealt = redistribute(subtasks.concat(), after);
        let amounts: Vec<usize> =
            dealt.iter().map(|ranges| read_all(vec![ranges.clone()]).len()).collect();
        let most = amounts.iter().max().expect("there is a subtask");
        let least = amounts.iter().min().expect("there is a subtask");
        prop_assert!(most - least <= 127 * (before as usize + 1), "{:?}", amounts);
    }
}

#[test]
fn changing_the_parallelism_again_and_again_does_not_multiply_the_ranges() {
    let mut subtasks = plan(1, 1 << 63, 2);
    for turn in 0..20 {
        let mut ranges = subtasks.concat();
        // All ranges advance alike, as subtasks do.
        ranges.iter_mut().for_each(|range| {
            while range.take(40).is_some_and(|run| run.first < 1_000 * turn) {}
        });
        subtasks = redistribute(ranges, if turn % 2 == 0 { 4 } else { 2 });
    }
    let ranges: usize = subtasks.iter().map(Vec::len).sum();
    assert!(ranges < 30, "{ranges} ranges");
}
