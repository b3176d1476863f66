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
mod tests {
    use super::*;

    #[test]
    fn names_come_back_as_they_were() {
        let pending = PendingName {
            lineage: Lineage([0xab; 16]),
            attempt: 3,
            subtask: 11,
            sequence: 0,
        };
        let name = ".part-abababababababababababababababab-3-11-0.pending";
        assert_eq!(pending.to_string(), name);
        assert_eq!(PendingName::parse(name), Some(pending));

        let part = PartName {
            checkpoint: 12,
            subtask: 11,
            lineage: LineageDigits::of(Lineage([0xab; 16])),
            attempt: 3,
            extension: "tsv".to_owned(),
        };
        assert_eq!(part.to_string(), "part-0000000012-00011-abababab-3.tsv");
        assert_eq!(
            PartName::parse("part-0000000012-00011-abababab-3.tsv"),
            Some(part)
        );
    }

    #[test]
    fn a_name_that_only_resembles_a_part_is_not_one() {
        for name in [
            ".part-abababababababababababababababab-3-11.pending",
            ".part-abababababababababababababababab-3-+1-0.pending",
            ".part-abababababababababababababababab-03-1-0.pending",
            ".part-ABABABABABABABABABABABABABABABAB-3-1-0.pending",
            ".part-ab-3-1-0.pending",
            ".part-abababababababababababababababab-3-1-0-0.pending",
            ".part-abababababababababababababababab-3-1-0.pending~",
        ] {
            assert_eq!(PendingName::parse(name), None, "{name}");
        }
        for name in [
            "part-12-00011-abababab-3.tsv",
            "part-0000000012-00011-abababab-3",
            "part-0000000012-00011-abababab-3-4.tsv",
            "part-0000000012-00011-abababa-3.tsv",
            "part-0000000012-00011-abababab-+3.tsv",
            "my-part-0000000012-00011-abababab-3.tsv",
        ] {
            assert_eq!(PartName::parse(name), None, "{name}");
        }
    }

    #[test]
    fn parts_sort_by_checkpoint_then_by_subtask() {
        let part = |checkpoint, subtask| {
            let lineage = LineageDigits::of(Lineage([9; 16]));
            let extension = "tsv".to_owned();
            PartName {
                checkpoint,
                subtask,
                lineage,
                attempt: 1,
                extension,
            }
            .to_string()
        };
        assert!(part(2, 11) < part(10, 1));
        assert!(part(2, 2) < part(2, 11));
    }
}
