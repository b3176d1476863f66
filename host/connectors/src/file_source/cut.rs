//! The division of files' bytes over subtasks. Pure.
//!
//! Of lines, any cut is correct because of one rule: a span owns the lines whose first byte is in
//! it. A reader that begins in the middle of a line leaves that line to the previous span. Of CSV,
//! a quoted field may contain newlines, so spans stay whole.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// A range of bytes of one file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Span {
    /// The index of the file among those to be divided.
    pub(super) file: usize,
    pub(super) start: u64,
    /// The end, exclusive.
    pub(super) end: u64,
}

/// Divides spans, in their order, into `parallelism` lists of about the same number of bytes.
pub(super) fn cut(spans: &[Span], parallelism: u32) -> Vec<Vec<Span>> {
    let total: u128 = spans
        .iter()
        .map(|span| u128::from(span.end - span.start))
        .sum();
    let share = |index: u32| total * u128::from(index) / u128::from(parallelism);
    let mut lists = Vec::new();
    let mut spans = spans.iter().copied();
    let mut current = spans.next();
    // Wider than a length, since sparse files may add up to more than 2^64 bytes.
    let mut given = 0;
    for index in 1..=parallelism {
        let mut list = Vec::new();
        let goal = share(index);
        while let Some(span) = current.as_mut().filter(|_| given < goal) {
            let left = span.end - span.start;
            let length = u64::try_from(goal - given).map_or(left, |wanted| wanted.min(left));
            let cut = span.start + length;
            if length > 0 {
                list.push(Span { end: cut, ..*span });
            }
            given += u128::from(length);
            span.start = cut;
            if span.start == span.end {
                current = spans.next();
            }
        }
        lists.push(list);
    }
    lists
}

/// Deals whole spans, in their order, out to `parallelism` lists: each to a list that has the
/// fewest bytes so far.
pub(super) fn deal(spans: &[Span], parallelism: u32) -> Vec<Vec<Span>> {
    let mut lists: Vec<Vec<Span>> = (0..parallelism).map(|_| Vec::new()).collect();
    let mut lightest: BinaryHeap<Reverse<(u128, usize)>> =
        (0..lists.len()).map(|list| Reverse((0, list))).collect();
    for span in spans {
        let Some(Reverse((bytes, list))) = lightest.pop() else {
            break;
        };
        lists[list].push(*span);
        lightest.push(Reverse((bytes + u128::from(span.end - span.start), list)));
    }
    lists
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn every_byte_is_in_one_list_and_the_lists_are_equally_long(
            lengths in prop::collection::vec(0_u64..1_000, 0..10), parallelism in 1_u32..9,
        ) {
            let whole = |(file, length): (usize, &u64)| Span { file, start: 7, end: 7 + length };
            let spans: Vec<Span> = lengths.iter().enumerate().map(whole).collect();
            let lists = cut(&spans, parallelism);
            let bytes = |spans: &[Span]| -> Vec<(usize, u64)> {
                spans.iter().flat_map(|s| (s.start..s.end).map(|byte| (s.file, byte))).collect()
            };
            prop_assert_eq!(bytes(&lists.concat()), bytes(&spans));
            prop_assert_eq!(lists.len(), parallelism as usize);
            let total: u64 = lengths.iter().sum();
            for list in lists {
                let length = bytes(&list).len() as u64;
                prop_assert!(length.abs_diff(total / u64::from(parallelism)) <= 1);
            }
        }
    }

    proptest! {
        #[test]
        fn whole_spans_are_dealt_out_once_each_and_no_list_waits_for_another(
            lengths in prop::collection::vec(1_u64..1_000, 0..10), parallelism in 1_u32..9,
        ) {
            let whole = |(file, length): (usize, &u64)| Span { file, start: 0, end: *length };
            let spans: Vec<Span> = lengths.iter().enumerate().map(whole).collect();
            let lists = deal(&spans, parallelism);
            let mut dealt = lists.concat();
            dealt.sort_by_key(|span| span.file);
            prop_assert_eq!(dealt, spans);
            prop_assert_eq!(lists.len(), parallelism as usize);
            // Without its last span, no list has more bytes than the lightest list.
            let bytes = |list: &[Span]| -> u64 { list.iter().map(|span| span.end).sum() };
            let least = lists.iter().map(|list| bytes(list)).min().unwrap_or(0);
            for list in lists.iter().filter(|list| !list.is_empty()) {
                prop_assert!(bytes(&list[..list.len() - 1]) <= least);
            }
        }
    }

    #[test]
    fn sparse_files_of_more_bytes_than_64_bits_count_are_divided() {
        let longest = i64::MAX.cast_unsigned();
        let spans: Vec<Span> = (0..6)
            .map(|file| Span {
                file,
                start: 0,
                end: longest,
            })
            .collect();
        let lists = cut(&spans, 3);
        assert_eq!(lists.concat(), spans);
        assert!(lists.iter().all(|list| list.len() == 2), "{lists:?}");
    }
}
