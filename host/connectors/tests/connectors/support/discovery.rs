//! The source `file` with `discover`, over a directory to which files are added.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use serde_json::json;
use tidegate_connector::source::{
    Assignment, RestoredSubtask, SourceConnector, SourceSplit, SplitEnumerator,
};

use super::file_source;

pub(crate) fn connect(base: &Path) -> Arc<dyn SourceConnector> {
    file_source::connect(base, json!({ "path": "in/*", "discover": "10s" }))
}

/// Returns an enumerator that knows all files, and that discovers. Plans without `discover`, with
/// which new files are left to discovery.
pub(crate) fn started(base: &Path, parallelism: u32) -> Box<dyn SplitEnumerator> {
    let planned = file_source::connect(base, json!({ "path": "in/*" }))
        .enumerator()
        .plan(parallelism);
    let planned = planned.expect("can be planned");
    let mut enumerator = connect(base).enumerator();
    let restored = planned.into_iter().map(restored).collect();
    enumerator.restore(restored, parallelism).expect("fits");
    enumerator
}

/// Makes a directory with these files in `in`, each with its own name as its only line.
pub(crate) fn directory(names: &[&str]) -> tempfile::TempDir {
    let base = tempfile::tempdir().expect("a temporary directory");
    fs::create_dir(base.path().join("in")).expect("creates");
    for name in names {
        add(base.path(), name);
    }
    base
}

pub(crate) fn add(base: &Path, name: &str) {
    fs::write(base.join("in").join(name), format!("{name}\n")).expect("writes");
}

/// Walks once, and returns the names of the splits found, with their subtasks.
pub(crate) fn discover(enumerator: &mut dyn SplitEnumerator) -> Vec<(u32, String)> {
    let found = enumerator.discover().expect("can be walked");
    let named = found
        .into_iter()
        .map(|found| (found.subtask, found.split.name));
    named.collect()
}

/// Walks twice and returns the new splits; the first walk only sees the files.
pub(crate) fn discover_settled(enumerator: &mut dyn SplitEnumerator) -> Vec<Assignment> {
    assert_eq!(discover(enumerator), []);
    enumerator.discover().expect("can be walked")
}

pub(crate) fn restored(splits: Vec<SourceSplit>) -> RestoredSubtask {
    RestoredSubtask {
        splits,
        has_ended: false,
    }
}
