//! The start of a job: at its newest checkpoint, afresh, or from a savepoint.
//!
//! However a job starts, a checkpoint is in the store before the first record flows: a fresh start
//! commits checkpoint 0, a start from elsewhere commits a copy. From then on a job continues in
//! only one way, also after its process is killed at any time.

use std::path::Path;

use tidegate_checkpoint::{
    CheckpointDirectory, CheckpointKind, CheckpointStore, DirStore, ImportTarget, Manifest,
    NodeKind, Origin, SnapshotContents, StoreError, SubtaskSnapshot,
};
use tidegate_connector::sink::NewerOutput;
use tidegate_connector::source::SourceSplit;

use super::discovery::check_assigned;
use super::restore::sink_start;
use crate::error::node_failed;
use crate::graph::GraphCost;
use crate::job::{Job, RunOptions, StartFrom};
use crate::recovery::{AllowedChanges, Resume, check_accepted, check_compatible, check_dropped};
use crate::room::check_room;
use crate::wall_clock::unix_millis;
use crate::{CheckpointId, JobError, JobErrorKind, Lineage, SubtaskId};

/// Opens and locks the checkpoint directory of a job, after every check that writes nothing: a job
/// that can't start leaves no trace.
///
/// # Errors
///
/// Any [`JobError`] that prevents the start. Nothing was changed.
pub fn prepare(job: &Job, directory: &Path, options: &RunOptions) -> Result<DirStore, JobError> {
    GraphCost::of(&job.graph).check()?;
    check_room(job)?;
    if let Err(error) = check_free(job) {
        if error.kind() == JobErrorKind::InUse && directory.is_dir() {
            // Most likely this very job runs already; the error of its checkpoint directory says it
            // better.
            DirStore::open(directory)?;
        }
        return Err(error);
    }
    let allowed = &options.allowed;
    check_accepted(&allowed.changed_sources, &job.graph)?;
    match &options.start {
        StartFrom::Fresh => {
            check_dropped(&allowed.dropped_state, &[&job.graph])?;
            check_fresh(job)?;
        }
        StartFrom::Newest if !CheckpointDirectory::holds_checkpoints(directory)? => {
            check_dropped(&allowed.dropped_state, &[&job.graph])?;
            check_fresh(job)?;
        }
        // The operators that the flag names may be gone since an earlier run with the same flag.
        StartFrom::Newest => {}
        StartFrom::Path(path) => {
            let source = CheckpointDirectory::open(path)?;
            let manifest = source.load(selected(&source)?)?;
            check_dropped(&allowed.dropped_state, &[&job.graph, &manifest.graph])?;
            check_compatible(&manifest, &job.graph, allowed, Resume::NewRun)?;
        }
    }
    Ok(DirStore::open(directory)?)
}

/// Checks that a job can continue from the newest checkpoint in a directory, or start there if it
/// holds none. Changes nothing and takes no lock, so the directory may be that of a running job.
///
/// # Errors
///
/// Any [`JobError`] that would prevent the start.
pub fn check_continues(job: &Job, directory: &Path) -> Result<(), JobError> {
    GraphCost::of(&job.graph).check()?;
    if !CheckpointDirectory::holds_checkpoints(directory)? {
        return check_fresh(job);
    }
    let checkpoints = CheckpointDirectory::open(directory)?;
    let manifest = checkpoints.load(checkpoints.newest()?)?;
    Ok(check_compatible(
        &manifest,
        &job.graph,
        &AllowedChanges::default(),
        Resume::SameRun,
    )?)
}

fn check_free(job: &Job) -> Result<(), JobError> {
    for (name, sink) in &job.sinks {
        sink.check_free()
            .map_err(|error| node_failed(name, error))?;
    }
    Ok(())
}

fn check_fresh(job: &Job) -> Result<(), JobError> {
    initial_splits(job)?;
    for (name, sink) in &job.sinks {
        sink.check_fresh()
            .map_err(|error| node_failed(name, error))?;
    }
    Ok(())
}

/// Returns the checkpoint, in `store`, from which the first attempt of a process continues.
pub(crate) fn start_point(
    job: &Job,
    store: &dyn CheckpointStore,
    options: &RunOptions,
    attempt: u64,
) -> Result<Manifest, JobError> {
    match &options.start {
        StartFrom::Fresh => {
            check_fresh(job)?;
            store.retain(&[])?;
            start_fresh(job, store, options, attempt)
        }
        StartFrom::Newest => match store.list()?.last() {
            None => {
                check_fresh(job)?;
                start_fresh(job, store, options, attempt)
            }
            Some(newest) => {
                let manifest = store.load(*newest)?;
                let resume = match manifest.kind {
                    // The manifest has the graph from before the change that the user asked for.
                    CheckpointKind::Imported => Resume::NewRun,
                    CheckpointKind::Start | CheckpointKind::Running | CheckpointKind::Final => {
                        Resume::SameRun
                    }
                };
                let allowed = &options.allowed;
                check_compatible(&manifest, &job.graph, allowed, resume)?;
                Ok(manifest)
            }
        },
        StartFrom::Path(path) => start_from(path, job, store, options, attempt),
    }
}

