//! Record path: operator instance → **router** → channel: the key groups of a column of keys.
//!
//! This is the same function as [`crate::key_group`], computed for many keys side by side. The
//! steps of one key depend on each other, those of different keys do not, so a block of keys takes
//! little longer than one key.

use crate::{FNV_BASIS, FNV_PRIME, fnv1a32, murmur};

/// Keys computed side by side: as many as fit the vector registers of any processor.
const LANES: usize = 16;

/// [`crate::key_group`] for one number of key groups, prepared for many keys.
///
/// ```
/// use tidegate_key_groups::{KeyGroupFunction, key_group};
///
/// let function = KeyGroupFunction::new(128);
/// let mut groups = Vec::new();
/// function.extend_with_words(&[*b"12345678", *b"abcdefgh"], &mut groups);
/// assert_eq!(groups, [key_group(b"12345678", 128), key_group(b"abcdefgh", 128)]);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct KeyGroupFunction {
    max_parallelism: u32,
    /// `2^64 / max_parallelism`, rounded up; modulo 2^64, so that it is 0 for 1.
    reciprocal: u64,
}

impl KeyGroupFunction {
    /// Prepares the function for `max_parallelism` key groups.
    ///
    /// # Panics
    ///
    /// If `max_parallelism` is 0.
    #[must_use]
    pub fn new(max_parallelism: u32) -> Self {
        assert!(max_parallelism > 0, "there is at least one key group");
        let reciprocal = (u64::MAX / u64::from(max_parallelism)).wrapping_add(1);
        Self {
            max_parallelism,
            reciprocal,
        }
    }

    /// Returns the key group of one key.
    #[inline]
    #[must_use]
    pub fn key_group(&self, key: &[u8]) -> u32 {
        let [group] = self.reduce([murmur(fnv1a32(key))]);
        group
    }

    /// Appends the key group of each of `keys`, which all have 8 bytes.
    pub fn extend_with_words(&self, keys: &[[u8; 8]], groups: &mut Vec<u32>) {
        let (blocks, rest) = keys.as_chunks::<LANES>();
        groups.reserve(keys.len());
        for block in blocks {
            let words = block.map(u64::from_le_bytes);
            groups.extend(self.reduce(hash_words(words).map(murmur)));
        }
        groups.extend(rest.iter().map(|key| self.key_group(key)));
    }

    #[inline]
    fn reduce<const COUNT: usize>(&self, codes: [u32; COUNT]) -> [u32; COUNT] {
        if self.max_parallelism.is_power_of_two() {
            codes.map(|code| code & (self.max_parallelism - 1))
        } else {
            codes.map(|code| self.remainder(code))
        }
    }

    /// Returns `code % max_parallelism` by two multiplications, exact for 32 bits: Lemire, Kaser
    /// and Kurz 2019, "Faster remainder by direct computation".
    #[inline]
    fn remainder(&self, code: u32) -> u32 {
        let fraction = u128::from(self.reciprocal.wrapping_mul(u64::from(code)));
        let remainder = (fraction * u128::from(self.max_parallelism)) >> 64;
        u32::try_from(remainder).expect("a remainder is smaller than its divisor")
    }
}

/// Returns FNV-1a of the 8 bytes of each word.
#[inline]
fn hash_words(words: [u64; LANES]) -> [u32; LANES] {
    let all = words.iter().fold(0, |all, word| all | word);
    // From here on every byte is 0. Each zero byte is one multiplication; they become one.
    let significant = 8 - all.leading_zeros() / 8;
    let mut hashes = [FNV_BASIS; LANES];
    // In halves, because the processor has twice as many lanes for them.
    hash_bytes(&mut hashes, words.map(low_half), significant.min(4));
    hash_bytes(
        &mut hashes,
        words.map(|word| low_half(word >> 32)),
        significant.saturating_sub(4),
    );
    let factor = FNV_PRIME.wrapping_pow(8 - significant);
    hashes.map(|hash| hash.wrapping_mul(factor))
}

#[inline]
fn hash_bytes(hashes: &mut [u32; LANES], mut words: [u32; LANES], bytes: u32) {
    for _ in 0..bytes {
        for (hash, word) in hashes.iter_mut().zip(&mut words) {
            *hash = (*hash ^ (*word & 0xff)).wrapping_mul(FNV_PRIME);
            *word >>= 8;
        }
    }
}

#[inline]
fn low_half(word: u64) -> u32 {
    let [a, b, c, d, ..] = word.to_le_bytes();
    u32::from_le_bytes([a, b, c, d])
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::key_group;

    fn check(keys: &[[u8; 8]], max_parallelism: u32) -> Result<(), TestCaseError> {
        let function = KeyGroupFunction::new(max_parallelism);
        let expected: Vec<u32> = keys.iter().map(|k| key_group(k, max_parallelism)).collect();
        let mut groups = Vec::new();
        function.extend_with_words(keys, &mut groups);
        prop_assert_eq!(&groups, &expected);
        let one_by_one: Vec<u32> = keys.iter().map(|k| function.key_group(k)).collect();
        prop_assert_eq!(one_by_one, expected);
        Ok(())
    }

    proptest! {
        #[test]
        fn many_keys_at_once_have_the_groups_of_each(
            keys in prop::collection::vec(any::<u64>(), 0..100),
            significant_bytes in 0u32..=8,
            max_parallelism in 1u32..=1 << 15,
        ) {
            let mask = u64::MAX.checked_shr(64 - 8 * significant_bytes).unwrap_or(0);
            let keys: Vec<[u8; 8]> = keys.iter().map(|k| (k & mask).to_le_bytes()).collect();
            check(&keys, max_parallelism)?;
            check(&keys, max_parallelism.next_power_of_two())?;
        }

        #[test]
        fn the_remainder_is_exact_for_every_code(code: u32, divisor in 1u32..) {
            prop_assert_eq!(KeyGroupFunction::new(divisor).remainder(code), code % divisor);
        }
    }
}
