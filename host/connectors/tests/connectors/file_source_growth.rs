//! The source `file` over input that grew while the job did not run.

use std::fs;
use std::path::Path;

use proptest::prelude::*;
use serde_json::{Value, json};
use tidegate_connector::ConnectorError;
use tidegate_connector::source::{RestoredSubtask, SourceSplit};

use crate::support::discovery::restored;
use crate::support::file_source::{connect, directory};
use crate::support::{read_all, read_batches, state_refusal, subtask};

fn options(on_growth: &str) -> Value {
    json!({ "path": "*", "batch-bytes": 1, "on-growth": on_growth })
}

/// Reads that many lines, and returns them and the splits.
fn begun(base: &Path, lines: usize) -> (Vec<String>, Vec<SourceSplit>) {
    let connector = connect(base, options("refuse"));
    let splits = connector.enumerator().plan(1).expect("fits").remove(0);
    let mut source = connector.open(&subtask(0), splits).expect("opens");
    let read = read_batches(&mut *source, lines).expect("can be read");
    (read, source.splits())
}

/// Restores the splits in another process, and reads the rest.
fn continued(
    base: &Path,
    on_growth: &str,
    subtasks: Vec<RestoredSubtask>,
    parallelism: u32,
) -> Result<Vec<String>, ConnectorError> {
    let connector = connect(base, options(on_growth));
    let lists = connector.enumerator().restore(subtasks, parallelism)?;
    read_all(&*connector, lists)
}

fn append(base: &Path, name: &str, text: &str) {
    let path = base.join(name);
    let mut contents = fs::read(&path).unwrap_or_default();
    contents.extend_from_slice(text.as_bytes());
    fs::write(path, contents).expect("can be written");
}

#[test]
fn what_was_added_is_named_with_its_bytes_and_refused() {
    let base = directory(&[("a", b"1\n2\n"), ("b", b"3\n")]);
    // `a` is read, and `b` is not yet.
    let (read, splits) = begun(base.path(), 2);
    assert_eq!(read, ["1", "2"]);
    append(base.path(), "a", "more\n");
    append(base.path(), "b", "4\n");
    append(base.path(), "c", "new\n");
    append(base.path(), "d", "");
    let reason = state_refusal(continued(base.path(), "refuse", vec![restored(splits)], 1));
    assert_eq!(
        reason,
        "input was added since the checkpoint: a has 5 more bytes, b has 2 more bytes, c is new (4 \
         bytes). Set `on-growth = \"read\"` in the source to read it, remove it, or start the job \
         afresh"
    );
}

#[test]
fn what_was_added_is_read_once_at_any_parallelism() {
    for parallelism in [1, 3] {
        let base = directory(&[("a", b"1\n2\n"), ("b", b"3\n")]);
        let (_, splits) = begun(base.path(), 2);
        append(base.path(), "a", "more\n");
        append(base.path(), "b", "4\n");
        append(base.path(), "c", "new\n");
        let subtasks = vec![restored(splits)];
        let read = continued(base.path(), "read", subtasks, parallelism);
        let mut read = read.expect("can be read");
        read.sort();
        assert_eq!(read, ["3", "4", "more", "new"]);
    }
}

#[test]
fn a_restart_within_the_process_continues_with_what_the_start_has_found() {
    let base = directory(&[("a", b"1\n2\n")]);
    let (_, splits) = begun(base.path(), 1);
    let connector = connect(base.path(), options("refuse"));
    let restore = || {
        connector
            .enumerator()
            .restore(vec![restored(splits.clone())], 1)
    };
    restore().expect("nothing was added");
    append(base.path(), "a", "3\n");
    let lists = restore().expect("the job runs already");
    assert_eq!(read_all(&*connector, lists).expect("can be read"), ["2"]);
}

