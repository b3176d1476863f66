//! Tests of `file_names`.

use proptest::prelude::*;

use super::*;

#[test]
fn names_that_differ_by_one_character_from_ours_are_not_ours() {
    for name in [
        "",
        "-",
        "---",
        "7-a-0",
        "a-0-1",
        "07-a-0-1",
        "+7-a-0-1",
        "7-a-0-1 ",
        "7--0-1",
        "7-a/b-0-1",
        "7-..-0-1",
        "7-ä-0-1",
        "7-a-00-1",
        "7-a-0-01",
        "7-a-4294967296-1",
        "18446744073709551616-a-0-1",
        "７-a-0-1",
        "7-a\0-0-1",
    ] {
        assert_eq!(StateFileName::parse(name), None, "{name:?}");
    }
    for name in [
        "",
        "07",
        "+7",
        "-7",
        "7 ",
        " 7",
        "0x7",
        "7.tmp",
        "18446744073709551616",
    ] {
        assert_eq!(parse_manifest_name(name), None, "{name:?}");
    }
    for name in [
        "",
        ".tmp",
        "..tmp",
        ".7.tmp",
        ".7.1.tmp~",
        "7.1.tmp",
        ".7.01.tmp",
        ".7.1",
    ] {
        assert_eq!(parse_temporary_manifest_name(name), None, "{name:?}");
    }
    let long = format!("7-{}-0-1", "a".repeat(65));
    assert_eq!(StateFileName::parse(&long), None);
}

proptest! {
    #[test]
    fn a_name_is_recognised_as_what_it_was_made_from(
        checkpoint: u64, attempt: u64, index: u32, operator in "[a-zA-Z0-9_-]{1,64}",
    ) {
        let name = StateFileName {
            checkpoint: CheckpointId(checkpoint),
            subtask: SubtaskId { operator, index },
            attempt,
        };
        prop_assert_eq!(StateFileName::parse(&name.to_string()), Some(name));
        let temporary = temporary_manifest_name(CheckpointId(checkpoint), attempt);
        prop_assert_eq!(parse_temporary_manifest_name(&temporary), Some(attempt));
    }

    #[test]
    fn a_recognised_name_is_the_one_that_would_be_made(name in "[0-9a-c-]{0,12}") {
        if let Some(parsed) = StateFileName::parse(&name) {
            prop_assert_eq!(parsed.to_string(), name.clone());
        }
        if let Some(checkpoint) = parse_manifest_name(&name) {
            prop_assert_eq!(checkpoint.to_string(), name);
        }
    }
}
