//! Random numbers for tests, fuzz targets, the simulation and the benchmarks. The same seed returns
//! the same numbers, on every machine and in every version: recorded seeds rely on it.
//!
//! One variable chooses the seed of a test that draws a new one in each run: `TIDEGATE_TEST_SEED`.
//! Not for secrets.

mod seed;

use std::ops::Range;

pub use seed::{SEED_VARIABLE, TestSeed, given_seed};

/// The generator of Steele, Lea and Flood 2014 (`SplitMix64`).
#[derive(Clone, Debug)]
pub struct Random {
    state: u64,
}

impl Random {
    /// Creates a generator with this seed.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self { state: seed }
    }

    /// Creates a generator for one of the purposes that one seed serves: more draws for one purpose
    /// do not affect the others.
    #[must_use]
    pub fn for_purpose(seed: u64, purpose: &str) -> Self {
        let first = seed ^ 0x9e37_79b9_7f4a_7c15;
        let mix = |state, byte| Self::new(state ^ u64::from(byte)).number();
        Self::new(purpose.bytes().fold(first, mix))
    }

    /// Returns any number.
    pub fn number(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// Returns any byte.
    pub fn byte(&mut self) -> u8 {
        self.number().to_le_bytes()[0]
    }

    /// Returns a number from 0 to `bound` - 1; 0 if the bound is 0.
    pub fn below(&mut self, bound: u64) -> u64 {
        self.number() % bound.max(1)
    }

    /// Returns an index into something of this length.
    pub fn index(&mut self, length: usize) -> usize {
        let index = self.below(length as u64);
        usize::try_from(index).expect("an index below a usize is one")
    }

    /// Returns a number in `range`, which is not empty.
    pub fn in_range(&mut self, range: Range<u64>) -> u64 {
        range.start + self.below(range.end - range.start)
    }

    /// Returns a number from 0 to `most`, such as a count of faults.
    pub fn up_to(&mut self, most: u32) -> u32 {
        let number = self.below(u64::from(most) + 1);
        u32::try_from(number).expect("a number up to a u32 is one")
    }

    /// Returns one of them.
    ///
    /// # Panics
    ///
    /// If the slice is empty.
    pub fn pick<T: Copy>(&mut self, all: &[T]) -> T {
        all[self.index(all.len())]
    }

    /// Returns true `times` out of `of` times.
    pub fn chance(&mut self, times: u64, of: u64) -> bool {
        self.below(of) < times
    }

    /// Returns a number from 0 to 2^`bits` - 1; every order of magnitude is as likely.
    pub fn skewed(&mut self, bits: u64) -> u64 {
        let bits = self.below(bits + 1);
        self.below(1 << bits)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_repeats_the_numbers_that_others_have_written_down() {
        // The first numbers of the reference implementation for the seed 1234567.
        let mut random = Random::new(1_234_567);
        let numbers = std::array::from_fn(|_| random.number());
        assert_eq!(
            numbers,
            [
                6_457_827_717_110_365_317,
                3_203_168_211_198_807_973,
                9_817_491_932_198_370_423,
            ]
        );
    }

    #[test]
    fn purposes_of_one_seed_have_numbers_of_their_own() {
        let first = |purpose| Random::for_purpose(7, purpose).number();
        assert_eq!(first("job"), first("job"));
        assert_ne!(first("job"), first("faults"));
        assert_ne!(first(""), Random::new(7).number());
    }

    #[test]
    fn numbers_stay_within_their_bounds() {
        let mut random = Random::new(7);
        for _ in 0..1_000 {
            assert!(random.below(3) < 3);
            assert!(random.index(3) < 3);
            assert!((5..8).contains(&random.in_range(5..8)));
            assert!(random.up_to(2) <= 2);
            assert!(random.skewed(4) < 16);
        }
        assert_eq!(random.below(0), 0);
        assert!((0..100).any(|_| random.chance(1, 10)));
        assert!((0..100).any(|_| !random.chance(1, 10)));
        let picked = |random: &mut Random| random.pick(&['a', 'b']);
        assert!((0..100).any(|_| picked(&mut random) == 'b'));
    }
}
