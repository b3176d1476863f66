//! Barrier path: keyed state → table → [canonical order] → chunks.
//!
//! The order of entries in a snapshot: by key group, and within a group by the bytes of the key.
//! Because of this order, equal state gives equal bytes.

use std::cmp::Ordering;

use crate::bytes::{self, order_prefix};
use crate::state::table::{Entry, place};

/// An entry's place with its key group and the first bytes of its key, which decide most
/// comparisons.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ranked {
    prefix: u64,
    pub(crate) key_group: u32,
    pub(crate) at: u32,
}

impl Ranked {
    pub(crate) fn new<S>(at: u32, entry: &Entry<S>) -> Self {
        Self {
            prefix: order_prefix(entry.key.as_bytes()),
            key_group: entry.key_group,
            at,
        }
    }

    /// Compares two entries. A removed entry may come anywhere.
    #[inline]
    pub(crate) fn order<S>(&self, other: &Self, entries: &[Entry<S>]) -> Ordering {
        let key = |ranked: &Self| entries[ranked.at as usize].key.as_bytes();
        let groups = self.key_group.cmp(&other.key_group);
        let prefixes = groups.then_with(|| self.prefix.cmp(&other.prefix));
        prefixes.then_with(|| key(self).cmp(key(other)))
    }
}

/// Returns the places of the entries from `first` on that are not removed, in canonical order. One
/// pass deals them out by key group, so that only the short runs of one group are left to sort.
pub(crate) fn ranked<S>(entries: &[Entry<S>], first: usize) -> Vec<Ranked> {
    let tail = || (place(first)..).zip(&entries[first..]);
    let there = || tail().filter(|(_, entry)| !entry.key.is_removed());
    let groups = there().map(|(_, entry)| entry.key_group as usize);
    let Some((first, last)) = groups.fold(None, |range, group| match range {
        None => Some((group, group)),
        Some((first, last)) => Some((group.min(first), group.max(last))),
    }) else {
        return Vec::new();
    };
    let slot = |entry: &Entry<S>| entry.key_group as usize - first;

    let mut starts = vec![0_usize; last - first + 2];
    for (_, entry) in there() {
        starts[slot(entry) + 1] += 1;
    }
    for index in 1..starts.len() {
        starts[index] += starts[index - 1];
    }

    let filler = Ranked {
        prefix: 0,
        key_group: 0,
        at: 0,
    };
    let mut ranked = vec![filler; starts[last - first + 1]];
    let mut next = starts.clone();
    for (at, entry) in there() {
        let rank = &mut next[slot(entry)];
        ranked[*rank] = Ranked::new(at, entry);
        *rank += 1;
    }
    for group in starts.windows(2) {
        let group = &mut ranked[group[0]..group[1]];
        group.sort_unstable_by(|left, right| left.order(right, entries));
    }
    ranked
}

/// Compares two entries in canonical order.
pub(crate) fn order<S>(left: &Entry<S>, right: &Entry<S>) -> Ordering {
    let groups = left.key_group.cmp(&right.key_group);
    groups.then_with(|| bytes::order(left.key.as_bytes(), right.key.as_bytes()))
}
