//! The expected output: each record's effect exactly once, in output and in state.

use std::collections::BTreeMap;

use super::faults::Faults;
use super::sinks::Output;

/// Checks output of a counting operator: each `name:number` of `expected` as often as given, and
/// under each key the counts 1, 2, 3 and so on, each once. A missing or repeated count shows state
/// that lost or repeated a record.
pub(crate) fn assert_counted(
    output: &Output,
    faults: &Faults,
    expected: impl IntoIterator<Item = (&'static str, u64, usize)>,
) {
    let mut values: BTreeMap<String, usize> = BTreeMap::new();
    let mut counts: BTreeMap<String, Vec<u64>> = BTreeMap::new();
    for record in output.published() {
        let (key, value) = record.split_once('=').unwrap();
        let (value, count) = value.split_once('#').unwrap();
        *values.entry(value.to_owned()).or_default() += 1;
        counts
            .entry(key.to_owned())
            .or_default()
            .push(count.parse().unwrap());
    }
    assert_eq!(faults.violations(), [""; 0], "{:?}", faults.fired());
    let mut all = BTreeMap::new();
    for (name, count, times) in expected {
        all.extend((0..count).map(|number| (format!("{name}:{number}"), times)));
    }
    assert_same(&values, &all, faults);
    for (key, mut counts) in counts {
        counts.sort_unstable();
        let expected: Vec<u64> = (1..=counts.len() as u64).collect();
        assert_eq!(counts, expected, "{key}: {:?}", faults.fired());
    }
}

/// Checks output of a counting operator that could not process the numbers in `except`: all others
/// are there once, and under each key the counts 1, 2, 3 and so on.
pub(crate) fn assert_healthy(output: &Output, source: &str, count: u64, except: &[&str]) {
    let mut values: Vec<String> = Vec::new();
    let mut counts: BTreeMap<String, Vec<u64>> = BTreeMap::new();
    for record in output.published() {
        let (key, value) = record.split_once('=').unwrap();
        let (value, count) = value.split_once('#').unwrap();
        values.push(value.to_owned());
        let of_key = counts.entry(key.to_owned()).or_default();
        of_key.push(count.parse().unwrap());
    }
    let numbers = (0..count).map(|number| format!("{source}:{number}"));
    let mut expected: Vec<String> = numbers.filter(|n| !except.contains(&&**n)).collect();
    expected.sort();
    values.sort();
    assert_eq!(values, expected);
    for (key, mut counts) in counts {
        counts.sort_unstable();
        let expected: Vec<u64> = (1..=counts.len() as u64).collect();
        assert_eq!(counts, expected, "{key}");
    }
}

/// Returns the values of the records in dead letters, sorted.
pub(crate) fn letters(dead: &Output) -> Vec<String> {
    let value = |letter: String| {
        let (_, json) = letter.split_once('=').unwrap();
        let letter: serde_json::Value = serde_json::from_str(json).unwrap();
        letter["value"].as_str().unwrap().to_owned()
    };
    let mut values: Vec<String> = dead.published().into_iter().map(value).collect();
    values.sort();
    values
}

/// Checks output of a job without state: `count` numbers of each source, as often as `times` says.
pub(crate) fn assert_arrived(
    output: &Output,
    faults: &Faults,
    times: &BTreeMap<String, usize>,
    count: u64,
) {
    let mut values: BTreeMap<String, usize> = BTreeMap::new();
    for record in output.published() {
        let (_, value) = record.split_once('=').unwrap();
        *values.entry(value.to_owned()).or_default() += 1;
    }
    let sources = times.iter();
    let numbers = sources.flat_map(|(source, times)| {
        (0..count).map(move |number| (format!("{source}:{number}"), *times))
    });
    assert_eq!(faults.violations(), [""; 0], "{:?}", faults.fired());
    assert_same(&values, &numbers.collect(), faults);
}

/// Asserts that both are equal; reports only the differences.
fn assert_same(found: &BTreeMap<String, usize>, all: &BTreeMap<String, usize>, faults: &Faults) {
    let times = |of: &BTreeMap<String, usize>, value: &String| of.get(value).copied().unwrap_or(0);
    let values = found.keys().chain(all.keys());
    let wrong = values.filter(|value| times(found, value) != times(all, value));
    let wrong: Vec<String> = wrong
        .map(|value| format!("{value}: {} not {}", times(found, value), times(all, value)))
        .collect();
    assert!(wrong.is_empty(), "{:?}: {wrong:#?}", faults.fired());
}