fn start_from(
    path: &Path,
    job: &Job,
    store: &dyn CheckpointStore,
    options: &RunOptions,
    attempt: u64,
) -> Result<Manifest, JobError> {
    let allowed = &options.allowed;
    let source = CheckpointDirectory::open(path)?;
    let checkpoint = selected(&source)?;
    let newest_here = match store.list() {
        Ok(ids) => ids.last().copied(),
        // All checkpoints here are lost, which may be why the user starts from another one.
        Err(StoreError::NothingValid { .. }) => None,
        Err(error) => return Err(error.into()),
    };
    if let Some(manifest) = started_before(&source, checkpoint, store, newest_here)? {
        check_compatible(&manifest, &job.graph, allowed, Resume::NewRun)?;
        return Ok(manifest);
    }
    let manifest = source.load(checkpoint)?;
    check_compatible(&manifest, &job.graph, allowed, Resume::NewRun)?;
    let target = ImportTarget {
        lineage: new_lineage(options)?,
        checkpoint: newest_here
            .map_or(checkpoint, |newest| newest.max(checkpoint))
            .next(),
        attempt,
    };
    Ok(store.import(&source, checkpoint, target)?)
}

/// Returns the newest checkpoint here if it is of a run that started from `checkpoint`.
fn started_before(
    source: &CheckpointDirectory,
    checkpoint: CheckpointId,
    store: &dyn CheckpointStore,
    newest_here: Option<CheckpointId>,
) -> Result<Option<Manifest>, JobError> {
    let digest = source.manifest_digest(checkpoint)?;
    // A newest checkpoint that can't be read is ignored: it may be why the user starts from an
    // older one.
    let newest = newest_here.and_then(|newest| store.load(newest).ok());
    let is_of_it =
        |manifest: &Manifest| manifest.origin.as_ref().is_some_and(|o| o.digest == digest);
    Ok(newest.filter(is_of_it))
}

/// Returns the published output, by sink, that a run with these options removes because it is newer
/// than the checkpoint that the user starts from. Changes nothing.
///
/// # Errors
///
/// Any [`JobError`] that would prevent the start.
pub fn newer_output(
    job: &Job,
    store: &dyn CheckpointStore,
    options: &RunOptions,
) -> Result<Vec<(String, Vec<NewerOutput>)>, JobError> {
    let StartFrom::Path(path) = &options.start else {
        return Ok(Vec::new());
    };
    let source = CheckpointDirectory::open(path)?;
    let checkpoint = selected(&source)?;
    let newest_here = store.list().ok().and_then(|ids| ids.last().copied());
    let manifest = match started_before(&source, checkpoint, store, newest_here)? {
        Some(manifest) => manifest,
        None => {
            let mut manifest = source.load(checkpoint)?;
            manifest.origin = Some(Origin {
                lineage: manifest.lineage,
                checkpoint,
                digest: source.manifest_digest(checkpoint)?,
            });
            manifest.lineage = new_lineage(options)?;
            manifest
        }
    };
    let mut newer = Vec::new();
    for (name, sink) in &job.sinks {
        let found = sink.newer_output(&sink_start(job, &manifest, name));
        newer.push((
            name.clone(),
            found.map_err(|error| node_failed(name, error))?,
        ));
    }
    Ok(newer)
}

fn selected(source: &CheckpointDirectory) -> Result<CheckpointId, JobError> {
    match source.selected() {
        Some(checkpoint) => Ok(checkpoint),
        None => Ok(source.newest()?),
    }
}

/// Commits checkpoint 0: the splits of every source subtask, and nothing else.
fn start_fresh(
    job: &Job,
    store: &dyn CheckpointStore,
    options: &RunOptions,
    attempt: u64,
) -> Result<Manifest, JobError> {
    let mut splits = initial_splits(job)?;
    let mut subtasks = Vec::new();
    for node in job.graph.nodes() {
        for index in 0..node.parallelism {
            let subtask = SubtaskId {
                operator: node.name.clone(),
                index,
            };
            let contents = match node.kind {
                NodeKind::Source => SnapshotContents::Source {
                    splits: splits.remove(&subtask).unwrap_or_default(),
                },
                NodeKind::Operator => SnapshotContents::Operator { state: None },
                NodeKind::Sink => SnapshotContents::Sink {
                    pending: Vec::new(),
                },
            };
            subtasks.push(SubtaskSnapshot {
                subtask,
                has_ended: false,
                watermark: None,
                contents,
            });
        }
    }
    subtasks.sort_by(|a, b| a.subtask.cmp(&b.subtask));
    let manifest = Manifest {
        checkpoint: CheckpointId(0),
        lineage: new_lineage(options)?,
        origin: None,
        attempt,
        created_at_ms: unix_millis(),
        kind: CheckpointKind::Start,
        graph: job.graph.clone(),
        subtasks,
    };
    store.complete(&manifest)?;
    Ok(manifest)
}

fn initial_splits(
    job: &Job,
) -> Result<std::collections::HashMap<SubtaskId, Vec<SourceSplit>>, JobError> {
    let mut splits = std::collections::HashMap::new();
    for (name, source) in &job.sources {
        let node = job.graph.node(name);
        let parallelism = node.expect("a source is a node of the graph").parallelism;
        let planned = source.enumerator().plan(parallelism);
        let planned = planned.map_err(|error| node_failed(name, error))?;
        check_assigned(name, planned.len(), parallelism)?;
        for (index, of_subtask) in (0u32..).zip(planned) {
            let operator = name.clone();
            splits.insert(SubtaskId { operator, index }, of_subtask);
        }
    }
    Ok(splits)
}

/// Returns a lineage that no other start has drawn.
fn new_lineage(options: &RunOptions) -> Result<Lineage, JobError> {
    if let Some(lineage) = options.lineage {
        return Ok(lineage);
    }
    let mut lineage = [0; 16];
    getrandom::fill(&mut lineage).map_err(|error| {
        let action = "draw a random number for the lineage of the job".to_owned();
        let source = std::io::Error::other(error);
        StoreError::Io { action, source }
    })?;
    Ok(Lineage(lineage))
}
