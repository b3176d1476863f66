//! Bytes to lines, for the sources of bytes. Pure.
//!
//! A `\n` ends a line and is not part of it; all other bytes are, including a `\r` before the `\n`.
//! The last line needs no `\n`. An empty line is a record.

use memchr::memchr_iter;
use tidegate_operator::{Batch, Column, NO_TIMESTAMP};

/// The largest number of lines in a batch, whatever their length.
pub(crate) const BATCH_LINES: usize = 16_384;

/// Limits of one record and one batch.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LineLimits {
    /// The longest record, without its `\n`; a longer line is rejected.
    pub(crate) record_bytes: usize,
    /// A batch takes no further line once it has this many bytes.
    pub(crate) batch_bytes: usize,
}

/// Bytes that have not become records yet. The first byte begins a line.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Unread<'a> {
    pub(crate) bytes: &'a [u8],
    /// The end, exclusive, of the bytes in which a taken line may begin.
    pub(crate) owned: usize,
    /// True if nothing follows `bytes`.
    pub(crate) is_last: bool,
}

impl Unread<'_> {
    /// Restricts the lines to those that begin within `reach` bytes: to one line, if `reach` is 1.
    pub(crate) fn up_to(self, reach: Option<u64>) -> Self {
        let reach = reach.and_then(|reach| usize::try_from(reach).ok());
        Self {
            owned: reach.map_or(self.owned, |reach| reach.min(self.owned)),
            ..self
        }
    }
}

/// The lines of one batch.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Lines {
    pub(crate) values: Column,
    /// The number of bytes that the lines took, with their `\n`.
    pub(crate) consumed: usize,
}

/// The line that begins at the first unread byte is longer than a record may be.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct LineTooLong;

/// Takes whole lines from the start of `unread`, at most a batch. If it takes none, more bytes are
/// needed.
pub(crate) fn take_lines(unread: Unread<'_>, limits: LineLimits) -> Result<Lines, LineTooLong> {
    let mut lines = LinesBuilder::for_bytes(unread.bytes.len().min(limits.batch_bytes));
    let consumed = each_line(unread, limits.record_bytes, |line| {
        let has_room = lines.has_room(limits);
        if has_room {
            lines.push(line);
        }
        has_room
    })?;
    Ok(Lines {
        values: lines.into_column(),
        consumed,
    })
}

/// Passes whole lines from the start of `unread` to `take`, until it returns false for a line that
/// it does not take. Returns the number of bytes of the taken lines, with their `\n`.
#[inline]
pub(crate) fn each_line(
    unread: Unread<'_>,
    record_bytes: usize,
    mut take: impl FnMut(&[u8]) -> bool,
) -> Result<usize, LineTooLong> {
    let Unread {
        bytes,
        owned,
        is_last,
    } = unread;
    // The lines before a line that is too long are taken first.
    let too_long = |start: usize| {
        if start == 0 {
            Err(LineTooLong)
        } else {
            Ok(start)
        }
    };
    let mut start = 0;
    for newline in memchr_iter(b'\n', bytes) {
        let line = &bytes[start..newline];
        if start < owned && line.len() > record_bytes {
            return too_long(start);
        }
        if start >= owned || !take(line) {
            return Ok(start);
        }
        start = newline + 1;
    }
    let rest = &bytes[start..];
    if rest.is_empty() || start >= owned {
        return Ok(start);
    }
    if rest.len() > record_bytes {
        return too_long(start);
    }
    if is_last && take(rest) {
        start = bytes.len();
    }
    Ok(start)
}

/// Makes a batch of lines, with empty keys and no timestamps.
pub(crate) fn to_batch(values: Column) -> Batch {
    let keys = Column::from_parts(vec![0; values.len() + 1], Vec::new());
    let keys = keys.expect("offsets of 0 fit no bytes");
    let timestamps = vec![NO_TIMESTAMP; values.len()];
    Batch::from_columns(timestamps, keys, values).expect("every column has a row a line")
}

/// A column under construction.
struct LinesBuilder {
    offsets: Vec<u32>,
    bytes: Vec<u8>,
}

impl LinesBuilder {
    fn for_bytes(bytes: usize) -> Self {
        let mut offsets = Vec::with_capacity(bytes / 32 + 2);
        offsets.push(0);
        Self {
            offsets,
            bytes: Vec::with_capacity(bytes),
        }
    }

    fn has_room(&self, limits: LineLimits) -> bool {
        self.bytes.len() < limits.batch_bytes && self.offsets.len() <= BATCH_LINES
    }

    #[inline]
    fn push(&mut self, line: &[u8]) {
        self.bytes.extend_from_slice(line);
        let end = u32::try_from(self.bytes.len()).expect("a batch of lines stays below 4 GiB");
        self.offsets.push(end);
    }

    fn into_column(self) -> Column {
        Column::from_parts(self.offsets, self.bytes).expect("offsets follow the bytes written")
    }
}

#[cfg(test)]
mod tests;
