//! The vectors of key groups, which the host shares with all SDKs: `guest-sdk/vectors`.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};
use tidegate_key_groups::{KeyGroups, key_group};

fn vectors() -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"));
    let path = path.join("../../guest-sdk/vectors/key-groups.json");
    let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path:?}: {error}"));
    serde_json::from_str(&text).expect("the vectors are JSON")
}

/// Returns the cases of a list, which must not be empty.
fn cases(json: &Value) -> &[Value] {
    let list = json.as_array().expect("a list");
    assert!(!list.is_empty());
    list
}

fn number(json: &Value) -> u32 {
    let number = json.as_u64().expect("a number");
    number.try_into().expect("a number of 32 bits")
}

fn hex(json: &Value) -> Vec<u8> {
    let digits = json.as_str().expect("text");
    let byte = |at| u8::from_str_radix(&digits[at..at + 2], 16).expect("hexadecimal");
    (0..digits.len()).step_by(2).map(byte).collect()
}

#[test]
fn a_key_has_the_key_group_of_the_vectors() {
    for case in cases(&vectors()["keys"]) {
        let group = key_group(&hex(&case["key"]), number(&case["max-parallelism"]));
        assert_eq!(group, number(&case["key-group"]), "{case}");
    }
}

#[test]
fn a_subtask_owns_the_key_groups_of_the_vectors() {
    for case in cases(&vectors()["ranges"]) {
        let parallelism = number(&case["parallelism"]);
        let groups = KeyGroups::new(number(&case["max-parallelism"]), parallelism);
        let range = |index| {
            let owned = groups.owned_by(index);
            json!([owned.start(), owned.end()])
        };
        let ranges: Vec<_> = (0..parallelism).map(range).collect();
        assert_eq!(ranges, cases(&case["ranges"]), "{case}");
    }
}

#[test]
fn a_key_group_has_the_owner_of_the_vectors() {
    for case in cases(&vectors()["ranges"]) {
        let max_parallelism = number(&case["max-parallelism"]);
        let groups = KeyGroups::new(max_parallelism, number(&case["parallelism"]));
        let owners = (0..)
            .zip(cases(&case["ranges"]))
            .flat_map(|(index, range)| {
                let owned = number(&range[0])..=number(&range[1]);
                owned.map(move |group| (group, index))
            });
        let seen: Vec<_> = (0..max_parallelism).map(|g| (g, groups.owner(g))).collect();
        assert_eq!(seen, owners.collect::<Vec<_>>(), "{case}");
    }
}
