//! Reads a source map: from places in a bundle to places in the sources.
//!
//! The mappings are numbers in base 64, each relative to the one before. So the only way to a place
//! leads through everything before it: one pass finds all places of a stack, and keeps nothing but
//! them. A crate would first make a table, whose size the author of the component controls.
//! Mappings that break the format end the pass.

use super::sources::SourceMap;

/// A place in a bundle; a line and a column count from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct BundlePlace {
    pub(super) line: u32,
    pub(super) column: u32,
}

/// A place in a source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct SourcePosition<'a> {
    pub(super) file: &'a str,
    pub(super) line: u32,
    pub(super) column: u32,
}

/// The fields of a segment, as the sum of all before it.
#[derive(Clone, Copy, Debug, Default)]
struct Segment {
    column: i64,
    source: i64,
    source_line: i64,
    source_column: i64,
    /// False if the segment names no source.
    has_source: bool,
}

impl SourceMap {
    /// Returns the place in a source of each of these places, where the map has one.
    pub(super) fn positions(&self, places: &[BundlePlace]) -> Vec<Option<SourcePosition<'_>>> {
        let mut found = vec![None; places.len()];
        let mut order: Vec<usize> = (0..places.len()).collect();
        order.sort_by_key(|index| places[*index]);
        let mut order = order.into_iter().peekable();
        while order.next_if(|index| places[*index].line == 0).is_some() {}
        let mut segment = Segment::default();
        for (line, text) in (1_u32..).zip(self.mappings.split(';')) {
            let Some(next) = order.peek() else { break };
            let is_wanted = places[*next].line == line;
            segment.column = 0;
            segment.has_source = false;
            for fields in text.split(',').filter(|fields| !fields.is_empty()) {
                let before = segment;
                if segment.add(fields).is_none() {
                    return found;
                }
                // The segment before covers everything up to this one.
                let is_behind = |index: &usize| {
                    let place = places[*index];
                    place.line == line && i64::from(place.column) - 1 < segment.column
                };
                while is_wanted && let Some(index) = order.next_if(is_behind) {
                    found[index] = self.position(before);
                }
            }
            while let Some(index) = order.next_if(|index| places[*index].line <= line) {
                found[index] = self.position(segment);
            }
        }
        found
    }

    fn position(&self, segment: Segment) -> Option<SourcePosition<'_>> {
        let file = self.sources.get(usize::try_from(segment.source).ok()?)?;
        let counted = |from_0: i64| u32::try_from(from_0.checked_add(1)?).ok();
        let position = SourcePosition {
            file,
            line: counted(segment.source_line)?,
            column: counted(segment.source_column)?,
        };
        segment.has_source.then_some(position)
    }
}

impl Segment {
    /// Adds the next segment of a line, which has 1, 4 or 5 fields. Returns `None` if it is
    /// malformed.
    fn add(&mut self, text: &str) -> Option<()> {
        let mut digits = text.bytes();
        let sum = |sum: &mut i64, digits: &mut std::str::Bytes<'_>| -> Option<()> {
            *sum = sum.checked_add(number(digits)?)?;
            Some(())
        };
        sum(&mut self.column, &mut digits)?;
        self.has_source = digits.len() > 0;
        if self.has_source {
            sum(&mut self.source, &mut digits)?;
            sum(&mut self.source_line, &mut digits)?;
            sum(&mut self.source_column, &mut digits)?;
        }
        // The fifth field is the index of a name.
        Some(())
    }
}

/// Reads a number: groups of five bits, the lowest first; the lowest bit of all is the sign.
fn number(digits: &mut std::str::Bytes<'_>) -> Option<i64> {
    let mut bits = 0_i64;
    for shift in (0..35).step_by(5) {
        let digit = base64_digit(digits.next()?)?;
        bits |= i64::from(digit & 31) << shift;
        if digit & 32 == 0 {
            let magnitude = bits >> 1;
            return Some(if bits & 1 == 1 { -magnitude } else { magnitude });
        }
    }
    None
}

fn base64_digit(byte: u8) -> Option<u8> {
    match byte {
        b'A'..=b'Z' => Some(byte - b'A'),
        b'a'..=b'z' => Some(byte - b'a' + 26),
        b'0'..=b'9' => Some(byte - b'0' + 52),
        b'+' => Some(62),
        b'/' => Some(63),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
