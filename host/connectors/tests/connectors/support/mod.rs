//! Helpers shared by the tests: reading sources to their ends and writing to sinks.

pub(crate) mod discovery;
pub(crate) mod file_sink;
pub(crate) mod file_source;

use std::path::Path;

use tidegate_connector::source::{Source, SourceConnector, SourceOutput, SourceSplit};
use tidegate_connector::{
    ConnectContext, ConnectorError, SubtaskId, UnconnectedSink, UnconnectedSource,
};
use tidegate_connectors::built_in;
use tidegate_operator::{Batch, NO_TIMESTAMP};
use toml::de::ValueDeserializer;

pub(crate) fn subtask(index: u32) -> SubtaskId {
    SubtaskId {
        operator: "node".to_owned(),
        index,
    }
}

/// Returns the context of a job file in a directory.
pub(crate) fn context(directory: &Path) -> ConnectContext<'_> {
    ConnectContext::new(directory)
}

pub(crate) fn source_options(connector: &str, options: serde_json::Value) -> UnconnectedSource {
    let list = built_in();
    let kind = list.source(connector).expect("there is such a source");
    let text = toml_of(options);
    let options = ValueDeserializer::parse(&text).expect("it is TOML");
    kind.read(options).expect("the options can be read")
}

pub(crate) fn sink_options(connector: &str, options: serde_json::Value) -> UnconnectedSink {
    let list = built_in();
    let kind = list.sink(connector).expect("there is such a sink");
    let text = toml_of(options);
    let options = ValueDeserializer::parse(&text).expect("it is TOML");
    kind.read(options).expect("the options can be read")
}

/// Converts options to an inline table of TOML.
fn toml_of(options: serde_json::Value) -> String {
    let options: toml::Value = serde_json::from_value(options).expect("it has no null");
    options.to_string()
}

/// Polls a source once that waits for nothing outside.
pub(crate) fn poll(source: &mut dyn Source) -> Result<SourceOutput, ConnectorError> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build();
    runtime
        .expect("a runtime can be built")
        .block_on(source.poll())
}

/// Returns the values of at most `batches` batches.
pub(crate) fn read_batches(
    source: &mut dyn Source,
    batches: usize,
) -> Result<Vec<String>, ConnectorError> {
    let mut values = Vec::new();
    for _ in 0..batches {
        match poll(source)? {
            SourceOutput::Batch(batch) => values.extend(values_of(&batch)),
            SourceOutput::Watermark(_) => {}
            SourceOutput::Invalid(record) => panic!("an invalid record: {record:?}"),
            SourceOutput::Idle | SourceOutput::Ended => break,
        }
    }
    Ok(values)
}

pub(crate) fn values_of(batch: &Batch) -> Vec<String> {
    let text = |row: &[u8]| String::from_utf8_lossy(row).into_owned();
    batch.values().rows().map(text).collect()
}

/// Returns the values of all splits of all subtasks, subtask by subtask.
pub(crate) fn read_all(
    connector: &dyn SourceConnector,
    subtasks: Vec<Vec<SourceSplit>>,
) -> Result<Vec<String>, ConnectorError> {
    let mut values = Vec::new();
    for (index, splits) in (0..).zip(subtasks) {
        let mut source = connector.open(&subtask(index), splits)?;
        values.extend(read_batches(&mut *source, usize::MAX)?);
    }
    Ok(values)
}

/// Makes a batch of records without timestamps.
pub(crate) fn records(records: &[(&str, &str)]) -> Batch {
    let mut batch = Batch::default();
    for (key, value) in records {
        batch.push(NO_TIMESTAMP, key.as_bytes(), value.as_bytes());
    }
    batch
}

/// Returns the reason of a refusal of the job, exit code 2.
pub(crate) fn job_refusal<T>(result: Result<T, ConnectorError>) -> String {
    match result.err() {
        Some(ConnectorError::JobRefused { reason }) => reason,
        other => panic!("not a refusal of the job: {other:?}"),
    }
}

/// Returns the reason of a refusal of the state, exit code 3.
pub(crate) fn state_refusal<T>(result: Result<T, ConnectorError>) -> String {
    match result.err() {
        Some(ConnectorError::StateRefused { reason }) => reason,
        other => panic!("not a refusal of the state: {other:?}"),
    }
}

/// Returns the names in a directory, in order.
pub(crate) fn names(directory: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(directory).expect("can be listed");
    let name = |entry: std::io::Result<std::fs::DirEntry>| {
        entry
            .expect("can be read")
            .file_name()
            .to_string_lossy()
            .into_owned()
    };
    let mut names: Vec<String> = entries.map(name).collect();
    names.sort();
    names
}

/// Plans the splits of the only subtask at a fresh start.
pub(crate) fn plan_one(connector: &dyn SourceConnector) -> Vec<SourceSplit> {
    let planned = connector.enumerator().plan(1);
    planned.expect("can be planned").remove(0)
}
