//! A state file as bytes: a header that identifies the subtask and checkpoint, then self-describing
//! chunks. Pure; `FORMAT.md` documents every byte.
//!
//! Decoding accepts any bytes: it never panics, trusts no length, and allocates only after it has
//! checked every chunk. The manifest holds the digest and length of the whole file.

use std::io::{self, Write};

use tidegate_operator::StateChunk;

use super::byte_reader::{ByteReader, length_of};
use super::{FormatError, StateIdentity};

const MAGIC: &[u8; 8] = b"TGSTATE\0";
const VERSION: u32 = 1;
const CHUNK_MAGIC: &[u8; 4] = b"TGCH";
const CHUNK_VERSION: u32 = 1;
/// The key-group field of operator state, which belongs to no key group.
const NO_KEY_GROUP: u32 = u32::MAX;
/// The largest number of key groups of any graph.
const MAX_KEY_GROUPS: u32 = 1 << 15;

/// Writes a state file.
///
/// # Errors
///
/// Any error of `out`, and [`io::ErrorKind::InvalidInput`] for state that no reader would accept.
pub(super) fn write(
    out: &mut dyn Write,
    identity: &StateIdentity,
    chunks: &[StateChunk],
) -> io::Result<()> {
    let operator = identity.subtask.operator.as_bytes();
    out.write_all(MAGIC)?;
    out.write_all(&VERSION.to_le_bytes())?;
    out.write_all(&identity.lineage.0)?;
    out.write_all(&identity.checkpoint.0.to_le_bytes())?;
    out.write_all(&identity.attempt.to_le_bytes())?;
    out.write_all(&identity.subtask.index.to_le_bytes())?;
    out.write_all(&count(chunks.len(), "the number of chunks")?)?;
    out.write_all(&count(identity.job.len(), "the job's name")?)?;
    out.write_all(identity.job.as_bytes())?;
    out.write_all(&count(operator.len(), "the operator's name")?)?;
    out.write_all(operator)?;
    chunks
        .iter()
        .try_for_each(|chunk| write_chunk(out, operator, chunk))
}

/// Checks that `bytes` are a whole state file of `identity`.
pub(super) fn check(bytes: &[u8], identity: &StateIdentity) -> Result<(), FormatError> {
    visit_chunks(bytes, identity, |_| ()).map(|_| ())
}

/// Decodes the chunks of a state file, which must be of `identity`.
pub(super) fn decode(
    bytes: &[u8],
    identity: &StateIdentity,
) -> Result<Vec<StateChunk>, FormatError> {
    // Once over everything first: the number of chunks is worth an allocation only if they exist.
    let count = visit_chunks(bytes, identity, |_| ())?;
    let mut chunks = Vec::with_capacity(count);
    visit_chunks(bytes, identity, |chunk| {
        chunks.push(StateChunk {
            name: chunk.name.to_owned(),
            schema_version: chunk.schema_version,
            key_group: chunk.key_group,
            bytes: chunk.bytes.to_vec(),
        });
    })?;
    Ok(chunks)
}

/// A chunk borrowed from the bytes of the file.
struct ChunkView<'a> {
    name: &'a str,
    schema_version: u32,
    key_group: Option<u32>,
    bytes: &'a [u8],
}

fn write_chunk(out: &mut dyn Write, operator: &[u8], chunk: &StateChunk) -> io::Result<()> {
    let key_group = chunk.key_group.unwrap_or(NO_KEY_GROUP);
    if chunk.key_group.is_some_and(|group| group >= MAX_KEY_GROUPS) {
        return Err(invalid(format!(
            "key group {key_group} is not below {MAX_KEY_GROUPS}"
        )));
    }
    out.write_all(CHUNK_MAGIC)?;
    out.write_all(&CHUNK_VERSION.to_le_bytes())?;
    out.write_all(&chunk.schema_version.to_le_bytes())?;
    out.write_all(&key_group.to_le_bytes())?;
    out.write_all(&count(operator.len(), "the operator's name")?)?;
    out.write_all(&count(chunk.name.len(), "a state's name")?)?;
    out.write_all(&length_of(&chunk.bytes).to_le_bytes())?;
    out.write_all(operator)?;
    out.write_all(chunk.name.as_bytes())?;
    out.write_all(&chunk.bytes)
}

