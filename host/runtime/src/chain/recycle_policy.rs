//! Decides when an operator's instance is replaced by a new one because of its memory.
//!
//! The memory of an instance never shrinks, and some language runtimes leak; only the contents of a
//! snapshot have to live on. Pure. Invariants: an instance is replaced only at a barrier, and only
//! once its memory has grown by a good deal since it began, so that truly large state is not
//! restored at every barrier for ever. Nor is an operator replaced for ever if every instance is
//! full after its first batch: that is a fault.

use crate::config::RecycleAt;
use crate::config::limits::MOST_RECYCLES_IN_VAIN;
use crate::protocol::Urgency;

/// The fraction, as a divisor, by which an instance's memory must have grown before it is replaced.
const LEAST_GROWTH: u64 = 4;

/// The need of an instance after a batch.
#[must_use]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Need {
    /// No need, or no new one.
    Nothing,
    /// A checkpoint, at whose barrier the instance is replaced.
    Checkpoint(Urgency),
    /// Another operator: this many replacements in a row got no further than one batch.
    InVain { replacements: u32 },
}

/// The progress of a replacement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Progress {
    /// The replacement had room when it began, and has not processed a batch.
    None,
    /// The instance has processed a batch, or is no replacement.
    Some,
}

/// Decides for one subtask. All sizes are bytes of its instance's memories and tables.
#[derive(Debug)]
pub(crate) struct RecyclePolicy {
    /// `None` if the instance is never replaced.
    threshold: Option<u64>,
    /// The bytes that the instance may occupy.
    limit: u64,
    /// The bytes of the current instance when it was restored as a replacement.
    began_with: Option<u64>,
    progress: Progress,
    /// The number of replacements in a row that were full after their first batch.
    in_vain: u32,
    /// The checkpoint that was requested in order to replace the current instance.
    asked: Option<Urgency>,
    has_warned: bool,
}

impl RecyclePolicy {
    /// Creates a policy for instances with this limit; without a limit, their memory is unknown.
    pub(crate) fn new(at: RecycleAt, limit: Option<u64>) -> Self {
        Self {
            threshold: limit.and_then(|limit| at.bytes_of(limit)),
            limit: limit.unwrap_or(u64::MAX),
            began_with: None,
            progress: Progress::Some,
            in_vain: 0,
            asked: None,
            has_warned: false,
        }
    }

    /// Returns true if an instance of this size is to be replaced at the next barrier.
    pub(crate) fn is_due(&self, memory: u64) -> bool {
        self.due_from().is_some_and(|from| memory >= from)
    }

    /// Called after a batch. Asks for a checkpoint once for each instance, and once more when it
    /// becomes urgent, so that a barrier comes before the limit is reached.
    pub(crate) fn on_batch(&mut self, memory: u64) -> Need {
        if self.asked == Some(Urgency::Urgent) || !self.is_due(memory) {
            if self.progress == Progress::None {
                self.progress = Progress::Some;
                self.in_vain = 0;
            }
            return Need::Nothing;
        }
        if std::mem::replace(&mut self.progress, Progress::Some) == Progress::None {
            self.in_vain += 1;
            if self.in_vain >= MOST_RECYCLES_IN_VAIN {
                let replacements = self.in_vain;
                return Need::InVain { replacements };
            }
        }
        let urgency = self.urgency(memory);
        if self.asked.is_some_and(|asked| asked >= urgency) {
            return Need::Nothing;
        }
        self.asked = Some(urgency);
        Need::Checkpoint(urgency)
    }

    /// Returns how soon a due instance must be replaced. An instance that is full at once gains
    /// nothing.
    fn urgency(&self, memory: u64) -> Urgency {
        let due_from = self.due_from().unwrap_or(self.limit);
        let room = self.limit.saturating_sub(due_from);
        match self.in_vain == 0 && memory >= due_from.saturating_add(room / 2) {
            true => Urgency::Urgent,
            false => Urgency::Patient,
        }
    }

    /// Called when a barrier has passed and the instance was not replaced.
    pub(crate) fn on_barrier(&mut self) {
        self.asked = None;
    }

    /// Called when an instance of this size has replaced the old one. Returns true, once, if that
    /// size is no less than the threshold: the state itself is that large.
    pub(crate) fn on_recycled(&mut self, memory: u64) -> bool {
        self.began_with = Some(memory);
        self.asked = None;
        let is_large = self.threshold.is_some_and(|threshold| memory >= threshold);
        // A warning is enough if the state is large: it is replaced more and more seldom.
        self.progress = match is_large {
            true => Progress::Some,
            false => Progress::None,
        };
        let warns = is_large && !self.has_warned;
        self.has_warned |= warns;
        warns
    }

    fn due_from(&self) -> Option<u64> {
        let threshold = self.threshold?;
        let Some(began_with) = self.began_with else {
            return Some(threshold);
        };
        // Near the limit a quarter may not fit any more; then half of the room that is left.
        let room = self.limit.saturating_sub(began_with);
        let growth = (began_with / LEAST_GROWTH).min(room / 2).max(1);
        Some(threshold.max(began_with.saturating_add(growth)))
    }
}

#[cfg(test)]
mod tests;
