//! Record path: batch → record → [state of its key] → `on_record`.
//!
//! One value for each key, in a hash map with a fixed seed. Invariant: an entry's key group is one
//! that this instance owns, and is computed once, when its key is first seen. Nothing that can be
//! observed depends on the map's own order: every iteration is in the order of the key bytes.

use std::hash::{BuildHasher, Hasher};

use foldhash::fast::FixedState;
use hashbrown::HashTable;

use crate::bytes::{order_prefix, same};
use crate::context::Context;
use crate::failure::Failure;
use crate::state::key::Key;

/// The state of all keys that this instance has seen, as `on_watermark` and `on_finish` get it.
///
/// Iteration is in canonical order: sorted by the bytes of the key, whatever order the keys
/// arrived in. It sorts, so for an operator with many keys that looks at few of them,
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
    table: HashTable<Entry<S>>,
    owned: KeyGroups,
    /// Where the keys of the current block are.
    ahead: Ahead,
    /// True if a state was lent out to be changed, and may have become vacant.
    lent: bool,
}

/// What is kept for one key.
#[derive(Debug)]
pub(crate) struct Entry<S> {
    pub(crate) key: Key,
    pub(crate) key_group: u32,
    pub(crate) state: S,
}

/// Keys that are looked up together.
pub(crate) const LOOK_AHEAD: usize = 16;

/// A map with fewer keys fits in the processor's cache.
const LARGE: usize = 8192;

/// No bucket has this number.
const ABSENT: usize = usize::MAX;

/// Where the keys of a block are in the map.
#[derive(Debug, Default)]
struct Ahead {
    buckets: [usize; LOOK_AHEAD],
    /// False if the map has changed since, so that an entry may be elsewhere.
    is_valid: bool,
}

/// The key groups that an instance owns, `first..=last` of `total`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct KeyGroups {
    pub(crate) first: u32,
    pub(crate) last: u32,
    total: u32,
}

impl KeyGroups {
    /// True if this instance owns `key_group`.
    pub(crate) fn contain(self, key_group: u32) -> bool {
        (self.first..=self.last).contains(&key_group)
    }

    /// True if `key` belongs to `key_group`, whoever owns that.
    pub(crate) fn agree(self, key: &[u8], key_group: u32) -> bool {
        tidegate_key_group::key_group(key, self.total) == key_group
    }

    /// The key group of `key`, if this instance owns it.
    fn of(self, key: &[u8]) -> Result<u32, Failure> {
        let key_group = tidegate_key_group::key_group(key, self.total);
        if self.contain(key_group) {
            return Ok(key_group);
        }
        Err(Failure::Other(format!(
            "the key \"{}\" belongs to key group {key_group}, and this subtask owns {}..={}; an \
             operator that keeps state by key needs an input with `partition = \"hash\"`",
            key.escape_ascii(),
            self.first,
            self.last,
        )))
    }
}

#[inline(always)]
fn hash(key: &[u8]) -> u64 {
    let mut hasher = FixedState::with_seed(0).build_hasher();
    hasher.write(key);
    hasher.finish()
}

impl<S> KeyedState<S> {
    pub(crate) fn new(context: &Context) -> Self {
        Self {
            table: HashTable::new(),
            owned: KeyGroups {
                first: context.first_key_group,
                last: context.last_key_group,
                total: context.max_parallelism.max(1),
            },
            ahead: Ahead::default(),
            lent: false,
        }
    }

    /// Number of keys.
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

