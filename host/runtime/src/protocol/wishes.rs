//! Decides when a checkpoint starts that a guest wants because of its memory.
//!
//! A guest may want the next checkpoint as soon as one is over, and all other operators take part
//! in each of them. So there is a least distance between the end of a checkpoint and the start of a
//! wanted one. While wishes come faster, the distance doubles, up to the interval of the job; if a
//! guest is about to reach its limit, only the first distance counts. Pure.

use std::time::Duration;

use crate::config::limits::LEAST_WISH_DISTANCE;
use crate::protocol::Urgency;

/// The wishes of all guests of one attempt.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Wishes {
    /// The largest distance.
    interval: Duration,
    wish: Option<Wish>,
    distance: Duration,
    /// The end of the last checkpoint.
    over_at: Option<Duration>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Wish {
    came_at: Duration,
    urgency: Urgency,
}

impl Wishes {
    pub(super) fn new(interval: Duration) -> Self {
        Self {
            interval,
            wish: None,
            distance: LEAST_WISH_DISTANCE,
            over_at: None,
        }
    }

    /// Called when a guest wants a checkpoint.
    pub(super) fn on_wish(&mut self, urgency: Urgency, now: Duration) {
        let wish = self.wish.get_or_insert(Wish {
            came_at: now,
            urgency,
        });
        wish.urgency = wish.urgency.max(urgency);
    }

    /// Returns the time at which a checkpoint is to start, once none is in flight; `None` without a
    /// wish.
    pub(super) fn due_at(&self) -> Option<Duration> {
        let wish = self.wish.as_ref()?;
        let Some(over_at) = self.over_at else {
            return Some(wish.came_at);
        };
        let distance = match wish.urgency {
            Urgency::Patient => self.distance,
            Urgency::Urgent => LEAST_WISH_DISTANCE,
        };
        Some(wish.came_at.max(over_at + distance))
    }

    /// Called when a checkpoint starts, for whatever reason: it serves all wishes.
    pub(super) fn on_triggered(&mut self) {
        let Some(wish) = self.wish.take() else {
            return;
        };
        let over_at = self.over_at;
        let had_to_wait = over_at.is_some_and(|over_at| wish.came_at < over_at + self.distance);
        self.distance = match had_to_wait {
            true => (self.distance * 2).min(self.interval.max(LEAST_WISH_DISTANCE)),
            false => LEAST_WISH_DISTANCE,
        };
    }

    /// Called when the checkpoint in flight is over, complete or not.
    pub(super) fn on_over(&mut self, now: Duration) {
        self.over_at = Some(now);
    }

    /// Returns a copy with all times as distances to `now`, as far as they matter: to compare two
    /// moments.
    #[cfg(test)]
    pub(super) fn relative_to(&self, now: Duration) -> Self {
        let mut same = self.clone();
        let since = |at: Duration| now.saturating_sub(at).min(self.interval);
        same.over_at = same.over_at.map(since);
        if let Some(wish) = &mut same.wish {
            wish.came_at = since(wish.came_at);
        }
        same
    }
}

#[cfg(test)]
mod tests;
