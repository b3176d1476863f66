//! `tidegate checkpoint diff`: the differences between two checkpoints.

use std::path::Path;

use tidegate_checkpoint::{
    CheckpointDirectory, Manifest, ManifestDiff, SnapshotContents, StoreError,
};
use tidegate_operator::{StateChunk, shown};

use super::selected;
use crate::args::DiffArgs;
use crate::failure::Failure;
use crate::terminal::{Lines, Terminal};

/// Compares two checkpoints.
pub(crate) fn diff(args: &DiffArgs, terminal: &Terminal) -> Result<(), Failure> {
    let (before, after) = match &args.after {
        Some(after) => (Side::open(&args.before)?, Side::open(after)?),
        None => two_newest(&args.before)?,
    };
    let mut failure = None;
    let state_differs = |operator: &str| match differs(&before, &after, operator) {
        Ok(differs) => differs,
        Err(error) => {
            failure.get_or_insert(error);
            true
        }
    };
    let difference = ManifestDiff::between(&before.manifest, &after.manifest, state_differs);
    if let Some(error) = failure {
        return Err(error.into());
    }
    if args.output.json {
        return terminal.json(&difference);
    }
    let mut lines = Lines::new();
    difference.lines().iter().for_each(|line| lines.line(line));
    terminal.data(&lines)
}

/// One of the two checkpoints.
struct Side {
    directory: CheckpointDirectory,
    manifest: Manifest,
}

impl Side {
    fn open(path: &Path) -> Result<Self, StoreError> {
        let directory = CheckpointDirectory::open(path)?;
        let manifest = directory.load(selected(&directory)?)?;
        Ok(Self {
            directory,
            manifest,
        })
    }

    /// Returns all state of an operator, from all its subtasks.
    fn chunks(&self, operator: &str) -> Result<Vec<StateChunk>, StoreError> {
        let mut chunks = Vec::new();
        for snapshot in &self.manifest.subtasks {
            if snapshot.subtask.operator != operator {
                continue;
            }
            if let SnapshotContents::Operator { state: Some(file) } = &snapshot.contents {
                let (manifest, subtask) = (&self.manifest, &snapshot.subtask);
                chunks.extend(self.directory.read_state(manifest, subtask, file)?);
            }
        }
        chunks.sort_by(|a, b| {
            let key = |chunk: &StateChunk| (chunk.key_group, chunk.schema_version);
            (&a.name, key(a), &a.bytes).cmp(&(&b.name, key(b), &b.bytes))
        });
        Ok(chunks)
    }
}

fn differs(before: &Side, after: &Side, operator: &str) -> Result<bool, StoreError> {
    Ok(before.chunks(operator)? != after.chunks(operator)?)
}

fn two_newest(path: &Path) -> Result<(Side, Side), Failure> {
    let directory = CheckpointDirectory::open(path)?;
    let ids = directory.ids()?;
    let [.., before, after] = ids.as_slice() else {
        let count = ids.len();
        let message = format!(
            "{} has {count} checkpoint(s), and a comparison needs two; name two paths",
            shown(path)
        );
        return Err(Failure::Usage { message });
    };
    let before = Side {
        manifest: directory.load(*before)?,
        directory: CheckpointDirectory::open(path)?,
    };
    let after = Side {
        manifest: directory.load(*after)?,
        directory,
    };
    Ok((before, after))
}
