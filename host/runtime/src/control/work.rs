//! Barrier path: the driver's blocking work: committing a manifest, publishing what it covers.
//!
//! The work runs on the executor, beside the loop. A blocking call is never aborted: if the wait is
//! dropped, the call still runs to its end.

use std::time::Duration;

use tidegate_checkpoint::StoreError;
use tidegate_connector::source::BoxFuture;

use super::attempt_end::{AttemptEnd, not_returned};
use super::publication::Published;
use crate::JobError;
use crate::executor::Blocking;

/// Blocking work beside the loop; at most one at a time, since one checkpoint is in flight.
pub(super) enum Work {
    None,
    Committing(Blocking<Result<(), StoreError>>),
    Publishing(BoxFuture<'static, Result<Published, JobError>>),
}

/// The result of the work.
pub(super) enum WorkDone {
    Committed(Result<(), StoreError>),
    Published(Result<Published, JobError>),
    /// The work was refused, or never came to an end.
    NotDone(JobError),
}

impl Work {
    /// Waits for the work; returns `None` if there is none. Cancel-safe.
    pub(super) async fn finish(&mut self) -> Option<WorkDone> {
        let done = match self {
            Self::None => return None,
            Self::Committing(commit) => commit.await.map(WorkDone::Committed),
            Self::Publishing(publish) => Ok(WorkDone::Published(publish.await)),
        };
        Some(done.unwrap_or_else(|not_done| {
            WorkDone::NotDone(not_done.into_failure("the coordinator's work"))
        }))
    }

    /// Waits, when an attempt is over, for the writes in progress: they must end before anyone
    /// reads the store again. If they do not return, the job can't continue, as with a chain that
    /// does not return.
    pub(super) async fn wind_up(&mut self, within: Duration, end: AttemptEnd) -> AttemptEnd {
        let done = tokio::time::timeout(within, self.finish()).await;
        match &done {
            Ok(Some(WorkDone::Committed(Err(error)))) => warn_of(error),
            Ok(Some(WorkDone::Published(Err(error)) | WorkDone::NotDone(error))) => warn_of(error),
            Ok(Some(WorkDone::Committed(Ok(())) | WorkDone::Published(Ok(_))) | None) | Err(_) => {}
        }
        if done.is_ok() {
            return end;
        }
        not_returned(
            "the commit or publication of a checkpoint".to_owned(),
            within,
            end,
        )
    }
}

fn warn_of(error: &dyn std::error::Error) {
    let error = tidegate_operator::with_causes(error);
    tracing::warn!("failure while the attempt ended: {error}");
}
