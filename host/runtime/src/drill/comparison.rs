//! Compares the state that an instance was restored with to its snapshot right after. Pure.
//!
//! The same component at the same parallelism returns every chunk in its place, byte for byte. Two
//! things may differ for a good reason. At another parallelism, chunks of operator state are dealt
//! out and an operator may join them, so only keyed state is compared, in any order. Another
//! version of a component may write a state with another schema version, or under another name; a
//! state that it writes with the restored version must have the same bytes.

use std::collections::{BTreeMap, BTreeSet};

use tidegate_operator::StateChunk;

use super::report::{ChunkChange, Difference};

/// The allowed differences.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Allowance {
    /// The parallelism is not that of the checkpoint.
    pub(super) is_rescaled: bool,
    /// The component is not the one that wrote the checkpoint.
    pub(super) is_other_component: bool,
}

/// The result of a comparison.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Comparison {
    Same,
    /// Different, as allowed.
    Changed,
    Differs(Difference),
}

/// Compares the restored chunks with those of the snapshot after the restore.
pub(super) fn compare(
    restored: &[StateChunk],
    now: &[StateChunk],
    allowance: Allowance,
) -> Comparison {
    if restored == now {
        return Comparison::Same;
    }
    if allowance == Allowance::default() {
        return first_difference(&in_order(restored), &in_order(now))
            .map_or(Comparison::Same, Comparison::Differs);
    }
    let exempt = Exempt::new(restored, now, allowance);
    let (before, after) = (exempt.compared(restored), exempt.compared(now));
    let has_exempt = before.len() < restored.len() || after.len() < now.len();
    match first_difference(&before, &after) {
        Some(difference) => Comparison::Differs(difference),
        None if has_exempt && sorted(restored) != sorted(now) => Comparison::Changed,
        None => Comparison::Same,
    }
}

/// A chunk with its place.
type Placed<'a> = (usize, &'a StateChunk);

fn in_order(chunks: &[StateChunk]) -> Vec<Placed<'_>> {
    chunks.iter().enumerate().collect()
}

fn sorted(chunks: &[StateChunk]) -> Vec<&StateChunk> {
    let mut sorted: Vec<_> = chunks.iter().collect();
    sorted.sort_by(|a, b| (identity(a), &a.bytes).cmp(&(identity(b), &b.bytes)));
    sorted
}

fn identity(chunk: &StateChunk) -> (Option<u32>, &str, u32) {
    (chunk.key_group, &chunk.name, chunk.schema_version)
}

/// The chunks that are not compared.
struct Exempt<'a> {
    operator_state: bool,
    names: BTreeSet<&'a str>,
}

impl<'a> Exempt<'a> {
    fn new(restored: &'a [StateChunk], now: &'a [StateChunk], allowance: Allowance) -> Self {
        let mut names = BTreeSet::new();
        if allowance.is_other_component {
            let (before, after) = (versions(restored), versions(now));
            let has_new_name = after.keys().any(|name| !before.contains_key(name));
            let old = before.iter().filter(|(name, of_state)| {
                // A state that is gone has another name now, or is lost.
                let now = after.get(*name);
                now.map_or(has_new_name, |now| now != *of_state)
            });
            names.extend(old.map(|(name, _)| *name));
            let new = after.keys().filter(|name| !before.contains_key(*name));
            names.extend(new.copied());
        }
        Self {
            operator_state: allowance.is_rescaled,
            names,
        }
    }

    /// Returns the chunks that are compared, sorted so that their order does not matter.
    fn compared<'c>(&self, chunks: &'c [StateChunk]) -> Vec<Placed<'c>> {
        let mut compared = in_order(chunks);
        compared.retain(|(_, chunk)| {
            let is_dealt_out = self.operator_state && chunk.key_group.is_none();
            !is_dealt_out && !self.names.contains(chunk.name.as_str())
        });
        compared.sort_by_key(|(place, chunk)| (identity(chunk), *place));
        compared
    }
}

/// Returns the schema versions of each state.
fn versions(chunks: &[StateChunk]) -> BTreeMap<&str, BTreeSet<u32>> {
    let mut versions: BTreeMap<&str, BTreeSet<u32>> = BTreeMap::new();
    for chunk in chunks {
        let of_state = versions.entry(&chunk.name).or_default();
        of_state.insert(chunk.schema_version);
    }
    versions
}

fn first_difference(restored: &[Placed<'_>], now: &[Placed<'_>]) -> Option<Difference> {
    for (at, (place, chunk)) in restored.iter().enumerate() {
        let differs = |change| Some(difference(*place, chunk, change));
        let Some((_, found)) = now.get(at) else {
            return differs(ChunkChange::Missing);
        };
        if found == chunk {
            continue;
        }
        let is_same_state = found.name == chunk.name && found.key_group == chunk.key_group;
        if is_same_state && found.schema_version != chunk.schema_version {
            return differs(ChunkChange::SchemaVersion {
                found: found.schema_version,
            });
        }
        if is_same_state {
            return differs(ChunkChange::Bytes {
                offset: common_prefix(&chunk.bytes, &found.bytes),
                restored: chunk.bytes.len() as u64,
                found: found.bytes.len() as u64,
            });
        }
        let is_in = |all: &[Placed<'_>], chunk: &StateChunk| {
            let same = |(_, other): &Placed<'_>| identity(other) == identity(chunk);
            all.iter().any(same)
        };
        return match (is_in(now, chunk), is_in(restored, found)) {
            (false, _) => differs(ChunkChange::Missing),
            (true, false) => Some(difference(*place, found, ChunkChange::Added)),
            (true, true) => differs(ChunkChange::Moved),
        };
    }
    let (place, added) = now.get(restored.len())?;
    Some(difference(*place, added, ChunkChange::Added))
}

fn difference(place: usize, chunk: &StateChunk, change: ChunkChange) -> Difference {
    Difference {
        chunk: place as u64,
        name: chunk.name.clone(),
        schema_version: chunk.schema_version,
        key_group: chunk.key_group,
        change,
    }
}

fn common_prefix(a: &[u8], b: &[u8]) -> u64 {
    let same = a.iter().zip(b).take_while(|(a, b)| a == b);
    same.count() as u64
}

#[cfg(test)]
mod tests;
