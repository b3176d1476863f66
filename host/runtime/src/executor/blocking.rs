//! Blocking work of a job whose caller waits for the result.

use std::future::Future;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::task::{Context, Poll};

use tidegate_operator::panic_message;
use tokio::sync::oneshot;

use super::Executor;
use crate::JobError;

/// The reason why blocking work has no result.
#[derive(Debug)]
pub(crate) enum NotDone {
    /// The system has no thread for the work, which was not run.
    Refused(io::Error),
    /// A bug of ours or of a connector; the progress of the work is unknown.
    Panicked(String),
}

impl NotDone {
    /// Returns the failure of the attempt that needed the work of `whose`.
    pub(crate) fn into_failure(self, whose: impl Into<String>) -> JobError {
        let chain = whose.into();
        match self {
            Self::Refused(source) => JobError::NoThread { chain, source },
            Self::Panicked(message) => JobError::Panicked { chain, message },
        }
    }
}

/// Blocking work that was started or refused; ready with its result. Cancel-safe; the work
/// continues without it.
pub(crate) enum Blocking<T> {
    Started(oneshot::Receiver<Result<T, String>>),
    /// `None` once the error was returned.
    Refused(Option<io::Error>),
}

/// Starts blocking work. A panic in it, which is a bug in us or in a connector, costs the attempt
/// and not the process, and so does the system's refusal of a thread.
pub(crate) fn blocking<T: Send + 'static>(
    executor: &dyn Executor,
    work: impl FnOnce() -> T + Send + 'static,
) -> Blocking<T> {
    let (done, result) = oneshot::channel();
    let started = executor.run_blocking(Box::new(move || {
        let result = catch_unwind(AssertUnwindSafe(work));
        // No one waits for the result any more if the attempt was dropped.
        drop(done.send(result.map_err(|panic| panic_message(&*panic))));
    }));
    match started {
        Ok(()) => Blocking::Started(result),
        Err(error) => Blocking::Refused(Some(error)),
    }
}

impl<T> Future for Blocking<T> {
    type Output = Result<T, NotDone>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let never_run = || NotDone::Panicked("it was never run".to_owned());
        match &mut *self {
            Self::Started(result) => Pin::new(result).poll(context).map(|sent| match sent {
                Ok(result) => result.map_err(NotDone::Panicked),
                Err(_) => Err(never_run()),
            }),
            Self::Refused(error) => {
                Poll::Ready(Err(error.take().map_or_else(never_run, NotDone::Refused)))
            }
        }
    }
}
