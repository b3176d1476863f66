//! Barrier path: keyed state → table → [entries as bytes, by key group] → chunks.
//!
//! A snapshot has its entries in canonical order, and they lie in memory in the order in which
//! their keys came. Reading them in canonical order would wait for memory at each entry. So the
//! entries are written in the order in which they lie, each into the buffer of its key group, and
//! the few bytes of a key group are brought in order afterwards: radix partitioning, as database
//! joins do it (Manegold, Boncz, Kersten 2002, "Optimizing main-memory join on modern hardware").
//! The room of the buffers is limited: a large state is written some key groups at a time.

use std::ops::RangeInclusive;

use serde::Serialize;

use crate::failure::Failure;
use crate::state::format::{begin_keyed, entry_length, write_entry};
use crate::state::order::Ranked;
use crate::state::table::{Entry, InOrder};

/// The limit, in bytes, of all buffers together, or a fraction of the table's memory if that is
/// more.
const LEAST_LIMIT: usize = 16 << 20;
/// The divisor of that fraction.
const OF_TABLE: usize = 4;

/// The longest entry, in bytes, that is copied as whole words, whose surplus is dropped again.
const SHORT: usize = 32;

/// The number of entries whose starts are read together.
const GROUPS_AT_ONCE: usize = 64;

const CACHE_LINE: usize = 64;

/// The start of an entry that was not written.
const NOWHERE: u32 = u32::MAX;

/// Entries of successive key groups as bytes, in the order in which they lie in the table.
#[derive(Debug)]
pub(super) struct WrittenGroups {
    first: u32,
    /// The buffers by key group, from `first` on.
    buffers: Vec<Vec<u8>>,
    /// The start of each entry in the buffer of its key group, by place in the table.
    starts: Vec<u32>,
}

impl WrittenGroups {
    /// Writes the entries of as many of these key groups as the limit allows, at least of one.
    pub(super) fn of<S: Serialize>(
        groups: RangeInclusive<u32>,
        keys: &InOrder<'_, S>,
    ) -> Result<Self, Failure> {
        let limit = LEAST_LIMIT.max(size_of_val(keys.entries) / OF_TABLE);
        Self::within(limit, groups, keys)
    }

    fn within<S: Serialize>(
        limit: usize,
        groups: RangeInclusive<u32>,
        keys: &InOrder<'_, S>,
    ) -> Result<Self, Failure> {
        let InOrder { entries, order, .. } = *keys;
        let first = *groups.start();
        // A guess: the keys of an operator are mostly of about one length.
        let key_bytes = entries.first().map_or(0, |e| e.key.as_bytes().len());
        let entry_bytes = 2 + key_bytes + size_of::<S>();
        let mut buffers = Vec::new();
        let mut reserved = 0;
        for group in groups {
            let bytes = run_of(group, order).len() * entry_bytes;
            reserved += bytes;
            if reserved > limit && !buffers.is_empty() {
                break;
            }
            buffers.push(Vec::with_capacity(bytes));
        }
        let mut written = Self {
            first,
            buffers,
            starts: vec![NOWHERE; entries.len()],
        };
        written.write(limit, entries)?;
        Ok(written)
    }

    /// Writes in the order of memory, and drops the last key groups if the bytes pass the limit.
    fn write<S: Serialize>(&mut self, limit: usize, entries: &[Entry<S>]) -> Result<(), Failure> {
        let mut bytes = 0;
        for (entry, start) in entries.iter().zip(&mut self.starts) {
            // A key group before the first wraps, and so is out of bounds like one behind the last.
            let slot = entry.key_group.wrapping_sub(self.first) as usize;
            let Some(buffer) = self.buffers.get_mut(slot) else {
                continue;
            };
            if entry.key.is_removed() {
                continue;
            }
            let length_before = buffer.len();
            *start = start_at(length_before)?;
            write_entry(buffer, entry.key.as_bytes(), &entry.state)?;
            bytes += buffer.len() - length_before;
            while bytes > limit && self.buffers.len() > 1 {
                self.buffers.truncate(self.buffers.len() / 2);
                bytes = self.buffers.iter().map(Vec::len).sum();
            }
        }
        Ok(())
    }

    /// Returns the key group behind the last one that was written.
    pub(super) fn after(&self) -> u32 {
        let groups = u32::try_from(self.buffers.len());
        self.first + groups.expect("there are no more buffers than key groups")
    }

    /// Returns the chunks of those key groups that have entries. `keys` are as before.
    pub(super) fn into_chunks<S>(
        mut self,
        keys: &InOrder<'_, S>,
    ) -> Result<Vec<(u32, Vec<u8>)>, Failure> {
        let mut chunks = Vec::new();
        // The room of each buffer is free for the next chunk.
        let buffers = std::mem::take(&mut self.buffers);
        for (group, buffer) in (self.first..).zip(buffers) {
            if buffer.is_empty() {
                continue;
            }
            let run = run_of(group, keys.order);
            let entries = match keys.removed {
                0 => run.len(),
                _ => self.starts_of(run).filter(|at| *at != NOWHERE).count(),
            };
            let mut chunk = begin_keyed(entries, buffer.len() + SHORT)?;
            bring_near(&buffer);
            for block in run.chunks(GROUPS_AT_ONCE) {
                // The starts are read apart from the copying, so that the waits for memory overlap.
                let mut starts = [NOWHERE; GROUPS_AT_ONCE];
                for (slot, start) in starts.iter_mut().zip(self.starts_of(block)) {
                    *slot = start;
                }
                for start in starts.into_iter().filter(|start| *start != NOWHERE) {
                    append_entry(&mut chunk, &buffer[start as usize..]);
                }
            }
            chunks.push((group, chunk));
        }
        Ok(chunks)
    }

    fn starts_of(&self, run: &[Ranked]) -> impl Iterator<Item = u32> {
        run.iter().map(|ranked| self.starts[ranked.at as usize])
    }
}

/// Reads an old buffer from its start to its end, which the processor foresees, so that it is in
/// the cache when its entries are read out of order.
fn bring_near(buffer: &[u8]) {
    let lines = buffer.iter().step_by(CACHE_LINE);
    std::hint::black_box(lines.fold(0, |all, byte| all ^ byte));
}

/// Appends the first entry of `bytes`.
#[inline(always)]
fn append_entry(chunk: &mut Vec<u8>, bytes: &[u8]) {
    let length = entry_length(bytes);
    match bytes.first_chunk::<SHORT>() {
        Some(words) if length <= SHORT => {
            let end = chunk.len() + length;
            chunk.extend_from_slice(words);
            chunk.truncate(end);
        }
        _ => chunk.extend_from_slice(&bytes[..length]),
    }
}

/// Returns the places of one key group's entries, in canonical order.
fn run_of(group: u32, order: &[Ranked]) -> &[Ranked] {
    let start = order.partition_point(|ranked| ranked.key_group < group);
    let run = &order[start..];
    &run[..run.partition_point(|ranked| ranked.key_group == group)]
}

fn start_at(length: usize) -> Result<u32, Failure> {
    let start = u32::try_from(length).ok();
    let start = start.filter(|start| *start != NOWHERE);
    start.ok_or_else(|| Failure::other("a key group has 4 GiB of state or more"))
}

#[cfg(test)]
mod tests;
