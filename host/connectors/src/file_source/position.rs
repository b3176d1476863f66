//! The position of a split in a file, and the check that the file is still the same.
//!
//! A file may grow: a split never reads beyond the length that the file had when it was found. The
//! file may not shrink, and its first bytes and those before the position may not change. They are
//! compared when a file is opened, at each checkpoint while it is read, and at the end of a split:
//! by contents, whatever the file's times are. Earlier bytes are compared only by the reader that
//! read them (see `reader.rs`), since a position does not cover them.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

use serde::{Deserialize, Serialize};
use tidegate_connector::ConnectorError;
use tidegate_connector::source::SourceSplit;

use super::Input;
use super::follow::FOLLOW_VERSION;
use super::input_root::InputRoot;
use super::path_glob::Glob;
use super::read_files::{FileDigest, ReadEnd, ReadFiles};
use crate::versioned;

/// The number of bytes before a position that are compared.
pub(super) const HISTORY_BYTES: usize = 64 * 1024;

/// The number of bytes at the start of a file that are compared.
const HEAD_BYTES: usize = 4 * 1024;

/// The version of a position that is a [`FilePosition`].
const PART_VERSION: u8 = 1;

/// The version of a position that is a [`ReadFiles`].
const READ_VERSION: u8 = 2;

/// The contents of a split's position.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum FileSplit {
    /// A part of a file that is still to be read.
    Part(FilePosition),
    /// Files that were read to their ends.
    Read(ReadFiles),
}

impl FileSplit {
    pub(super) fn to_split(&self) -> SourceSplit {
        match self {
            Self::Part(part) => SourceSplit {
                name: format!("{}@{}..{}", part.file, part.position, part.end),
                position: versioned::encode(PART_VERSION, part),
            },
            Self::Read(read) => SourceSplit {
                name: format!("{} file(s) that were read", read.files.len()),
                position: versioned::encode(READ_VERSION, read),
            },
        }
    }

    pub(super) fn of_split(split: &SourceSplit) -> Result<Self, ConnectorError> {
        if split.position.first() == Some(&FOLLOW_VERSION) {
            return Err(ConnectorError::StateRefused {
                reason: format!(
                    "the checkpoint was taken with `follow = true`, and split `{}` has no end: \
                     set `follow` again, or start the job afresh",
                    split.name
                ),
            });
        }
        let refuse = |why: &str| ConnectorError::StateRefused {
            reason: format!(
                "the position of split `{}` can't be read: {why}",
                split.name
            ),
        };
        if split.position.first() == Some(&READ_VERSION) {
            let read = versioned::decode(READ_VERSION, &split.position);
            return Ok(Self::Read(read.map_err(|e| refuse(&e.to_string()))?));
        }
        let part: FilePosition =
            versioned::decode(PART_VERSION, &split.position).map_err(|e| refuse(&e.to_string()))?;
        if part.end > part.file_length || part.position > part.file_length {
            return Err(refuse("it is beyond the end of its file"));
        }
        Ok(Self::Part(part))
    }
}

/// A part of a file, and the position in it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct FilePosition {
    /// The file's name: the root of the glob, and the path below.
    pub(super) file: String,
    /// The next byte to read: the start of a line, or a byte of a line that another split owns.
    pub(super) position: u64,
    /// The end of the part: lines that begin here or later belong to other splits.
    pub(super) end: u64,
    /// The length of the file when it was found. Later bytes are not read.
    pub(super) file_length: u64,
    /// BLAKE3 of the first [`HEAD_BYTES`] within `file_length`.
    pub(super) head: [u8; 32],
    /// BLAKE3 of the last [`HISTORY_BYTES`] before `position`.
    pub(super) history: [u8; 32],
}

/// Makes the refusal to continue from a position.
pub(super) fn refused(name: &str, position: u64, difference: &str) -> ConnectorError {
    ConnectorError::StateRefused {
        reason: format!(
            "input file {name} is not the file that was read up to byte {position}: {difference}. \
             Restore the file, or start the job afresh"
        ),
    }
}

impl FilePosition {
    /// Returns the position at the start of a file that was found.
    pub(super) fn at_start(
        root: &InputRoot,
        glob: &Glob,
        name: &str,
    ) -> Result<Self, ConnectorError> {
        let failed = || ConnectorError::io(format!("could not read input file {name}"));
        let file = open(root, glob, name)?;
        let file_length = file.metadata().map_err(failed())?.len();
        let head = digest_before(&file, file_length.min(HEAD_BYTES as u64), HEAD_BYTES);
        Ok(Self {
            file: name.to_owned(),
            position: 0,
            end: file_length,
            file_length,
            head: head.map_err(failed())?,
            history: digest(&[]),
        })
    }

