//! The job around one operator: its subtasks, their input and checkpoints, and the records that
//! they emitted.
//!
//! Keys are routed and state is redistributed by the runtime's own code. The stage takes every
//! snapshot twice and another one of every restored instance: state that has no canonical order,
//! that a snapshot changes, or that a restore loses is a [`Broken`]. So is an operator that emits
//! when it receives the watermark again after a restore, without a change to its state: it would
//! publish the same records again after each failure.

use std::collections::BTreeMap;

use tidegate_key_groups::{KeyGroups, redistribute};
use tidegate_operator::{
    Batch, Component, Emission, FaultCause, GuestFault, Instance, OperatorContext,
    OperatorDescription, StateChunk,
};
use tidegate_runtime::stream::MAX_WATERMARK;

use super::document::{Action, Delivery, Scenario};
use super::record::Record;
use super::state;

/// The state of each subtask.
type Snapshots = Vec<Vec<StateChunk>>;

/// The reason why an action did not succeed.
#[derive(Debug)]
pub(super) enum Broken {
    /// A call failed.
    Fault(GuestFault),
    /// The guest refused a record.
    InvalidRecord {
        /// The record's number in the step.
        row: u32,
        /// The record, for people.
        record: String,
        /// The fault, with the row in the batch of the subtask.
        fault: GuestFault,
    },
    /// The guest broke a promise that every operator makes about its state.
    State(String),
}

impl From<GuestFault> for Broken {
    fn from(fault: GuestFault) -> Self {
        Self::Fault(fault)
    }
}

/// The output since it was last taken.
#[derive(Debug, Default)]
pub(super) struct Output {
    /// The records by port.
    pub(super) records: BTreeMap<u32, Vec<Record>>,
    /// True if several subtasks emitted, so that the records have no order.
    pub(super) is_unordered: bool,
}

/// The running operator.
pub(super) struct Stage<'a> {
    scenario: &'a Scenario,
    component: &'a Component,
    operator: String,
    subtasks: Vec<Instance>,
    /// The watermark that restored instances receive again; `None` before the first and after the
    /// end.
    watermark: Option<i64>,
    /// The id of the last checkpoint.
    checkpoint: u64,
    output: Output,
}

impl<'a> Stage<'a> {
    /// Returns a stage whose instances are not open yet.
    pub(super) fn new(scenario: &'a Scenario, component: &'a Component, operator: &str) -> Self {
        Self {
            scenario,
            component,
            operator: operator.to_owned(),
            subtasks: Vec::new(),
            watermark: None,
            checkpoint: 0,
            output: Output::default(),
        }
    }

    /// Opens the first instances of the scenario.
    pub(super) fn open(&mut self) -> Result<(), Broken> {
        assert!(self.subtasks.is_empty(), "a scenario is opened once");
        self.subtasks = self.instances(self.scenario.parallelism)?;
        Ok(())
    }

    /// Performs an action. After an error the instances may be spent.
    pub(super) fn apply(&mut self, action: &Action) -> Result<(), Broken> {
        match action {
            Action::Nothing | Action::Open => Ok(()),
            Action::Records {
                input,
                delivery,
                records,
            } => self.process(*input, *delivery, records),
            Action::Watermark(watermark) => self.advance_watermark(*watermark),
            Action::Checkpoint => self.complete_checkpoint(),
            Action::Restart => self.restart(self.key_groups().parallelism()),
            Action::Rescale(parallelism) => self.restart(*parallelism),
            Action::Finish => self.finish(),
        }
    }

    /// Applies an action that is expected to fail. If it does, drops its output and continues with
    /// new instances from the state before it, as a job does after a failure.
    pub(super) fn attempt(&mut self, action: &Action) -> Result<Result<(), Broken>, Broken> {
        // If new instances can't be restored, the old ones are all there is.
        let reads_only = matches!(
            action,
            Action::Checkpoint | Action::Restart | Action::Rescale(_)
        );
        let before = if reads_only {
            None
        } else {
            Some(self.checkpoint()?)
        };
        let emitted = std::mem::take(&mut self.output);
        let watermark = self.watermark;
        let done = self.apply(action);
        if done.is_err() {
            self.output = emitted;
            self.watermark = watermark;
            if let Some(before) = before {
                self.go_on_from(before, self.key_groups().parallelism())?;
            }
        }
        Ok(done)
    }

