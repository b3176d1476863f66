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
mod tests;
