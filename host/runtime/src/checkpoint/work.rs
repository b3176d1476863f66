//! Barrier path: the driver's blocking work: committing a manifest, publishing what it covers.
//!
//! Runs where the executor says, beside the loop. It is never aborted: whoever drops the wait
//! leaves the work to its end.

use super::StoreError;
use super::publication::Published;
use crate::JobError;
use crate::executor::Blocking;

/// Blocking work beside the loop; at most one at a time, since one checkpoint is in flight.
pub(super) enum Work {
    None,
    Committing(Blocking<Result<(), StoreError>>),
    Publishing(Blocking<Result<Published, JobError>>),
}

/// What came of it.
pub(super) enum WorkDone {
    Committed(Result<(), StoreError>),
    Published(Result<Published, JobError>),
    /// It was refused, or never came to an end.
    NotDone(JobError),
}

impl Work {
    /// Waits for the work; none if there is none. Cancel-safe.
    pub(super) async fn finish(&mut self) -> Option<WorkDone> {
        let done = match self {
            Self::None => return None,
            Self::Committing(commit) => commit.await.map(WorkDone::Committed),
            Self::Publishing(publish) => publish.await.map(WorkDone::Published),
        };
        Some(done.unwrap_or_else(|not_done| {
            WorkDone::NotDone(not_done.into_failure("the coordinator's work"))
        }))
    }
}
