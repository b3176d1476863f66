//! Record path: batch → record → [state of its key] → `on_record`.
//!
//! One value for each key, in a hash map with the instance's secret seed. Invariant: an entry's key
//! group is one that this instance owns, and is computed once, when its key is first seen. Nothing
//! that can be observed depends on the map's own order: every iteration is in the order of the key
//! bytes.

use std::ops::Range;

use crate::batch::Column;
use crate::bytes::order_prefix;
use crate::context::Context;
use crate::failure::Failure;
use crate::state::ahead::Ahead;
use crate::state::hash::WORD;
use crate::state::index::ABSENT;
use crate::state::key::Key;
use crate::state::table::{Entry, InOrder, Table};

/// The state of all keys that this instance has seen, as `on_watermark` and `on_finish` get it.
///
/// Iteration is in canonical order: sorted by the bytes of the key, whatever order the keys arrived
/// in. Sorting has a cost: for an operator with many keys that looks at few of them,
/// [`extract`](Self::extract) is cheaper than [`iter`](Self::iter).
///
/// ```
/// use tidegate_sdk::prelude::*;
///
/// fn emit_all(keys: &mut KeyedState<u64>, out: &mut Output) {
///     for (key, count) in keys.iter() {
///         out.emit(key, *count);
///     }
/// }
/// # let _ = emit_all;
/// ```
#[derive(Debug)]
pub struct KeyedState<S> {
    table: Table<S>,
    owned: KeyGroups,
    /// True if entries have moved since the last [`look_ahead`](Self::look_ahead).
    moved: bool,
    /// True if a state was lent out to be changed, and may have become vacant.
    lent: bool,
}

/// The key groups that an instance owns, `first..=last` of `total`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct KeyGroups {
    pub(crate) first: u32,
    pub(crate) last: u32,
    total: u32,
}

impl KeyGroups {
    /// Returns true if this instance owns `key_group`.
    pub(crate) fn contain(self, key_group: u32) -> bool {
        (self.first..=self.last).contains(&key_group)
    }

    /// Returns true if `key` belongs to `key_group`, whichever instance owns that group.
    pub(crate) fn agree(self, key: &[u8], key_group: u32) -> bool {
        tidegate_key_groups::key_group(key, self.total) == key_group
    }

    /// Returns the key group of `key`, if this instance owns it.
    fn of(self, key: &[u8]) -> Result<u32, Failure> {
        let key_group = tidegate_key_groups::key_group(key, self.total);
        if self.contain(key_group) {
            return Ok(key_group);
        }
        Err(Failure::Other(format!(
            "the key \"{}\" belongs to key group {key_group}, and this subtask owns {}..={}; \
             every input whose records use state by key needs `partition = \"hash\"`",
            key.escape_ascii(),
            self.first,
            self.last,
        )))
    }
}

impl<S> KeyedState<S> {
    pub(crate) fn new(context: &Context) -> Self {
        Self {
            table: Table::new(context.hash_seed),
            owned: KeyGroups {
                first: context.first_key_group,
                last: context.last_key_group,
                total: context.max_parallelism.max(1),
            },
            moved: false,
            lent: false,
        }
    }

    /// Returns the number of keys.
    ///
    /// ```
    /// # use tidegate_sdk::prelude::*;
    /// fn report(keys: &KeyedState<u64>) {
    ///     log(Level::Info, format_args!("{} keys", keys.len()));
    /// }
    /// # let _ = report;
    /// ```
    #[must_use]
    pub fn len(&self) -> usize {
        self.table.len()
    }

