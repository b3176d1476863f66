//! The end of an attempt, and the steps of its loop, each of which may end it.

use std::time::Duration;

use crate::JobError;
use crate::job::Outcome;

/// The end of an attempt.
pub(crate) enum AttemptEnd {
    Done(Outcome),
    Failed(JobError),
}

/// The result of a step: the attempt continues, or ends.
pub(super) type Step = Result<(), Box<AttemptEnd>>;

/// Returns the step that ends the attempt with a failure.
pub(super) fn failed(error: JobError) -> Step {
    Err(Box::new(AttemptEnd::Failed(error)))
}

/// Returns the end of an attempt in which the call `what`, which only reads, has not returned. A
/// job that is done stays done: everything is durable and published.
pub(super) fn reading_not_returned(what: String, within: Duration, end: AttemptEnd) -> AttemptEnd {
    match end {
        AttemptEnd::Done(_) => {
            tracing::warn!("{what} has not returned within {within:?}, but the job is done");
            end
        }
        AttemptEnd::Failed(_) => not_returned(what, within, end),
    }
}

/// Returns the end of an attempt in which the call `what` has not returned.
pub(super) fn not_returned(what: String, within: Duration, end: AttemptEnd) -> AttemptEnd {
    let failure = match end {
        AttemptEnd::Done(_) => None,
        AttemptEnd::Failed(error) => Some(Box::new(error)),
    };
    AttemptEnd::Failed(JobError::NotReturned {
        what,
        within,
        failure,
    })
}
