//! The names of parts. Pure.
//!
//! A name identifies the owner of the file. A name is recognised only if formatting it again yields
//! the same text, so subtask 1 is never taken for subtask 11, and no foreign file for a part.

use std::fmt;

use tidegate_connector::Lineage;

/// The file that a run locks. It is empty, only its owner can open it, and it is never removed.
pub(super) const LOCK_NAME: &str = ".tidegate-lock";

/// The name of a part that is being written or waits for its checkpoint:
/// `.part-<lineage>-<attempt>-<subtask>-<sequence>.pending`, all numbers in decimal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct PendingName {
    pub(super) lineage: Lineage,
    pub(super) attempt: u64,
    pub(super) subtask: u32,
    /// The number of the part in the attempt of the subtask, from 0.
    pub(super) sequence: u64,
}

impl fmt::Display for PendingName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            lineage,
            attempt,
            subtask,
            sequence,
        } = self;
        write!(f, ".part-{lineage}-{attempt}-{subtask}-{sequence}.pending")
    }
}

impl PendingName {
    pub(super) fn parse(name: &str) -> Option<Self> {
        let inner = name.strip_prefix(".part-")?.strip_suffix(".pending")?;
        let mut fields = inner.split('-');
        let parsed = Self {
            lineage: parse_lineage(fields.next()?)?,
            attempt: fields.next()?.parse().ok()?,
            subtask: fields.next()?.parse().ok()?,
            sequence: fields.next()?.parse().ok()?,
        };
        (parsed.to_string() == name).then_some(parsed)
    }
}

/// The name of a published part:
/// `part-<checkpoint, 10 digits>-<subtask, 5 digits>-<lineage, first 8 digits>-<attempt>.<ending>`.
/// Names sort by checkpoint, then by subtask. A subtask has at most one part per checkpoint.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct PartName {
    pub(super) checkpoint: u64,
    pub(super) subtask: u32,
    pub(super) lineage: LineageDigits,
    pub(super) attempt: u64,
    pub(super) extension: String,
}

/// The first digits of a lineage.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct LineageDigits([u8; 4]);

impl LineageDigits {
    pub(super) fn of(lineage: Lineage) -> Self {
        let [a, b, c, d, ..] = lineage.0;
        Self([a, b, c, d])
    }
}

impl fmt::Display for PartName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            checkpoint,
            subtask,
            lineage,
            attempt,
            extension,
        } = self;
        let lineage = u32::from_be_bytes(lineage.0);
        write!(
            f,
            "part-{checkpoint:010}-{subtask:05}-{lineage:08x}-{attempt}.{extension}"
        )
    }
}

impl PartName {
    pub(super) fn parse(name: &str) -> Option<Self> {
        let (inner, extension) = name.strip_prefix("part-")?.split_once('.')?;
        let mut fields = inner.split('-');
        let checkpoint = fields.next()?.parse().ok()?;
        let subtask = fields.next()?.parse().ok()?;
        let lineage = u32::from_str_radix(fields.next()?, 16).ok()?;
        let parsed = Self {
            checkpoint,
            subtask,
            lineage: LineageDigits(lineage.to_be_bytes()),
            attempt: fields.next()?.parse().ok()?,
            extension: extension.to_owned(),
        };
        (parsed.to_string() == name).then_some(parsed)
    }
}

/// Parses a lineage in the form that [`Lineage`] displays.
pub(super) fn parse_lineage(digits: &str) -> Option<Lineage> {
    let number = u128::from_str_radix(digits, 16).ok()?;
    let lineage = Lineage(number.to_be_bytes());
    (lineage.to_string() == digits).then_some(lineage)
}

#[cfg(test)]
mod tests;
