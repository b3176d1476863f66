//! When an operator's instance is replaced by a new one because of its memory.
//!
//! The memory of an instance never shrinks, and some language runtimes leak; what a snapshot holds
//! is all that has to live on. Pure. Invariants: an instance is replaced only at a barrier, and
//! only once its memory has grown by a good deal since it began, so that state which really is that
//! large is not restored at every barrier for ever.

use crate::config::RecycleAt;

/// The part of what an instance began with by which it must have grown before it is replaced.
const LEAST_GROWTH: u64 = 4;

/// Decides for one subtask. All sizes are bytes of its instance's memories and tables.
#[derive(Debug)]
pub(crate) struct RecyclePolicy {
    /// None if the instance is never replaced.
    threshold: Option<u64>,
    /// What the instance may occupy.
    limit: u64,
    /// What the instance at hand had when it was restored as a replacement.
    began_with: Option<u64>,
    /// A checkpoint was asked for, to replace the instance at hand.
    has_asked: bool,
    has_warned: bool,
}

impl RecyclePolicy {
    /// For instances with this limit; without one, nothing is known of their memory.
    pub(crate) fn new(at: RecycleAt, limit: Option<u64>) -> Self {
        Self {
            threshold: limit.and_then(|limit| at.bytes_of(limit)),
            limit: limit.unwrap_or(u64::MAX),
            began_with: None,
            has_asked: false,
            has_warned: false,
        }
    }

    /// True if an instance that occupies so much is to be replaced at the next barrier.
    pub(crate) fn is_due(&self, memory: u64) -> bool {
        self.due_from().is_some_and(|from| memory >= from)
    }

    /// True if a checkpoint is to be asked for now: once for each instance, so that a barrier comes
    /// before the limit is met.
    pub(crate) fn asks_for_checkpoint(&mut self, memory: u64) -> bool {
        let asks = !self.has_asked && self.is_due(memory);
        self.has_asked |= asks;
        asks
    }

    /// A barrier has passed, and the instance was not replaced.
    pub(crate) fn on_barrier(&mut self) {
        self.has_asked = false;
    }

    /// The instance was replaced by one that occupies so much now. True, once, if that is no less
    /// than the threshold: the state itself is that large.
    pub(crate) fn on_recycled(&mut self, memory: u64) -> bool {
        self.began_with = Some(memory);
        self.has_asked = false;
        let is_large = self.threshold.is_some_and(|threshold| memory >= threshold);
        let warns = is_large && !self.has_warned;
        self.has_warned |= warns;
        warns
    }

    fn due_from(&self) -> Option<u64> {
        let threshold = self.threshold?;
        let Some(began_with) = self.began_with else {
            return Some(threshold);
        };
        // Near the limit a quarter may not fit any more; then half of what is left.
        let room = self.limit.saturating_sub(began_with);
        let growth = (began_with / LEAST_GROWTH).min(room / 2).max(1);
        Some(threshold.max(began_with.saturating_add(growth)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn policy(percent: u8, limit: u64) -> RecyclePolicy {
        RecyclePolicy::new(RecycleAt::Percent(percent), Some(limit))
    }

    /// The sizes at which an instance is replaced that grows by 1, and whose replacement has
    /// `begins` of what it had.
    fn recycled_at(mut policy: RecyclePolicy, begins: impl Fn(u64) -> u64) -> (Vec<u64>, u32) {
        let (mut memory, mut sizes, mut warnings) = (10, Vec::new(), 0);
        for _ in 0..1_000 {
            memory = policy.limit.min(memory + 1);
            if policy.is_due(memory) {
                sizes.push(memory);
                memory = begins(memory);
                warnings += u32::from(policy.on_recycled(memory));
            }
        }
        (sizes, warnings)
    }

    #[test]
    fn an_instance_that_leaks_is_replaced_each_time_that_it_reaches_the_threshold() {
        let (sizes, warnings) = recycled_at(policy(75, 400), |_| 10);
        assert_eq!((sizes, warnings), (vec![300; 3], 0));
    }

    #[test]
    fn what_begins_close_to_the_threshold_must_grow_by_a_quarter_first() {
        let (sizes, warnings) = recycled_at(policy(50, 400), |_| 180);
        assert_eq!(sizes[..3], [200, 225, 225]);
        assert_eq!(warnings, 0);
    }

    #[test]
    fn state_that_really_is_large_is_not_restored_at_each_barrier_and_is_warned_of_once() {
        // Nothing of it is a leak: what was replaced begins as large as it was.
        let (sizes, warnings) = recycled_at(policy(75, 400), |memory| memory);
        assert_eq!(sizes, [300, 350, 375, 387, 393, 396, 398, 399, 400]);
        assert_eq!(warnings, 1);
    }

    #[test]
    fn a_checkpoint_is_asked_for_once_until_a_barrier_has_come() {
        let mut policy = policy(75, 400);
        let asked = [299, 300, 301].map(|memory| policy.asks_for_checkpoint(memory));
        assert_eq!(asked, [false, true, false]);
        policy.on_barrier();
        assert!(policy.asks_for_checkpoint(302));
        assert!(!policy.on_recycled(20));
        assert!(!policy.asks_for_checkpoint(299));
        assert!(policy.asks_for_checkpoint(300));
    }

    #[test]
    fn nothing_is_replaced_without_a_threshold_or_a_limit() {
        let never = RecyclePolicy::new(RecycleAt::Never, Some(400));
        let unlimited = RecyclePolicy::new(RecycleAt::Percent(1), None);
        assert!(!never.is_due(400));
        assert!(!unlimited.is_due(u64::MAX));
    }
}
