//! The effect of each signal on a run: stop, end at once, nothing. Pure.

use std::time::Duration;

use tokio::time::Instant;

use super::signals::Signal;

/// `timeout` and other wrappers signal their child and then its whole group: the same signal again
/// within this time is the same request.
const SAME_SIGNAL: Duration = Duration::from_millis(500);

/// The answer to a signal, or to the deadline of a stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Answer {
    /// The job stops after a last checkpoint.
    Stop(Signal),
    /// The process ends at once.
    End(Signal),
    /// The process ends, because the job has not stopped for so long after this signal.
    GiveUp(Signal, Duration),
    /// The signal repeats the last one.
    Nothing,
}

/// The signals of one run.
#[derive(Debug)]
pub(super) struct Stopping {
    timeout: Duration,
    /// The first signal and its time.
    first: Option<(Signal, Instant)>,
}

impl Stopping {
    /// Starts without a signal. A stop may take `timeout`.
    pub(super) fn new(timeout: Duration) -> Self {
        Self {
            timeout,
            first: None,
        }
    }

    pub(super) fn on_signal(&mut self, signal: Signal, now: Instant) -> Answer {
        match self.first {
            None => {
                self.first = Some((signal, now));
                Answer::Stop(signal)
            }
            Some((first, at)) if signal == first && now - at < SAME_SIGNAL => Answer::Nothing,
            Some(_) => Answer::End(signal),
        }
    }

    /// Returns the time by which the job must have stopped, if a stop was requested.
    pub(super) fn deadline(&self) -> Option<Instant> {
        let (_, at) = self.first?;
        // A deadline too far away to be represented is never reached.
        at.checked_add(self.timeout)
    }

    /// Answers the deadline.
    pub(super) fn on_deadline(&self) -> Answer {
        match self.first {
            Some((signal, _)) => Answer::GiveUp(signal, self.timeout),
            None => Answer::Nothing,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_signal_stops_and_the_second_ends() {
        let mut stopping = Stopping::new(Duration::from_secs(60));
        let start = Instant::now();
        assert_eq!(stopping.deadline(), None);
        let answers = [
            stopping.on_signal(Signal::Terminate, start),
            stopping.on_signal(Signal::Terminate, start + SAME_SIGNAL / 2),
            stopping.on_signal(Signal::Interrupt, start + SAME_SIGNAL / 2),
            stopping.on_signal(Signal::Terminate, start + SAME_SIGNAL),
        ];
        let expected = [
            Answer::Stop(Signal::Terminate),
            Answer::Nothing,
            Answer::End(Signal::Interrupt),
            Answer::End(Signal::Terminate),
        ];
        assert_eq!(answers, expected);
    }

    #[test]
    fn a_stop_that_takes_too_long_is_given_up_as_by_its_first_signal() {
        let timeout = Duration::from_secs(60);
        let mut stopping = Stopping::new(timeout);
        let start = Instant::now();
        stopping.on_signal(Signal::HangUp, start);
        stopping.on_signal(Signal::HangUp, start + SAME_SIGNAL / 2);
        assert_eq!(stopping.deadline(), Some(start + timeout));
        let answer = stopping.on_deadline();
        assert_eq!(answer, Answer::GiveUp(Signal::HangUp, timeout));
    }

    #[test]
    fn a_timeout_without_end_has_no_deadline() {
        let mut stopping = Stopping::new(Duration::MAX);
        stopping.on_signal(Signal::Interrupt, Instant::now());
        assert_eq!(stopping.deadline(), None);
    }
}