    /// Takes a checkpoint and checks that instances can be restored from it; then drops them.
    pub(super) fn check_state(&mut self) -> Result<(), Broken> {
        let snapshots = self.checkpoint()?;
        let restored = self.restored(snapshots, self.key_groups().parallelism());
        restored.map(drop)
    }

    /// Returns the output since the previous call.
    pub(super) fn take_output(&mut self) -> Output {
        std::mem::take(&mut self.output)
    }

    fn key_groups(&self) -> KeyGroups {
        let parallelism = u32::try_from(self.subtasks.len()).expect("parallelism is bounded");
        KeyGroups::new(self.scenario.max_parallelism, parallelism)
    }

    fn process(
        &mut self,
        input: u32,
        delivery: Delivery,
        records: &[Record],
    ) -> Result<(), Broken> {
        let key_groups = self.key_groups();
        let mut batches = vec![(Batch::default(), Vec::new()); self.subtasks.len()];
        for (row, record) in (0u32..).zip(records) {
            let receivers = match delivery {
                Delivery::ByKey => {
                    let owner = key_groups.subtask_for(&record.key) as usize;
                    &mut batches[owner..=owner]
                }
                Delivery::Broadcast => &mut batches[..],
            };
            for (batch, rows) in receivers {
                batch.push(record.timestamp, &record.key, &record.value);
                rows.push(row);
            }
        }
        for (subtask, (batch, rows)) in batches.into_iter().enumerate() {
            if batch.is_empty() {
                continue;
            }
            match self.subtasks[subtask].process(input, batch) {
                Ok(emissions) => self.keep(emissions),
                Err(fault) => return Err(of_process(fault, &rows, records)),
            }
        }
        Ok(())
    }

    fn advance_watermark(&mut self, watermark: i64) -> Result<(), Broken> {
        self.watermark = Some(watermark);
        for subtask in 0..self.subtasks.len() {
            let emissions = self.subtasks[subtask].advance_watermark(watermark)?;
            self.keep(emissions);
        }
        Ok(())
    }

    /// Ends all inputs as a job does: event time ends first.
    fn finish(&mut self) -> Result<(), Broken> {
        self.advance_watermark(MAX_WATERMARK)?;
        self.watermark = None;
        for subtask in 0..self.subtasks.len() {
            let emissions = self.subtasks[subtask].finish()?;
            self.keep(emissions);
        }
        Ok(())
    }

    fn keep(&mut self, emissions: Vec<Emission>) {
        self.output.is_unordered |= self.subtasks.len() > 1;
        for Emission { port, batch } in emissions {
            let records = self.output.records.entry(port).or_default();
            records.extend(Record::all(&batch));
        }
    }

    fn complete_checkpoint(&mut self) -> Result<(), Broken> {
        self.checkpoint()?;
        for subtask in &mut self.subtasks {
            subtask.checkpoint_complete(self.checkpoint)?;
        }
        Ok(())
    }

    fn restart(&mut self, parallelism: u32) -> Result<(), Broken> {
        let snapshots = self.checkpoint()?;
        self.go_on_from(snapshots, parallelism)
    }

    /// Replaces the instances, and keeps the output of the new ones at the watermark.
    fn go_on_from(&mut self, snapshots: Snapshots, parallelism: u32) -> Result<(), Broken> {
        let (subtasks, emissions) = self.restored(snapshots, parallelism)?;
        self.subtasks = subtasks;
        self.keep(emissions);
        Ok(())
    }

    /// Takes two snapshots of each subtask and returns the second. They must be equal: a checkpoint
    /// may be abandoned, and the next one must contain everything.
    fn checkpoint(&mut self) -> Result<Snapshots, Broken> {
        self.checkpoint += 2;
        let mut snapshots = Vec::new();
        for (index, subtask) in self.subtasks.iter_mut().enumerate() {
            let first = subtask.snapshot(self.checkpoint - 1)?;
            let second = subtask.snapshot(self.checkpoint)?;
            if let Some(difference) = state::difference(&first, &second) {
                return Err(Broken::State(format!(
                    "subtask {index} returned two different snapshots of the same state: \
                     {difference} in the second; a snapshot must not change the state, and must \
                     write equal state as equal bytes"
                )));
            }
            snapshots.push(second);
        }
        Ok(snapshots)
    }