    /// Returns a position for reading only the beginning of a file.
    pub(super) fn of_length(name: &str, position: u64, file_length: u64) -> Self {
        Self {
            file: name.to_owned(),
            position,
            end: file_length,
            file_length,
            head: digest(&[]),
            history: digest(&[]),
        }
    }

    /// Returns the part of the same file from `position` to `end`. Reads only if `position`
    /// differs.
    pub(super) fn cut(&self, file: &File, position: u64, end: u64) -> Result<Self, ConnectorError> {
        let failed = ConnectorError::io(format!("could not read input file {}", self.file));
        let history = if position == self.position {
            self.history
        } else {
            digest_before(file, position, HISTORY_BYTES).map_err(failed)?
        };
        Ok(Self {
            file: self.file.clone(),
            position,
            end,
            history,
            ..*self
        })
    }

    /// Opens the file and checks that it is still the file of this position.
    pub(super) fn open(&self, root: &InputRoot, glob: &Glob) -> Result<File, ConnectorError> {
        let name = &self.file;
        let file = open(root, glob, name).map_err(|error| match error {
            ConnectorError::Io { source, .. } if source.kind() == io::ErrorKind::NotFound => {
                refused(name, self.position, "it is gone")
            }
            error @ (ConnectorError::Io { .. }
            | ConnectorError::Record { .. }
            | ConnectorError::InvalidRecord { .. }
            | ConnectorError::StateRefused { .. }
            | ConnectorError::InUse { .. }
            | ConnectorError::JobRefused { .. }) => error,
        })?;
        self.check(&file, |before| digest(before) == self.history)?;
        Ok(file)
    }

    /// Checks that an open file is still the file of this position: not shorter, and with the same
    /// bytes at its start and before the position. `is_history` compares the latter.
    pub(super) fn check(
        &self,
        file: &File,
        is_history: impl FnOnce(&[u8]) -> bool,
    ) -> Result<(), ConnectorError> {
        let name = &self.file;
        let failed = || ConnectorError::io(format!("could not read input file {name}"));
        let length = file.metadata().map_err(failed())?.len();
        if length < self.file_length {
            return Err(self.shrunk(length));
        }
        let head_end = self.file_length.min(HEAD_BYTES as u64);
        if digest_before(file, head_end, HEAD_BYTES).map_err(failed())? != self.head {
            let difference = format!("its first {head_end} bytes have changed");
            return Err(refused(name, self.position, &difference));
        }
        let history = read_before(file, self.position, HISTORY_BYTES).map_err(failed())?;
        if !is_history(&history) {
            let bytes = self.position.min(HISTORY_BYTES as u64);
            let difference = format!("the {bytes} bytes before that byte have changed");
            return Err(refused(name, self.position, &difference));
        }
        Ok(())
    }

    /// Checks that the bytes before an earlier position still have their digest of then.
    pub(super) fn check_earlier(
        &self,
        file: &File,
        position: u64,
        history: &[u8; 32],
    ) -> Result<(), ConnectorError> {
        let failed = ConnectorError::io(format!("could not read input file {}", self.file));
        if digest_before(file, position, HISTORY_BYTES).map_err(failed)? == *history {
            return Ok(());
        }
        let bytes = position.min(HISTORY_BYTES as u64);
        let difference = format!("the {bytes} bytes before byte {position} have changed");
        Err(refused(&self.file, self.position, &difference))
    }

    /// Makes the refusal of a file that now has only `length` bytes.
    pub(super) fn shrunk(&self, length: u64) -> ConnectorError {
        let difference = format!("it had {} bytes and now has {length}", self.file_length);
        refused(&self.file, self.position, &difference)
    }

    /// Makes the refusal of a part of a file that is read as a whole.
    pub(super) fn divided(&self) -> ConnectorError {
        ConnectorError::StateRefused {
            reason: format!(
                "the checkpoint divides input file {} at byte {}, which CSV does not allow. Write \
                 the `format` that the job had when it took the checkpoint, or start the job \
                 afresh",
                self.file, self.end
            ),
        }
    }

    /// Returns the digest by which a file is remembered after it was read.
    pub(super) fn digest(&self, glob: &Glob) -> Result<FileDigest, ConnectorError> {
        glob.below_root(&self.file).map(FileDigest::of)
    }

    /// Returns the end of the file, if this part is its last one and is read.
    pub(super) fn read_end(&self) -> Option<ReadEnd> {
        (self.is_done() && self.end == self.file_length).then(|| ReadEnd {
            length: self.file_length,
            contents: contents(&self.head, &self.history),
        })
    }

