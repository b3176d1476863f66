//! The seed of a run: freshly drawn, or the one that a user repeats.

use std::fmt;
use std::hash::{BuildHasher as _, Hasher as _, RandomState};

use super::Random;

/// The variable that chooses the seed.
pub const SEED_VARIABLE: &str = "TIDEGATE_TEST_SEED";

/// Returns the seed that the environment sets.
///
/// # Panics
///
/// If the variable holds anything but a number.
#[must_use]
pub fn given_seed() -> Option<u64> {
    let given = std::env::var(SEED_VARIABLE).ok()?;
    let seed = given.parse();
    Some(seed.unwrap_or_else(|_| panic!("{SEED_VARIABLE} must be a number, and is {given:?}")))
}

/// The seed of one run of a test. If the test fails while it lives, it prints how to repeat the
/// run.
#[derive(Debug)]
pub struct TestSeed(u64);

impl TestSeed {
    /// Returns the seed that the environment sets, or one that differs from run to run.
    ///
    /// # Panics
    ///
    /// As [`given_seed`].
    #[must_use]
    pub fn of_run() -> Self {
        let fresh = || RandomState::new().build_hasher().finish();
        Self(given_seed().unwrap_or_else(fresh))
    }

    /// Returns the number.
    #[must_use]
    pub fn number(&self) -> u64 {
        self.0
    }

    /// Returns a generator with this seed.
    #[must_use]
    pub fn random(&self) -> Random {
        Random::new(self.0)
    }
}

impl fmt::Display for TestSeed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Drop for TestSeed {
    #[expect(clippy::print_stderr, reason = "the harness shows it with the failure")]
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("{SEED_VARIABLE}={} repeats this run", self.0);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seeds_differ_from_run_to_run_unless_one_is_given() {
        let (first, second) = (TestSeed::of_run(), TestSeed::of_run());
        assert_eq!(first.number() == second.number(), given_seed().is_some());
        assert_eq!(
            first.random().number(),
            Random::new(first.number()).number()
        );
    }
}