    /// Returns true if there is no key.
    ///
    /// ```
    /// # use tidegate_sdk::prelude::*;
    /// fn report(keys: &KeyedState<u64>) {
    ///     if keys.is_empty() {
    ///         log(Level::Info, "no key was seen");
    ///     }
    /// }
    /// # let _ = report;
    /// ```
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.table.len() == 0
    }

    /// Returns the state of one key.
    ///
    /// ```
    /// # use tidegate_sdk::prelude::*;
    /// fn total(keys: &KeyedState<u64>) -> u64 {
    ///     keys.get(b"total").copied().unwrap_or(0)
    /// }
    /// # let _ = total;
    /// ```
    #[must_use]
    pub fn get(&self, key: &[u8]) -> Option<&S> {
        let at = self.place_of(key)?;
        Some(&self.table.at(at).state)
    }

    /// Returns the state of one key, to be changed.
    ///
    /// ```
    /// # use tidegate_sdk::prelude::*;
    /// fn reset(keys: &mut KeyedState<u64>) {
    ///     if let Some(total) = keys.get_mut(b"total") {
    ///         *total = 0;
    ///     }
    /// }
    /// # let _ = reset;
    /// ```
    pub fn get_mut(&mut self, key: &[u8]) -> Option<&mut S> {
        let at = self.place_of(key)?;
        self.lent = true;
        Some(&mut self.table.at_mut(at).state)
    }

    /// Forgets all keys.
    ///
    /// ```
    /// # use tidegate_sdk::prelude::*;
    /// fn start_over(keys: &mut KeyedState<u64>) {
    ///     keys.clear();
    /// }
    /// # let _ = start_over;
    /// ```
    pub fn clear(&mut self) {
        self.table.clear();
    }

    /// Returns all keys with their state, sorted by key.
    ///
    /// ```
    /// # use tidegate_sdk::prelude::*;
    /// fn emit_all(keys: &KeyedState<u64>, out: &mut Output) {
    ///     for (key, count) in keys.iter() {
    ///         out.emit(key, *count);
    ///     }
    /// }
    /// # let _ = emit_all;
    /// ```
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&[u8], &S)> {
        let sorted = sorted(self.table.iter(), |entry| &entry.key).into_iter();
        sorted.map(|(_, entry)| (entry.key.as_bytes(), &entry.state))
    }

    /// Returns all keys with their state, sorted by key, to be changed.
    ///
    /// ```
    /// # use tidegate_sdk::prelude::*;
    /// fn emit_and_reset(keys: &mut KeyedState<u64>, out: &mut Output) {
    ///     for (key, count) in keys.iter_mut() {
    ///         out.emit(key, std::mem::take(count));
    ///     }
    /// }
    /// # let _ = emit_and_reset;
    /// ```
    pub fn iter_mut(&mut self) -> impl ExactSizeIterator<Item = (&[u8], &mut S)> {
        self.lent = true;
        let sorted = sorted(self.table.iter_mut(), |entry| &entry.key).into_iter();
        sorted.map(|(_, entry)| (entry.key.as_bytes(), &mut entry.state))
    }

    fn place_of(&self, key: &[u8]) -> Option<u32> {
        Some(self.table.find(key)).filter(|at| *at != ABSENT)
    }

    /// See [`Table::in_order`].
    pub(crate) fn in_order(&mut self) -> InOrder<'_, S> {
        self.table.in_order()
    }

    pub(crate) fn owned(&self) -> KeyGroups {
        self.owned
    }

    /// Makes room for `keys` more keys.
    pub(crate) fn reserve(&mut self, keys: usize) {
        self.table.reserve(keys);
    }

    /// Adds new keys, in key groups that this instance owns, until `next` has no more or fails.
    pub(crate) fn extend<E>(
        &mut self,
        next: impl FnMut() -> Result<Option<Entry<S>>, E>,
    ) -> Result<(), E> {
        self.table.extend(next)
    }
}

impl<S: Default> KeyedState<S> {
    /// Forgets one key, and returns its state.
    ///
    /// ```
    /// # use tidegate_sdk::prelude::*;
    /// fn close(keys: &mut KeyedState<u64>, out: &mut Output) {
    ///     if let Some(total) = keys.remove(b"total") {
    ///         out.emit("total", total);
    ///     }
    /// }
    /// # let _ = close;
    /// ```
    pub fn remove(&mut self, key: &[u8]) -> Option<S> {
        let at = self.place_of(key)?;
        Some(self.table.remove(at))
    }

