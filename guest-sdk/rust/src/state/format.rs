//! The bytes of a chunk, as `guest-sdk/FORMAT.md` draws them. Knows no map and no operator.
//!
//! Invariant: a given content has one encoding, and the reader accepts only that encoding. The
//! reader trusts no length: whatever the bytes are, it ends, never panics, and reserves no more
//! than the bytes could hold.

use std::fmt::{self, Display};

use serde::Serialize;

use crate::bytes::{append, order, short_word};
use crate::failure::Failure;
use crate::state::encode::{append_value, append_varint};

/// The first bytes of a chunk of keyed state, format version 1.
const KEYED_MAGIC: [u8; 4] = *b"TGK\x01";

/// The first bytes of a chunk that is one item of operator state, format version 1.
const ITEM_MAGIC: [u8; 4] = *b"TGI\x01";

/// The largest LEB128 form of a `u32`.
const MAX_VARINT: usize = 5;

/// The bytes of the smallest entry: the length of an empty key, and that of an empty value.
const MIN_ENTRY: usize = 2;

/// Begins a chunk of keyed state, with room for `bytes` of entries.
pub(crate) fn begin_keyed(entries: usize, bytes: usize) -> Result<Vec<u8>, Failure> {
    let mut chunk = Vec::with_capacity(KEYED_MAGIC.len() + MAX_VARINT + bytes);
    chunk.extend_from_slice(&KEYED_MAGIC);
    append_varint(&mut chunk, checked_length(entries)?.into());
    Ok(chunk)
}

/// Appends one entry.
#[inline]
pub(crate) fn write_entry<S: Serialize>(
    bytes: &mut Vec<u8>,
    key: &[u8],
    state: &S,
) -> Result<(), Failure> {
    // Nearly every value is shorter than 128 bytes, so that its length is one byte.
    let length_at = write_key(bytes, key)?;
    write_value(bytes, state)?;
    let length = bytes.len() - length_at - 1;
    match u8::try_from(length) {
        Ok(short @ 0..0x80) => bytes[length_at] = short,
        _ => write_long_length(bytes, length_at, checked_length(length)?),
    }
    Ok(())
}

/// Appends a key with its length, and a byte for the length of the value; returns that byte's
/// index.
#[inline(always)]
fn write_key(bytes: &mut Vec<u8>, key: &[u8]) -> Result<usize, Failure> {
    let start = bytes.len();
    if key.len() <= size_of::<u64>()
        && let Ok(length) = u8::try_from(key.len())
    {
        // The bytes behind the key's end are zero, and all but one of them are dropped again.
        let mut head = [0; 2 + size_of::<u64>()];
        head[0] = length;
        head[1..=size_of::<u64>()].copy_from_slice(&short_word(key).to_le_bytes());
        bytes.extend_from_slice(&head);
        bytes.truncate(start + 2 + key.len());
    } else {
        append_varint(bytes, checked_length(key.len())?.into());
        append(bytes, key);
        bytes.push(0);
    }
    Ok(bytes.len() - 1)
}

/// Returns the length of the first entry in `bytes`, which [`write_entry`] wrote.
#[inline(always)]
pub(crate) fn entry_length(bytes: &[u8]) -> usize {
    match bytes.first() {
        Some(&key @ 0..0x80) => match bytes.get(1 + usize::from(key)) {
            Some(&value @ 0..0x80) => 2 + usize::from(key) + usize::from(value),
            _ => long_entry_length(bytes),
        },
        _ => long_entry_length(bytes),
    }
}

#[cold]
#[inline(never)]
fn long_entry_length(bytes: &[u8]) -> usize {
    let mut rest = bytes;
    for _ in ["key", "value"] {
        read_bytes(&mut rest).expect("an entry that was written can be read");
    }
    bytes.len() - rest.len()
}

#[cold]
#[inline(never)]
fn write_long_length(bytes: &mut Vec<u8>, at: usize, length: u32) {
    let mut prefix = Vec::with_capacity(MAX_VARINT);
    append_varint(&mut prefix, length.into());
    bytes.splice(at..=at, prefix);
}

/// A key with the bytes of its value.
pub(crate) type Entry<'a> = (&'a [u8], &'a [u8]);

