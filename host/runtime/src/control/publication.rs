//! Barrier path: manifest → **publication**. Only now do sinks commit.
//!
//! After a commit, in this order: all sinks publish, savepoints are copied, old checkpoints are
//! removed. The sinks publish side by side, since each waits for a different system; a failed sink
//! neither stops nor hides another. The work is blocking and runs beside the control loop. All of
//! it can be repeated after a crash: sinks publish again what the manifest lists, and retention
//! catches up with the next checkpoint.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;

use futures_util::{StreamExt as _, stream};
use tidegate_checkpoint::{CheckpointStore, Manifest, StoreError};

use crate::config::limits::COMMITS_AT_ONCE;
use crate::error::node_failed;
use crate::executor::{Executor, blocking};
use crate::job::{CommandError, Job};
use crate::observe::CompletedSummary;
use crate::{CheckpointId, JobError};

/// A committed checkpoint that is to be published.
pub(crate) struct Publication {
    pub(crate) manifest: Manifest,
    pub(crate) summary: CompletedSummary,
    /// The directories to copy it to.
    pub(crate) exports: BTreeSet<PathBuf>,
    /// The number of checkpoints that are kept.
    pub(crate) retain: u32,
    /// One more checkpoint to keep, because a drill is reading it.
    pub(crate) held: Option<CheckpointId>,
}

/// The path of each copy, by the requested directory: all requests for one directory share a copy.
pub(crate) type Exported = BTreeMap<PathBuf, Result<PathBuf, CommandError>>;

/// A published checkpoint.
pub(crate) struct Published {
    pub(crate) summary: CompletedSummary,
    pub(crate) exported: Exported,
}

/// Publishes a checkpoint. The driver polls it to its end, also when the attempt is over: the next
/// attempt must not begin while a sink still commits.
///
/// # Errors
///
/// Some sinks could not publish; the attempt ends, and the next attempt publishes first.
pub(crate) async fn publish(
    executor: Arc<dyn Executor>,
    job: Arc<Job>,
    store: Arc<dyn CheckpointStore>,
    publication: Publication,
) -> Result<Published, JobError> {
    commit_sinks(&*executor, &job, &publication.manifest).await?;
    let followed_up = blocking(&*executor, move || follow_up(&*store, publication)).await;
    followed_up.map_err(|not_done| not_done.into_failure("the coordinator's work"))
}

/// Lets every sink with pending output commit, and waits for all of them.
async fn commit_sinks(
    executor: &dyn Executor,
    job: &Job,
    manifest: &Manifest,
) -> Result<(), JobError> {
    let checkpoint = manifest.checkpoint;
    let mut commits = Vec::new();
    for (name, sink) in &job.sinks {
        let pending = manifest.pending_output(name);
        if !pending.is_empty() {
            let sink = Arc::clone(sink);
            let commit = move || sink.commit(checkpoint, &pending);
            commits.push(async move {
                match blocking(executor, commit).await {
                    Ok(committed) => committed.map_err(|error| node_failed(name, error)),
                    Err(not_done) => Err(not_done.into_failure(format!("the commit of {name}"))),
                }
            });
        }
    }
    let commits = stream::iter(commits).buffered(COMMITS_AT_ONCE);
    let results: Vec<Result<(), JobError>> = commits.collect().await;
    let mut failures: Vec<JobError> = results.into_iter().filter_map(Result::err).collect();
    match failures.len() {
        0 => Ok(()),
        1 => Err(failures.remove(0)),
        _ => Err(JobError::Publication { failures }),
    }
}

/// Copies and prunes checkpoints, once all sinks have published.
fn follow_up(store: &dyn CheckpointStore, publication: Publication) -> Published {
    let checkpoint = publication.manifest.checkpoint;
    let exports = publication.exports.into_iter();
    let exported = exports.map(|directory| {
        let path = export(store, checkpoint, directory.clone());
        (directory, path)
    });
    let exported = exported.collect();
    // Checkpoints that are not removed now are removed after the next checkpoint.
    if let Err(error) = remove_old(store, publication.retain, publication.held) {
        tracing::warn!(
            "could not remove old checkpoints, so the next checkpoint tries again: {error}"
        );
    }
    Published {
        summary: publication.summary,
        exported,
    }
}

fn export(
    store: &dyn CheckpointStore,
    checkpoint: CheckpointId,
    directory: PathBuf,
) -> Result<PathBuf, CommandError> {
    let exported = store.export(checkpoint, &directory);
    exported.map_err(|error| CommandError::SavepointNotWritten {
        directory,
        reason: tidegate_operator::with_causes(&error),
    })
}

fn remove_old(
    store: &dyn CheckpointStore,
    retain: u32,
    held: Option<CheckpointId>,
) -> Result<(), StoreError> {
    let mut kept = store.list()?;
    let mut old = kept.len().saturating_sub(retain.max(1) as usize);
    kept.retain(|checkpoint| {
        let is_old = old > 0;
        old = old.saturating_sub(1);
        !is_old || held == Some(*checkpoint)
    });
    store.retain(&kept)
}
