//! The decisions of a recovery: from the contents of an output directory and the checkpoint of the
//! start to the actions before the job continues in it. Pure.
//!
//! The invariants:
//! - output newer than the checkpoint that a job goes on from is never added to;
//! - only parts whose name has a lineage that the marker lists are removed;
//! - a job never continues from a checkpoint whose output was removed.

use tidegate_connector::sink::{ForkedFrom, SinkStart};
use tidegate_connector::{ConnectorError, Lineage};

use super::marker::{EarlierLineage, Marker};
use super::names::{LineageDigits, PartName, PendingName};
use super::part::PendingPart;

/// The contents of a directory.
#[derive(Debug, Default)]
pub(super) struct Listing {
    pub(super) marker: Option<Marker>,
    /// Published parts.
    pub(super) parts: Vec<PartName>,
    /// Unpublished parts.
    pub(super) pending: Vec<PendingName>,
    /// The names of other files that are visible as output.
    pub(super) foreign: Vec<String>,
}

/// The actions, in this order.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct RecoveryPlan {
    /// The marker from now on.
    pub(super) marker: Marker,
    /// Parts to publish, unless they are published already.
    pub(super) publish: Vec<PendingPart>,
    /// The number of pending parts in another directory, which the parent wrote to.
    pub(super) elsewhere: usize,
    /// Parts of this job that no checkpoint lists.
    pub(super) remove: Vec<PendingName>,
    /// Published parts that are newer than the checkpoint, if the start discards those.
    pub(super) discard: Vec<PartName>,
}

/// The largest number of names in a message.
const SHOWN_NAMES: usize = 5;

impl Listing {
    /// Checks that a job that starts afresh may write here.
    pub(super) fn check_fresh(&self, directory: &str) -> Result<(), ConnectorError> {
        let parts = self.parts.iter().map(ToString::to_string);
        let pending = self.pending.iter().map(ToString::to_string);
        let found: Vec<String> = self
            .foreign
            .iter()
            .cloned()
            .chain(parts)
            .chain(pending)
            .collect();
        if found.is_empty() {
            return Ok(());
        }
        let whose = self.marker.as_ref().map_or(String::new(), |marker| {
            format!(" of sink `{}` of job `{}`", marker.sink, marker.job)
        });
        Err(ConnectorError::JobRefused {
            reason: format!(
                "output directory {directory} is not empty: it holds {}{whose}. Empty the \
                 directory, or set `directory` to another one",
                shown(&found)
            ),
        })
    }

    /// Returns the names of all output of a lineage, or the refusal if the directory is not that
    /// lineage's alone.
    pub(super) fn parts_to_discard(
        self,
        directory: &str,
        lineage: Lineage,
    ) -> Result<Vec<String>, ConnectorError> {
        let owner = self.marker.as_ref();
        let is_alone = owner.is_some_and(|m| m.lineage == lineage && m.earlier.is_empty());
        let parts = self.parts.iter();
        let parts = parts.filter(|part| part.lineage == LineageDigits::of(lineage));
        let pending = self.pending.iter().filter(|part| part.lineage == lineage);
        let names = parts.map(ToString::to_string);
        let names: Vec<_> = names.chain(pending.map(ToString::to_string)).collect();
        if names.is_empty() || is_alone {
            return Ok(names);
        }
        Err(ConnectorError::StateRefused {
            reason: format!(
                "output directory {directory} also holds output of other runs. Empty the \
                 directory, or set `directory` to another one"
            ),
        })
    }

    /// Plans the actions of `process` after which `start` can continue here, or returns the
    /// obstacle.
    pub(super) fn plan_recovery(
        self,
        directory: &str,
        start: &SinkStart,
        process: u32,
        pending: Vec<PendingPart>,
    ) -> Result<RecoveryPlan, ConnectorError> {
        let marker = Marker {
            job: start.job.clone(),
            sink: start.sink.clone(),
            lineage: start.lineage,
            attempt: start.attempt,
            process,
            earlier: self.earlier_lineages(directory, start)?,
        };
        let (publish, elsewhere): (Vec<_>, Vec<_>) = pending
            .into_iter()
            .partition(|part| marker.knows(part.lineage));
        let discard = self.newer(&marker, start);
        self.check_not_newer(directory, start, &discard)?;
        let is_leftover = |name: &PendingName| {
            let is_listed = publish
                .iter()
                .any(|part| part.pending_name == name.to_string());
            marker.knows(name.lineage) && !is_listed
        };
        Ok(RecoveryPlan {
            remove: self.pending.into_iter().filter(is_leftover).collect(),
            marker,
            publish,
            elsewhere: elsewhere.len(),
            discard,
        })
    }

