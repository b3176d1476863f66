//! The names of files in a checkpoint directory, made and recognised. Pure.
//!
//! Every name from a disk or a manifest passes through this file before the store opens or removes
//! anything by it. A name is recognised only if it is exactly the name that Tidegate would make.

use std::fmt;
use std::str::FromStr;

use tidegate_connector::{CheckpointId, SubtaskId};

use super::Manifest;

/// The lock file.
pub(super) const LOCK: &str = "LOCK";
/// The directory of state files.
pub(super) const STATE: &str = "state";
/// The directory of manifests.
pub(super) const CHECKPOINTS: &str = "checkpoints";
/// The directory of the marks of drills.
pub(super) const PROVEN: &str = "proven";

/// Longest name of an operator, and longest part of a savepoint's name that is the job's.
const MAX_NAME_LENGTH: usize = 64;

/// The name of a state file: `<checkpoint>-<operator>-<subtask>-<attempt>`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct StateFileName {
    pub(super) checkpoint: CheckpointId,
    pub(super) subtask: SubtaskId,
    pub(super) attempt: u64,
}

impl StateFileName {
    /// Parses `name`; `None` unless Tidegate would make exactly this name.
    pub(super) fn parse(name: &str) -> Option<Self> {
        let (checkpoint, rest) = name.split_once('-')?;
        let (rest, attempt) = rest.rsplit_once('-')?;
        let (operator, index) = rest.rsplit_once('-')?;
        Some(Self {
            checkpoint: CheckpointId(decimal(checkpoint)?),
            subtask: SubtaskId {
                operator: is_operator_name(operator).then(|| operator.to_owned())?,
                index: decimal(index)?,
            },
            attempt: decimal(attempt)?,
        })
    }
}

impl fmt::Display for StateFileName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let SubtaskId { operator, index } = &self.subtask;
        let (checkpoint, attempt) = (self.checkpoint, self.attempt);
        write!(f, "{checkpoint}-{operator}-{index}-{attempt}")
    }
}

/// Returns the checkpoint whose manifest has this name, or `None` for any other name.
pub(super) fn parse_manifest_name(name: &str) -> Option<CheckpointId> {
    decimal(name).map(CheckpointId)
}

/// Returns the temporary name of a manifest before its commit.
pub(super) fn temporary_manifest_name(checkpoint: CheckpointId, attempt: u64) -> String {
    format!(".{checkpoint}.{attempt}.tmp")
}

/// Returns the attempt in a [`temporary_manifest_name`], or `None` for any other name.
pub(super) fn parse_temporary_manifest_name(name: &str) -> Option<u64> {
    let numbers = name.strip_prefix('.')?.strip_suffix(".tmp")?;
    let (checkpoint, attempt) = numbers.split_once('.')?;
    decimal::<u64>(checkpoint)?;
    decimal(attempt)
}

/// Returns the name of a savepoint's directory, which is unique among all checkpoints of all jobs.
pub(super) fn savepoint_name(manifest: &Manifest) -> String {
    let plain = |c: char| if is_name_character(c) { c } else { '_' };
    let job = manifest.graph.job().chars().map(plain);
    let job: String = job.take(MAX_NAME_LENGTH).collect();
    let lineage = manifest.lineage.to_string();
    let (checkpoint, attempt) = (manifest.checkpoint, manifest.attempt);
    format!("savepoint-{job}-{checkpoint}-{:.8}-{attempt}", lineage)
}

/// Returns whether `name` may stand between the numbers of a state file's name.
pub(super) fn is_operator_name(name: &str) -> bool {
    (1..=MAX_NAME_LENGTH).contains(&name.len()) && name.chars().all(is_name_character)
}

fn is_name_character(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '-' || c == '_'
}

/// Parses a number without sign or leading zeros, so that no number has two names.
fn decimal<T: FromStr>(digits: &str) -> Option<T> {
    let is_canonical = digits == "0" || !digits.starts_with('0');
    let is_decimal = digits.bytes().all(|digit| digit.is_ascii_digit());
    if is_canonical && is_decimal {
        digits.parse().ok()
    } else {
        None
    }
}

#[cfg(test)]
mod tests;
