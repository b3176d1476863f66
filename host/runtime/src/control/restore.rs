//! The way back: from the newest complete checkpoint to the start of every subtask.
//!
//! Blocking; runs before any part of the attempt is deployed. The order matters: the whole
//! checkpoint is read and checked before sinks publish what it lists, and only then are files
//! removed that no checkpoint refers to.

use std::collections::HashMap;
use std::sync::Arc;

use tidegate_checkpoint::{
    CheckpointKind, CheckpointStore, JobGraph, Manifest, Node, NodeKind, Origin, SnapshotContents,
    StateFile, StoreError, SubtaskSnapshot,
};
use tidegate_connector::sink::{ForkedFrom, SinkStart};
use tidegate_connector::source::{InputMove, RestoredSubtask, SourceConnector};

use super::deploy::{StartContents, SubtaskStart};
use super::discovery::{Enumerators, check_assigned};
use super::start::start_point;
use crate::error::node_failed;
use crate::ids::RunIdentity;
use crate::job::{Job, RunOptions};
use crate::recovery::{check_dropped, ended_now, operator_state, told_watermarks};
use crate::{CheckpointId, ConnectorError, JobError, SubtaskId};

/// The parts that an attempt is restored from.
pub(crate) struct Restore {
    pub(crate) job: Arc<Job>,
    pub(crate) store: Arc<dyn CheckpointStore>,
    pub(crate) options: RunOptions,
    pub(crate) is_first_attempt: bool,
}

/// A restored attempt, ready to be deployed.
pub(crate) struct Restored {
    pub(crate) identity: RunIdentity,
    pub(crate) checkpoint: CheckpointId,
    pub(crate) origin: Option<Origin>,
    pub(crate) starts: HashMap<SubtaskId, SubtaskStart>,
    /// The enumerators of sources that still read.
    pub(crate) enumerators: Enumerators,
}

impl Restore {
    /// Restores an attempt. Returns `None` if the job has finished: its output is published.
    pub(crate) fn run(self) -> Result<Option<Restored>, JobError> {
        let (job, store) = (&*self.job, &*self.store);
        let attempt = store.next_attempt()?;
        let before = match store.list() {
            Ok(ids) => Some(ids),
            // Reported below where it matters: a fresh start and one from elsewhere need no
            // checkpoint here.
            Err(StoreError::NothingValid { .. }) => None,
            Err(error) => return Err(error.into()),
        };
        let manifest = start_point(job, store, &self.options, attempt)?;
        if self.is_first_attempt {
            warn_of_unknown(&self.options, &[&job.graph, &manifest.graph]);
        }
        let mut sources = Sources {
            enumerators: Enumerators::new(),
            moves: &self.options.moved_input,
        };
        let starts = self
            .check_moves(&manifest)
            .and_then(|()| subtask_starts(job, store, &manifest, &mut sources))
            .and_then(|starts| self.recover_sinks(&manifest, attempt).map(|()| starts));
        let starts = match starts {
            Ok(starts) => starts,
            Err(error) => {
                if manifest.attempt == attempt {
                    self.take_back(manifest.kind, before, &error)?;
                }
                return Err(error);
            }
        };
        if manifest.kind == CheckpointKind::Final {
            return Ok(None);
        }
        store.retain(&store.list()?)?;
        Ok(Some(Restored {
            starts,
            enumerators: sources.enumerators,
            identity: RunIdentity {
                job: job.graph.job().to_owned(),
                lineage: manifest.lineage,
                attempt,
            },
            checkpoint: manifest.checkpoint,
            origin: manifest.origin,
        }))
    }