    /// True if there is no key.
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
        self.table.is_empty()
    }

    /// The state of one key.
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
        let entry = self.table.find(hash(key), |e| same(e.key.as_bytes(), key));
        entry.map(|entry| &entry.state)
    }

    /// The state of one key, to be changed.
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
        self.lent = true;
        let same_key = |e: &Entry<S>| same(e.key.as_bytes(), key);
        let entry = self.table.find_mut(hash(key), same_key);
        entry.map(|entry| &mut entry.state)
    }

    /// Forgets one key, and gives its state.
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
        let same_key = |e: &Entry<S>| same(e.key.as_bytes(), key);
        let entry = self.table.find_entry(hash(key), same_key).ok()?;
        Some(entry.remove().0.state)
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

    /// All keys with their state, sorted by key.
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

    /// All keys with their state, sorted by key, to be changed.
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

    /// Takes out the keys that `is_due` picks, and gives them sorted by key.
    ///
    /// `is_due` sees the keys in no particular order, so it must answer each by itself. Only what
    /// it picks is sorted.
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
            .extract_if(|entry| is_due(entry.key.as_bytes(), &entry.state));
        let sorted = sorted(due, |entry| &entry.key).into_iter();
        sorted
            .map(|(_, entry)| (entry.key.as_bytes().to_vec(), entry.state))
            .collect()
    }

    /// Forgets every key whose state `is_vacant`. Looks at none if none was lent out since the
    /// last call of this.
    pub(crate) fn forget(&mut self, is_vacant: fn(&S) -> bool) {
        if std::mem::take(&mut self.lent) {
            self.table.retain(|entry| !is_vacant(&entry.state));
        }
    }

    /// All entries, in no order.
    pub(crate) fn entries(&self) -> impl Iterator<Item = &Entry<S>> {
        self.table.iter()
    }

    pub(crate) fn owned(&self) -> KeyGroups {
        self.owned
    }

    /// Makes room for `keys` more keys.
    pub(crate) fn reserve(&mut self, keys: usize) {
        self.table.reserve(keys, |entry| hash(entry.key.as_bytes()));
    }

    /// Adds a key that is not there yet, in a key group that this instance owns.
    pub(crate) fn insert_unique(&mut self, key: &[u8], key_group: u32, state: S) {
        let entry = Entry {
            key: Key::new(key),
            key_group,
            state,
        };
        self.table
            .insert_unique(hash(key), entry, |entry| hash(entry.key.as_bytes()));
    }
}

impl<S: Default> KeyedState<S> {
    /// Finds the keys of the next block, at most [`LOOK_AHEAD`].
    ///
    /// The entries of a large map are not in the processor's cache. Looked up in a tight loop, the
    /// waits for memory overlap; looked up one by one, with an operator's work in between, they
    /// add up. For a small map there is nothing to wait for.
    #[inline]
    pub(crate) fn look_ahead<'a>(&mut self, keys: impl Iterator<Item = &'a [u8]>) {
        self.ahead.is_valid = self.table.len() >= LARGE;
        if self.ahead.is_valid {
            for (bucket, key) in self.ahead.buckets.iter_mut().zip(keys) {
                *bucket = find(&self.table, key).unwrap_or(ABSENT);
            }
        }
    }

    /// Runs `call` on the state of `key`, and forgets the key if that leaves it vacant. `position`
    /// is the place of the key in the block of [`look_ahead`](Self::look_ahead).
    #[inline]
    pub(crate) fn update(
        &mut self,
        position: usize,
        key: &[u8],
        call: impl FnOnce(&mut S) -> Result<(), Failure>,
        is_vacant: impl FnOnce(&S) -> bool,
    ) -> Result<(), Failure> {
        let bucket = match self.found(position, key) {
            Some(bucket) => bucket,
            None => self.insert_new(key)?,
        };
        let Ok(mut entry) = self.table.get_bucket_entry(bucket) else {
            unreachable!("the bucket was just found, and it holds the key");
        };
        let outcome = call(&mut entry.get_mut().state);
        if is_vacant(&entry.get().state) {
            self.ahead.is_valid = false;
            entry.remove();
        }
        outcome
    }

    /// The bucket of `key`: what was found ahead, if that still holds.
    #[inline]
    fn found(&self, position: usize, key: &[u8]) -> Option<usize> {
        if self.ahead.is_valid
            && let Some(bucket) = self.ahead.buckets.get(position)
            && *bucket != ABSENT
        {
            return Some(*bucket);
        }
        find(&self.table, key)
    }

    /// The bucket of a key that is not there yet. Apart from the path of a known key, which is all
    /// that must be fast.
    #[cold]
    fn insert_new(&mut self, key: &[u8]) -> Result<usize, Failure> {
        let key_group = self.owned.of(key)?;
        // Growing the map moves its entries.
        self.ahead.is_valid = false;
        let entry = Entry {
            key: Key::new(key),
            key_group,
            state: S::default(),
        };
        let rehash = |entry: &Entry<S>| hash(entry.key.as_bytes());
        let inserted = self.table.insert_unique(hash(key), entry, rehash);
        Ok(inserted.bucket_index())
    }
}

#[inline(always)]
fn find<S>(table: &HashTable<Entry<S>>, key: &[u8]) -> Option<usize> {
    table.find_bucket_index(hash(key), |entry| same(entry.key.as_bytes(), key))
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
