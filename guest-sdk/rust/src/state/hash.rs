//! Record path: batch → record → keyed state → table → [hash] → index.
//!
//! The hash of a key, which no one can foresee without the seed of the instance. The author of the
//! records chooses the keys. With a known function, an author could write 100,000 keys with one
//! hash, and every lookup among them would pass over all others.
//!
//! A key of at most eight bytes is one word. The hash multiplies it by a secret odd number, xors
//! the upper half onto the lower one, and multiplies by another secret odd number. Two different
//! words stay different up to the last step, whose secret factor spreads every difference over the
//! bits above it (Dietzfelbinger and others 1997, "A reliable randomized algorithm for the
//! closest-pair problem"). One multiplication would be enough for two keys, but it turns
//! consecutive numbers into equally spaced ones, and linear probing is slow for those (Pătraşcu and
//! Thorup 2010, "On the k-independence required by linear probing and minwise independence").
//!
//! Longer keys become a word first, by sums of products of secret numbers and pieces of 32 bits
//! (Lemire and Kaser 2014, "Strongly universal string hashing is fast", Multilinear-HM): two keys
//! of one length collide in the upper half for one seed in 2^32. A multiplication by a secret
//! number, followed only by shifts and xors, would not be enough: a difference in the uppermost bit
//! passes any odd factor unchanged, and the next word can cancel it. A key of at most 16 bytes
//! needs one such sum of two words, and a key of at most 32 bytes a sum of four words, which may
//! overlap.
//!
//! Other hashes use products of 64 bits that keep the upper half, which take a third of the
//! instructions of a processor that has them. WebAssembly has none: each such product is four of
//! its own.
//!
//! Invariant: the hash decides where the index looks for a place, and nothing else.

use crate::bytes::short_word;

/// The longest key, in bytes, that is hashed and compared as one word.
pub(crate) const WORD: usize = 8;

/// Words of a long key that are summed up before the sum is folded.
const BLOCK: usize = 4;

/// Hashes keys with the secrets of one instance.
#[derive(Clone, Debug)]
pub(crate) struct KeyHasher {
    /// Odd.
    first: u64,
    length: u64,
    /// Odd.
    last: u64,
    fold: u64,
    lanes: [[u64; 2]; BLOCK],
    /// The secrets of the last words of a key, some of which may also be in a block.
    tail: [[u64; 2]; BLOCK],
}

impl KeyHasher {
    /// Makes a hasher with the secrets that follow from a seed.
    pub(crate) fn new(seed: u64) -> Self {
        let mut state = seed;
        let mut next = || split_mix(&mut state);
        Self {
            first: next() | 1,
            length: next(),
            last: next() | 1,
            fold: next(),
            lanes: std::array::from_fn(|_| [next(), next()]),
            tail: std::array::from_fn(|_| [next(), next()]),
        }
    }

    /// Returns the hash of a key.
    #[inline]
    pub(crate) fn hash(&self, key: &[u8]) -> u32 {
        if key.len() <= WORD {
            return self.hash_word(short_word(key), key.len());
        }
        if key.len() <= 2 * WORD
            && let (Some(start), Some(end)) = (key.first_chunk(), key.last_chunk())
        {
            let length = (key.len() as u64).wrapping_mul(self.length);
            let start = product(*start, self.lanes[0]);
            let end = product(*end, self.tail[0]);
            return self.finish(length.wrapping_add(start).wrapping_add(end));
        }
        self.hash_long(key)
    }

    /// Returns the hash of a key of `length` bytes, at most [`WORD`], as a little-endian word that
    /// ends in zeros.
    #[inline(always)]
    pub(crate) fn hash_word(&self, word: u64, length: usize) -> u32 {
        let length = (length as u64).wrapping_mul(self.length);
        self.finish(word.wrapping_mul(self.first).wrapping_add(length))
    }

    /// Returns the hash of a key of more than two words.
    #[inline(never)]
    fn hash_long(&self, key: &[u8]) -> u32 {
        let mut sum = (key.len() as u64).wrapping_mul(self.length);
        if key.len() <= 4 * WORD
            && let (Some(start), Some(end)) = (key.first_chunk(), key.last_chunk())
        {
            sum = sum.wrapping_add(products::<{ 2 * WORD }>(start, &self.lanes));
            return self.finish(sum.wrapping_add(products::<{ 2 * WORD }>(end, &self.tail)));
        }
        let (blocks, _) = key.as_chunks::<{ BLOCK * WORD }>();
        for block in blocks {
            sum = sum.wrapping_add(products(block, &self.lanes));
            sum = (sum >> 32).wrapping_mul(self.fold);
        }
        // The last words; some or all of them may already be in the sum.
        let end = key.last_chunk::<{ BLOCK * WORD }>().copied();
        let end = products(&end.unwrap_or([0; BLOCK * WORD]), &self.tail);
        self.finish(sum.wrapping_add(end))
    }

    #[inline(always)]
    fn finish(&self, sum: u64) -> u32 {
        let mixed = (sum ^ (sum >> 32)).wrapping_mul(self.last);
        upper_half(mixed)
    }
}

/// Returns the sum of the products of words, each with secrets of its own.
#[inline(always)]
fn products<const BYTES: usize>(bytes: &[u8; BYTES], secrets: &[[u64; 2]; BLOCK]) -> u64 {
    let (words, _) = bytes.as_chunks::<WORD>();
    let products = words.iter().zip(secrets);
    products.fold(0, |sum: u64, (word, secrets)| {
        sum.wrapping_add(product(*word, *secrets))
    })
}

/// Multiplies the halves of a word, each plus a secret. Reading the halves apart keeps the compiler
/// from making vectors of the products, which take more instructions.
#[inline(always)]
fn product([a, b, c, d, e, f, g, h]: [u8; WORD], [low, high]: [u64; 2]) -> u64 {
    let low = low.wrapping_add(u64::from(u32::from_le_bytes([a, b, c, d])));
    low.wrapping_mul(high.wrapping_add(u64::from(u32::from_le_bytes([e, f, g, h]))))
}

#[inline(always)]
fn upper_half(word: u64) -> u32 {
    (word >> 32) as u32
}

/// Returns the next number of a sequence that looks random: Steele, Lea and Flood 2014, "Fast
/// splittable pseudorandom number generators".
fn split_mix(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut mixed = *state;
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

#[cfg(test)]
mod tests;
