//! Faults that a test plans: the n-th call of a kind fails, over all subtasks and attempts.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError, mpsc};

/// A call that can be made to fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Call {
    OpenSource,
    /// A shelf reads the next lines of a book.
    Read,
    /// An enumerator searches for splits.
    Discover,
    Poll,
    Process,
    Watermark,
    /// The guest traps in `snapshot`.
    Snapshot,
    /// The guest answers `snapshot` with a failure.
    DeclineSnapshot,
    Restore,
    Finish,
    CheckpointComplete,
    Write,
    /// The cut at the barrier.
    PreCommit,
    /// The work that makes the cut durable, beside processing.
    PreCommitDurable,
    /// The call before an output is published.
    Commit,
    Recover,
}

/// The effect of a fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum How {
    Fails,
    Panics,
}

#[derive(Debug, Default)]
struct Plan {
    planned: Vec<(Call, u64, How)>,
    calls: BTreeMap<Call, u64>,
    fired: Vec<(Call, u64)>,
    violations: Vec<String>,
    /// Calls that wait until the other end is dropped.
    held: BTreeMap<Call, mpsc::Receiver<()>>,
}

/// The faults of one test, and the violations that it saw. Shared by all parts of its job.
#[derive(Clone, Debug, Default)]
pub(crate) struct Faults {
    plan: Arc<Mutex<Plan>>,
}

impl Faults {
    pub(crate) fn none() -> Self {
        Self::default()
    }

    pub(crate) fn at(planned: &[(Call, u64)]) -> Self {
        let faults = Self::default();
        for (call, nth) in planned {
            faults.add(*call, *nth, How::Fails);
        }
        faults
    }

    pub(crate) fn add(&self, call: Call, nth: u64, how: How) {
        self.with(|plan| plan.planned.push((call, nth, how)));
    }

    /// Lets the next call of a kind wait until the returned value is dropped.
    pub(crate) fn hold(&self, call: Call) -> mpsc::Sender<()> {
        let (hold, held) = mpsc::channel();
        self.with(|plan| plan.held.insert(call, held));
        hold
    }

    /// Returns true once a call waits, or has waited, because of [`Self::hold`].
    pub(crate) fn has_reached(&self, call: Call) -> bool {
        self.with(|plan| !plan.held.contains_key(&call))
    }

    /// Counts a call. Returns true if the call should fail.
    pub(crate) fn hit(&self, call: Call) -> bool {
        if let Some(held) = self.with(|plan| plan.held.remove(&call)) {
            _ = held.recv();
        }
        let how = self.with(|plan| {
            let count = plan.calls.entry(call).or_default();
            *count += 1;
            let count = *count;
            let due = |(of, nth, _): &&(Call, u64, How)| *of == call && *nth == count;
            let how = plan.planned.iter().find(due).map(|(_, _, how)| *how);
            if how.is_some() {
                plan.fired.push((call, count));
            }
            how
        });
        assert_ne!(how, Some(How::Panics), "a planned panic in {call:?}");
        how == Some(How::Fails)
    }

    /// Returns the number of calls of a kind.
    pub(crate) fn calls(&self, call: Call) -> u64 {
        self.with(|plan| plan.calls.get(&call).copied().unwrap_or(0))
    }

    pub(crate) fn fired(&self) -> Vec<(Call, u64)> {
        self.with(|plan| plan.fired.clone())
    }

    /// Notes a violation of a guarantee.
    pub(crate) fn violation(&self, what: String) {
        self.with(|plan| plan.violations.push(what));
    }

    pub(crate) fn violations(&self) -> Vec<String> {
        self.with(|plan| plan.violations.clone())
    }

    fn with<T>(&self, act: impl FnOnce(&mut Plan) -> T) -> T {
        act(&mut self.plan.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
