//! Copying and comparing short byte strings.
//!
//! In WebAssembly a copy of unknown length is a `memory.copy`, which an engine may answer with a
//! call out of the compiled code. For an 8-byte key that call costs more than all the rest, so
//! short strings are copied as whole words, whose length the compiler knows.

use std::cmp::Ordering;

/// The longest string, in bytes, that is copied as words. The engine copies a longer string, and
/// its cost per call no longer matters.
const SHORT: usize = 64;

/// Appends `bytes` to `buffer`.
#[inline(always)]
pub(crate) fn append(buffer: &mut Vec<u8>, bytes: &[u8]) {
    if let Ok(word) = <&[u8; 8]>::try_from(bytes) {
        buffer.extend_from_slice(word);
    } else {
        append_other(buffer, bytes);
    }
}

/// Appends bytes that are not eight; a separate function keeps `append` small enough to be inlined.
#[inline(never)]
fn append_other(buffer: &mut Vec<u8>, bytes: &[u8]) {
    if bytes.len() < 8 {
        append_word(buffer, short_word(bytes), bytes.len());
    } else {
        append_long(buffer, bytes);
    }
}

/// Appends the first `length` bytes of `word`, at most eight.
#[inline(always)]
pub(crate) fn append_word(buffer: &mut Vec<u8>, word: u64, length: usize) {
    // A whole word is written and its surplus dropped: one store instead of a loop.
    let end = buffer.len() + length;
    buffer.extend_from_slice(&word.to_le_bytes());
    buffer.truncate(end);
}

#[inline]
fn append_long(buffer: &mut Vec<u8>, bytes: &[u8]) {
    if bytes.len() > SHORT {
        buffer.extend_from_slice(bytes);
        return;
    }
    let (words, tail) = bytes.as_chunks::<8>();
    buffer.reserve(bytes.len() + 8);
    for word in words {
        buffer.extend_from_slice(word);
    }
    append_word(buffer, short_word(tail), tail.len());
}

/// Returns true if both are the same bytes.
#[inline(always)]
pub(crate) fn same(left: &[u8], right: &[u8]) -> bool {
    if let (Ok(left), Ok(right)) = (<&[u8; 8]>::try_from(left), <&[u8; 8]>::try_from(right)) {
        return u64::from_le_bytes(*left) == u64::from_le_bytes(*right);
    }
    left.len() == right.len() && same_length(left, right)
}

fn same_length(left: &[u8], right: &[u8]) -> bool {
    if left.len() > SHORT {
        return left == right;
    }
    let (left_words, left_tail) = left.as_chunks::<8>();
    let (right_words, right_tail) = right.as_chunks::<8>();
    for (a, b) in left_words.iter().zip(right_words) {
        if u64::from_le_bytes(*a) != u64::from_le_bytes(*b) {
            return false;
        }
    }
    short_word(left_tail) == short_word(right_tail)
}

/// Returns the first eight bytes as a number that orders like them; zeros follow a shorter string.
#[inline]
pub(crate) fn order_prefix(bytes: &[u8]) -> u64 {
    match bytes.first_chunk::<8>() {
        Some(head) => u64::from_be_bytes(*head),
        None => short_word(bytes).swap_bytes(),
    }
}

/// Compares two strings byte by byte. Their first eight bytes decide most comparisons.
#[inline]
pub(crate) fn order(left: &[u8], right: &[u8]) -> Ordering {
    let prefixes = order_prefix(left).cmp(&order_prefix(right));
    prefixes.then_with(|| match (left.len(), right.len()) {
        // The strings are equal up to zeros at the end; the longer string has more of them.
        (0..=8, 0..=8) => left.len().cmp(&right.len()),
        _ => left.cmp(right),
    })
}

/// Returns up to eight bytes as a little-endian word padded with zeros; of more bytes, some word.
#[inline(always)]
pub(crate) fn short_word(bytes: &[u8]) -> u64 {
    match <&[u8; 8]>::try_from(bytes) {
        Ok(word) => u64::from_le_bytes(*word),
        Err(_) => shorter_word(bytes),
    }
}

#[inline(always)]
fn shorter_word(bytes: &[u8]) -> u64 {
    let length = bytes.len();
    if length >= 4 {
        // Two overlapping reads cover four to seven bytes.
        let low = bytes
            .first_chunk::<4>()
            .map_or(0, |b| u32::from_le_bytes(*b));
        let high = bytes
            .last_chunk::<4>()
            .map_or(0, |b| u32::from_le_bytes(*b));
        return u64::from(low) | (u64::from(high) << (((length - 4) * 8) & 63));
    }
    if length == 0 {
        return 0;
    }
    // The first, the middle and the last byte cover one to three bytes.
    let first = u64::from(bytes[0]);
    let middle = u64::from(bytes[length / 2]) << ((length / 2) * 8);
    let last = u64::from(bytes[length - 1]) << ((length - 1) * 8);
    first | middle | last
}

#[cfg(test)]
mod tests;
