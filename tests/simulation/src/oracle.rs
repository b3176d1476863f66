//! Checks of the disk between two lives of the process, against the model.
//!
//! - Every checkpoint that was reported complete exists, and every existing one can be read whole.
//! - In the newest one, state follows from its source positions: every record counts once.
//! - No output is visible that it does not cover; at the end, all output is, once, in order.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use tidegate_checkpoint::{
    CheckpointDirectory, CheckpointKind, Manifest, Partitioning, SnapshotContents, StoreError,
};

use crate::disk::{LOCK, OUTPUT, SimulatedDisk};
use crate::job::{Does, JobPlan, NodePlan};
use crate::model::{Expected, Given, Lines, expected};
use crate::operators::{decode, decode_tally};
use crate::record::Origin;
use crate::source::Split;
use crate::told::Told;

/// The checkpoint directory.
pub(crate) const CHECKPOINTS: &str = "/jobs/simulated";

/// A description of a broken guarantee.
pub(crate) type Violation = String;

/// The facts that a run has reported to the outside.
#[derive(Clone, Debug, Default)]
pub(crate) struct Reported {
    /// The newest checkpoint that was reported complete.
    pub(crate) checkpoint: Option<u64>,
    /// Savepoints that were reported complete.
    pub(crate) savepoints: Vec<PathBuf>,
    /// True if the run reported that the job has finished.
    pub(crate) has_finished: bool,
    /// True if it finished without a fault in that life: it has then cleared up.
    pub(crate) has_cleared_up: bool,
    /// True if a user asked for a drain: sources may then have ended early.
    pub(crate) may_be_drained: bool,
}

/// The newest checkpoint on a disk.
#[derive(Clone, Debug)]
pub(crate) struct Newest {
    pub(crate) checkpoint: u64,
    /// The records that its sources had emitted, including those of ended splits that are gone.
    pub(crate) given: Given,
    /// Operators and sources of which only some subtasks have ended: their parallelism can't
    /// change.
    pub(crate) partly_ended: BTreeSet<String>,
}

/// Checks a disk while no process runs. `earlier` holds the records of ended splits that a change
/// of parallelism has dropped.
pub(crate) fn check(
    plan: &JobPlan,
    disk: &SimulatedDisk,
    reported: &Reported,
    earlier: &Given,
) -> Result<Option<Newest>, Violation> {
    for path in &reported.savepoints {
        let opened = CheckpointDirectory::open_in(disk, path);
        let newest = opened.and_then(|savepoint| savepoint.load(savepoint.newest()?));
        newest.map_err(|error| format!("a savepoint is lost: {error}"))?;
    }
    let opened = CheckpointDirectory::open_in(disk, Path::new(CHECKPOINTS));
    let directory = match opened {
        Ok(directory) => directory,
        // The process was killed before it had made the directory.
        Err(StoreError::NotACheckpoint { .. }) => return check_nothing(plan, disk, reported),
        Err(error) => return Err(format!("the checkpoint directory: {error}")),
    };
    let ids = directory.ids().map_err(|error| error.to_string())?;
    let Some(newest) = ids.last().copied() else {
        return check_nothing(plan, disk, reported);
    };
    if reported.checkpoint > Some(newest.0) {
        let complete = reported.checkpoint;
        return Err(format!("{complete:?} was complete, {newest} is the newest"));
    }
    for id in &ids {
        let loaded = directory.load(*id);
        loaded.map_err(|error| format!("checkpoint {id} can't be read: {error}"))?;
    }
    let manifest = directory.load(newest).map_err(|error| error.to_string())?;
    let has_finished = manifest.kind == CheckpointKind::Final;
    let mut all_given = earlier.clone();
    all_given.extend(given(&manifest));
    let expected = expected(plan, &all_given, has_finished);
    check_state(plan, &directory, &manifest, &expected)?;
    for node in plan.nodes.iter().filter(|node| node.does == Does::Publish) {
        let output = Output::read(disk, node);
        output.check_covered(newest.0, expected.output.get(&node.name))?;
        output.check_order(node)?;
        if reported.has_finished {
            output.check_whole(&expected.output[&node.name])?;
        }
        if reported.has_cleared_up {
            output.check_cleared_up()?;
        }
    }
    if reported.has_cleared_up {
        let report = directory.verify().map_err(|error| error.to_string())?;
        if !report.orphans.is_empty() {
            return Err(format!("left behind: {}", report.orphans.join(" ")));
        }
    }
    if reported.has_finished {
        check_finished(plan, &manifest, &all_given, reported.may_be_drained)?;
    }
    Ok(Some(Newest {
        checkpoint: newest.0,
        given: all_given,
        partly_ended: partly_ended(&manifest),
    }))
}

