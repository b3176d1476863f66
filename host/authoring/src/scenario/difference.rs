//! The expected records beside the actual ones. Pure.

use std::collections::BTreeMap;

use serde::Serialize;

use super::record::Record;

/// The most lines shown of one difference.
const SHOWN: usize = 40;
/// The most pairs of records compared. With more, only the common start is recognised.
const COMPARED: usize = 1 << 20;

/// The expected and the actual output of one port.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Difference {
    /// The port's name.
    pub port: String,
    /// The expected records, in order; sorted if several subtasks emitted.
    pub expected: Vec<Record>,
    /// The actual records, in the same order.
    pub got: Vec<Record>,
}

/// The order of emitted records.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Order {
    /// The output of one subtask, which has exactly one order.
    Exact,
    /// The output of several subtasks, which run concurrently.
    None,
}

/// Returns a difference for each port whose records are not the expected ones.
pub(super) fn differences(
    ports: &[String],
    expected: &[(u32, Record)],
    mut got: BTreeMap<u32, Vec<Record>>,
    order: Order,
) -> Vec<Difference> {
    let mut differences = Vec::new();
    for (port, name) in (0u32..).zip(ports) {
        let of_port = expected.iter().filter(|(of, _)| *of == port);
        let mut expected: Vec<Record> = of_port.map(|(_, record)| record.clone()).collect();
        let mut got = got.remove(&port).unwrap_or_default();
        if order == Order::None {
            expected.sort();
            got.sort();
        }
        if expected != got {
            differences.push(Difference {
                port: name.clone(),
                expected,
                got,
            });
        }
    }
    differences
}

impl Difference {
    /// Returns lines for people: `-` marks a missing record, `+` an unexpected one.
    pub fn lines(&self) -> Vec<String> {
        let mut shown = vec![format!(
            "output `{}`, - expected and missing, + not expected:",
            self.port
        )];
        let lines = lines(&self.expected, &self.got);
        let marked = lines.iter().take(SHOWN);
        shown.extend(marked.map(|(mark, record)| format!("  {mark} {record}")));
        if lines.len() > SHOWN {
            shown.push(format!("  … ({} lines more)", lines.len() - SHOWN));
        }
        shown
    }
}

/// Returns the records of both lists, each once, with a mark.
fn lines<'a>(expected: &'a [Record], got: &'a [Record]) -> Vec<(char, &'a Record)> {
    let same = |pair: &(&Record, &Record)| pair.0 == pair.1;
    let head = expected.iter().zip(got).take_while(same).count();
    let (start, expected) = expected.split_at(head);
    let got = &got[head..];
    let mut lines: Vec<_> = start.iter().map(|record| (' ', record)).collect();
    if expected.len().saturating_mul(got.len()) > COMPARED {
        lines.extend(expected.iter().map(|record| ('-', record)));
        lines.extend(got.iter().map(|record| ('+', record)));
        return lines;
    }
    let common = longest_common(expected, got);
    let (mut at, mut of) = (0, 0);
    while at < expected.len() || of < got.len() {
        let both = expected.get(at).zip(got.get(of));
        match both {
            Some((one, other)) if one == other => {
                lines.push((' ', one));
                (at, of) = (at + 1, of + 1);
            }
            Some((one, _)) if common[at + 1][of] >= common[at][of + 1] => {
                lines.push(('-', one));
                at += 1;
            }
            Some((_, other)) => {
                lines.push(('+', other));
                of += 1;
            }
            None => {
                lines.extend(expected[at..].iter().map(|record| ('-', record)));
                lines.extend(got[of..].iter().map(|record| ('+', record)));
                break;
            }
        }
    }
    lines
}

/// Returns at `[i][j]` the number of records that `expected[i..]` and `got[j..]` share, in order.
fn longest_common(expected: &[Record], got: &[Record]) -> Vec<Vec<u32>> {
    let mut common = vec![vec![0; got.len() + 1]; expected.len() + 1];
    for at in (0..expected.len()).rev() {
        for of in (0..got.len()).rev() {
            common[at][of] = if expected[at] == got[of] {
                common[at + 1][of + 1] + 1
            } else {
                common[at + 1][of].max(common[at][of + 1])
            };
        }
    }
    common
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Parses `"a1 b2"`: two records.
    fn records(notation: &str) -> Vec<Record> {
        let record = |word: &str| {
            let (key, value) = word.split_at(1);
            Record {
                key: key.into(),
                value: value.into(),
                timestamp: 0,
            }
        };
        notation.split_whitespace().map(record).collect()
    }

    fn marked(expected: &str, got: &str) -> String {
        let (expected, got) = (records(expected), records(got));
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let lines = lines(&expected, &got).into_iter();
        let words = lines.map(|(mark, r)| format!("{mark}{}{}", text(&r.key), text(&r.value)));
        words.collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn what_is_the_same_on_both_sides_is_shown_once() {
        assert_eq!(marked("a1 b1 c1", "a1 c1"), " a1 -b1  c1");
        assert_eq!(marked("a1", "a2"), "-a1 +a2");
        assert_eq!(marked("a1 b1", "b1 a1"), "-a1  b1 +a1");
        assert_eq!(marked("", "a1"), "+a1");
    }

    #[test]
    fn order_counts_only_where_there_is_one() {
        let ports = ["main".to_owned()];
        let expected: Vec<_> = records("a1 b1").into_iter().map(|r| (0, r)).collect();
        let got = BTreeMap::from([(0, records("b1 a1"))]);
        let differ = |order| differences(&ports, &expected, got.clone(), order).len();
        assert_eq!((differ(Order::Exact), differ(Order::None)), (1, 0));
    }

    #[test]
    fn a_record_too_many_is_a_difference_also_without_order() {
        let ports = ["main".to_owned()];
        let expected: Vec<_> = records("a1").into_iter().map(|r| (0, r)).collect();
        let got = BTreeMap::from([(0, records("a1 a1"))]);
        let found = differences(&ports, &expected, got, Order::None);
        assert_eq!(found[0].got, records("a1 a1"));
    }

    #[test]
    fn a_long_difference_is_cut() {
        let found = Difference {
            port: "main".to_owned(),
            expected: Vec::new(),
            got: records(&"a1 ".repeat(100)),
        };
        assert_eq!(found.lines().last().unwrap(), "  … (60 lines more)");
    }
}
