//! A digest of all events, so that two runs can be compared, and a log of them for people.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// The trace of one schedule. Cheap to clone; all of it runs in one thread.
#[derive(Clone, Debug, Default)]
pub(crate) struct Trace(Arc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    digest: AtomicU64,
    log: Option<Mutex<Vec<String>>>,
}

impl Trace {
    /// Returns a trace that also keeps a log.
    pub(crate) fn logged() -> Self {
        Self(Arc::new(Inner {
            digest: AtomicU64::default(),
            log: Some(Mutex::default()),
        }))
    }

    pub(crate) fn note(&self, what: u64) {
        let mixed = (self.digest() ^ what).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let digest = &self.0.digest;
        digest.store(mixed.rotate_left(29), Ordering::Relaxed);
    }

    pub(crate) fn note_text(&self, text: &str) {
        for piece in text.as_bytes().chunks(8) {
            let mut word = [0; 8];
            word[..piece.len()].copy_from_slice(piece);
            self.note(u64::from_le_bytes(word));
        }
    }

    /// Adds a line to the log, if there is one.
    pub(crate) fn tell(&self, line: impl FnOnce() -> String) {
        if let Some(log) = &self.0.log {
            log.lock()
                .unwrap_or_else(PoisonError::into_inner)
                .push(line());
        }
    }

    pub(crate) fn digest(&self) -> u64 {
        self.0.digest.load(Ordering::Relaxed)
    }

    pub(crate) fn log(&self) -> Vec<String> {
        let log = self.0.log.as_ref();
        log.map_or(Vec::new(), |log| {
            log.lock().unwrap_or_else(PoisonError::into_inner).clone()
        })
    }
}