fn partly_ended(manifest: &Manifest) -> BTreeSet<String> {
    let ended = |has_ended: bool| -> BTreeSet<&String> {
        let subtasks = manifest.subtasks.iter();
        let ended = subtasks
            .filter(|snapshot| snapshot.has_ended == has_ended)
            .filter(|snapshot| !matches!(snapshot.contents, SnapshotContents::Sink { .. }));
        ended.map(|snapshot| &snapshot.subtask.operator).collect()
    };
    let both = &ended(true) & &ended(false);
    both.into_iter().cloned().collect()
}

fn check_nothing(
    plan: &JobPlan,
    disk: &SimulatedDisk,
    reported: &Reported,
) -> Result<Option<Newest>, Violation> {
    if let Some(complete) = reported.checkpoint {
        return Err(format!("checkpoint {complete} was complete, there is none"));
    }
    if reported.has_finished {
        return Err("the job has finished, and there is no checkpoint".to_owned());
    }
    for node in plan.nodes.iter().filter(|node| node.does == Does::Publish) {
        Output::read(disk, node).check_covered(0, Some(&Lines::new()))?;
    }
    Ok(None)
}

/// Checks a job whose sources were read to the end.
fn check_finished(
    plan: &JobPlan,
    manifest: &Manifest,
    given: &Given,
    may_be_drained: bool,
) -> Result<(), Violation> {
    if manifest.kind != CheckpointKind::Final {
        return Err(format!("the last checkpoint is {:?}", manifest.kind));
    }
    for node in &plan.nodes {
        let Does::Give { count, .. } = node.does else {
            continue;
        };
        let of_source = given.iter().filter(|((source, _), _)| *source == node.name);
        let read: usize = of_source.map(|(_, numbers)| numbers.len()).sum();
        if read as u64 != count && !may_be_drained {
            return Err(format!("{} gave {read} of {count}", node.name));
        }
    }
    Ok(())
}

/// Returns the records that the sources had emitted at a checkpoint.
fn given(manifest: &Manifest) -> Given {
    let mut given = Given::new();
    for snapshot in &manifest.subtasks {
        let SnapshotContents::Source { splits } = &snapshot.contents else {
            continue;
        };
        for split in splits.iter().map(Split::decode) {
            let source = snapshot.subtask.operator.clone();
            given.insert((source, split.index), split.given().collect());
        }
    }
    given
}

/// Checks G1: state follows from the source positions.
fn check_state(
    plan: &JobPlan,
    directory: &CheckpointDirectory,
    manifest: &Manifest,
    expected: &Expected,
) -> Result<(), Violation> {
    let mut counts: BTreeMap<String, BTreeMap<Vec<u8>, u64>> = BTreeMap::new();
    let mut tallies: BTreeMap<String, u64> = BTreeMap::new();
    for node in &plan.nodes {
        counts.insert(node.name.clone(), BTreeMap::new());
        tallies.insert(node.name.clone(), 0);
    }
    for (subtask, file) in manifest.state_files() {
        let chunks = directory.read_state(manifest, subtask, file);
        for chunk in chunks.map_err(|error| error.to_string())? {
            if Told::decode(&chunk).is_some() {
                continue;
            }
            if chunk.key_group.is_none() {
                *tallies.entry(subtask.operator.clone()).or_default() += decode_tally(&chunk);
                continue;
            }
            let of_node = counts.entry(subtask.operator.clone()).or_default();
            for ((key, _), known) in decode(&chunk) {
                *of_node.entry(key).or_default() += known.count;
            }
        }
    }
    let checkpoint = manifest.checkpoint;
    for (node, expected) in &expected.counts {
        if counts[node] != *expected {
            let found = shown(&counts[node]);
            let expected = shown(expected);
            return Err(format!(
                "checkpoint {checkpoint}: {node} counts {found}, not {expected}"
            ));
        }
    }
    for (node, expected) in &expected.tallies {
        let found = tallies[node];
        if found != *expected {
            return Err(format!(
                "checkpoint {checkpoint}: {node} tallies {found}, not {expected}"
            ));
        }
    }
    Ok(())
}

