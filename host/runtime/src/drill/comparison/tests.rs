//! Tests of `comparison`.

use super::*;

const STRICT: Allowance = Allowance {
    is_rescaled: false,
    is_other_component: false,
};
const RESCALED: Allowance = Allowance {
    is_rescaled: true,
    is_other_component: false,
};
const UPGRADED: Allowance = Allowance {
    is_rescaled: false,
    is_other_component: true,
};

/// Parses `a1/5=xyz`: state `a` of schema version 1, key group 5 (`-` for none), bytes `xyz`.
fn chunks(notation: &str) -> Vec<StateChunk> {
    let chunk = |text: &str| {
        let (head, bytes) = text.split_once('=').expect("a chunk has bytes");
        let (state, group) = head.split_once('/').expect("a chunk has a group");
        let (name, version) = state.split_at(1);
        StateChunk {
            name: name.to_owned(),
            schema_version: version.parse().expect("a version is a number"),
            key_group: group.parse().ok(),
            bytes: bytes.as_bytes().to_vec(),
        }
    };
    notation.split_whitespace().map(chunk).collect()
}

fn told(restored: &str, now: &str, allowance: Allowance) -> String {
    match compare(&chunks(restored), &chunks(now), allowance) {
        Comparison::Same => "same".to_owned(),
        Comparison::Changed => "changed".to_owned(),
        Comparison::Differs(difference) => difference.to_string(),
    }
}

#[test]
fn the_first_difference_is_named_with_chunk_key_group_and_offset() {
    let cases = [
        ("", "", "same"),
        ("a1/5=xyz b1/-=x", "a1/5=xyz b1/-=x", "same"),
        (
            "a1/5=xyz a1/6=abc",
            "a1/5=xyz a1/6=abd",
            "chunk 1 (state \"a\" version 1, key group 6): byte 2 differs",
        ),
        (
            "a1/5=xyz",
            "a1/5=xy",
            "chunk 0 (state \"a\" version 1, key group 5): it had 3 bytes and now has 2, \
             which differ from byte 2 on",
        ),
        (
            "a1/5=x a1/6=x",
            "a1/6=x",
            "chunk 0 (state \"a\" version 1, key group 5): it is missing",
        ),
        (
            "a1/5=x b1/-=x",
            "a1/5=x",
            "chunk 1 (state \"b\" version 1, no key group): it is missing",
        ),
        (
            "a1/5=x",
            "a1/5=x a1/7=",
            "chunk 1 (state \"a\" version 1, key group 7): it was not there before",
        ),
        (
            "a1/5=x a1/6=y",
            "a1/6=y a1/5=x",
            "chunk 0 (state \"a\" version 1, key group 5): it is in another place",
        ),
        (
            "a1/5=x",
            "a2/5=x",
            "chunk 0 (state \"a\" version 1, key group 5): its schema version is now 2",
        ),
    ];
    for (restored, now, expected) in cases {
        assert_eq!(told(restored, now, STRICT), expected, "{restored} -> {now}");
    }
}

#[test]
fn at_another_parallelism_keyed_state_is_the_same_in_any_order() {
    let same = told("a1/5=x b1/5=y a1/6=z", "a1/5=x a1/6=z b1/5=y", RESCALED);
    assert_eq!(same, "same");
    let lost = told("a1/5=x a1/6=z", "a1/6=z", RESCALED);
    assert!(lost.ends_with("key group 5): it is missing"), "{lost}");
}

#[test]
fn at_another_parallelism_operator_state_may_be_joined() {
    assert_eq!(
        told("a1/5=x o1/-=1 o1/-=2", "a1/5=x o1/-=3", RESCALED),
        "changed"
    );
    assert_eq!(told("o1/-=1 o1/-=2", "o1/-=2 o1/-=1", RESCALED), "same");
    assert_eq!(told("", "o1/-=0", RESCALED), "changed");
}

#[test]
fn another_component_may_write_another_schema_version_or_name() {
    assert_eq!(told("a1/5=x", "a2/5=yy", UPGRADED), "changed");
    assert_eq!(told("a1/5=x", "b1/5=x", UPGRADED), "changed");
    assert_eq!(told("a1/5=x", "a1/5=x b1/-=0", UPGRADED), "changed");
}

#[test]
fn another_component_may_not_lose_state_or_write_the_same_version_otherwise() {
    let other = told("a1/5=x b1/5=x", "a1/5=y b2/5=x", UPGRADED);
    assert!(other.ends_with("byte 0 differs"), "{other}");
    let lost = told("a1/5=x b1/5=x", "a1/5=x", UPGRADED);
    assert!(lost.ends_with("it is missing"), "{lost}");
    let group = told("a1/5=x a1/6=x b1/5=x", "a1/5=x b2/5=x", UPGRADED);
    assert!(group.contains("key group 6): it is missing"), "{group}");
}
