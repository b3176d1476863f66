//! How an attempt ends, and the steps of its loop, each of which may end it.

use std::time::Duration;

use crate::JobError;
use crate::job::Outcome;

/// How an attempt ended.
pub(crate) enum AttemptEnd {
    Done(Outcome),
    Failed(JobError),
}

/// The result of a step: the attempt continues, or ends.
pub(super) type Step = Result<(), Box<AttemptEnd>>;

/// The step that ends the attempt with a failure.
pub(super) fn failed(error: JobError) -> Step {
    Err(Box::new(AttemptEnd::Failed(error)))
}

/// The end of an attempt of which a call has not returned.
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
