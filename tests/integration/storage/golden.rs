//! B13: the real binary restores a savepoint in the first released format
//! (`fixtures/counting-savepoint-v1`), and refuses newer and invalid formats with their version.

use std::fs;

use tidegate_tests::{Counting, JobDirectory, published_lines, workspace_root};

/// The savepoint's count of each key.
const COUNTED: u64 = 178;

/// Returns the job that took the savepoint.
fn counting() -> Counting {
    Counting::default()
}

/// Returns a directory with the job and a copy of the savepoint in `savepoint`.
fn with_savepoint() -> JobDirectory {
    let job = counting().directory();
    let fixture = workspace_root().join("tests/fixtures/counting-savepoint-v1");
    for directory in ["state", "checkpoints"] {
        let to = job.path().join("savepoint").join(directory);
        fs::create_dir_all(&to).expect("a directory can be made");
        for entry in fs::read_dir(fixture.join(directory)).expect("the fixture is there") {
            let from = entry.expect("it can be read").path();
            let name = from.file_name().expect("it has a name");
            fs::copy(&from, to.join(name)).expect("it can be copied");
        }
    }
    job
}

#[test]
fn a_savepoint_of_format_1_is_gone_on_from_exactly() {
    let job = with_savepoint();
    let verified = job.tidegate(&["checkpoint", "verify", "savepoint"]);
    verified.assert_succeeds();
    let from = ["run", "job.toml", "--from", "savepoint"];
    job.tidegate(&from).assert_succeeds();
    let mut lines = published_lines(&job.path().join("output"));
    let rest = (counting().records / counting().keys - COUNTED) * counting().keys;
    assert_eq!(lines.len() as u64, rest);
    let before = (0..counting().keys).flat_map(|key| {
        let counts = 1..=COUNTED;
        counts.map(move |count| format!("{key}\t{count}"))
    });
    lines.extend(before);
    counting().assert_lines_exact(&lines, "with what came before the savepoint");
}

#[test]
fn a_version_that_is_newer_or_never_was_is_refused_by_its_number() {
    for (version, named) in [
        (
            2_u32,
            "format version 2; this version of tidegate reads up to 1",
        ),
        (u32::MAX, "reads up to 1"),
        (0, "version 0"),
    ] {
        let job = with_savepoint();
        let manifest = job.path().join("savepoint/checkpoints/30");
        let mut bytes = fs::read(&manifest).expect("it can be read");
        bytes[8..12].copy_from_slice(&version.to_le_bytes());
        fs::write(&manifest, bytes).expect("it can be written");
        let refused = job.tidegate(&["run", "job.toml", "--from", "savepoint"]);
        refused.assert_fails(3, &["savepoint/checkpoints/30", named]);
        assert!(!job.path().join("state").exists(), "something was written");
    }
}