    /// Returns the part of a file behind the end up to which it was read.
    pub(super) fn behind(
        input: &Input,
        name: &str,
        end: ReadEnd,
    ) -> Result<GrownFile, ConnectorError> {
        let failed = || ConnectorError::io(format!("could not read input file {name}"));
        let file = open(&input.root, &input.glob, name)?;
        let file_length = file.metadata().map_err(failed())?.len();
        let ReadEnd { length, .. } = end;
        if file_length < length {
            let difference = format!("it had {length} bytes and now has {file_length}");
            return Ok(GrownFile::Other(difference));
        }
        let head = digest_before(&file, length.min(HEAD_BYTES as u64), HEAD_BYTES);
        let history = digest_before(&file, length, HISTORY_BYTES).map_err(failed())?;
        if contents(&head.map_err(failed())?, &history) != end.contents {
            let difference = "its bytes before that byte have changed".to_owned();
            return Ok(GrownFile::Other(difference));
        }
        if !ends_line(&file, length).map_err(failed())? {
            let difference = "its last line had no newline, was read as a record, and has become \
                              longer";
            return Ok(GrownFile::Other(difference.to_owned()));
        }
        let head_end = file_length.min(HEAD_BYTES as u64);
        Ok(GrownFile::Same(Self {
            file: name.to_owned(),
            position: length,
            end: file_length,
            file_length,
            head: digest_before(&file, head_end, HEAD_BYTES).map_err(failed())?,
            history,
        }))
    }

    /// Returns this part, the last of its file, with the bytes that the file has now.
    pub(super) fn longer(&self, input: &Input) -> Result<Self, ConnectorError> {
        let failed = || ConnectorError::io(format!("could not read input file {}", self.file));
        let file = self.open(&input.root, &input.glob)?;
        let file_length = file.metadata().map_err(failed())?.len();
        let head_end = file_length.min(HEAD_BYTES as u64);
        Ok(Self {
            end: file_length,
            file_length,
            head: digest_before(&file, head_end, HEAD_BYTES).map_err(failed())?,
            ..self.clone()
        })
    }

    pub(super) fn is_done(&self) -> bool {
        self.position >= self.end
    }
}

/// A file that was read to its end, looked at later.
#[derive(Debug)]
pub(super) enum GrownFile {
    /// It still begins with the bytes that were read; the part has the others.
    Same(FilePosition),
    /// It is another file, with the difference.
    Other(String),
}

/// Returns the digest of a file's contents from those of its first and last bytes.
fn contents(head: &[u8; 32], history: &[u8; 32]) -> [u8; 16] {
    let mut contents = [0; 16];
    let mut hasher = blake3::Hasher::new();
    hasher.update(head).update(history);
    hasher.finalize_xof().fill(&mut contents);
    contents
}

/// Returns true if a line, or record of CSV, ends at `position`: the byte before or behind it ends
/// lines.
fn ends_line(file: &File, position: u64) -> io::Result<bool> {
    if position == 0 {
        return Ok(true);
    }
    let mut bytes = [0; 2];
    let read = file.read_at(&mut bytes, position - 1)?;
    Ok(bytes[0] == b'\n' || read < 2 || matches!(bytes[1], b'\n' | b'\r'))
}

/// Opens a regular file below the root.
fn open(root: &InputRoot, glob: &Glob, name: &str) -> Result<File, ConnectorError> {
    let relative = glob.below_root(name)?;
    let failed = |error| root.unreachable(relative, name, error);
    // Check before opening, since opening a pipe would wait.
    if !root.find(relative).map_err(failed)?.is_file {
        return Err(ConnectorError::StateRefused {
            reason: format!(
                "input file {name} is no longer a regular file. Restore the file, or start the job \
                 afresh"
            ),
        });
    }
    root.open_file(relative).map_err(failed)
}

pub(super) fn digest(bytes: &[u8]) -> [u8; 32] {
    *blake3::hash(bytes).as_bytes()
}

/// Returns BLAKE3 of `limit` bytes before `position`, or of fewer at the beginning of the file.
fn digest_before(file: &File, position: u64, limit: usize) -> io::Result<[u8; 32]> {
    Ok(digest(&read_before(file, position, limit)?))
}

/// Reads `limit` bytes before `position`, or fewer at the beginning of the file.
pub(super) fn read_before(file: &File, position: u64, limit: usize) -> io::Result<Vec<u8>> {
    let length = usize::try_from(position).unwrap_or(usize::MAX).min(limit);
    let mut bytes = vec![0; length];
    file.read_exact_at(&mut bytes, position - length as u64)?;
    Ok(bytes)
}
