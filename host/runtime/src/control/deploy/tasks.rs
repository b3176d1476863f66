//! The threads and tasks of an attempt, each watched to its end. A task that is refused or dies
//! fails the attempt, whichever part waits for it; a task that does not return when the attempt is
//! over is named.

use std::collections::BTreeMap;
use std::fmt;
use std::future::{pending, ready};
use std::io;
use std::time::Duration;

use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use tidegate_connector::source::BoxFuture;
use tokio::time::{Instant, timeout_at};

use crate::executor::{Joined, TaskDied};
use crate::{ChainId, JobError};

/// A thread or task of an attempt.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum AttemptPart {
    /// A chain, with its subtasks for messages.
    Chain(ChainId, String),
    /// The persister of a chain, which ends after the chain.
    Persister(ChainId),
}

impl fmt::Display for AttemptPart {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Chain(_, subtasks) => f.write_str(subtasks),
            Self::Persister(chain) => write!(f, "the persister of {chain}"),
        }
    }
}

/// The end of a part.
type Ended = (usize, Result<(), JobError>);

/// All threads and tasks of an attempt.
#[derive(Default)]
pub(crate) struct Tasks {
    running: FuturesUnordered<BoxFuture<'static, Ended>>,
    added: usize,
    /// The parts that have not ended.
    parts: BTreeMap<usize, AttemptPart>,
}

impl Tasks {
    /// Adds a part that was started or refused.
    pub(super) fn add(&mut self, part: AttemptPart, started: io::Result<Joined>) {
        let (index, name) = (self.added, part.to_string());
        self.added += 1;
        self.running.push(match started {
            Ok(joined) => Box::pin(async move {
                let died = |TaskDied { reason }| JobError::Died { task: name, reason };
                (index, joined.await.map_err(died))
            }),
            Err(source) => {
                let chain = name;
                Box::pin(ready((index, Err(JobError::NoThread { chain, source }))))
            }
        });
        self.parts.insert(index, part);
    }

    /// Waits for a part that is refused or dies; for ever if all end by themselves. Cancel-safe.
    pub(crate) async fn failed(&mut self) -> JobError {
        while let Some((index, ended)) = self.running.next().await {
            self.parts.remove(&index);
            if let Err(error) = ended {
                return error;
            }
        }
        pending().await
    }

    /// Waits until all parts are gone, up to a bound.
    pub(super) async fn all_gone(mut self, within: Duration) -> Result<(), NotReturned> {
        let deadline = Instant::now() + within;
        loop {
            match timeout_at(deadline, self.running.next()).await {
                Ok(Some((index, ended))) => {
                    self.parts.remove(&index);
                    if let Err(error) = ended {
                        tracing::warn!("failure while the attempt ended: {error}");
                    }
                }
                Ok(None) => return Ok(()),
                Err(_) => {
                    let what = self.late();
                    return Err(NotReturned { what, within });
                }
            }
        }
    }

    /// Names the parts that have not ended. A persister that waits for its chain is not to blame.
    fn late(&self) -> String {
        let parts = || self.parts.values();
        let waits = |of: &ChainId| {
            parts().any(|p| matches!(p, AttemptPart::Chain(chain, _) if chain == of))
        };
        let late = parts().filter(|part| match part {
            AttemptPart::Chain(..) => true,
            AttemptPart::Persister(chain) => !waits(chain),
        });
        let late: Vec<String> = late.map(AttemptPart::to_string).collect();
        late.join(", ")
    }
}

/// Parts that are still inside a call, though their attempt has been over for a while.
pub(crate) struct NotReturned {
    what: String,
    within: Duration,
}

impl NotReturned {
    /// Returns the error of a job whose last attempt failed with `failure`, or was cancelled.
    pub(crate) fn into_error(self, failure: Option<JobError>) -> JobError {
        JobError::NotReturned {
            what: self.what,
            within: self.within,
            failure: failure.map(Box::new),
        }
    }
}
