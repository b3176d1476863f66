//! The threads and tasks of an attempt, each watched to its end: one that was refused or that dies
//! is the failure of the attempt, whoever else would have waited for it.

use std::future::{pending, ready};
use std::io;

use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;

use crate::JobError;
use crate::executor::{Joined, TaskDied};
use crate::source::BoxFuture;

/// All threads and tasks of an attempt.
#[derive(Default)]
pub(crate) struct Tasks(FuturesUnordered<BoxFuture<'static, Result<(), JobError>>>);

impl Tasks {
    /// Adds one that was started or refused; `task` names it in messages.
    pub(super) fn add(&mut self, task: String, started: io::Result<Joined>) {
        self.0.push(match started {
            Ok(joined) => Box::pin(async move {
                let died = |TaskDied { reason }| JobError::Died { task, reason };
                joined.await.map_err(died)
            }),
            Err(source) => Box::pin(ready(Err(JobError::NoThread {
                chain: task,
                source,
            }))),
        });
    }

    /// Waits for one that was refused or dies; for ever if all come to their own ends. Cancel-safe.
    pub(crate) async fn failed(&mut self) -> JobError {
        while let Some(ended) = self.0.next().await {
            if let Err(error) = ended {
                return error;
            }
        }
        pending().await
    }

    /// Waits until all are gone.
    pub(super) async fn all_gone(mut self) {
        while let Some(ended) = self.0.next().await {
            if let Err(error) = ended {
                tracing::warn!("while the attempt ended: {error}");
            }
        }
    }
}
