//! The source `file` over a directory with some files.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use serde_json::{Value, json};
use tempfile::TempDir;
use tidegate_connector::source::SourceConnector;

use super::{context, source_options};

pub(crate) fn directory(files: &[(&str, &[u8])]) -> TempDir {
    let directory = tempfile::tempdir().expect("a temporary directory");
    for (name, bytes) in files {
        fs::write(directory.path().join(name), bytes).expect("can be written");
    }
    directory
}

pub(crate) fn connect(base: &Path, options: Value) -> Arc<dyn SourceConnector> {
    source_options("file", options)
        .connect(&context(base))
        .expect("the options are fine")
}

pub(crate) fn all_files(base: &Path) -> Arc<dyn SourceConnector> {
    connect(base, json!({ "path": "*" }))
}