/// Converts a count or short length into its stored form.
fn count(value: usize, what: &str) -> io::Result<[u8; 4]> {
    let value = u32::try_from(value).map_err(|_| invalid(format!("{what} is too large")))?;
    Ok(value.to_le_bytes())
}

fn invalid(reason: String) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, reason)
}

/// Reads the whole file, passes each chunk to `visit` and returns the number of chunks.
fn visit_chunks<'a>(
    bytes: &'a [u8],
    identity: &StateIdentity,
    mut visit: impl FnMut(ChunkView<'a>),
) -> Result<usize, FormatError> {
    let mut reader = ByteReader::new(bytes);
    let chunks = read_header(&mut reader, identity)?;
    let mut count = 0;
    for _ in 0..chunks {
        visit(read_chunk(&mut reader, &identity.subtask.operator)?);
        count += 1;
    }
    reader.end()?;
    Ok(count)
}

/// Reads the header, compares it with `expected` and returns the number of chunks.
fn read_header(reader: &mut ByteReader<'_>, expected: &StateIdentity) -> Result<u32, FormatError> {
    const WHAT: &str = "state file";
    reader.magic_and_version(MAGIC, VERSION, WHAT)?;
    let lineage = reader.array::<16>(WHAT)?;
    let checkpoint = reader.u64(WHAT)?;
    let attempt = reader.u64(WHAT)?;
    let index = reader.u32(WHAT)?;
    let chunks = reader.u32(WHAT)?;
    let length = reader.u32(WHAT)?;
    let job = reader.text(length.into(), "the job's name")?;
    let length = reader.u32(WHAT)?;
    let operator = reader.text(length.into(), "the operator's name")?;

    let lineage = tidegate_connector::Lineage(lineage);
    same("job", &job, &&*expected.job)?;
    same("lineage", &lineage, &expected.lineage)?;
    same("checkpoint", &checkpoint, &expected.checkpoint.0)?;
    same("attempt", &attempt, &expected.attempt)?;
    same("operator", &operator, &&*expected.subtask.operator)?;
    same("subtask", &index, &expected.subtask.index)?;
    Ok(chunks)
}

fn read_chunk<'a>(
    reader: &mut ByteReader<'a>,
    expected_operator: &str,
) -> Result<ChunkView<'a>, FormatError> {
    const WHAT: &str = "chunk";
    reader.magic_and_version(CHUNK_MAGIC, CHUNK_VERSION, WHAT)?;
    let schema_version = reader.u32(WHAT)?;
    let key_group = reader.u32(WHAT)?;
    let operator_length = reader.u32(WHAT)?;
    let name_length = reader.u32(WHAT)?;
    let length = reader.u64(WHAT)?;
    let operator = reader.text(operator_length.into(), "the operator's name")?;
    let name = reader.text(name_length.into(), "a state's name")?;
    let bytes = reader.take(length, "a chunk's state")?;

    same("operator", &operator, &expected_operator)?;
    if key_group != NO_KEY_GROUP && key_group >= MAX_KEY_GROUPS {
        let limit = MAX_KEY_GROUPS;
        return Err(FormatError::KeyGroup { key_group, limit });
    }
    Ok(ChunkView {
        name,
        schema_version,
        key_group: (key_group != NO_KEY_GROUP).then_some(key_group),
        bytes,
    })
}

fn same<T: PartialEq + ToString>(
    field: &'static str,
    found: &T,
    expected: &T,
) -> Result<(), FormatError> {
    if found == expected {
        return Ok(());
    }
    Err(FormatError::WrongIdentity {
        field,
        found: found.to_string(),
        expected: expected.to_string(),
    })
}

#[cfg(test)]
mod tests;