    /// Checks, at the start of a process, that every move concerns a split: a slip is found.
    fn check_moves(&self, manifest: &Manifest) -> Result<(), JobError> {
        let moves = &self.options.moved_input;
        if moves.is_empty() || !self.is_first_attempt {
            return Ok(());
        }
        let mut is_used = vec![false; moves.len()];
        for (name, source) in &self.job.sources {
            let subtasks = manifest.snapshots_of(name).iter().map(restored_subtask);
            for split in subtasks.flat_map(|subtask| subtask.splits) {
                let moved = source.move_input(split, moves);
                let moved = moved.map_err(|error| node_failed(name, error))?;
                for (is_used, now) in is_used.iter_mut().zip(moved.is_used) {
                    *is_used |= now;
                }
            }
        }
        match moves.iter().zip(is_used).find(|(_, is_used)| !is_used) {
            None => Ok(()),
            Some((unused, _)) => Err(JobError::UnknownInput {
                input_move: unused.to_string(),
            }),
        }
    }

    /// Removes the checkpoint that a refused start has committed; an import keeps those of
    /// `before`. If all earlier checkpoints are lost, the new one stays: an empty directory would
    /// hide the loss.
    fn take_back(
        &self,
        kind: CheckpointKind,
        before: Option<Vec<CheckpointId>>,
        error: &JobError,
    ) -> Result<(), JobError> {
        match (kind, before) {
            (CheckpointKind::Imported, Some(before)) => self.store.retain(&before)?,
            // The next attempt, if there is one, continues from it.
            (CheckpointKind::Start, Some(_)) if !error.may_restart() => self.store.retain(&[])?,
            (CheckpointKind::Imported, None)
            | (CheckpointKind::Start | CheckpointKind::Running | CheckpointKind::Final, _) => {}
        }
        Ok(())
    }

    /// Publishes what the newest checkpoint covers, without starting anything. Returns its id.
    pub(crate) fn settle(self) -> Result<CheckpointId, JobError> {
        let attempt = self.store.next_attempt()?;
        let manifest = start_point(&self.job, &*self.store, &self.options, attempt)?;
        self.recover_sinks(&manifest, attempt)?;
        Ok(manifest.checkpoint)
    }

    /// Makes every sink's output consistent with the checkpoint.
    fn recover_sinks(&self, manifest: &Manifest, attempt: u64) -> Result<(), JobError> {
        for (name, sink) in &self.job.sinks {
            let start = SinkStart {
                attempt,
                is_first_attempt: self.is_first_attempt,
                discards_newer: self.options.discard_newer_output,
                ..sink_start(&self.job, manifest, name)
            };
            sink.recover(&start)
                .map_err(|error| node_failed(name, error))?;
        }
        Ok(())
    }
}

/// Returns the start of a sink in the first attempt that continues from `manifest`.
pub(super) fn sink_start(job: &Job, manifest: &Manifest, sink: &str) -> SinkStart {
    SinkStart {
        job: job.graph.job().to_owned(),
        sink: sink.to_owned(),
        lineage: manifest.lineage.published(),
        parent: manifest.origin.as_ref().map(|origin| ForkedFrom {
            lineage: origin.lineage.published(),
            checkpoint: origin.checkpoint,
        }),
        checkpoint: manifest.checkpoint,
        attempt: manifest.attempt,
        is_first_attempt: true,
        has_finished: manifest.kind == CheckpointKind::Final,
        pending: manifest.pending_output(sink),
        discards_newer: false,
    }
}

/// Warns of flags that name nothing. They are not an error: an earlier run with the same command
/// line may have used them.
fn warn_of_unknown(options: &RunOptions, graphs: &[&JobGraph]) {
    if let Err(unknown) = check_dropped(&options.allowed.dropped_state, graphs) {
        tracing::warn!("--allow-dropped-state has no effect: {unknown}");
    }
}

/// The sources of a restore.
struct Sources<'a> {
    /// The enumerators that have assigned the splits.
    enumerators: Enumerators,
    moves: &'a [InputMove],
}

impl Sources<'_> {
    /// Moves the input of a subtask's splits.
    fn moved(
        &self,
        connector: &dyn SourceConnector,
        mut subtask: RestoredSubtask,
    ) -> Result<RestoredSubtask, ConnectorError> {
        let splits = subtask.splits.into_iter();
        let moved = splits.map(|split| Ok(connector.move_input(split, self.moves)?.split));
        subtask.splits = moved.collect::<Result<_, ConnectorError>>()?;
        Ok(subtask)
    }
}

