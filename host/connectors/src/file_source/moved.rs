//! Splits of files that were moved since the checkpoint.
//!
//! A file that was read is known by a digest of its path, so the old path of each file that is
//! found at its new place is looked up.

use std::collections::BTreeSet;

use tidegate_connector::ConnectorError;
use tidegate_connector::source::{InputMove, MovedSplit, SourceSplit};

use super::Input;
use super::follow;
use super::glob_walk::Unusable;
use super::position::FileSplit;
use super::read_files::{FileDigest, MOST_FILES, ReadFiles};

/// Moves the paths of a split.
pub(super) fn moved(
    input: &Input,
    is_followed: bool,
    split: SourceSplit,
    moves: &[InputMove],
) -> Result<MovedSplit, ConnectorError> {
    if moves.is_empty() {
        return Ok(MovedSplit::unmoved(split, moves));
    }
    if is_followed {
        return follow::moved(&split, moves);
    }
    match FileSplit::of_split(&split)? {
        FileSplit::Part(mut part) => {
            let is_used = moves.iter().map(|it| it.apply(&mut part.file)).collect();
            let split = FileSplit::Part(part).to_split();
            Ok(MovedSplit { split, is_used })
        }
        FileSplit::Read(mut read) => {
            let names = input
                .glob
                .files(&input.root, MOST_FILES, Unusable::Listed)?
                .files;
            let is_used = moves.iter().map(|it| move_read(&mut read, it, &names));
            let is_used = is_used.collect();
            let split = FileSplit::Read(read).to_split();
            Ok(MovedSplit { split, is_used })
        }
    }
}

/// Moves files that were read. Returns true if there are some of the move.
fn move_read(read: &mut ReadFiles, input_move: &InputMove, names: &BTreeSet<String>) -> bool {
    if input_move.apply(&mut read.root) {
        // Paths below the root are the same.
        return true;
    }
    let mut is_used = false;
    for name in names {
        let original = input_move.original(name);
        let before = original.as_deref().and_then(|it| below(&read.root, it));
        let (Some(before), Some(now)) = (before, below(&read.root, name)) else {
            continue;
        };
        let now = FileDigest::of(now);
        if let Some(end) = read.files.remove(&FileDigest::of(before)) {
            read.files.insert(now, end);
        }
        is_used |= read.files.contains_key(&now);
    }
    is_used
}

/// Returns the path below a root.
fn below<'a>(root: &str, name: &'a str) -> Option<&'a str> {
    match root {
        "" => Some(name),
        root => name.strip_prefix(root)?.strip_prefix('/'),
    }
}
