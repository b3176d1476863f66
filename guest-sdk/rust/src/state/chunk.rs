//! Turns the state of an operator into the chunks of a checkpoint, and back.
//!
//! Barrier path: host → `snapshot` → [write chunks] → host; recovery: host → `restore` → [read].
//! Invariant: equal state gives equal chunks, whatever order its keys arrived in, and reading
//! accepts everything or rejects everything.

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::batch::StateChunk;
use crate::failure::Failure;
use crate::state::format::{KeyedReader, Malformed};
use crate::state::items::{Items, RestoredItems};
use crate::state::key::Key;
use crate::state::keyed::KeyedState;
use crate::state::read_state;
use crate::state::table::Entry;
use crate::state::written_groups::WrittenGroups;

/// Name of the chunks of keyed state.
const KEYED: &str = "keyed";

/// Name of the chunks of operator state.
const ITEMS: &str = "items";

/// Writes all chunks of a snapshot: keyed state by key group, then the items in their order.
pub(crate) fn write_chunks<S: Serialize>(
    keys: &mut KeyedState<S>,
    items: Items,
    schema_version: u32,
) -> Result<Vec<StateChunk>, Failure> {
    let mut chunks = write_keyed(keys, schema_version)?;
    chunks.extend(items.into_chunks().map(|bytes| StateChunk {
        name: ITEMS.to_owned(),
        schema_version,
        key_group: None,
        bytes,
    }));
    Ok(chunks)
}

/// The chunks that a restore receives, by kind.
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
        let owned = keys.owned();
        if !owned.contain(*key_group) {
            return Err(in_group(*key_group, "this subtask does not own it"));
        }
        keys.extend(|| {
            let Some((key, value)) = reader.next().map_err(malformed(*key_group))? else {
                return Ok(None);
            };
            if !owned.agree(key, *key_group) {
                return Err(in_group(*key_group, "it has a key of another key group"));
            }
            let state = if chunk.schema_version == schema_version {
                read_state(value)?
            } else {
                migrate(chunk.schema_version, value)?
            };
            Ok(Some(Entry {
                key: Key::new(key),
                key_group: *key_group,
                state,
            }))
        })?;
    }
    Ok(())
}

fn write_keyed<S: Serialize>(
    keys: &mut KeyedState<S>,
    schema_version: u32,
) -> Result<Vec<StateChunk>, Failure> {
    let owned = keys.owned();
    let in_order = keys.in_order();
    let mut chunks = Vec::new();
    let mut first = owned.first;
    while first <= owned.last {
        let written = WrittenGroups::of(first..=owned.last, &in_order)?;
        first = written.after();
        let written = written.into_chunks(&in_order)?.into_iter();
        chunks.extend(written.map(|(key_group, bytes)| StateChunk {
            name: KEYED.to_owned(),
            schema_version,
            key_group: Some(key_group),
            bytes,
        }));
    }
    Ok(chunks)
}

fn malformed(key_group: u32) -> impl Fn(Malformed) -> Failure {
    move |rule| in_group(key_group, &rule.to_string())
}

fn in_group(key_group: u32, reason: &str) -> Failure {
    Failure::IncompatibleState(format!("the chunk of key group {key_group}: {reason}"))
}

#[cfg(test)]
mod tests;
