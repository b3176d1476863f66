//! Record path: batch → record → keyed state → [table]. Barrier path: [table], in order.
//!
//! The entries of keyed state, one after the other in memory as they came, and a hash index of
//! their places. Invariants: the index has the place of every entry that is not removed, and no
//! other; an entry keeps its place until entries are closed up; `order` has the places of
//! `entries[..ordered]`, some of which may be removed, in canonical order.
//!
//! Canonical order is kept from one checkpoint to the next: only entries that came since the last
//! checkpoint have to be sorted. Entries are not moved into that order, since entries that came
//! together are often used together.

use crate::state::hash::KeyHasher;
use crate::state::index::{ABSENT, Index, NOT_FIRST};
use crate::state::key::Key;
use crate::state::order::{Ranked, order, ranked};

/// The state of one key.
#[derive(Debug)]
pub(crate) struct Entry<S> {
    pub(crate) key: Key,
    pub(crate) key_group: u32,
    pub(crate) state: S,
}

/// Keys whose slots of the index, or whose entries, are read together.
const INDEX_BLOCK: usize = 64;

/// The fewest removed entries that are closed up, once they outnumber the others.
const CLOSED_UP: usize = 64;

/// The entries of all keys.
#[derive(Debug)]
pub(crate) struct Table<S> {
    entries: Vec<Entry<S>>,
    hasher: KeyHasher,
    index: Index,
    removed: usize,
    order: Vec<Ranked>,
    ordered: usize,
}

impl<S> Table<S> {
    /// Makes a table without entries, whose hashes depend on `seed`.
    pub(crate) fn new(seed: u64) -> Self {
        Self::with(KeyHasher::new(seed))
    }

    fn with(hasher: KeyHasher) -> Self {
        Self {
            entries: Vec::new(),
            hasher,
            index: Index::new(),
            removed: 0,
            order: Vec::new(),
            ordered: 0,
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.index.len()
    }

    pub(crate) fn clear(&mut self) {
        *self = Self::with(self.hasher.clone());
    }

    /// Returns the hasher under whose hashes the keys of this table are found.
    #[inline(always)]
    pub(crate) fn hasher(&self) -> &KeyHasher {
        &self.hasher
    }

    /// Makes room for the entries of `keys` more keys.
    pub(crate) fn reserve(&mut self, keys: usize) {
        self.entries.reserve(keys);
    }

    /// Returns the place of `key`, or [`ABSENT`].
    #[inline]
    pub(crate) fn find(&self, key: &[u8]) -> u32 {
        self.index
            .find(self.hasher.hash(key), |at| self.is_at(at, key))
    }

    /// Returns the place of a key with this hash, if it is there and no other key has the same
    /// hash: a guess that does not touch the entry, to be checked with [`is_at`](Self::is_at).
    #[inline(always)]
    pub(crate) fn guess(&self, hash: u32) -> u32 {
        self.index.find(hash, |_| true)
    }

    /// Makes the same guess with [`Index::find_first`].
    #[inline(always)]
    pub(crate) fn guess_at_first(&self, hash: u32) -> u32 {
        self.index.find_first(hash)
    }

    /// Returns true if `key` is at this place, false also if there is no such place.
    #[inline(always)]
    pub(crate) fn is_at(&self, at: u32, key: &[u8]) -> bool {
        let entry = self.entries.get(at as usize);
        entry.is_some_and(|entry| entry.key.is(key))
    }

    /// Returns `at` if the key is there, else [`ABSENT`]. The key has at most
    /// [`WORD`](super::hash::WORD) bytes, in the form that [`KeyHasher::hash_word`] takes.
    #[inline(always)]
    pub(crate) fn place_if_word(&self, at: u32, word: u64, length: usize) -> u32 {
        match self.entries.get(at as usize) {
            Some(entry) if entry.key.is_word(word, length) => at,
            _ => ABSENT,
        }
    }

    /// Returns the entry at a place that is known to have one.
    #[inline(always)]
    pub(crate) fn at(&self, at: u32) -> &Entry<S> {
        &self.entries[at as usize]
    }

    /// Returns the entry at a place that is known to have one.
    #[inline(always)]
    pub(crate) fn at_mut(&mut self, at: u32) -> &mut Entry<S> {
        &mut self.entries[at as usize]
    }

    /// Adds a new key, and returns its place.
    pub(crate) fn insert(&mut self, entry: Entry<S>) -> u32 {
        let hash = self.hasher.hash(entry.key.as_bytes());
        let at = self.push(entry);
        self.index.insert(hash, at);
        at
    }

    /// Adds new keys until `next` has no more or fails. A failure leaves keys behind that lookups
    /// do not find.
    pub(crate) fn extend<E>(
        &mut self,
        mut next: impl FnMut() -> Result<Option<Entry<S>>, E>,
    ) -> Result<(), E> {
        let first = self.entries.len();
        while let Some(entry) = next()? {
            self.push(entry);
        }
        self.index.reserve(self.entries.len() - first);
        let mut hashes = [0; INDEX_BLOCK];
        for start in (first..self.entries.len()).step_by(INDEX_BLOCK) {
            let entries = self.entries[start..].iter().take(INDEX_BLOCK);
            let count = entries.len();
            for (slot, entry) in hashes.iter_mut().zip(entries) {
                *slot = self.hasher.hash(entry.key.as_bytes());
            }
            self.index.insert_all(&hashes[..count], place(start));
        }
        Ok(())
    }

    fn push(&mut self, entry: Entry<S>) -> u32 {
        let at = place(self.entries.len());
        // Restored state comes in order. A removed key is no key to compare with.
        let follows = |last: &Ranked| {
            let last = &self.entries[last.at as usize];
            !last.key.is_removed() && order(last, &entry).is_lt()
        };
        if self.ordered == self.entries.len() && self.order.last().is_none_or(follows) {
            self.order.push(Ranked::new(at, &entry));
            self.ordered += 1;
        }
        self.entries.push(entry);
        at
    }

    /// See [`Index::probes`].
    #[cfg(test)]
    pub(crate) fn probes(&self) -> u64 {
        self.index.probes()
    }

    /// Returns all entries, in no particular order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Entry<S>> {
        self.entries.iter().filter(|entry| !entry.key.is_removed())
    }

