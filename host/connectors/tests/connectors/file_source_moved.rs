//! The source `file` over files that were moved since the checkpoint.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};
use tempfile::TempDir;
use tidegate_connector::source::{InputMove, RestoredSubtask, SourceConnector, SourceSplit};

use crate::support::discovery::restored;
use crate::support::file_source::connect;
use crate::support::{read_all, read_batches, state_refusal, subtask};

/// Returns a directory with three files in `in`, of which the first two are read.
fn begun(options: Value) -> (TempDir, Vec<SourceSplit>) {
    let base = tempfile::tempdir().expect("a temporary directory");
    fs::create_dir(base.path().join("in")).expect("creates");
    for (name, text) in [("a", "1\n"), ("b", "2\n"), ("c", "3\n4\n")] {
        fs::write(base.path().join("in").join(name), text).expect("writes");
    }
    let connector = connect(base.path(), options);
    let splits = connector.enumerator().plan(1).expect("fits").remove(0);
    let mut source = connector.open(&subtask(0), splits).expect("opens");
    let read = read_batches(&mut *source, 3).expect("can be read");
    assert_eq!(read, ["1", "2", "3"]);
    (base, source.splits())
}

/// Moves the input of the splits, and returns them with the moves that concern one.
fn moved(
    connector: &dyn SourceConnector,
    splits: Vec<SourceSplit>,
    moves: &[&str],
) -> (Vec<RestoredSubtask>, Vec<bool>) {
    let moves: Vec<InputMove> = moves
        .iter()
        .map(|text| InputMove::parse(text).expect("has two paths"))
        .collect();
    let mut is_used = vec![false; moves.len()];
    let mut of_subtask = Vec::new();
    for split in splits {
        let moved = connector.move_input(split, &moves).expect("can be read");
        for (is_used, now) in is_used.iter_mut().zip(moved.is_used) {
            *is_used |= now;
        }
        of_subtask.push(moved.split);
    }
    (vec![restored(of_subtask)], is_used)
}

fn options(path: &str) -> Value {
    json!({ "path": path, "batch-bytes": 1 })
}

fn rest(base: &Path, path: &str, subtasks: Vec<RestoredSubtask>) -> Vec<String> {
    let connector = connect(base, options(path));
    let lists = connector.enumerator().restore(subtasks, 1).expect("fits");
    read_all(&*connector, lists).expect("can be read")
}

#[test]
fn a_directory_is_moved_with_what_was_read_and_what_was_not_and_twice_is_as_once() {
    let (base, splits) = begun(options("in/*"));
    fs::create_dir(base.path().join("other")).expect("creates");
    fs::rename(base.path().join("in"), base.path().join("other/in")).expect("moves");
    let connector = connect(base.path(), options("other/in/*"));
    let moves = ["./in/=other/in", "nowhere=elsewhere"];
    let (subtasks, is_used) = moved(&*connector, splits.clone(), &moves);
    assert_eq!(is_used, [true, false]);
    let (again, is_used) = moved(&*connector, subtasks[0].splits.clone(), &moves);
    assert_eq!((again, is_used), (subtasks.clone(), vec![true, false]));
    assert_eq!(rest(base.path(), "other/in/*", subtasks), ["4"]);
    let unmoved = connector.enumerator().restore(vec![restored(splits)], 1);
    let reason = state_refusal(unmoved);
    assert!(
        reason.contains("below the directory") || reason.contains("below \"in\""),
        "{reason}"
    );
}

#[test]
fn single_files_and_directories_below_the_root_are_moved() {
    let (base, splits) = begun(options("in/**"));
    fs::create_dir(base.path().join("in/old")).expect("creates");
    for name in ["a", "c"] {
        let to = base.path().join("in/old").join(name);
        fs::rename(base.path().join("in").join(name), to).expect("moves");
    }
    let connector = connect(base.path(), options("in/**"));
    let moves = ["in/a=in/old/a", "in/c=in/old/c", "in/x=in/old/x"];
    let (subtasks, is_used) = moved(&*connector, splits, &moves);
    assert_eq!(is_used, [true, true, false]);
    assert_eq!(rest(base.path(), "in/**", subtasks.clone()), ["4"]);

    fs::rename(base.path().join("in/old"), base.path().join("in/older")).expect("moves");
    let splits = subtasks[0].splits.clone();
    let (subtasks, is_used) = moved(&*connector, splits, &["in/old=in/older"]);
    assert_eq!(is_used, [true]);
    assert_eq!(rest(base.path(), "in/**", subtasks), ["4"]);
}

#[test]
fn followed_files_are_moved() {
    let follow = |path: &str| json!({ "path": path, "follow": true });
    let base = tempfile::tempdir().expect("a temporary directory");
    let connector = connect(base.path(), options_of_empty(base.path(), &follow));
    let planned = connector.enumerator().plan(1).expect("fits").remove(0);
    let (subtasks, is_used) = moved(&*connector, planned, &["in=out", "a=b"]);
    assert_eq!(is_used, [true, false]);
    assert_eq!(subtasks[0].splits[0].name, "out/log@0..");
}

/// Makes a followed file, and returns the options.
fn options_of_empty(base: &Path, follow: &dyn Fn(&str) -> Value) -> Value {
    fs::create_dir(base.join("in")).expect("creates");
    fs::write(base.join("in/log"), "1\n").expect("writes");
    follow("in/*")
}
