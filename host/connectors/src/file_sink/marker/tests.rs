//! Tests of `marker`.

use super::*;

#[test]
fn a_marker_comes_back_as_it_was() {
    let marker = Marker {
        job: "word-count".to_owned(),
        sink: "counts".to_owned(),
        lineage: Lineage([1; 16]),
        attempt: 7,
        process: 42,
        earlier: vec![EarlierLineage {
            lineage: Lineage([2; 16]),
            until: 7,
        }],
    };
    assert_eq!(Marker::of_json(&marker.to_json()), Ok(marker));
}

#[test]
fn what_is_not_a_marker_is_refused_with_a_reason() {
    let newer = br#"{"format-version":2,"job":"j","owner":"someone"}"#;
    let reason = "it has format version 2; this version of tidegate reads version 1".to_owned();
    assert_eq!(Marker::of_json(newer), Err(reason));
    assert!(Marker::of_json(b"hello").is_err());
    let marker = br#"{"format-version":1,"job":"j","sink":"s","lineage":"xy","attempt":1,
            "process":2,"earlier-lineages":[]}"#;
    assert_eq!(
        Marker::of_json(marker),
        Err("\"xy\" is not a lineage".to_owned())
    );
}
