//! Which connectors there are, by their names in the job file.
//!
//! The job file's table of a source or sink, without the keys that the job graph takes
//! (`connector`, `inputs`, `parallelism`), is read into the options of the connector named there.

use std::path::Path;
use std::sync::Arc;

use schemars::{Schema, schema_for};
use serde::{Deserialize, Deserializer};
use tidegate_connector::ConnectorError;
use tidegate_connector::sink::SinkConnector;
use tidegate_connector::source::SourceConnector;

use crate::{
    DiscardOptions, FileSinkOptions, FileSourceOptions, GeneratorOptions, StdinOptions,
    StdoutOptions,
};

/// The options of a source, by connector.
#[derive(Clone, Debug)]
pub enum SourceOptions {
    /// `connector = "generator"`.
    Generator(GeneratorOptions),
    /// `connector = "file"`.
    File(FileSourceOptions),
    /// `connector = "stdin"`.
    Stdin(StdinOptions),
}

impl SourceOptions {
    /// Reads the options of `connector`; `None` if there is no such source.
    ///
    /// # Errors
    ///
    /// The deserializer's, for an unknown key, a missing one or a wrong type.
    pub fn deserialize<'de, D: Deserializer<'de>>(
        connector: &str,
        options: D,
    ) -> Option<Result<Self, D::Error>> {
        match connector {
            "generator" => Some(GeneratorOptions::deserialize(options).map(Self::Generator)),
            "file" => Some(FileSourceOptions::deserialize(options).map(Self::File)),
            "stdin" => Some(StdinOptions::deserialize(options).map(Self::Stdin)),
            _ => None,
        }
    }

    /// The connector with these options; `base` is the absolute path of the job file's directory.
    ///
    /// # Errors
    ///
    /// [`ConnectorError::JobRefused`] names the key whose value can't be used.
    pub fn connect(self, base: &Path) -> Result<Arc<dyn SourceConnector>, ConnectorError> {
        match self {
            Self::Generator(options) => options.connect(base),
            Self::File(options) => options.connect(base),
            Self::Stdin(options) => options.connect(base),
        }
    }
}

/// The options of a sink, by connector.
#[derive(Clone, Debug)]
pub enum SinkOptions {
    /// `connector = "file"`.
    File(FileSinkOptions),
    /// `connector = "stdout"`.
    Stdout(StdoutOptions),
    /// `connector = "discard"`.
    Discard(DiscardOptions),
}

impl SinkOptions {
    /// Reads the options of `connector`; `None` if there is no such sink.
    ///
    /// # Errors
    ///
    /// The deserializer's, for an unknown key, a missing one or a wrong type.
    pub fn deserialize<'de, D: Deserializer<'de>>(
        connector: &str,
        options: D,
    ) -> Option<Result<Self, D::Error>> {
        match connector {
            "file" => Some(FileSinkOptions::deserialize(options).map(Self::File)),
            "stdout" => Some(StdoutOptions::deserialize(options).map(Self::Stdout)),
            "discard" => Some(DiscardOptions::deserialize(options).map(Self::Discard)),
            _ => None,
        }
    }

    /// The directory that such a sink has for itself, as its key `directory` says; none if it
    /// writes to none.
    #[must_use]
    pub fn directory(&self) -> Option<&Path> {
        match self {
            Self::File(options) => Some(&options.directory),
            Self::Stdout(_) | Self::Discard(_) => None,
        }
    }

    /// The connector with these options; `base` is the absolute path of the job file's directory.
    ///
    /// # Errors
    ///
    /// [`ConnectorError::JobRefused`] names the key whose value can't be used.
    pub fn connect(self, base: &Path) -> Result<Arc<dyn SinkConnector>, ConnectorError> {
        match self {
            Self::File(options) => options.connect(base),
            Self::Stdout(options) => options.connect(base),
            Self::Discard(options) => options.connect(base),
        }
    }
}

/// The sources that the job file can name.
#[must_use]
pub fn source_names() -> &'static [&'static str] {
    &["generator", "file", "stdin"]
}

/// The sinks that the job file can name.
#[must_use]
pub fn sink_names() -> &'static [&'static str] {
    &["file", "stdout", "discard"]
}

/// JSON Schema of the options of source `connector`, without the job graph's own keys; `None` if
/// there is no such source.
#[must_use]
pub fn source_schema(connector: &str) -> Option<Schema> {
    match connector {
        "generator" => Some(schema_for!(GeneratorOptions)),
        "file" => Some(schema_for!(FileSourceOptions)),
        "stdin" => Some(schema_for!(StdinOptions)),
        _ => None,
    }
}

/// JSON Schema of the options of sink `connector`, without the job graph's own keys; `None` if
/// there is no such sink.
#[must_use]
pub fn sink_schema(connector: &str) -> Option<Schema> {
    match connector {
        "file" => Some(schema_for!(FileSinkOptions)),
        "stdout" => Some(schema_for!(StdoutOptions)),
        "discard" => Some(schema_for!(DiscardOptions)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_listed_connector_has_a_schema_and_can_be_read() {
        for name in source_names() {
            assert!(source_schema(name).is_some(), "{name}");
            assert!(SourceOptions::deserialize(name, serde_json::json!({})).is_some());
        }
        for name in sink_names() {
            assert!(sink_schema(name).is_some(), "{name}");
            assert!(SinkOptions::deserialize(name, serde_json::json!({})).is_some());
        }
    }

    #[test]
    fn an_unknown_connector_is_none_and_an_unknown_key_an_error() {
        assert!(SourceOptions::deserialize("kafka", serde_json::json!({})).is_none());
        let read = SourceOptions::deserialize("generator", serde_json::json!({ "until": 3 }));
        let error = read
            .expect("there is a generator")
            .expect_err("no such key");
        assert!(
            error.to_string().contains("unknown field `until`"),
            "{error}"
        );
    }
}
