//! Record path: batch → [look ahead] → record → keyed state → `on_record`.
//!
//! Finds the entries of a whole block of keys before the first of them is processed.
//!
//! A key leads to two places in memory: its slot of the index and its entry. In a large state
//! neither is in the processor's cache. A loop of its own visits each place for all keys; it is
//! small enough that the processor runs ahead and the waits overlap. With single lookups and an
//! operator's work in between, the waits add up. The loops are functions of their own so that each
//! keeps its variables in registers.

use crate::batch::RowsIn;
use crate::state::hash::{KeyHasher, WORD};
use crate::state::index::{ABSENT, NOT_FIRST};
use crate::state::table::Table;

/// The number of keys that are looked up together.
pub(crate) const LOOK_AHEAD_KEYS: usize = 64;

/// The number of keys between two of the engine's checks of the clock; each turn of a loop begins
/// with one. Around such a check, next to nothing stays in registers.
const STRIDE: usize = 8;

/// The size, in keys, from which a state no longer fits in the processor's cache.
const LARGE: usize = 8192;

/// The places of the keys of a block.
#[derive(Debug)]
pub(crate) struct Ahead {
    /// The place of each key, or [`ABSENT`].
    pub(crate) places: [u32; LOOK_AHEAD_KEYS],
    hashes: [u32; LOOK_AHEAD_KEYS],
}

impl Ahead {
    pub(crate) fn new() -> Self {
        Self {
            places: [ABSENT; LOOK_AHEAD_KEYS],
            hashes: [0; LOOK_AHEAD_KEYS],
        }
    }

    /// Finds keys of [`WORD`] bytes each, at most [`LOOK_AHEAD_KEYS`].
    pub(crate) fn look_for_words<S>(&mut self, table: &Table<S>, keys: &[[u8; WORD]]) {
        self.hash_words(table.hasher(), keys);
        self.guess(table);
        self.check_words(table, keys);
    }

    /// Finds any keys, at most [`LOOK_AHEAD_KEYS`].
    pub(crate) fn look<S>(&mut self, table: &Table<S>, keys: RowsIn<'_>) {
        if table.len() < LARGE {
            self.find(table, keys);
        } else {
            self.hash(table.hasher(), keys.clone());
            self.guess(table);
            self.check(table, keys);
        }
    }

    #[inline(never)]
    fn hash_words(&mut self, hasher: &KeyHasher, keys: &[[u8; WORD]]) {
        let (strides, rest) = keys.as_chunks::<STRIDE>();
        let (hashes, _) = self.hashes.as_chunks_mut::<STRIDE>();
        let mut hashes = hashes.iter_mut();
        // The shorter iterator comes first: in the other order `zip` would drop a stride.
        for (keys, hashes) in strides.iter().zip(&mut hashes) {
            for (hash, key) in hashes.iter_mut().zip(keys) {
                *hash = hasher.hash_word(u64::from_le_bytes(*key), WORD);
            }
        }
        for (hash, key) in hashes.flatten().zip(rest) {
            *hash = hasher.hash_word(u64::from_le_bytes(*key), WORD);
        }
    }

    #[inline(never)]
    fn check_words<S>(&mut self, table: &Table<S>, keys: &[[u8; WORD]]) {
        let (strides, rest) = keys.as_chunks::<STRIDE>();
        let (places, _) = self.places.as_chunks_mut::<STRIDE>();
        let mut places = places.iter_mut();
        for (keys, places) in strides.iter().zip(&mut places) {
            for (place, key) in places.iter_mut().zip(keys) {
                *place = table.place_if_word(*place, u64::from_le_bytes(*key), WORD);
            }
        }
        for (place, key) in places.flatten().zip(rest) {
            *place = table.place_if_word(*place, u64::from_le_bytes(*key), WORD);
        }
    }

    #[inline(never)]
    fn find<S>(&mut self, table: &Table<S>, keys: RowsIn<'_>) {
        for (place, key) in self.places.iter_mut().zip(keys) {
            *place = table.find(key);
        }
    }

    #[inline(never)]
    fn hash(&mut self, hasher: &KeyHasher, keys: RowsIn<'_>) {
        for (slot, key) in self.hashes.iter_mut().zip(keys) {
            *slot = hasher.hash(key);
        }
    }

    #[inline(never)]
    fn check<S>(&mut self, table: &Table<S>, keys: RowsIn<'_>) {
        for (place, key) in self.places.iter_mut().zip(keys) {
            if !table.is_at(*place, key) {
                *place = ABSENT;
            }
        }
    }

    /// Guesses the places of keys by their hashes, left-over keys of the last block included: that
    /// does no harm.
    #[inline(never)]
    fn guess<S>(&mut self, table: &Table<S>) {
        let places = self.places.as_chunks_mut::<STRIDE>().0.iter_mut();
        let strides = places.zip(self.hashes.as_chunks::<STRIDE>().0);
        // A bit for each key that is not at its first slot; the first key has the lowest bit.
        let mut missed = 0_u64;
        for (places, hashes) in strides {
            let mut missed_here = 0;
            for (bit, (place, hash)) in (0..).zip(places.iter_mut().zip(hashes)) {
                *place = table.guess_at_first(*hash);
                missed_here |= u64::from(*place == NOT_FIRST) << bit;
            }
            missed = missed_here << (LOOK_AHEAD_KEYS - STRIDE) | missed >> STRIDE;
        }
        if missed != 0 {
            self.guess_on(table, missed);
        }
    }

    /// Guesses the places of the keys whose bits are set in `missed`.
    #[inline(never)]
    fn guess_on<S>(&mut self, table: &Table<S>, mut missed: u64) {
        while missed != 0 {
            let at = missed.trailing_zeros() as usize;
            self.places[at] = table.guess(self.hashes[at]);
            missed &= missed - 1;
        }
    }
}

const _: () = assert!(
    LOOK_AHEAD_KEYS == u64::BITS as usize,
    "a bit for each key of a block"
);

#[cfg(test)]
mod tests;