    /// Returns the lineages that wrote here before `start.lineage`, or the reason why it may not
    /// write.
    fn earlier_lineages(
        &self,
        directory: &str,
        start: &SinkStart,
    ) -> Result<Vec<EarlierLineage>, ConnectorError> {
        let Some(marker) = &self.marker else {
            self.check_unclaimed(directory)?;
            return Ok(Vec::new());
        };
        if marker.lineage == start.lineage && marker.sink == start.sink {
            return Ok(marker.earlier.clone());
        }
        if marker.sink == start.sink
            && let Some(parent) = start.parent
            && let Some(earlier) = earlier_of_fork(marker, parent)
        {
            return Ok(earlier);
        }
        let is_fresh = start.checkpoint.0 == 0 && start.parent.is_none();
        let is_unused = self.parts.is_empty() && self.pending.is_empty() && self.foreign.is_empty();
        // An earlier run of the same job may have been here without publishing anything.
        let is_same = marker.job == start.job && marker.sink == start.sink;
        if is_fresh && is_unused && is_same {
            return Ok(Vec::new());
        }
        Err(ConnectorError::StateRefused {
            reason: format!(
                "output directory {directory} belongs to {marker}; this is sink `{}` of job `{}`, \
                 lineage {}. Set `directory` to another directory",
                start.sink, start.job, start.lineage
            ),
        })
    }

    /// Checks that a directory without a marker has no visible output.
    fn check_unclaimed(&self, directory: &str) -> Result<(), ConnectorError> {
        let parts = self.parts.iter().map(ToString::to_string);
        let found: Vec<String> = self.foreign.iter().cloned().chain(parts).collect();
        if found.is_empty() {
            return Ok(());
        }
        Err(ConnectorError::StateRefused {
            reason: format!(
                "output directory {directory} holds {}, which this job did not write. Empty the \
                 directory, or set `directory` to another one",
                shown(&found)
            ),
        })
    }

    /// Returns the parts to discard: those that are newer than the checkpoint and were written by
    /// earlier lineages of this job.
    fn newer(&self, marker: &Marker, start: &SinkStart) -> Vec<PartName> {
        if !start.discards_newer {
            return Vec::new();
        }
        let earlier = marker.earlier.iter();
        let earlier: Vec<_> = earlier.map(|of| LineageDigits::of(of.lineage)).collect();
        let own = LineageDigits::of(start.lineage);
        let parts = self.parts.iter().filter(|part| {
            is_newer(part, start) && part.lineage != own && earlier.contains(&part.lineage)
        });
        parts.cloned().collect()
    }

    /// Checks that no output but `discard` is newer than the checkpoint: the job would write it a
    /// second time.
    fn check_not_newer(
        &self,
        directory: &str,
        start: &SinkStart,
        discard: &[PartName],
    ) -> Result<(), ConnectorError> {
        let parts = self.parts.iter();
        let newer = parts.filter(|part| is_newer(part, start) && !discard.contains(part));
        let newer: Vec<String> = newer.map(ToString::to_string).collect();
        if newer.is_empty() {
            return Ok(());
        }
        let remove = match start.parent {
            Some(_) if !start.discards_newer => "remove it with `--discard-newer-output`, ",
            Some(_) | None => "",
        };
        Err(ConnectorError::StateRefused {
            reason: format!(
                "output directory {directory} holds output that is newer than checkpoint {}: {}. \
                 Start from the newest checkpoint, {remove}or set `directory` to another directory",
                start
                    .parent
                    .map_or(start.checkpoint, |parent| parent.checkpoint),
                shown(&newer)
            ),
        })
    }
}

/// Returns true if the part is newer than the checkpoint. The numbers of a fork begin above those
/// of its parent, so the parent's parts are compared by the parent's numbers.
fn is_newer(part: &PartName, start: &SinkStart) -> bool {
    if part.lineage == LineageDigits::of(start.lineage) {
        return part.checkpoint > start.checkpoint.0;
    }
    let newest = start.parent.map(|parent| parent.checkpoint.0);
    newest.is_none_or(|newest| part.checkpoint > newest)
}

/// Returns the lineages before a fork of `parent`, or `None` if output of `parent` is missing here.
fn earlier_of_fork(marker: &Marker, parent: ForkedFrom) -> Option<Vec<EarlierLineage>> {
    let last = EarlierLineage {
        lineage: marker.lineage,
        until: u64::MAX,
    };
    let mut earlier = marker.earlier.clone();
    earlier.push(last);
    let is_parent = |of: &EarlierLineage| of.lineage == parent.lineage;
    let place = earlier.iter().position(is_parent)?;
    let (before, after) = earlier.split_at_mut(place + 1);
    let parent_here = before.last_mut()?;
    if parent.checkpoint.0 > parent_here.until {
        return None;
    }
    parent_here.until = parent.checkpoint.0;
    after.iter_mut().for_each(|of| of.until = 0);
    Some(earlier)
}

fn shown(names: &[String]) -> String {
    let first = names[..names.len().min(SHOWN_NAMES)].join(", ");
    match names.len().saturating_sub(SHOWN_NAMES) {
        0 => first,
        more => format!("{first} and {more} more"),
    }
}