    /// Returns all entries, in no particular order, to be changed apart from their keys.
    pub(crate) fn iter_mut(&mut self) -> impl Iterator<Item = &mut Entry<S>> {
        let entries = self.entries.iter_mut();
        entries.filter(|entry| !entry.key.is_removed())
    }
}

impl<S: Default> Table<S> {
    /// Takes out the entry at a place that is known to have one. Moves others.
    pub(crate) fn remove(&mut self, at: u32) -> S {
        let (_, state) = self.take(at);
        self.close_up_if_sparse();
        state
    }

    /// Takes out all entries that `is_due` picks, in no order. Moves others.
    pub(crate) fn extract(&mut self, mut is_due: impl FnMut(&Entry<S>) -> bool) -> Vec<(Key, S)> {
        let mut due = Vec::new();
        for at in 0..self.entries.len() {
            let entry = &self.entries[at];
            if !entry.key.is_removed() && is_due(entry) {
                due.push(self.take(place(at)));
            }
        }
        self.close_up_if_sparse();
        due
    }

    /// Takes out the entry at `at`, and leaves a removed entry in its place.
    fn take(&mut self, at: u32) -> (Key, S) {
        let entry = &mut self.entries[at as usize];
        let key = std::mem::replace(&mut entry.key, Key::Removed);
        let state = std::mem::take(&mut entry.state);
        self.index.remove(self.hasher.hash(key.as_bytes()), at);
        self.removed += 1;
        (key, state)
    }

    fn close_up_if_sparse(&mut self) {
        if self.removed < CLOSED_UP || self.removed <= self.len() {
            return;
        }
        let mut new_places = vec![ABSENT; self.entries.len()];
        let there = (0..)
            .zip(&self.entries)
            .filter(|(_, e)| !e.key.is_removed());
        for (new, (old, _)) in there.enumerate() {
            new_places[old] = place(new);
        }
        self.index.renumber(|old| new_places[old as usize]);
        self.index.shrink();
        self.order.retain_mut(|ranked| {
            ranked.at = new_places[ranked.at as usize];
            ranked.at != ABSENT
        });
        self.ordered = self.order.len();
        self.entries.retain(|entry| !entry.key.is_removed());
        self.entries.shrink_to(self.entries.len() * 2);
        self.removed = 0;
    }
}

impl<S> Table<S> {
    /// Returns all entries, and the canonical order of their places.
    pub(crate) fn in_order(&mut self) -> InOrder<'_, S> {
        self.bring_in_order();
        InOrder {
            entries: &self.entries,
            order: &self.order,
            removed: self.removed,
        }
    }

    /// Sorts the entries that came since the last call, and merges them into the order.
    fn bring_in_order(&mut self) {
        let new = ranked(&self.entries, self.ordered);
        self.ordered = self.entries.len();
        if new.is_empty() {
            return;
        }
        let old = std::mem::take(&mut self.order);
        self.order.reserve_exact(old.len() + new.len());
        let mut old = old.into_iter().peekable();
        for ranked in new {
            while let Some(before) = old.next_if(|old| old.order(&ranked, &self.entries).is_lt()) {
                self.order.push(before);
            }
            self.order.push(ranked);
        }
        self.order.extend(old);
    }
}

/// All entries, and their order.
#[derive(Clone, Copy, Debug)]
pub(crate) struct InOrder<'a, S> {
    /// The entries as they lie in memory, removed ones included.
    pub(crate) entries: &'a [Entry<S>],
    /// Their places in canonical order; some may be removed.
    pub(crate) order: &'a [Ranked],
    /// The number of removed entries.
    pub(crate) removed: usize,
}

/// Returns a place as the index keeps it.
#[inline]
pub(crate) fn place(at: usize) -> u32 {
    let at = u32::try_from(at).ok().filter(|at| *at < NOT_FIRST);
    at.expect("32 bits of address space have no room for 2^32 entries")
}

#[cfg(test)]
mod tests;
