//! Decides whether and when another attempt follows a failed one. Pure: time comes in as an
//! argument.

use std::time::Duration;

use crate::config::{ExponentialBackoff, FixedDelay, RestartSettings};

/// Counts failures against a budget.
#[derive(Clone, Debug)]
pub(crate) struct RestartStrategy {
    settings: RestartSettings,
    /// Failures since the count last began.
    failures: u32,
}

impl RestartStrategy {
    pub(crate) fn new(settings: RestartSettings) -> Self {
        Self {
            settings,
            failures: 0,
        }
    }

    /// Called when an attempt failed that had run for `calm` since all of its chains were open and
    /// restored; waits between attempts do not count. Returns the wait before the next attempt, or
    /// `None` if the budget is used up.
    pub(crate) fn on_failure(&mut self, calm: Duration) -> Option<Duration> {
        match &self.settings {
            RestartSettings::None => None,
            RestartSettings::FixedDelay(FixedDelay { delay, attempts }) => {
                self.failures += 1;
                (self.failures <= *attempts).then_some(*delay)
            }
            RestartSettings::ExponentialBackoff(settings) => {
                if calm >= settings.reset_after {
                    self.failures = 0;
                }
                self.failures += 1;
                let wait = settings.wait_before(self.failures);
                (self.failures <= settings.attempts).then_some(wait)
            }
        }
    }
}

impl ExponentialBackoff {
    /// Returns the wait before the restart that follows this many failures in a row.
    fn wait_before(&self, failures: u32) -> Duration {
        let factor = self.backoff_multiplier.saturating_pow(failures - 1);
        self.initial.saturating_mul(factor).min(self.max)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn a_wait_that_is_longer_than_reset_after_is_not_calm() {
        let mut strategy =
            RestartStrategy::new(RestartSettings::ExponentialBackoff(ExponentialBackoff {
                initial: SECOND * 20,
                max: SECOND * 20,
                backoff_multiplier: 2,
                attempts: 2,
                reset_after: SECOND * 10,
            }));
        // Each attempt fails as soon as it runs.
        let waits = [0; 3].map(|_| strategy.on_failure(Duration::ZERO));
        assert_eq!(waits, [Some(SECOND * 20), Some(SECOND * 20), None]);
    }

    #[test]
    fn waits_grow_by_the_multiplier_up_to_the_longest() {
        for (multiplier, waits) in [(1, [1, 1, 1, 1]), (2, [1, 2, 4, 8]), (5, [1, 5, 25, 60])] {
            let settings = ExponentialBackoff {
                initial: SECOND,
                max: SECOND * 60,
                backoff_multiplier: multiplier,
                attempts: 4,
                reset_after: SECOND * 100,
            };
            let mut strategy = RestartStrategy::new(RestartSettings::ExponentialBackoff(settings));
            let found = [(); 4].map(|()| strategy.on_failure(Duration::ZERO));
            assert_eq!(found, waits.map(|wait| Some(SECOND * wait)), "{multiplier}");
        }
    }

    #[test]
    fn none_never_restarts() {
        let mut strategy = RestartStrategy::new(RestartSettings::None);
        assert_eq!(strategy.on_failure(SECOND), None);
    }

    #[test]
    fn fixed_delay_spends_its_attempts() {
        let mut strategy = RestartStrategy::new(RestartSettings::FixedDelay(FixedDelay {
            delay: SECOND,
            attempts: 2,
        }));
        let waits: Vec<_> = (0..3).map(|at| strategy.on_failure(SECOND * at)).collect();
        assert_eq!(waits, [Some(SECOND), Some(SECOND), None]);
    }

    #[test]
    fn backoff_doubles_to_its_maximum_and_begins_again_after_a_calm_time() {
        let mut strategy =
            RestartStrategy::new(RestartSettings::ExponentialBackoff(ExponentialBackoff {
                initial: SECOND,
                max: SECOND * 3,
                backoff_multiplier: 2,
                attempts: 3,
                reset_after: SECOND * 100,
            }));
        let mut wait_after = |calm| strategy.on_failure(SECOND * calm);
        assert_eq!(wait_after(99), Some(SECOND));
        assert_eq!(wait_after(0), Some(SECOND * 2));
        assert_eq!(wait_after(1), Some(SECOND * 3));
        assert_eq!(wait_after(99), None);
        assert_eq!(wait_after(100), Some(SECOND));
    }
}
