//! Exactness of published updates: each is there once, and no others are.

use std::collections::HashMap;

/// The number of updates of each key, and the value of its last one.
pub type Expected = HashMap<String, (u64, String)>;

/// Asserts that for every key the counts 1 to n, with which its updates begin, are there exactly
/// once, and that the last update is the expected one.
///
/// # Panics
///
/// If not, saying `context`.
#[track_caller]
pub fn assert_every_update_once(lines: &[String], expected: &Expected, context: &str) {
    let mut seen = HashMap::<&str, Vec<u64>>::new();
    let mut last = HashMap::<&str, (u64, &str)>::new();
    for line in lines {
        let (key, value) = line.split_once('\t').expect("a line has a key and a value");
        let count = value.split(' ').next().and_then(|count| count.parse().ok());
        let count: u64 = count.expect("a value begins with a count");
        seen.entry(key).or_default().push(count);
        let newest = last.entry(key).or_insert((count, value));
        if count > newest.0 {
            *newest = (count, value);
        }
    }
    let (mut lost, mut duplicated) = (0, 0);
    for (key, (count, value)) in expected {
        let mut counts = seen.remove(&**key).unwrap_or_default();
        counts.sort_unstable();
        let total = counts.len() as u64;
        counts.dedup();
        duplicated += total - counts.len() as u64;
        lost += count
            - counts
                .iter()
                .filter(|seen| (1..=*count).contains(seen))
                .count() as u64;
        assert_eq!(
            last.get(&**key),
            Some(&(*count, &**value)),
            "{context}: the last update of `{key}`"
        );
    }
    assert_eq!(
        (lost, duplicated),
        (0, 0),
        "{context}: (lost, duplicated) of {} updates",
        lines.len()
    );
    assert!(
        seen.is_empty(),
        "{context}: keys that are not in the input: {:?}",
        seen.keys()
    );
}

/// Asserts that `keys` keys have the counts 1 to n exactly once, `records` counts in all.
///
/// # Panics
///
/// If not, saying `context`.
#[track_caller]
pub fn assert_counts(lines: &[String], records: u64, keys: u64, context: &str) {
    let mut counts = HashMap::<&str, Vec<u64>>::new();
    for line in lines {
        let (key, count) = line.split_once('\t').expect("a line has a key and a value");
        let count = count.parse().expect("a value is a count");
        counts.entry(key).or_default().push(count);
    }
    assert_eq!(counts.len() as u64, keys, "keys; {context}");
    let expected: Vec<u64> = (1..=records / keys).collect();
    for (key, mut counts) in counts {
        counts.sort_unstable();
        assert_eq!(counts, expected, "the counts of key {key}; {context}");
    }
}
