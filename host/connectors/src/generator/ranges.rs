//! The integers of each subtask. Pure.
//!
//! The integers are dealt to the subtasks in blocks of [`BLOCK`], in turn, like cards. Compared
//! with one long piece for each subtask, dealing lets all subtasks advance through event time
//! together, and hands each of them small integers even when the range has no end.
//!
//! The invariants:
//! - the ranges of all subtasks together hold every remaining integer exactly once;
//! - a range is read in ascending order, so `next` alone shows which integers it has returned.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

/// The number of consecutive integers in a block; part of the position's format. A prime, so that
/// no common number of keys makes a subtask see only some of them.
const BLOCK: i128 = 127;

/// Blocks of integers at regular distances, and the position in them. The type is wide, so that the
/// block after the last also has a number.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Range {
    /// The first remaining integer, always in the block that ends at `block_end`.
    next: i128,
    /// The end of the block of `next`, exclusive.
    block_end: i128,
    /// The distance between the starts of two blocks; `BLOCK` if the blocks are adjacent.
    stride: i128,
    /// The end of the range, exclusive.
    end: i128,
}

/// Consecutive integers of one range.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Run {
    pub(super) first: u64,
    pub(super) count: usize,
}

impl Range {
    fn contiguous(first: i128, end: i128) -> Self {
        Self {
            next: first,
            block_end: first + BLOCK,
            stride: BLOCK,
            end,
        }
    }

    /// Returns true if a position from outside keeps the invariants, so that reading it is safe.
    pub(super) fn is_well_formed(&self) -> bool {
        const LIMIT: i128 = 1 << 100;
        (0..LIMIT).contains(&self.next)
            && (self.block_end - BLOCK..self.block_end).contains(&self.next)
            && (BLOCK..LIMIT).contains(&self.stride)
            && self.end <= 1 << 63
    }

    pub(super) fn is_done(&self) -> bool {
        self.next >= self.end
    }

    /// Returns the first remaining integer; meaningless if none remains.
    pub(super) fn next(&self) -> i128 {
        self.next
    }

    /// Takes at most `limit` consecutive integers; `None` if none remains.
    pub(super) fn take(&mut self, limit: usize) -> Option<Run> {
        let run_end = if self.stride == BLOCK {
            self.end
        } else {
            self.block_end.min(self.end)
        };
        let left = usize::try_from(run_end - self.next).unwrap_or(0);
        let count = left.min(limit);
        if count == 0 {
            return None;
        }
        let first = u64::try_from(self.next).expect("the remaining integers are not negative");
        self.next += count as i128;
        if self.next >= self.block_end {
            let blocks = (self.next - self.block_end) / BLOCK + 1;
            self.next += blocks * (self.stride - BLOCK);
            self.block_end += blocks * self.stride;
        }
        Some(Run { first, count })
    }

    /// Deals the blocks of this range to `parallelism` ranges.
    fn deal(&self, parallelism: u32) -> impl Iterator<Item = Self> + '_ {
        let block_start = self.block_end - BLOCK;
        (0..i128::from(parallelism)).map(move |index| Self {
            next: match index {
                0 => self.next,
                index => block_start + index * self.stride,
            },
            block_end: self.block_end + index * self.stride,
            stride: self.stride * i128::from(parallelism),
            end: self.end,
        })
    }
}

/// Formats a range for people, in error messages and listings.
impl std::fmt::Display for Range {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}..{}", self.next, self.end)?;
        match self.stride {
            BLOCK => Ok(()),
            stride => write!(f, " ({BLOCK} of every {stride})"),
        }
    }
}

/// Returns the ranges of a fresh start, one for each subtask; some may be empty.
pub(super) fn plan(first: u64, end: i128, parallelism: u32) -> Vec<Vec<Range>> {
    let all = Range::contiguous(i128::from(first), end);
    all.deal(parallelism).map(|range| vec![range]).collect()
}

/// Deals the rest of `ranges` to another number of subtasks, in near-equal amounts.
pub(super) fn redistribute(ranges: Vec<Range>, parallelism: u32) -> Vec<Vec<Range>> {
    let mut subtasks = vec![Vec::new(); parallelism as usize];
    for (turn, range) in merge(ranges).iter().enumerate() {
        for (index, part) in range.deal(parallelism).enumerate() {
            if !part.is_done() {
                // Begin with another subtask each time: short ranges must not all go to the first.
                subtasks[(turn + index) % parallelism as usize].push(part);
            }
        }
    }
    subtasks
}

/// Joins ranges that were dealt from one, as far as they are unread. Otherwise each change of the
/// parallelism would multiply the number of ranges.
fn merge(ranges: Vec<Range>) -> Vec<Range> {
    let mut dealt_together: BTreeMap<(i128, i128), Vec<Range>> = BTreeMap::new();
    for range in ranges.into_iter().filter(|range| !range.is_done()) {
        let group = dealt_together.entry((range.stride, range.end)).or_default();
        group.push(range);
    }
    let mut merged = Vec::new();
    for ((stride, end), mut group) in dealt_together {
        let turns: BTreeSet<i128> = group
            .iter()
            .map(|r| r.block_end.rem_euclid(stride))
            .collect();
        let is_complete = turns.len() == group.len() && group.len() as i128 * BLOCK == stride;
        let frontier = group.iter().map(|r| r.block_end).max();
        if let (true, Some(frontier)) = (is_complete, frontier) {
            // From the frontier on, every range is unread.
            group.iter_mut().for_each(|r| r.end = r.end.min(frontier));
            merged.push(Range::contiguous(frontier, end));
        }
        merged.append(&mut group);
    }
    merged.retain(|range| !range.is_done());
    merged
}

#[cfg(test)]
mod tests {
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
}
