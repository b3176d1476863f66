//! The restore drill: does a checkpoint restore? Every subtask is restored into a fresh instance,
//! which takes a snapshot at once; the drill compares this snapshot with the restored state.
//!
//! The state takes the same path as at a restart: the same plan deals it out, the same code opens
//! instances. After its snapshot an instance is told the watermark, like any restored instance, and
//! its output for the watermark is dropped. Nothing is written, no source or sink is opened, and no
//! record flows. One subtask is in memory at a time; at another parallelism, it is one operator.

mod comparison;
mod drill_schedule;
mod drills;
mod report;

use tidegate_checkpoint::{CheckpointDirectory, Manifest, Node, NodeKind, StateFile, StoreError};
use tidegate_connector::HashSeedUse;
use tidegate_operator::{GuestFault, StateChunk};

pub(crate) use drills::Drills;
pub use report::{
    ChunkChange, Difference, DrillReport, DrilledComponent, OperatorDrill, SubtaskDrill, Verdict,
};

use crate::chain::opened;
use crate::job::Job;
use crate::recovery::{
    AllowedChanges, ReadState, Resume, check_accepted, check_compatible, check_dropped, ended_now,
    operator_state, told_watermarks,
};
use crate::{CheckpointId, IncompatibleJob, JobError, SubtaskId};
use comparison::{Allowance, Comparison, compare};

/// Restores every subtask of `job` from a checkpoint, as a start `--from` it would. Blocking; calls
/// guests on the caller's stack.
///
/// # Errors
///
/// [`JobError::Store`] if the checkpoint can't be read, [`JobError::Incompatible`] if it does not
/// fit the job. What a guest does is in the report.
pub fn drill(
    job: &Job,
    directory: &CheckpointDirectory,
    checkpoint: CheckpointId,
    allowed: &AllowedChanges,
) -> Result<DrillReport, JobError> {
    let manifest = directory.load(checkpoint)?;
    check_accepted(&allowed.changed_sources, &job.graph)?;
    check_dropped(&allowed.dropped_state, &[&job.graph, &manifest.graph])?;
    check_compatible(&manifest, &job.graph, allowed, Resume::NewRun)?;
    let read =
        |subtask: &SubtaskId, file: &StateFile| directory.read_state(&manifest, subtask, file);
    let drill = Drill {
        job,
        manifest: &manifest,
        read: &read,
        goes_on: &|| true,
    };
    let report = drill.run()?;
    Ok(report.expect("a drill stops only when it is asked to"))
}

/// A drill of one checkpoint.
pub(crate) struct Drill<'a> {
    pub(crate) job: &'a Job,
    pub(crate) manifest: &'a Manifest,
    pub(crate) read: &'a ReadState<'a>,
    /// Called before each subtask; the drill stops when it returns false.
    pub(crate) goes_on: &'a dyn Fn() -> bool,
}

