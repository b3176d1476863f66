//! Checks all checkpoints of a directory and reports what it finds.
//!
//! Unlike a load, the check continues after a problem and never fails because of one.

use std::collections::BTreeSet;
use std::error::Error;
use std::path::Path;

use serde::Serialize;
use tidegate_connector::CheckpointId;
use tidegate_operator::shown;

use super::checkpoint_files::{CheckpointFiles, names_in};
use super::file_names::{
    CHECKPOINTS, STATE, StateFileName, parse_manifest_name, parse_temporary_manifest_name,
};
use super::{StateFile, StoreError};

/// The result of checking a checkpoint directory or savepoint.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct VerifyReport {
    /// The result for each manifest, oldest first.
    pub checkpoints: Vec<CheckpointReport>,
    /// Files of Tidegate that no complete checkpoint needs, relative to the directory. Retention
    /// removes them, unless a running job is writing them at this moment.
    pub orphans: Vec<String>,
    /// Files that Tidegate did not write and never touches. Relative to the directory.
    pub unknown: Vec<String>,
}

/// The result for one checkpoint.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CheckpointReport {
    /// Its id.
    pub checkpoint: CheckpointId,
    /// The number of state files in its manifest; 0 if the manifest is unusable.
    pub state_files: u64,
    /// Their size in bytes.
    pub state_bytes: u64,
    /// The problems found; empty if the checkpoint can be restored.
    pub problems: Vec<FileProblem>,
}

/// A problem with a file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FileProblem {
    /// The file, relative to the directory.
    pub file: String,
    /// A description of the problem.
    pub reason: String,
}

impl VerifyReport {
    /// True if every checkpoint can be restored.
    #[must_use]
    pub fn is_ok(&self) -> bool {
        self.checkpoints
            .iter()
            .all(|checkpoint| checkpoint.problems.is_empty())
    }
}

/// Checks everything in `files`, which should hold `checkpoints`.
pub(super) fn verify(
    files: &CheckpointFiles,
    checkpoints: Vec<CheckpointId>,
) -> Result<VerifyReport, StoreError> {
    let mut report = VerifyReport::default();
    let mut needed = Needed::default();
    for checkpoint in checkpoints {
        report
            .checkpoints
            .push(verify_checkpoint(files, checkpoint, &mut needed));
    }
    for name in names_in(&files.checkpoints)? {
        if parse_temporary_manifest_name(&name).is_some() {
            report.orphans.push(relative(CHECKPOINTS, &name));
        } else if parse_manifest_name(&name).is_none() {
            report.unknown.push(relative(CHECKPOINTS, &name));
        }
    }
    for name in names_in(&files.state)? {
        match StateFileName::parse(&name) {
            Some(parsed) if needed.has(&name, parsed.checkpoint) => {}
            Some(_) => report.orphans.push(relative(STATE, &name)),
            None => report.unknown.push(relative(STATE, &name)),
        }
    }
    Ok(report)
}

/// State files that manifests refer to.
#[derive(Default)]
struct Needed {
    names: BTreeSet<String>,
    /// Checkpoints with unusable manifests, any of whose files may be needed.
    unknown: BTreeSet<CheckpointId>,
}

impl Needed {
    fn has(&self, name: &str, checkpoint: CheckpointId) -> bool {
        self.names.contains(name) || self.unknown.contains(&checkpoint)
    }
}

fn verify_checkpoint(
    files: &CheckpointFiles,
    checkpoint: CheckpointId,
    needed: &mut Needed,
) -> CheckpointReport {
    let mut report = CheckpointReport {
        checkpoint,
        state_files: 0,
        state_bytes: 0,
        problems: Vec::new(),
    };
    let manifest = match files.read_manifest(checkpoint) {
        Ok(stored) => stored.manifest,
        Err(error) => {
            needed.unknown.insert(checkpoint);
            let file = relative(CHECKPOINTS, &checkpoint.to_string());
            report.problems.push(problem(file, &error));
            return report;
        }
    };
    for (subtask, file) in manifest.state_files() {
        let StateFile { name, length, .. } = file;
        needed.names.insert(name.clone());
        report.state_files += 1;
        report.state_bytes = report.state_bytes.saturating_add(*length);
        if let Err(error) = files.read_state_bytes(&manifest, subtask, file) {
            report.problems.push(problem(relative(STATE, name), &error));
        }
    }
    report
}

fn problem(file: String, error: &StoreError) -> FileProblem {
    let mut reason = error.to_string();
    if let StoreError::Corrupt {
        reason: of_file, ..
    } = error
    {
        reason.clone_from(of_file);
    } else if let Some(source) = error.source() {
        reason = format!("{reason}: {source}");
    }
    FileProblem { file, reason }
}

fn relative(directory: &str, name: &str) -> String {
    shown(&Path::new(directory).join(name)).to_string()
}
