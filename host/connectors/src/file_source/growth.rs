//! Input that was added since a checkpoint: lines behind the recorded end of a file, and files that
//! were not planned. Found once a process, when the job continues; never ignored.
//!
//! The invariant: bytes that are added to the splits are those behind the recorded end of a file,
//! and the file's bytes before that end are the recorded ones.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tidegate_connector::ConnectorError;
use tidegate_connector::source::RestoredSubtask;
use tidegate_operator::shown_text;

use super::Input;
use super::glob_walk::Unusable;
use super::position::{FilePosition, FileSplit, GrownFile};
use super::read_files::{FileDigest, ReadEnd};

/// The largest number of files that a message names.
const NAMED_FILES: usize = 5;

/// The treatment of input that was added while the job did not run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum OnGrowth {
    /// The start is refused, and the message names the files.
    #[default]
    Refuse,
    /// The job reads it, and a line of the log names the files.
    Read,
}

/// The end of a file that the checkpoint knows.
#[derive(Clone, Copy, Debug)]
enum KnownEnd {
    /// The file was read to its end.
    Read(ReadEnd),
    /// A split, by subtask and place in its list, reads up to this length.
    Reading {
        subtask: usize,
        split: usize,
        length: u64,
    },
    /// Another split than the last of the file is known, or its last one is never read.
    Elsewhere,
}

impl KnownEnd {
    fn length(self) -> u64 {
        match self {
            Self::Read(end) => end.length,
            Self::Reading { length, .. } => length,
            Self::Elsewhere => 0,
        }
    }
}

/// Input that was added.
#[derive(Debug)]
struct Added {
    name: String,
    /// The number of added bytes.
    bytes: u64,
    is_new_file: bool,
    place: Place,
}

/// The way in which added input is read.
#[derive(Debug)]
enum Place {
    /// In a split of its own.
    Own(FilePosition),
    /// By the split, of this subtask and at this place in its list, that reads the file already.
    Longer(usize, usize, FilePosition),
}

/// Looks for input that was added since the checkpoint of `subtasks`. Adds it to their splits, or
/// refuses it.
///
/// # Errors
///
/// [`ConnectorError::StateRefused`] names what was added, or a file that was read and is another
/// one now.
pub(super) fn take_added(
    input: &Input,
    finds_new_files: bool,
    subtasks: &mut [RestoredSubtask],
) -> Result<(), ConnectorError> {
    let known = known_ends(input, subtasks)?;
    let matches = input
        .glob
        .files(&input.root, usize::MAX, Unusable::Listed)?;
    let mut added = Vec::new();
    for name in &matches.files {
        let digest = FileDigest::of(input.glob.below_root(name)?);
        match known.get(&digest) {
            Some(end) => added.extend(appended(input, name, *end, finds_new_files, subtasks)?),
            // Discovery takes it, or names what it can't read.
            None if finds_new_files => {}
            None => added.extend(new_file(input, name)?),
        }
    }
    if !finds_new_files {
        for (name, reason) in &matches.unusable {
            tracing::warn!("the source does not read {}: {reason}", shown_text(name));
        }
    }
    if added.is_empty() {
        return Ok(());
    }
    let text = described(&added);
    let has_reader = subtasks.iter().any(|subtask| !subtask.has_ended);
    match (input.on_growth, has_reader) {
        (OnGrowth::Refuse, true) => Err(refused(&format!(
            "input was added since the checkpoint: {text}. Set `on-growth = \"read\"` in the \
             source to read it, remove it, or start the job afresh"
        ))),
        (OnGrowth::Refuse | OnGrowth::Read, false) => Err(refused(&format!(
            "input was added since the source was read to its end: {text}. A source that has ended \
             reads nothing more: remove the input, start the job afresh, or read it by a job of \
             its own. A source with `follow` or `discover` does not end"
        ))),
        (OnGrowth::Read, true) => {
            tracing::warn!("the source reads input that was added since the checkpoint: {text}");
            distribute(added, subtasks);
            Ok(())
        }
    }
}

fn refused(reason: &str) -> ConnectorError {
    ConnectorError::StateRefused {
        reason: reason.to_owned(),
    }
}