#[test]
fn a_source_that_has_ended_reads_nothing_more_and_says_so() {
    let base = directory(&[("a", b"1\n")]);
    let (_, splits) = begun(base.path(), 9);
    append(base.path(), "a", "2\n");
    for on_growth in ["refuse", "read"] {
        let ended = RestoredSubtask {
            splits: splits.clone(),
            has_ended: true,
        };
        let reason = state_refusal(continued(base.path(), on_growth, vec![ended], 1));
        let expected = "input was added since the source was read to its end: a has 2 more bytes.";
        assert!(reason.starts_with(expected), "{reason}");
    }
}

#[test]
fn a_file_that_was_read_and_is_another_one_is_refused_and_one_that_is_gone_is_not() {
    type Change = (&'static str, &'static str);
    let changes: [Change; 4] = [
        ("other", "its bytes before that byte have changed"),
        ("1", "it had 2 bytes and now has 1"),
        ("", "it had 2 bytes and now has 0"),
        ("1x\n", "its bytes before that byte have changed"),
    ];
    for (contents, difference) in changes {
        let base = directory(&[("a", b"1\n"), ("b", b"2\n")]);
        let (_, splits) = begun(base.path(), 1);
        fs::write(base.path().join("a"), contents).expect("can be written");
        let reason = state_refusal(continued(base.path(), "read", vec![restored(splits)], 1));
        let expected =
            format!("input file a is not the file that was read up to byte 2: {difference}");
        assert!(reason.starts_with(&expected), "{reason}");
    }
    let base = directory(&[("a", b"1\n"), ("b", b"2\n")]);
    let (_, splits) = begun(base.path(), 2);
    fs::remove_file(base.path().join("a")).expect("removes");
    append(base.path(), "b", "3\n");
    let read = continued(base.path(), "read", vec![restored(splits)], 1);
    assert_eq!(read.expect("can be read"), ["3"]);
}

#[test]
fn a_last_line_that_was_read_without_its_newline_must_not_become_longer() {
    let base = directory(&[("a", b"1\n2"), ("b", b"x\n")]);
    let (read, splits) = begun(base.path(), 2);
    assert_eq!(read, ["1", "2"]);
    append(base.path(), "a", "3\n4\n");
    let subtasks = || vec![restored(splits.clone())];
    let reason = state_refusal(continued(base.path(), "read", subtasks(), 1));
    assert!(reason.contains("its last line had no newline"), "{reason}");
    fs::write(base.path().join("a"), "1\n2\n3\n").expect("can be written");
    let read = continued(base.path(), "read", subtasks(), 1).expect("can be read");
    assert_eq!(read, ["x", "3"]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn each_line_is_read_once_however_the_input_grows_between_runs(
        runs in prop::collection::vec(
            (prop::collection::vec((0_usize..4, 1_usize..4), 0..4), 0_usize..12, 1_u32..4), 1..8,
        ),
    ) {
        let base = directory(&[("0", b"first\n")]);
        // Keeps the source from ending.
        let keep = |splits: Vec<SourceSplit>| vec![restored(splits)];
        let (mut read, splits) = begun(base.path(), 0);
        let mut subtasks = keep(splits);
        let mut expected = vec!["first".to_owned()];
        let all = usize::MAX;
        let last = (Vec::new(), all, 1);
        for (appended, lines, parallelism) in runs.into_iter().chain([last]) {
            for (file, count) in appended {
                for _ in 0..count {
                    let line = format!("line {}", expected.len());
                    append(base.path(), &file.to_string(), &format!("{line}\n"));
                    expected.push(line);
                }
            }
            let connector = connect(base.path(), options("read"));
            let restored_now = connector.enumerator().restore(subtasks, parallelism);
            let lists = restored_now.expect("only grew");
            subtasks = Vec::new();
            for (index, splits) in (0..).zip(lists) {
                let mut source = connector.open(&subtask(index), splits).expect("opens");
                read.extend(read_batches(&mut *source, lines).expect("can be read"));
                subtasks.push(restored(source.splits()));
            }
        }
        read.sort();
        expected.sort();
        prop_assert_eq!(read, expected);
    }
}