impl Drill<'_> {
    /// Runs the drill. Returns `None` if it was told to stop.
    pub(crate) fn run(&self) -> Result<Option<DrillReport>, JobError> {
        let mut operators = Vec::new();
        let nodes = self.job.graph.nodes().iter();
        for node in nodes.filter(|node| node.kind == NodeKind::Operator) {
            let Some(operator) = self.operator(node)? else {
                return Ok(None);
            };
            operators.push(operator);
        }
        Ok(Some(DrillReport {
            checkpoint: self.manifest.checkpoint,
            operators,
        }))
    }

    fn operator(&self, node: &Node) -> Result<Option<OperatorDrill>, JobError> {
        let told = self.told(node)?;
        let old = self.manifest.snapshots_of(&node.name).len();
        let before = self.manifest.graph.node(&node.name);
        let component = match before {
            None => DrilledComponent::New,
            Some(before) if before.digest == node.digest => DrilledComponent::Same,
            Some(_) => DrilledComponent::Other,
        };
        let is_rescaled = old != node.parallelism as usize;
        let allowance = Allowance {
            is_rescaled,
            is_other_component: component == DrilledComponent::Other,
        };
        let mut whole = match is_rescaled {
            true => Some(operator_state(
                &self.job.graph,
                self.manifest,
                node,
                self.read,
            )?),
            false => None,
        };
        let mut subtasks = Vec::new();
        for (index, watermark) in (0..node.parallelism).zip(told) {
            if !(self.goes_on)() {
                return Ok(None);
            }
            let state = match &mut whole {
                Some(states) => states[index as usize].take(),
                None => self.state_of(node, index)?,
            };
            let operator = node.name.clone();
            let subtask = SubtaskId { operator, index };
            let subtask = Drilled { subtask, watermark };
            subtasks.push(self.subtask(&subtask, state, allowance));
        }
        Ok(Some(OperatorDrill {
            operator: node.name.clone(),
            parallelism: node.parallelism,
            checkpoint_parallelism: u32::try_from(old).unwrap_or(u32::MAX),
            component,
            subtasks,
        }))
    }

    /// Returns the watermark that each subtask is told again; `None` if it has ended or had none.
    fn told(&self, node: &Node) -> Result<Vec<Option<i64>>, IncompatibleJob> {
        let ended = ended_now(self.manifest, node)?;
        let old = self.manifest.snapshots_of(&node.name);
        let told = told_watermarks(old, node.parallelism)
            .into_iter()
            .zip(ended);
        let told = told.map(|(watermark, has_ended)| watermark.filter(|_| !has_ended));
        Ok(told.collect())
    }

    /// Returns the state of one subtask at unchanged parallelism, where no other subtask
    /// contributes: a snapshot has no key group that its subtask does not own.
    fn state_of(&self, node: &Node, index: u32) -> Result<Option<Vec<StateChunk>>, StoreError> {
        let read = |subtask: &SubtaskId, file: &StateFile| {
            if subtask.index == index {
                (self.read)(subtask, file)
            } else {
                Ok(Vec::new())
            }
        };
        let mut states = operator_state(&self.job.graph, self.manifest, node, &read)?;
        Ok(states.swap_remove(index as usize))
    }

    fn subtask(
        &self,
        drilled: &Drilled,
        state: Option<Vec<StateChunk>>,
        allowance: Allowance,
    ) -> SubtaskDrill {
        let chunks = state.as_deref().unwrap_or_default();
        let bytes = chunks.iter().map(|chunk| chunk.bytes.len() as u64);
        SubtaskDrill {
            subtask: drilled.subtask.index,
            chunks: chunks.len() as u64,
            bytes: bytes.sum(),
            verdict: match self.verdict(drilled, state, allowance) {
                Ok(verdict) => verdict,
                Err(fault) => Verdict::Failed {
                    reason: tidegate_operator::with_causes(&fault),
                },
            },
        }
    }

    fn verdict(
        &self,
        drilled: &Drilled,
        state: Option<Vec<StateChunk>>,
        allowance: Allowance,
    ) -> Result<Verdict, GuestFault> {
        let Some(restored) = state else {
            // No state was ever restored here, and an instance can be opened.
            self.snapshot_after(drilled, None)?;
            return Ok(Verdict::Same);
        };
        let now = self.snapshot_after(drilled, Some(restored.clone()))?;
        match compare(&restored, &now, allowance) {
            Comparison::Same => Ok(Verdict::Same),
            Comparison::Differs(difference) => Ok(Verdict::Differs { difference }),
            Comparison::Changed => {
                drop(restored);
                let again = self.snapshot_after(drilled, Some(now.clone()))?;
                Ok(match compare(&now, &again, Allowance::default()) {
                    Comparison::Same | Comparison::Changed => Verdict::Changed,
                    Comparison::Differs(difference) => Verdict::Unstable { difference },
                })
            }
        }
    }

    /// Returns the snapshot of an instance that is restored with `state`.
    fn snapshot_after(
        &self,
        drilled: &Drilled,
        state: Option<Vec<StateChunk>>,
    ) -> Result<Vec<StateChunk>, GuestFault> {
        // The seed of no run: a snapshot that depends on the seed differs.
        let lineage = self.manifest.lineage;
        let seed = lineage.hash_seed(&drilled.subtask, HashSeedUse::Drill);
        let factory = &self.job.operators[&drilled.subtask.operator].factory;
        let context = self.job.operator_context(&drilled.subtask, seed);
        let mut instance = opened(&**factory, &context, state)?;
        let snapshot = instance.snapshot(self.manifest.checkpoint.0)?;
        if let Some(watermark) = drilled.watermark {
            instance.advance_watermark(watermark)?;
        }
        Ok(snapshot)
    }
}

/// A subtask that is drilled.
struct Drilled {
    subtask: SubtaskId,
    /// The watermark that it is told again.
    watermark: Option<i64>,
}