fn shown(counts: &BTreeMap<Vec<u8>, u64>) -> String {
    let counts = counts.iter();
    let counts = counts.map(|(key, count)| format!("{}={count}", String::from_utf8_lossy(key)));
    counts.collect::<Vec<_>>().join(" ")
}

/// The published output of one sink, by part.
struct Output {
    sink: String,
    /// Names of parts that are not published.
    hidden: Vec<String>,
    /// The checkpoint, subtask and lines of each part, sorted in this order.
    parts: Vec<(u64, u64, Vec<String>)>,
}

impl Output {
    fn read(disk: &SimulatedDisk, node: &NodePlan) -> Self {
        let files = disk.contents(&[OUTPUT, &node.name]).into_iter();
        let (hidden, visible): (BTreeMap<_, _>, BTreeMap<_, _>) =
            files.partition(|(name, _)| name.starts_with(['.', '_']));
        let hidden = hidden.into_keys();
        let hidden = hidden.filter(|name| name.starts_with('.') && name != LOCK);
        let parts = visible.into_iter().map(|(name, bytes)| {
            let mut fields = name.split('-').skip(1).map(|field| field.parse());
            let mut number = || fields.next().and_then(Result::ok).unwrap_or(u64::MAX);
            let text = String::from_utf8_lossy(&bytes);
            let lines = text.lines().map(str::to_owned).collect();
            (number(), number(), lines)
        });
        Self {
            sink: node.name.clone(),
            hidden: hidden.collect(),
            parts: parts.collect(),
        }
    }

    fn lines(&self) -> Lines {
        let mut lines = Lines::new();
        for line in self.parts.iter().flat_map(|(_, _, lines)| lines) {
            *lines.entry(line.clone()).or_default() += 1;
        }
        lines
    }

    /// Checks G2: no output is visible that the newest checkpoint does not cover.
    fn check_covered(&self, newest: u64, expected: Option<&Lines>) -> Result<(), Violation> {
        let sink = &self.sink;
        if let Some((part, _, _)) = self.parts.iter().find(|(part, _, _)| *part > newest) {
            return Err(format!(
                "{sink}: a part of checkpoint {part} after {newest}"
            ));
        }
        let Some(expected) = expected else {
            return Ok(());
        };
        for (line, times) in self.lines() {
            let covered = expected.get(&line).copied().unwrap_or(0);
            if times > covered {
                return Err(format!(
                    "{sink}: {line:?} is there {times} times, checkpoint {newest} covers {covered}"
                ));
            }
        }
        Ok(())
    }

    /// Checks that no unpublished part is left.
    fn check_cleared_up(&self) -> Result<(), Violation> {
        match self.hidden.first() {
            Some(part) => Err(format!("{}: left behind: {part}", self.sink)),
            None => Ok(()),
        }
    }

    /// Checks that every line is visible, once.
    fn check_whole(&self, expected: &Lines) -> Result<(), Violation> {
        let found = self.lines();
        for (line, times) in expected {
            let there = found.get(line).copied().unwrap_or(0);
            if there != *times {
                let sink = &self.sink;
                return Err(format!(
                    "{sink}: {line:?} is there {there} times, not {times}"
                ));
            }
        }
        Ok(())
    }

    /// Checks that the records of a key come in the order in which their source emitted them, where
    /// the graph promises that.
    fn check_order(&self, node: &NodePlan) -> Result<(), Violation> {
        let ordered: BTreeSet<String> = node.ordered();
        let keeps = |partitioning| partitioning != Partitioning::Rebalance;
        assert!(
            node.inputs.iter().any(|i| keeps(i.partitioning)) || ordered.is_empty(),
            "rebalance promises no order"
        );
        let mut last: BTreeMap<(&str, &str), u64> = BTreeMap::new();
        for line in self.parts.iter().flat_map(|(_, _, lines)| lines) {
            let Some((key, value)) = line.split_once('\t') else {
                return Err(format!("{}: {line:?} is no record", self.sink));
            };
            let origin = Origin::of(value.as_bytes());
            let Some(origin) = origin.filter(|origin| ordered.contains(origin.source)) else {
                continue;
            };
            let before = last.insert((key, origin.split), origin.number);
            if before.is_some_and(|before| before >= origin.number) {
                return Err(format!("{}: {line:?} after {before:?}", self.sink));
            }
        }
        Ok(())
    }
}