    /// Returns new instances with the state of a checkpoint, and their output when they receive the
    /// watermark again. Each one must write the same state back.
    fn restored(
        &mut self,
        snapshots: Snapshots,
        parallelism: u32,
    ) -> Result<(Vec<Instance>, Vec<Emission>), Broken> {
        let is_rescaled = snapshots.len() != parallelism as usize;
        let key_groups = KeyGroups::new(self.scenario.max_parallelism, parallelism);
        let state = redistribute(snapshots, key_groups, |chunk| chunk.key_group);
        let mut instances = self.instances(parallelism)?;
        let mut emissions = Vec::new();
        self.checkpoint += 2;
        for (index, (instance, chunks)) in instances.iter_mut().zip(state).enumerate() {
            instance.restore(chunks.clone())?;
            let again = instance.snapshot(self.checkpoint - 1)?;
            // With a different number of subtasks, state without a key may be merged.
            let difference = if is_rescaled {
                state::difference_in_any_order(&state::keyed(&chunks), &state::keyed(&again))
            } else {
                state::difference(&chunks, &again)
            };
            if let Some(difference) = difference {
                return Err(Broken::State(format!(
                    "subtask {index} was restored from a snapshot and then returned a different \
                     one: {difference}; a restored operator must write the same state again"
                )));
            }
            emissions.extend(self.tell_again(index, instance, &again)?);
        }
        Ok((instances, emissions))
    }

    /// Sends a restored instance the watermark again and returns its output. An instance that emits
    /// must change its state, which was `state` before; otherwise it emitted the same records at
    /// the first time.
    fn tell_again(
        &self,
        index: usize,
        instance: &mut Instance,
        state: &[StateChunk],
    ) -> Result<Vec<Emission>, Broken> {
        let Some(watermark) = self.watermark else {
            return Ok(Vec::new());
        };
        let emissions = instance.advance_watermark(watermark)?;
        if emissions.iter().any(|emission| !emission.batch.is_empty())
            && state::difference(state, &instance.snapshot(self.checkpoint)?).is_none()
        {
            return Err(Broken::State(format!(
                "subtask {index} was restored, received the watermark {watermark} again, and \
                 emitted records without changing its state, so it would emit them again after \
                 each failure; an operator must remove due entries from its state as it emits them"
            )));
        }
        Ok(emissions)
    }

    fn instances(&self, parallelism: u32) -> Result<Vec<Instance>, GuestFault> {
        let key_groups = KeyGroups::new(self.scenario.max_parallelism, parallelism);
        let open = |subtask| {
            let context = self.context(subtask, key_groups);
            self.component.instantiate(&context, &self.scenario.limits)
        };
        (0..parallelism).map(open).collect()
    }

    fn context(&self, subtask: u32, key_groups: KeyGroups) -> OperatorContext {
        let operator = OperatorDescription {
            job: "test".to_owned(),
            operator: self.operator.clone(),
            inputs: self.scenario.inputs.clone(),
            outputs: self.scenario.outputs.clone(),
            config: self.scenario.config.clone(),
        };
        let hash_seed = hash_seed(self.checkpoint, subtask);
        OperatorContext::of_subtask(operator, key_groups, subtask, hash_seed)
    }
}

/// Returns the seed for the hash tables of an instance. It changes with each checkpoint, because
/// restored state must not depend on it.
fn hash_seed(checkpoint: u64, subtask: u32) -> u64 {
    let instance = checkpoint << 32 | u64::from(subtask);
    (instance + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15)
}

/// Converts a fault of `process`; `rows` are the numbers of the batch's records in `records`, which
/// are those of the step.
fn of_process(fault: GuestFault, rows: &[u32], records: &[Record]) -> Broken {
    if let FaultCause::InvalidRecord { row, .. } = &fault.cause
        && let Some(row) = rows.get(*row as usize)
    {
        let record = records.get(*row as usize);
        return Broken::InvalidRecord {
            row: *row,
            record: record.map_or_else(String::new, |record| format!(", {record}")),
            fault,
        };
    }
    Broken::Fault(fault)
}
