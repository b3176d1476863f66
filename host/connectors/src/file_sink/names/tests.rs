//! Tests of `names`.

use super::*;

#[test]
fn names_come_back_as_they_were() {
    let pending = PendingName {
        lineage: Lineage([0xab; 16]),
        attempt: 3,
        subtask: 11,
        sequence: 0,
    };
    let name = ".part-abababababababababababababababab-3-11-0.pending";
    assert_eq!(pending.to_string(), name);
    assert_eq!(PendingName::parse(name), Some(pending));

    let part = PartName {
        checkpoint: 12,
        subtask: 11,
        lineage: LineageDigits::of(Lineage([0xab; 16])),
        attempt: 3,
        extension: "tsv".to_owned(),
    };
    assert_eq!(part.to_string(), "part-0000000012-00011-abababab-3.tsv");
    assert_eq!(
        PartName::parse("part-0000000012-00011-abababab-3.tsv"),
        Some(part)
    );
}

#[test]
fn a_name_that_only_resembles_a_part_is_not_one() {
    for name in [
        ".part-abababababababababababababababab-3-11.pending",
        ".part-abababababababababababababababab-3-+1-0.pending",
        ".part-abababababababababababababababab-03-1-0.pending",
        ".part-ABABABABABABABABABABABABABABABAB-3-1-0.pending",
        ".part-ab-3-1-0.pending",
        ".part-abababababababababababababababab-3-1-0-0.pending",
        ".part-abababababababababababababababab-3-1-0.pending~",
    ] {
        assert_eq!(PendingName::parse(name), None, "{name}");
    }
    for name in [
        "part-12-00011-abababab-3.tsv",
        "part-0000000012-00011-abababab-3",
        "part-0000000012-00011-abababab-3-4.tsv",
        "part-0000000012-00011-abababa-3.tsv",
        "part-0000000012-00011-abababab-+3.tsv",
        "my-part-0000000012-00011-abababab-3.tsv",
    ] {
        assert_eq!(PartName::parse(name), None, "{name}");
    }
}

#[test]
fn parts_sort_by_checkpoint_then_by_subtask() {
    let part = |checkpoint, subtask| {
        let lineage = LineageDigits::of(Lineage([9; 16]));
        let extension = "tsv".to_owned();
        PartName {
            checkpoint,
            subtask,
            lineage,
            attempt: 1,
            extension,
        }
        .to_string()
    };
    assert!(part(2, 11) < part(10, 1));
    assert!(part(2, 2) < part(2, 11));
}
