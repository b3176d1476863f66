//! Whether and when a failed attempt is followed by another. Pure: time comes in as an argument.

use std::time::Duration;

use crate::config::RestartSettings;

/// Counts failures against a budget.
#[derive(Clone, Debug)]
pub(crate) struct RestartStrategy {
    settings: RestartSettings,
    /// Failures since the count last began.
    failures: u32,
    last_failure_at: Option<Duration>,
}

impl RestartStrategy {
    pub(crate) fn new(settings: RestartSettings) -> Self {
        Self {
            settings,
            failures: 0,
            last_failure_at: None,
        }
    }

    /// An attempt failed at `now`. Gives the wait before the next one, or none if the budget is
    /// used up.
    pub(crate) fn on_failure(&mut self, now: Duration) -> Option<Duration> {
        match self.settings {
            RestartSettings::None => None,
            RestartSettings::FixedDelay { delay, attempts } => {
                self.failures += 1;
                (self.failures <= attempts).then_some(delay)
            }
            RestartSettings::ExponentialBackoff {
                initial,
                max,
                attempts,
                reset_after,
            } => {
                let calm_since = self.last_failure_at.replace(now);
                if calm_since.is_some_and(|last| now.saturating_sub(last) >= reset_after) {
                    self.failures = 0;
                }
                self.failures += 1;
                let doublings = 2u32.saturating_pow(self.failures - 1);
                let wait = initial.saturating_mul(doublings).min(max);
                (self.failures <= attempts).then_some(wait)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn none_never_restarts() {
        let mut strategy = RestartStrategy::new(RestartSettings::None);
        assert_eq!(strategy.on_failure(SECOND), None);
    }

    #[test]
    fn fixed_delay_spends_its_attempts() {
        let mut strategy = RestartStrategy::new(RestartSettings::FixedDelay {
            delay: SECOND,
            attempts: 2,
        });
        let waits: Vec<_> = (0..3).map(|at| strategy.on_failure(SECOND * at)).collect();
        assert_eq!(waits, [Some(SECOND), Some(SECOND), None]);
    }

    #[test]
    fn backoff_doubles_to_its_maximum_and_begins_again_after_a_calm_time() {
        let mut strategy = RestartStrategy::new(RestartSettings::ExponentialBackoff {
            initial: SECOND,
            max: SECOND * 3,
            attempts: 3,
            reset_after: SECOND * 100,
        });
        let mut waits_at = |seconds| strategy.on_failure(SECOND * seconds);
        assert_eq!(waits_at(0), Some(SECOND));
        assert_eq!(waits_at(1), Some(SECOND * 2));
        assert_eq!(waits_at(2), Some(SECOND * 3));
        assert_eq!(waits_at(3), None);
        assert_eq!(waits_at(103), Some(SECOND));
    }
}
