//! The end of a running call: by its deadline, or by the caller.
//!
//! wasmtime stops a guest for a moment at each tick of the engine's clock, and [`Interruption`]
//! decides whether it continues. Pure except for the flag and the clock, which other threads set.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use wasmtime::UpdateDeadline;

use crate::engine::{Clock, TICK};
use crate::fault::FaultCause;

/// Cancels the calls of one operator instance, from any thread. A clone cancels the same instance.
#[derive(Clone, Debug, Default)]
pub struct InstanceCanceller {
    is_cancelled: Arc<AtomicBool>,
}

impl InstanceCanceller {
    /// Ends the call that runs, within some 10 ms, and rejects every later one: both fail with
    /// [`FaultCause::Cancelled`]. A call whose guest has already returned may still succeed.
    pub fn cancel(&self) {
        self.is_cancelled.store(true, Ordering::Relaxed);
    }

    /// Returns true once the instance is cancelled.
    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        self.is_cancelled.load(Ordering::Relaxed)
    }
}

/// Decides at each tick whether a call continues.
#[derive(Debug)]
pub(crate) struct Interruption {
    canceller: InstanceCanceller,
    clock: Clock,
    /// The tick at which the call must end.
    deadline: u64,
}

impl Interruption {
    pub(crate) fn new(canceller: InstanceCanceller, clock: Clock) -> Self {
        Self {
            canceller,
            clock,
            deadline: 0,
        }
    }

    pub(crate) fn canceller(&self) -> &InstanceCanceller {
        &self.canceller
    }

    /// Sets the deadline of a new call.
    pub(crate) fn begin_call(&mut self, timeout: Duration) {
        self.deadline = self.clock.ticks().saturating_add(ticks(timeout));
    }

    /// Called by the engine when the clock has ticked during a call. Ticks are counted by the clock
    /// and not here: several pass while the host works for the guest.
    pub(crate) fn on_tick(&self) -> UpdateDeadline {
        if self.canceller.is_cancelled() || self.clock.ticks() >= self.deadline {
            return UpdateDeadline::Interrupt;
        }
        UpdateDeadline::Continue(1)
    }

    /// Returns the cause of the fault of an interrupted call.
    pub(crate) fn cause(&self, limit: Duration) -> FaultCause {
        if self.canceller.is_cancelled() {
            return FaultCause::Cancelled;
        }
        FaultCause::Timeout { limit }
    }
}

/// Returns a number of ticks that last at least `timeout`: one more, since the current tick is
/// partly over.
fn ticks(timeout: Duration) -> u64 {
    let whole = timeout.as_millis().div_ceil(TICK.as_millis()) + 1;
    u64::try_from(whole).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn continues(interruption: &Interruption) -> bool {
        matches!(interruption.on_tick(), UpdateDeadline::Continue(1))
    }

    #[test]
    fn a_deadline_is_never_shorter_than_the_timeout_and_never_overflows() {
        let ticks = [
            Duration::ZERO,
            Duration::from_millis(1),
            Duration::from_secs(5),
            Duration::MAX,
        ]
        .map(ticks);
        assert_eq!(ticks, [1, 2, 501, u64::MAX]);
    }

    #[test]
    fn a_call_continues_until_its_deadline_also_if_the_host_slept_through_ticks() {
        let clock = Clock::default();
        let mut interruption = Interruption::new(InstanceCanceller::default(), clock.clone());
        clock.advance();
        interruption.begin_call(Duration::from_millis(20));
        clock.advance();
        assert!(continues(&interruption));
        clock.advance();
        clock.advance();
        assert!(!continues(&interruption));
        let limit = Duration::from_millis(20);
        assert_eq!(interruption.cause(limit), FaultCause::Timeout { limit });

        interruption.begin_call(Duration::MAX);
        assert!(continues(&interruption));
    }

    #[test]
    fn a_cancelled_call_ends_at_the_next_tick() {
        let canceller = InstanceCanceller::default();
        let mut interruption = Interruption::new(canceller.clone(), Clock::default());
        interruption.begin_call(Duration::MAX);
        canceller.cancel();
        assert!(!continues(&interruption));
        assert_eq!(interruption.cause(Duration::MAX), FaultCause::Cancelled);
    }
}
