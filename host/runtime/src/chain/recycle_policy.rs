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
mod tests {
    use super::*;

    fn policy(percent: u8, limit: u64) -> RecyclePolicy {
        RecyclePolicy::new(RecycleAt::Percent(percent), Some(limit))
    }

    /// Returns the sizes at which an instance is replaced that grows by 1, and the number of
    /// warnings. `begins` maps the size of an instance to that of its replacement.
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
        // Nothing of it is a leak: each replacement begins as large as the instance before.
        let (sizes, warnings) = recycled_at(policy(75, 400), |memory| memory);
        assert_eq!(sizes, [300, 350, 375, 387, 393, 396, 398, 399, 400]);
        assert_eq!(warnings, 1);
    }

    const PATIENT: Need = Need::Checkpoint(Urgency::Patient);
    const URGENT: Need = Need::Checkpoint(Urgency::Urgent);

    #[test]
    fn a_checkpoint_is_asked_for_once_until_a_barrier_has_come_and_once_more_when_it_is_urgent() {
        let mut policy = policy(75, 400);
        let needs = [299, 300, 301, 349, 350, 399].map(|memory| policy.on_batch(memory));
        let nothing = Need::Nothing;
        assert_eq!(needs, [nothing, PATIENT, nothing, nothing, URGENT, nothing]);
        policy.on_barrier();
        assert_eq!(policy.on_batch(302), PATIENT);
        assert!(!policy.on_recycled(20));
        assert_eq!(policy.on_batch(299), nothing);
        assert_eq!(policy.on_batch(360), URGENT);
        assert_eq!(policy.on_batch(361), nothing);
    }

    /// Returns the last need of replacements that begin with 20 and have these sizes after each
    /// batch.
    fn needs_of_replacements(policy: &mut RecyclePolicy, batches: &[&[u64]]) -> Vec<Need> {
        let of_one = |batches: &&[u64]| {
            policy.on_recycled(20);
            let needs = batches.iter().map(|memory| policy.on_batch(*memory));
            needs.last().expect("each has a batch")
        };
        batches.iter().map(of_one).collect()
    }

    #[test]
    fn replacements_that_their_first_batch_fills_are_patient_and_in_the_end_a_fault() {
        let mut policy = policy(75, 400);
        assert_eq!(policy.on_batch(380), URGENT);
        let full: &[u64] = &[380];
        let needs = needs_of_replacements(&mut policy, &[full; 5]);
        let in_vain = Need::InVain { replacements: 5 };
        assert_eq!(needs, [PATIENT, PATIENT, PATIENT, PATIENT, in_vain]);
    }

    #[test]
    fn one_replacement_that_got_further_than_one_batch_is_progress() {
        let mut policy = policy(75, 400);
        let full: &[u64] = &[380];
        let further: &[u64] = &[299, 380];
        let replacements = [full, full, full, full, further, full, full, full, full];
        let needs = needs_of_replacements(&mut policy, &replacements);
        assert!(!needs.iter().any(|need| matches!(need, Need::InVain { .. })));
        assert_eq!(needs[4..6], [URGENT, PATIENT]);
    }

    #[test]
    fn state_that_really_is_large_is_no_fault() {
        let mut policy = policy(75, 400);
        for memory in [310, 360, 380, 390, 395, 397, 398] {
            policy.on_recycled(memory);
            let full = policy.on_batch(400);
            assert!(matches!(full, Need::Checkpoint(_)), "{full:?}");
        }
    }

    #[test]
    fn nothing_is_replaced_without_a_threshold_or_a_limit() {
        let never = RecyclePolicy::new(RecycleAt::Never, Some(400));
        let unlimited = RecyclePolicy::new(RecycleAt::Percent(1), None);
        assert!(!never.is_due(400));
        assert!(!unlimited.is_due(u64::MAX));
    }
}
