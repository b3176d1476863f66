//! From the state of an operator to the chunks of a checkpoint, and back.
//!
//! Barrier path: host → `snapshot` → [write chunks] → host; recovery: host → `restore` → [read].
//! Invariant: equal state gives equal chunks, whatever order its keys arrived in, and reading
//! takes everything or refuses everything.

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::batch::StateChunk;
use crate::failure::Failure;
use crate::state::format::{KeyedReader, KeyedWriter, Malformed};
use crate::state::items::{Items, RestoredItems};
use crate::state::key::Key;
use crate::state::keyed::KeyedState;
use crate::state::read_state;
use crate::state::table::Entry;

/// Name of the chunks of keyed state.
const KEYED: &str = "keyed";

/// Name of the chunks of operator state.
const ITEMS: &str = "items";

/// All chunks of a snapshot: keyed state by key group, then the items in their order.
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

/// What the chunk of one key group has to hold.
#[derive(Clone, Copy, Default)]
struct GroupSize {
    entries: u32,
    key_bytes: usize,
}

impl GroupSize {
    /// A guess of the bytes of the chunk, without the longer states.
    fn bytes<S>(self) -> usize {
        self.key_bytes + self.entries as usize * (2 + size_of::<S>()) + 16
    }
}

fn write_keyed<S: Serialize>(
    keys: &mut KeyedState<S>,
    schema_version: u32,
) -> Result<Vec<StateChunk>, Failure> {
    let owned = keys.owned();
    let mut sizes = vec![GroupSize::default(); (owned.last - owned.first) as usize + 1];
    let slot = |entry: &Entry<S>| (entry.key_group - owned.first) as usize;
    for entry in keys.entries() {
        let size = &mut sizes[slot(entry)];
        size.entries += 1;
        size.key_bytes += entry.key.as_bytes().len();
    }
    let chunk = |key_group, writer: KeyedWriter| StateChunk {
        name: KEYED.to_owned(),
        schema_version,
        key_group: Some(key_group),
        bytes: writer.into_bytes(),
    };

    let mut chunks = Vec::new();
    let mut current: Option<(u32, KeyedWriter)> = None;
    keys.try_for_each_in_order(|entry| {
        let writer = match &mut current {
            Some((key_group, writer)) if *key_group == entry.key_group => writer,
            _ => {
                let size = sizes[slot(entry)];
                let writer = KeyedWriter::new(size.entries, size.bytes::<S>());
                let before = current.replace((entry.key_group, writer));
                chunks.extend(before.map(|(key_group, writer)| chunk(key_group, writer)));
                &mut current.as_mut().expect("it was just set").1
            }
        };
        writer.push(entry.key.as_bytes(), &entry.state)
    })?;
    chunks.extend(current.map(|(key_group, writer)| chunk(key_group, writer)));
    Ok(chunks)
}

fn malformed(key_group: u32) -> impl Fn(Malformed) -> Failure {
    move |rule| in_group(key_group, &rule.to_string())
}

fn in_group(key_group: u32, reason: &str) -> Failure {
    Failure::IncompatibleState(format!("the chunk of key group {key_group}: {reason}"))
}
