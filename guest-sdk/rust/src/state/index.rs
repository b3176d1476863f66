//! Record path: batch → record → keyed state → table → [index].
//!
//! From the hash of a key to the place of its entry: open addressing with linear probing and
//! deletion by backward shift (Knuth, The Art of Computer Programming 3, 6.4, algorithms L and R).
//! A slot is one word, so that a lookup reads one place in memory and few instructions decide it; a
//! table of control bytes, made for wide vector registers, costs several times as many instructions
//! without them. Invariants: the number of slots is a power of two; at least a quarter of them is
//! free. No free slot is between a slot and the slot where its hash begins to look.

/// The place that stands for no entry.
pub(crate) const ABSENT: u32 = u32::MAX;

/// The answer that the place is not in its first slot, if it is in the index at all.
pub(crate) const NOT_FIRST: u32 = u32::MAX - 1;

/// A hash in the upper half, a place in the lower one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Slot(u64);

impl Slot {
    const FREE: Self = Self(u64::MAX);

    #[inline(always)]
    fn new(hash: u32, place: u32) -> Self {
        Self(u64::from(hash) << 32 | u64::from(place))
    }

    #[inline(always)]
    fn hash(self) -> u32 {
        (self.0 >> 32) as u32
    }

    #[inline(always)]
    #[expect(clippy::cast_possible_truncation, reason = "the lower half of a word")]
    fn place(self) -> u32 {
        self.0 as u32
    }
}

/// The places of entries by the hashes of their keys.
#[derive(Debug)]
pub(crate) struct Index {
    slots: Vec<Slot>,
    len: usize,
}

/// The fewest slots of an index that has any.
const FEWEST: usize = 16;

impl Index {
    pub(crate) fn new() -> Self {
        Self {
            slots: vec![Slot::FREE; FEWEST],
            len: 0,
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// Returns the place with this hash that `is_it` accepts, or [`ABSENT`].
    #[inline(always)]
    pub(crate) fn find(&self, hash: u32, is_it: impl Fn(u32) -> bool) -> u32 {
        let mask = self.slots.len() - 1;
        let at = hash as usize & mask;
        let Some(slot) = self.slots.get(at) else {
            return ABSENT;
        };
        let place = slot.place();
        if place == ABSENT || (slot.hash() == hash && is_it(place)) {
            return place;
        }
        // Most keys are found at their first slot, without a loop.
        let mut at = (at + 1) & mask;
        while let Some(slot) = self.slots.get(at) {
            let place = slot.place();
            if place == ABSENT || (slot.hash() == hash && is_it(place)) {
                return place;
            }
            at = (at + 1) & mask;
        }
        ABSENT
    }

    /// Returns the place with this hash if it is in the first slot, [`ABSENT`] if the index does
    /// not have it, [`NOT_FIRST`] if that is not known yet.
    #[inline(always)]
    pub(crate) fn find_first(&self, hash: u32) -> u32 {
        let mask = self.slots.len() - 1;
        match self.slots.get(hash as usize & mask) {
            Some(slot) if slot.place() == ABSENT || slot.hash() == hash => slot.place(),
            _ => NOT_FIRST,
        }
    }

    /// Adds a new place.
    pub(crate) fn insert(&mut self, hash: u32, place: u32) {
        self.reserve(1);
        self.put(Slot::new(hash, place));
        self.len += 1;
    }

    /// Adds new places that rise from `first`. The index must have room for them.
    pub(crate) fn insert_all(&mut self, hashes: &[u32], first: u32) {
        // The slots of a large index are not in the processor's cache. Read one after the other
        // with nothing in between, the waits for memory overlap.
        let mask = self.slots.len() - 1;
        let read = |read, hash: &u32| read ^ self.slots[*hash as usize & mask].0;
        std::hint::black_box(hashes.iter().fold(0, read));
        for (hash, place) in hashes.iter().zip(first..) {
            self.put(Slot::new(*hash, place));
        }
        self.len += hashes.len();
    }

    /// Makes room for `places` more.
    pub(crate) fn reserve(&mut self, places: usize) {
        let wanted = slots_for(self.len + places);
        if wanted > self.slots.len() {
            self.rebuild(wanted);
        }
    }

    /// Removes a place that the index has.
    pub(crate) fn remove(&mut self, hash: u32, place: u32) {
        let mask = self.slots.len() - 1;
        let mut free = hash as usize & mask;
        while self.slots[free] != Slot::new(hash, place) {
            assert_ne!(self.slots[free], Slot::FREE, "place {place} is there");
            free = (free + 1) & mask;
        }
        self.len -= 1;
        let mut at = free;
        loop {
            at = (at + 1) & mask;
            let slot = self.slots[at];
            if slot == Slot::FREE {
                break;
            }
            // The distance of each from the slot where the hash begins to look.
            let home = slot.hash() as usize & mask;
            let from_free = free.wrapping_sub(home) & mask;
            let from_here = at.wrapping_sub(home) & mask;
            if from_free < from_here {
                self.slots[free] = slot;
                free = at;
            }
        }
        self.slots[free] = Slot::FREE;
    }

    /// Gives every place its new number.
    pub(crate) fn renumber(&mut self, new_place: impl Fn(u32) -> u32) {
        let taken = self.slots.iter_mut().filter(|slot| **slot != Slot::FREE);
        for slot in taken {
            *slot = Slot::new(slot.hash(), new_place(slot.place()));
        }
    }

    /// Releases memory that the remaining places do not need.
    pub(crate) fn shrink(&mut self) {
        let wanted = slots_for(self.len);
        if wanted < self.slots.len() {
            self.rebuild(wanted);
        }
    }

    /// Returns the number of slots read to find every place.
    #[cfg(test)]
    pub(crate) fn probes(&self) -> u64 {
        let mask = self.slots.len() - 1;
        let taken = (0..).zip(&self.slots);
        let taken = taken.filter(|(_, slot)| **slot != Slot::FREE);
        let probes =
            taken.map(|(at, slot): (usize, _)| at.wrapping_sub(slot.hash() as usize) & mask);
        probes.map(|probes| probes as u64 + 1).sum()
    }

    fn rebuild(&mut self, slots: usize) {
        let old = std::mem::replace(&mut self.slots, vec![Slot::FREE; slots]);
        for slot in old.into_iter().filter(|slot| *slot != Slot::FREE) {
            self.put(slot);
        }
    }

    #[inline]
    fn put(&mut self, slot: Slot) {
        let mask = self.slots.len() - 1;
        let mut at = slot.hash() as usize & mask;
        while self.slots[at] != Slot::FREE {
            at = (at + 1) & mask;
        }
        self.slots[at] = slot;
    }
}

/// Returns the number of slots that leaves a quarter free.
fn slots_for(places: usize) -> usize {
    (places + places / 3 + 1).next_power_of_two().max(FEWEST)
}

#[cfg(test)]
mod tests;
