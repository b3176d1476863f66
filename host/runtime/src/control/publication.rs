//! Barrier path: manifest → **publication**. Only now do sinks commit.
//!
//! What follows a commit, in this order: sinks publish, savepoints are copied, old checkpoints go.
//! Blocking; runs beside the control loop. Everything here is repeated safely after a crash: sinks
//! publish again what the manifest lists, and retention catches up with the next checkpoint.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use tidegate_checkpoint::{CheckpointStore, Manifest, StoreError};

use crate::error::node_failed;
use crate::job::{CommandError, Job};
use crate::observe::CompletedSummary;
use crate::{CheckpointId, JobError};

/// A committed checkpoint that is to be published.
pub(crate) struct Publication {
    pub(crate) manifest: Manifest,
    pub(crate) summary: CompletedSummary,
    /// Where copies of it are wanted.
    pub(crate) exports: BTreeSet<PathBuf>,
    /// How many checkpoints are kept.
    pub(crate) retain: u32,
    /// One more that is kept: a drill is reading it.
    pub(crate) held: Option<CheckpointId>,
}

/// The path of each copy, by the directory that it was wanted in: one copy for all who want it
/// there.
pub(crate) type Exported = BTreeMap<PathBuf, Result<PathBuf, CommandError>>;

/// A published checkpoint.
pub(crate) struct Published {
    pub(crate) summary: CompletedSummary,
    pub(crate) exported: Exported,
}

/// # Errors
///
/// A sink could not publish; the attempt ends, and the next one publishes first.
pub(crate) fn publish(
    job: &Job,
    store: &dyn CheckpointStore,
    publication: Publication,
) -> Result<Published, JobError> {
    for (name, sink) in &job.sinks {
        let pending = publication.manifest.pending_output(name);
        if !pending.is_empty() {
            sink.commit(&pending)
                .map_err(|error| node_failed(name, error))?;
        }
    }
    let checkpoint = publication.manifest.checkpoint;
    let exports = publication.exports.into_iter();
    let exported = exports.map(|directory| {
        let path = export(store, checkpoint, directory.clone());
        (directory, path)
    });
    let exported = exported.collect();
    // What is not removed now is removed after the next checkpoint.
    if let Err(error) = remove_old(store, publication.retain, publication.held) {
        tracing::warn!("old checkpoints are still there: {error}");
    }
    Ok(Published {
        summary: publication.summary,
        exported,
    })
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
