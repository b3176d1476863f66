//! Stands in for the host's log and counters while an operator runs natively.
//!
//! Each thread has its own recorder, since each test runs on its own thread.

use std::cell::RefCell;
use std::collections::BTreeMap;

use super::Level;

thread_local! {
    static RECORDER: RefCell<Recorder> = RefCell::default();
}

#[derive(Debug, Default)]
struct Recorder {
    logs: Vec<(Level, String)>,
    counters: BTreeMap<String, u64>,
}

pub(crate) fn log(level: Level, message: &str) {
    RECORDER.with_borrow_mut(|recorder| recorder.logs.push((level, message.to_owned())));
}

pub(crate) fn count(metric: &str, delta: u64) {
    RECORDER.with_borrow_mut(|recorder| {
        let counter = recorder.counters.entry(metric.to_owned()).or_default();
        *counter = counter.saturating_add(delta);
    });
}

/// Takes the messages that were logged since the last call.
pub(crate) fn take_logs() -> Vec<(Level, String)> {
    RECORDER.with_borrow_mut(|recorder| std::mem::take(&mut recorder.logs))
}

pub(crate) fn counter(metric: &str) -> u64 {
    RECORDER.with_borrow(|recorder| recorder.counters.get(metric).copied().unwrap_or(0))
}

/// Forgets what an earlier harness of this thread recorded.
pub(crate) fn reset() {
    RECORDER.take();
}
