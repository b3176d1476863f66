//! Where records stand in a source's input: to name one of them, and to read some of it record by
//! record while the one that a guest fails on is being looked for. Pure.

use std::fmt;

/// A stretch of one split's input. What its numbers count is the connector's: bytes of a file, the
/// integers of a generator.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourcePlace {
    /// The split, by the name that people know: the same in every attempt, however far it is read.
    pub split: String,
    /// Where the first record begins.
    pub from: u64,
    /// Behind the last record.
    pub to: u64,
}

impl SourcePlace {
    /// True if the two have anything in common.
    #[must_use]
    pub fn overlaps(&self, other: &Self) -> bool {
        self.split == other.split && self.from < other.to && other.from < self.to
    }
}

impl fmt::Display for SourcePlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}..{}", self.split, self.from, self.to)
    }
}

/// The places of one subtask that are read record by record. Usually none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CloseLook {
    places: Vec<SourcePlace>,
}

impl CloseLook {
    /// At these places.
    #[must_use]
    pub fn new(places: Vec<SourcePlace>) -> Self {
        Self { places }
    }

    /// How far a batch that begins at `at` may reach: the next record only if `at` is inside a
    /// place, which is told as 1; up to the first place behind it, if there is one; else anywhere.
    #[must_use]
    pub fn reach(&self, split: &str, at: u64) -> Option<u64> {
        let ahead = self
            .places
            .iter()
            .filter(|place| place.split == split && at < place.to);
        let distances = ahead.map(|place| place.from.saturating_sub(at).max(1));
        distances.min()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(split: &str, from: u64, to: u64) -> SourcePlace {
        let split = split.to_owned();
        SourcePlace { split, from, to }
    }

    #[test]
    fn a_batch_reaches_up_to_a_place_and_one_record_inside_it() {
        let look = CloseLook::new(vec![place("a", 100, 110), place("a", 50, 52)]);
        let reach = [0, 49, 50, 51, 52, 99, 100, 109, 110].map(|at| look.reach("a", at));
        let expected = [50, 1, 1, 1, 48, 1, 1, 1].map(Some);
        assert_eq!(reach[..8], expected);
        assert_eq!(reach[8], None);
        assert_eq!(look.reach("b", 100), None);
    }

    #[test]
    fn places_overlap_if_a_record_can_stand_in_both() {
        let overlap = |other| place("a", 10, 20).overlaps(&other);
        assert!(overlap(place("a", 19, 30)) && overlap(place("a", 0, 11)));
        assert!(!overlap(place("a", 20, 30)) && !overlap(place("a", 0, 10)));
        assert!(!overlap(place("b", 10, 20)));
    }
}
