//! From the state of an operator to the chunks of a checkpoint, and back.
//!
//! Barrier path: host → `snapshot` → [write chunks] → host; recovery: host → `restore` → [read].
//! Invariant: equal state gives equal chunks, whatever order its keys arrived in, and reading
//! takes everything or refuses everything.

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::batch::StateChunk;
use crate::bytes::order_prefix;
use crate::failure::Failure;
use crate::state::format::{KeyedReader, KeyedWriter, Malformed};
use crate::state::items::{Items, RestoredItems};
use crate::state::keyed::{Entry, KeyedState};
use crate::state::read_state;

/// Name of the chunks of keyed state.
const KEYED: &str = "keyed";

/// Name of the chunks of operator state.
const ITEMS: &str = "items";

/// All chunks of a snapshot: keyed state by key group, then the items in their order.
pub(crate) fn write_chunks<S: Serialize>(
    keys: &KeyedState<S>,
    items: Items,
    schema_version: u32,
) -> Result<Vec<StateChunk>, Failure> {
    let mut chunks = Vec::new();
    for group in by_group(keys).chunk_by(|a, b| a.entry.key_group == b.entry.key_group) {
        chunks.push(write_group(group, schema_version)?);
    }
    chunks.extend(items.into_chunks().map(|bytes| StateChunk {
        name: ITEMS.to_owned(),
        schema_version,
        key_group: None,
        bytes,
    }));
    Ok(chunks)
}

/// The chunks that a restore is given, by kind.
#[derive(Debug)]
pub(crate) struct Chunks {
    pub(crate) keyed: Vec<(u32, StateChunk)>,
    pub(crate) items: RestoredItems,
}

impl Chunks {
    pub(crate) fn sort_out(chunks: Vec<StateChunk>, version: u32) -> Result<Self, Failure> {
        let mut keyed = Vec::with_capacity(chunks.len());
        let mut items = RestoredItems::of_version(version);
        for chunk in chunks {
            match (chunk.name.as_str(), chunk.key_group) {
                (KEYED, Some(key_group)) => keyed.push((key_group, chunk)),
                (ITEMS, None) => items.push(chunk)?,
                (name, _) => {
                    return Err(Failure::IncompatibleState(format!(
                        "it has a chunk `{name}`, which this operator did not write"
                    )));
                }
            }
        }
        keyed.sort_by_key(|(key_group, _)| *key_group);
        Ok(Self { keyed, items })
    }
}

/// Reads keyed state into `keys`, which is empty. Values of another version go through `migrate`.
pub(crate) fn read_chunks<S: DeserializeOwned>(
    keys: &mut KeyedState<S>,
    chunks: &[(u32, StateChunk)],
    schema_version: u32,
    migrate: fn(u32, &[u8]) -> Result<S, Failure>,
) -> Result<(), Failure> {
    if let Some(twice) = chunks.windows(2).find(|pair| pair[0].0 == pair[1].0) {
        return Err(in_group(twice[0].0, "it is there twice"));
    }
    let readers = chunks
        .iter()
        .map(|(group, chunk)| KeyedReader::new(&chunk.bytes).map_err(malformed(*group)))
        .collect::<Result<Vec<_>, _>>()?;
    // Growing the map step by step would take most of the time of a restore.
    keys.reserve(readers.iter().map(|reader| reader.entries() as usize).sum());
    for (mut reader, (key_group, chunk)) in readers.into_iter().zip(chunks) {
        if !keys.owned().contain(*key_group) {
            return Err(in_group(*key_group, "this subtask does not own it"));
        }
        while let Some((key, value)) = reader.next().map_err(malformed(*key_group))? {
            if !keys.owned().agree(key, *key_group) {
                return Err(in_group(*key_group, "it has a key of another key group"));
            }
            let state = if chunk.schema_version == schema_version {
                read_state(value)?
            } else {
                migrate(chunk.schema_version, value)?
            };
            keys.insert_unique(key, *key_group, state);
        }
    }
    Ok(())
}

/// An entry with the first bytes of its key beside it, which decide most comparisons.
struct Ordered<'a, S> {
    prefix: u64,
    entry: &'a Entry<S>,
}

// Derived, these would ask for `S: Copy`.
impl<S> Clone for Ordered<'_, S> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<S> Copy for Ordered<'_, S> {}

/// All entries, by key group and in it by key: dealt out by group first, which takes one pass,
/// so that only the short runs of one group are left to sort.
fn by_group<S>(keys: &KeyedState<S>) -> Vec<Ordered<'_, S>> {
    let Some(any) = keys.entries().next() else {
        return Vec::new();
    };
    let owned = keys.owned();
    let slot = |entry: &Entry<S>| (entry.key_group - owned.first) as usize;

    let mut starts = vec![0_usize; (owned.last - owned.first) as usize + 2];
    for entry in keys.entries() {
        starts[slot(entry) + 1] += 1;
    }
    for index in 1..starts.len() {
        starts[index] += starts[index - 1];
    }

    let filler = Ordered {
        prefix: 0,
        entry: any,
    };
    let mut ordered = vec![filler; keys.len()];
    let mut next = starts.clone();
    for entry in keys.entries() {
        let at = &mut next[slot(entry)];
        let prefix = order_prefix(entry.key.as_bytes());
        ordered[*at] = Ordered { prefix, entry };
        *at += 1;
    }
    for group in starts.windows(2) {
        ordered[group[0]..group[1]].sort_unstable_by(|left, right| {
            let prefixes = left.prefix.cmp(&right.prefix);
            prefixes.then_with(|| left.entry.key.as_bytes().cmp(right.entry.key.as_bytes()))
        });
    }
    ordered
}

fn write_group<S: Serialize>(
    group: &[Ordered<'_, S>],
    schema_version: u32,
) -> Result<StateChunk, Failure> {
    let entries = u32::try_from(group.len())
        .map_err(|_| Failure::other("a key group has more than 2^32 keys"))?;
    let key_bytes = |ordered: &Ordered<'_, S>| ordered.entry.key.as_bytes().len();
    let per_value = 2 + size_of::<S>();
    let capacity = group.iter().map(key_bytes).sum::<usize>() + group.len() * per_value + 16;
    let mut writer = KeyedWriter::new(entries, capacity);
    for Ordered { entry, .. } in group {
        writer.push(entry.key.as_bytes(), &entry.state)?;
    }
    Ok(StateChunk {
        name: KEYED.to_owned(),
        schema_version,
        key_group: group.first().map(|ordered| ordered.entry.key_group),
        bytes: writer.into_bytes(),
    })
}

fn malformed(key_group: u32) -> impl Fn(Malformed) -> Failure {
    move |rule| in_group(key_group, &rule.to_string())
}

fn in_group(key_group: u32, reason: &str) -> Failure {
    Failure::IncompatibleState(format!("the chunk of key group {key_group}: {reason}"))
}