/// Returns the furthest end of each file of the checkpoint.
fn known_ends(
    input: &Input,
    subtasks: &[RestoredSubtask],
) -> Result<BTreeMap<FileDigest, KnownEnd>, ConnectorError> {
    let mut ends: BTreeMap<FileDigest, KnownEnd> = BTreeMap::new();
    let mut note = |digest, end: KnownEnd| {
        let known = ends.entry(digest).or_insert(KnownEnd::Elsewhere);
        // A file that grew and is read on has an older entry, too.
        if end.length() >= known.length() {
            *known = end;
        }
    };
    for (subtask, restored) in subtasks.iter().enumerate() {
        for (split, of_subtask) in restored.splits.iter().enumerate() {
            match FileSplit::of_split(of_subtask)? {
                FileSplit::Part(part) => {
                    let digest = part.digest(&input.glob)?;
                    let is_last = part.end == part.file_length;
                    let end = match part.read_end() {
                        Some(end) => KnownEnd::Read(end),
                        None if is_last && !restored.has_ended => KnownEnd::Reading {
                            subtask,
                            split,
                            length: part.file_length,
                        },
                        None => KnownEnd::Elsewhere,
                    };
                    note(digest, end);
                }
                FileSplit::Read(read) => {
                    for (digest, end) in read.files {
                        note(digest, end.map_or(KnownEnd::Elsewhere, KnownEnd::Read));
                    }
                }
            }
        }
    }
    Ok(ends)
}

/// Returns what was appended to a known file.
fn appended(
    input: &Input,
    name: &str,
    end: KnownEnd,
    finds_new_files: bool,
    subtasks: &[RestoredSubtask],
) -> Result<Option<Added>, ConnectorError> {
    let Some(found) = input.look(name)? else {
        return Ok(None);
    };
    let place = match end {
        KnownEnd::Elsewhere => return Ok(None),
        // Equal lengths are taken for equal contents: nothing was added.
        KnownEnd::Read(end) if found.length == end.length => return Ok(None),
        KnownEnd::Read(end) => match FilePosition::behind(input, name, end)? {
            GrownFile::Same(position) => Place::Own(position),
            GrownFile::Other(difference) if finds_new_files => {
                tracing::warn!(
                    "input file {} was read up to byte {} and is another file now: {difference}; \
                     the source does not read it again",
                    shown_text(name),
                    end.length
                );
                return Ok(None);
            }
            GrownFile::Other(difference) => {
                return Err(super::position::refused(name, end.length, &difference));
            }
        },
        // A file that shrank is refused when it is opened.
        KnownEnd::Reading { length, .. } if found.length <= length => return Ok(None),
        KnownEnd::Reading { subtask, split, .. } => {
            let split_of = &subtasks[subtask].splits[split];
            let FileSplit::Part(part) = FileSplit::of_split(split_of)? else {
                return Ok(None);
            };
            Place::Longer(subtask, split, part.longer(input)?)
        }
    };
    let bytes = match &place {
        Place::Own(position) | Place::Longer(_, _, position) => position.file_length,
    };
    Ok(Some(Added {
        name: name.to_owned(),
        bytes: bytes.saturating_sub(end.length()),
        is_new_file: false,
        place,
    }))
}

/// Returns a file that was not planned, if it has bytes.
fn new_file(input: &Input, name: &str) -> Result<Option<Added>, ConnectorError> {
    let Some(found) = input.look(name)? else {
        return Ok(None);
    };
    if found.length == 0 {
        return Ok(None);
    }
    let position = FilePosition::at_start(&input.root, &input.glob, name)?;
    Ok(Some(Added {
        name: name.to_owned(),
        bytes: position.file_length,
        is_new_file: true,
        place: Place::Own(position),
    }))
}

/// Names the files and their bytes, within bounds.
fn described(added: &[Added]) -> String {
    let one = |added: &Added| {
        let Added { name, bytes, .. } = added;
        match added.is_new_file {
            true => format!("{name} is new ({bytes} bytes)"),
            false => format!("{name} has {bytes} more bytes"),
        }
    };
    let named: Vec<String> = added.iter().take(NAMED_FILES).map(one).collect();
    let rest = added.get(NAMED_FILES..).unwrap_or_default();
    match rest.len() {
        0 => named.join(", "),
        more => {
            let bytes: u64 = rest.iter().map(|added| added.bytes).sum();
            format!(
                "{}, and {more} more files ({bytes} bytes)",
                named.join(", ")
            )
        }
    }
}

/// Adds the input to the splits: a longer part to its own split, everything else in turn to the
/// subtasks that have not ended.
fn distribute(added: Vec<Added>, subtasks: &mut [RestoredSubtask]) {
    let running = (0..subtasks.len()).filter(|index| !subtasks[*index].has_ended);
    let readers: Vec<usize> = running.collect();
    let mut turn = readers.iter().copied().cycle();
    for added in added {
        match added.place {
            Place::Longer(subtask, split, position) => {
                subtasks[subtask].splits[split] = FileSplit::Part(position).to_split();
            }
            Place::Own(position) => {
                let reader = turn.next().expect("a subtask has not ended");
                let split = FileSplit::Part(position).to_split();
                subtasks[reader].splits.push(split);
            }
        }
    }
}
