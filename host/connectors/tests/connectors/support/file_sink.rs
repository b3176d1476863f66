//! The sink `file` in a directory of its own.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use serde_json::json;
use tempfile::TempDir;
use tidegate_connector::sink::{PendingOutput, Sink, SinkConnector, SinkStart};
use tidegate_connector::{CheckpointId, Lineage};

use super::{context, names, records, sink_options, subtask};

pub(crate) const LINEAGE: Lineage = Lineage([0xaa; 16]);

/// Makes a place in which the sink has its directory `output`.
pub(crate) fn place() -> TempDir {
    tempfile::tempdir().expect("a temporary directory")
}

pub(crate) fn connect(base: &Path) -> Arc<dyn SinkConnector> {
    let options = sink_options("file", json!({ "directory": "output", "format": "tsv" }));
    options
        .connect(&context(base))
        .expect("the options are fine")
}

/// The files of a directory without output.
pub(crate) const OWN_FILES: [&str; 2] = [".tidegate-lock", "_tidegate"];

/// Describes a fresh start of lineage [`LINEAGE`].
pub(crate) fn fresh() -> SinkStart {
    SinkStart {
        job: "job".to_owned(),
        sink: "sink".to_owned(),
        lineage: LINEAGE,
        parent: None,
        checkpoint: CheckpointId(0),
        attempt: 1,
        is_first_attempt: true,
        has_finished: false,
        pending: Vec::new(),
        discards_newer: false,
    }
}

/// Describes a start from `checkpoint` of lineage [`LINEAGE`].
pub(crate) fn restored(checkpoint: u64, pending: &[PendingOutput]) -> SinkStart {
    SinkStart {
        checkpoint: CheckpointId(checkpoint),
        pending: pending.to_vec(),
        ..fresh()
    }
}

/// Makes a connector whose directory belongs to lineage [`LINEAGE`].
pub(crate) fn started(base: &Path) -> Arc<dyn SinkConnector> {
    let connector = connect(base);
    connector.check_fresh().expect("the directory is free");
    connector.recover(&fresh()).expect("the directory is free");
    connector
}

pub(crate) fn open(connector: &dyn SinkConnector, index: u32, attempt: u64) -> Box<dyn Sink> {
    connector
        .open(&subtask(index), LINEAGE, attempt)
        .expect("can be opened")
}

/// Writes one record and cuts the part.
pub(crate) fn write_part(sink: &mut dyn Sink, value: &str, checkpoint: u64) -> Vec<PendingOutput> {
    sink.write(&records(&[("k", value)]))
        .expect("can be written");
    let pre_commit = sink
        .pre_commit(CheckpointId(checkpoint))
        .expect("can be cut");
    pre_commit().expect("can be made durable")
}

/// Returns the visible output: the names, and all lines in the order of the names.
pub(crate) fn published(base: &Path) -> (Vec<String>, String) {
    let directory = base.join("output");
    let is_visible = |name: &String| !name.starts_with(['.', '_']);
    let names: Vec<String> = names(&directory).into_iter().filter(is_visible).collect();
    let text = |name: &String| fs::read_to_string(directory.join(name)).expect("can be read");
    let lines = names.iter().map(text).collect();
    (names, lines)
}
