//! Tests of `source_map`.

use proptest::prelude::*;

use super::*;

fn map(mappings: &str) -> SourceMap {
    SourceMap {
        version: 3,
        file: "a.js".to_owned(),
        sources: vec!["src/a.js".to_owned(), "src/b.js".to_owned()],
        mappings: mappings.to_owned(),
    }
}

fn found(mappings: &str, places: &[(u32, u32)]) -> Vec<String> {
    let place = |(line, column): &(u32, u32)| BundlePlace {
        line: *line,
        column: *column,
    };
    let places: Vec<_> = places.iter().map(place).collect();
    let map = map(mappings);
    let positions = map.positions(&places).into_iter();
    let shown = positions.map(|position| match position {
        Some(at) => format!("{}:{}:{}", at.file, at.line, at.column),
        None => "-".to_owned(),
    });
    shown.collect()
}

#[test]
fn a_place_is_that_of_the_last_segment_before_it() {
    // Line 1: column 0 is src/a.js 1:1, column 4 is 1:9. Line 3: column 2 is src/b.js 3:2.
    let mappings = "AAAA,IAAQ;;ECEP";
    assert_eq!(
        found(mappings, &[(3, 9), (1, 1), (1, 4), (1, 5), (2, 1), (3, 1)]),
        [
            "src/b.js:3:2",
            "src/a.js:1:1",
            "src/a.js:1:1",
            "src/a.js:1:9",
            "-",
            "-"
        ]
    );
    assert_eq!(found(mappings, &[(9, 1), (0, 0)]), ["-", "-"]);
}

#[test]
fn a_segment_without_a_source_has_no_place() {
    assert_eq!(found("AAAA,I", &[(1, 2), (1, 6)]), ["src/a.js:1:1", "-"]);
}

#[test]
fn malformed_mappings_end_the_search() {
    for mappings in ["!", "A!AA", "g", "gggggggggA", "AAA", "AEAA", "ADAA"] {
        assert_eq!(found(mappings, &[(1, 1)]), ["-"], "{mappings}");
    }
    assert_eq!(found("AAAA;!", &[(1, 1), (2, 1)]), ["src/a.js:1:1", "-"]);
}

#[test]
fn a_million_segments_take_one_pass() {
    let mappings = "CAAA,".repeat(1_000_000);
    let places: Vec<_> = (1..=64).map(|column| (1, column * 10_000)).collect();
    assert!(found(&mappings, &places).iter().all(|place| place != "-"));
}

proptest! {
    #[test]
    fn arbitrary_mappings_are_read_without_a_panic(
        mappings in "[A-Za-z0-9+/,;!]{0,200}", places: Vec<(u32, u32)>
    ) {
        prop_assert_eq!(found(&mappings, &places).len(), places.len());
    }
}