    /// Takes out the keys that `is_due` picks, and returns them sorted by key.
    ///
    /// `is_due` sees the keys in no particular order, so it must judge each key alone. Only the
    /// keys that it picks are sorted.
    ///
    /// ```
    /// # use tidegate_sdk::prelude::*;
    /// #[derive(Default, serde::Serialize, serde::Deserialize)]
    /// struct Window {
    ///     end: i64,
    ///     count: u64,
    /// }
    ///
    /// fn close_windows(watermark: i64, keys: &mut KeyedState<Window>, out: &mut Output) {
    ///     for (key, window) in keys.extract(|_key, window| window.end <= watermark) {
    ///         out.emit_at(Some(window.end - 1), key, window.count);
    ///     }
    /// }
    /// # let _ = close_windows;
    /// ```
    pub fn extract(&mut self, mut is_due: impl FnMut(&[u8], &S) -> bool) -> Vec<(Vec<u8>, S)> {
        let due = self
            .table
            .extract(|entry| is_due(entry.key.as_bytes(), &entry.state));
        let sorted = sorted(due.into_iter(), |(key, _)| key).into_iter();
        sorted
            .map(|(_, (key, state))| (key.as_bytes().to_vec(), state))
            .collect()
    }

    /// Forgets every key whose state `is_vacant`. Looks at no key if no state was lent out since
    /// the last call.
    pub(crate) fn forget(&mut self, is_vacant: fn(&S) -> bool) {
        if std::mem::take(&mut self.lent) {
            drop(self.table.extract(|entry| is_vacant(&entry.state)));
        }
    }

    /// Finds the keys in `rows`, the next block, at most
    /// [`LOOK_AHEAD_KEYS`](super::LOOK_AHEAD_KEYS). `words` are all keys if they have eight bytes
    /// each.
    pub(crate) fn look_ahead(
        &mut self,
        keys: &Column,
        words: Option<&[[u8; WORD]]>,
        rows: Range<usize>,
        ahead: &mut Ahead,
    ) {
        self.moved = false;
        match words {
            Some(words) => ahead.look_for_words(&self.table, &words[rows]),
            None => ahead.look(&self.table, keys.rows_in(rows)),
        }
    }

    /// Runs `call` on the state of `key`, and forgets the key if that leaves it vacant. `place` is
    /// the result of [`look_ahead`](Self::look_ahead) for the key.
    #[inline(always)]
    pub(crate) fn update(
        &mut self,
        place: u32,
        key: &[u8],
        call: impl FnOnce(&mut S) -> Result<(), Failure>,
        is_vacant: impl FnOnce(&S) -> bool,
    ) -> Result<(), Failure> {
        let at = if place == ABSENT || self.moved {
            self.find_or_insert(key)?
        } else {
            place
        };
        let state = &mut self.table.at_mut(at).state;
        let outcome = call(state);
        if is_vacant(state) {
            self.table.remove(at);
            self.moved = true;
        }
        outcome
    }

    /// Returns the place of a key that was not found ahead. Separate from the path of a known key:
    /// only that path must be fast.
    #[cold]
    #[inline(never)]
    fn find_or_insert(&mut self, key: &[u8]) -> Result<u32, Failure> {
        if let Some(at) = self.place_of(key) {
            return Ok(at);
        }
        let key_group = self.owned.of(key)?;
        Ok(self.table.insert(Entry {
            key: Key::new(key),
            key_group,
            state: S::default(),
        }))
    }
}

/// Sorts entries, or references to them, by key. Most comparisons are decided by the first eight
/// bytes, which lie beside the entry's address instead of behind it.
fn sorted<E>(entries: impl Iterator<Item = E>, key: impl Fn(&E) -> &Key) -> Vec<(u64, E)> {
    let mut prefixed: Vec<(u64, E)> = entries
        .map(|entry| (order_prefix(key(&entry).as_bytes()), entry))
        .collect();
    prefixed.sort_unstable_by(|(left_prefix, left), (right_prefix, right)| {
        left_prefix
            .cmp(right_prefix)
            .then_with(|| key(left).as_bytes().cmp(key(right).as_bytes()))
    });
    prefixed
}