/// Returns the start of each subtask. Keeps the enumerators that have assigned the splits.
fn subtask_starts(
    job: &Job,
    store: &dyn CheckpointStore,
    manifest: &Manifest,
    sources: &mut Sources<'_>,
) -> Result<HashMap<SubtaskId, SubtaskStart>, JobError> {
    let mut starts = HashMap::new();
    for node in job.graph.nodes() {
        let of_node = node_starts(job, store, manifest, (node, &mut *sources))?;
        for (index, start) in (0u32..).zip(of_node) {
            let operator = node.name.clone();
            starts.insert(SubtaskId { operator, index }, start);
        }
    }
    Ok(starts)
}

fn node_starts(
    job: &Job,
    store: &dyn CheckpointStore,
    manifest: &Manifest,
    (node, sources): (&Node, &mut Sources<'_>),
) -> Result<Vec<SubtaskStart>, JobError> {
    let old = manifest.snapshots_of(&node.name);
    let (ended, contents): (_, Vec<_>) = match node.kind {
        NodeKind::Source => source_starts(job, node, old, sources)?,
        NodeKind::Sink => {
            let ended = ended_now(manifest, node)?;
            let contents = ended.iter().map(|_| StartContents::Sink).collect();
            (ended, contents)
        }
        NodeKind::Operator => {
            let ended = ended_now(manifest, node)?;
            let read =
                |subtask: &SubtaskId, file: &StateFile| store.read_state(manifest, subtask, file);
            let state = operator_state(&job.graph, manifest, node, &read)?;
            let state = state.into_iter();
            let contents = state.map(|state| StartContents::Operator { state });
            (ended, contents.collect())
        }
    };
    let watermarks = told_watermarks(old, node.parallelism);
    let starts = contents.into_iter().zip(ended).zip(watermarks);
    let start = |((contents, has_ended), watermark)| SubtaskStart {
        has_ended,
        watermark,
        contents,
    };
    Ok(starts.map(start).collect())
}

/// Returns which subtasks of a source have ended, and what each subtask reads.
fn source_starts(
    job: &Job,
    node: &Node,
    old: &[SubtaskSnapshot],
    sources: &mut Sources<'_>,
) -> Result<(Vec<bool>, Vec<StartContents>), JobError> {
    let (name, parallelism) = (&node.name, node.parallelism);
    let mut enumerator = job.sources[name].enumerator();
    let assigned = if old.is_empty() {
        // A source that the checkpoint does not know starts at its beginning.
        enumerator.plan(parallelism)
    } else {
        let connector = &*job.sources[name];
        let restored = old.iter().map(restored_subtask);
        let restored = restored.map(|subtask| sources.moved(connector, subtask));
        let restored: Result<Vec<_>, _> = restored.collect();
        restored.and_then(|restored| enumerator.restore(restored, parallelism))
    };
    let assigned = assigned.map_err(|error| node_failed(name, error))?;
    check_assigned(name, assigned.len(), parallelism)?;
    let ended: Vec<bool> = if old.len() == parallelism as usize {
        old.iter().map(|snapshot| snapshot.has_ended).collect()
    } else {
        // An ended subtask was read to its end, or was told to end: nothing of it is left to read.
        let all_ended = !old.is_empty() && old.iter().all(|snapshot| snapshot.has_ended);
        vec![all_ended; assigned.len()]
    };
    if ended.contains(&false) {
        sources.enumerators.insert(name.clone(), enumerator);
    }
    let assigned = assigned.into_iter();
    let contents = assigned.map(|splits| StartContents::Source { splits });
    Ok((ended, contents.collect()))
}

fn restored_subtask(snapshot: &SubtaskSnapshot) -> RestoredSubtask {
    let splits = match &snapshot.contents {
        SnapshotContents::Source { splits } => splits.clone(),
        SnapshotContents::Operator { .. } | SnapshotContents::Sink { .. } => Vec::new(),
    };
    RestoredSubtask {
        splits,
        has_ended: snapshot.has_ended,
    }
}