/// Reads the entries of one key group: keys strictly rise, and nothing is left over.
#[derive(Debug)]
pub(crate) struct KeyedReader<'a> {
    rest: &'a [u8],
    entries: u32,
    last_key: Option<&'a [u8]>,
}

impl<'a> KeyedReader<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Result<Self, Malformed> {
        let mut rest = bytes.strip_prefix(&KEYED_MAGIC).ok_or(Malformed::Magic)?;
        let entries = read_varint(&mut rest)?;
        if entries == 0 {
            return Err(Malformed::Empty);
        }
        if entries as usize > rest.len() / MIN_ENTRY {
            return Err(Malformed::Truncated);
        }
        Ok(Self {
            rest,
            entries,
            last_key: None,
        })
    }

    /// Returns the number of entries left, never more than the bytes could hold.
    pub(crate) fn entries(&self) -> u32 {
        self.entries
    }

    /// Returns the next entry, or `None` after the last.
    pub(crate) fn next(&mut self) -> Result<Option<Entry<'a>>, Malformed> {
        if self.entries == 0 {
            return match self.rest {
                [] => Ok(None),
                rest => Err(Malformed::Trailing { bytes: rest.len() }),
            };
        }
        self.entries -= 1;
        let key = read_bytes(&mut self.rest)?;
        let value = read_bytes(&mut self.rest)?;
        if self.last_key.is_some_and(|last| order(last, key).is_ge()) {
            return Err(Malformed::KeyOrder);
        }
        self.last_key = Some(key);
        Ok(Some((key, value)))
    }
}

/// Writes one item of operator state.
pub(crate) fn write_item<T: Serialize>(item: &T) -> Result<Vec<u8>, Failure> {
    let mut bytes = ITEM_MAGIC.to_vec();
    write_value(&mut bytes, item)?;
    Ok(bytes)
}

/// Returns the value of one item of operator state.
pub(crate) fn read_item(bytes: &[u8]) -> Result<&[u8], Malformed> {
    bytes.strip_prefix(&ITEM_MAGIC).ok_or(Malformed::Magic)
}

/// The broken rule of the format.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Malformed {
    Magic,
    Empty,
    Truncated,
    Varint,
    KeyOrder,
    Trailing { bytes: usize },
}

impl Display for Malformed {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Magic => formatter.write_str("it does not begin as a chunk of this format does"),
            Self::Empty => formatter.write_str("it has no entries"),
            Self::Truncated => formatter.write_str("it ends too early"),
            Self::Varint => formatter.write_str("a length is not written in its shortest form"),
            Self::KeyOrder => formatter.write_str("its keys do not strictly rise"),
            Self::Trailing { bytes } => write!(formatter, "{bytes} bytes are left over"),
        }
    }
}

fn checked_length(length: usize) -> Result<u32, Failure> {
    u32::try_from(length)
        .map_err(|_| Failure::other("a key, a value or the number of keys is 4 GiB or more"))
}

#[inline]
fn read_varint(rest: &mut &[u8]) -> Result<u32, Malformed> {
    let mut number = 0_u64;
    for index in 0..MAX_VARINT {
        let byte = *rest.get(index).ok_or(Malformed::Truncated)?;
        number |= u64::from(byte & 0x7f) << (7 * index);
        if byte & 0x80 == 0 {
            *rest = &rest[index + 1..];
            // A last group of zeros adds nothing to the bytes before it.
            let shortest = index == 0 || byte != 0;
            return match u32::try_from(number) {
                Ok(number) if shortest => Ok(number),
                _ => Err(Malformed::Varint),
            };
        }
    }
    Err(Malformed::Varint)
}

#[inline]
fn read_bytes<'a>(rest: &mut &'a [u8]) -> Result<&'a [u8], Malformed> {
    let length = read_varint(rest)? as usize;
    let (bytes, after) = rest.split_at_checked(length).ok_or(Malformed::Truncated)?;
    *rest = after;
    Ok(bytes)
}

fn write_value<T: Serialize>(bytes: &mut Vec<u8>, value: &T) -> Result<(), Failure> {
    append_value(bytes, value)
        .map_err(|error| Failure::Other(format!("the state can't be written: {error}")))
}

#[cfg(test)]
mod tests;
