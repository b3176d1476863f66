//! Seeded randomness for tests that choose moments. The seed is printed by whoever fails.

/// The generator of Steele, Lea and Flood 2014 (`SplitMix64`), good enough to choose moments.
#[derive(Debug)]
pub struct Random {
    state: u64,
}

impl Random {
    /// The same seed gives the same numbers.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self { state: seed }
    }

    /// A seed that differs from run to run, or the one in `TIDEGATE_TEST_SEED`.
    #[must_use]
    pub fn fresh_seed() -> u64 {
        let given = std::env::var("TIDEGATE_TEST_SEED").ok();
        given.and_then(|seed| seed.parse().ok()).unwrap_or_else(|| {
            use std::hash::{BuildHasher as _, Hasher as _};
            std::hash::RandomState::new().build_hasher().finish()
        })
    }

    /// A number in `range`.
    pub fn in_range(&mut self, range: std::ops::Range<u64>) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^= mixed >> 31;
        range.start + mixed % (range.end - range.start)
    }
}
