//! Descriptors of connectors: the name in the job file, the options that the job file may set, and
//! the function that makes a connector with those options.
//!
//! The author of a connector writes an options struct that implements [`SourceOptions`] or
//! [`SinkOptions`]; [`ConnectorKind::source`] and [`ConnectorKind::sink`] make the descriptor.
//!
//! ```
//! use std::sync::Arc;
//!
//! use tidegate_connector::source::SourceConnector;
//! use tidegate_connector::{ConnectContext, ConnectorError, ConnectorKind, SourceOptions};
//!
//! #[derive(serde::Deserialize, schemars::JsonSchema)]
//! #[serde(deny_unknown_fields, rename_all = "kebab-case")]
//! struct TicksOptions {
//!     /// Ticks before the end.
//!     count: u64,
//! }
//!
//! impl SourceOptions for TicksOptions {
//!     fn connect(
//!         self,
//!         _context: &ConnectContext<'_>,
//!     ) -> Result<Arc<dyn SourceConnector>, ConnectorError> {
//!         Err(ConnectorError::JobRefused {
//!             reason: format!("`count` is {}, and this is a sketch", self.count),
//!         })
//!     }
//! }
//!
//! const TICKS: ConnectorKind = ConnectorKind::source::<TicksOptions>("ticks");
//! assert_eq!(TICKS.name(), "ticks");
//! ```

use std::path::{Path, PathBuf};
use std::sync::Arc;

use schemars::{JsonSchema, Schema, schema_for};
use serde::de::DeserializeOwned;
use toml::de::{Error, ValueDeserializer};

use crate::sink::SinkConnector;
use crate::source::SourceConnector;
use crate::{ConnectContext, ConnectorError};

/// The options of a source: the keys of its table in the job file, apart from those that every
/// source has. Implementations should reject unknown keys (`#[serde(deny_unknown_fields)]`).
pub trait SourceOptions: DeserializeOwned + JsonSchema + 'static {
    /// Makes the connector with these options. Called each time a job file is loaded, even only to
    /// check it, so it must not read input.
    ///
    /// # Errors
    ///
    /// [`ConnectorError::JobRefused`] names the key whose value can't be used, in backticks.
    fn connect(
        self,
        context: &ConnectContext<'_>,
    ) -> Result<Arc<dyn SourceConnector>, ConnectorError>;
}

/// The options of a sink: the keys of its table in the job file, apart from those that every sink
/// has. Implementations should reject unknown keys (`#[serde(deny_unknown_fields)]`).
pub trait SinkOptions: DeserializeOwned + JsonSchema + 'static {
    /// Makes the connector with these options. Called each time a job file is loaded, even only to
    /// check it, so it must not write.
    ///
    /// # Errors
    ///
    /// [`ConnectorError::JobRefused`] names the key whose value can't be used, in backticks.
    fn connect(
        self,
        context: &ConnectContext<'_>,
    ) -> Result<Arc<dyn SinkConnector>, ConnectorError>;

    /// Returns the directory that the sink has for itself, as written in the key `directory`;
    /// `None` if the sink has none. A job in which two sinks share a directory is rejected.
    fn directory(&self) -> Option<&Path> {
        None
    }
}

/// A connector that the job file can name: a kind of source or of sink.
#[derive(Clone, Copy, Debug)]
pub enum ConnectorKind {
    /// A kind of source, for tables `[source.NAME]`.
    Source(SourceKind),
    /// A kind of sink, for tables `[sink.NAME]`.
    Sink(SinkKind),
}

impl ConnectorKind {
    /// Describes the source whose options are `O`; job files use it by `name`.
    #[must_use]
    pub const fn source<O: SourceOptions>(name: &'static str) -> Self {
        Self::Source(SourceKind {
            name,
            schema: schema_of::<O>,
            read: read_source::<O>,
        })
    }

    /// Describes the sink whose options are `O`; job files use it by `name`.
    #[must_use]
    pub const fn sink<O: SinkOptions>(name: &'static str) -> Self {
        Self::Sink(SinkKind {
            name,
            schema: schema_of::<O>,
            read: read_sink::<O>,
        })
    }

    /// Returns the name in the job file.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Source(kind) => kind.name,
            Self::Sink(kind) => kind.name,
        }
    }
}

/// The descriptor of a source.
#[derive(Clone, Copy, Debug)]
pub struct SourceKind {
    name: &'static str,
    schema: fn() -> Schema,
    read: fn(ValueDeserializer<'_>) -> Result<UnconnectedSource, Error>,
}

impl SourceKind {
    /// Returns the name in the job file.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// Makes the JSON Schema of the options.
    #[must_use]
    pub fn schema(&self) -> Schema {
        (self.schema)()
    }

    /// Reads the options, without the keys that every source has.
    ///
    /// # Errors
    ///
    /// An unknown key, a missing key or a wrong type, with its place.
    pub fn read(&self, options: ValueDeserializer<'_>) -> Result<UnconnectedSource, Error> {
        (self.read)(options)
    }
}

/// The descriptor of a sink.
#[derive(Clone, Copy, Debug)]
pub struct SinkKind {
    name: &'static str,
    schema: fn() -> Schema,
    read: fn(ValueDeserializer<'_>) -> Result<UnconnectedSink, Error>,
}

impl SinkKind {
    /// Returns the name in the job file.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        self.name
    }

    /// Makes the JSON Schema of the options.
    #[must_use]
    pub fn schema(&self) -> Schema {
        (self.schema)()
    }

    /// Reads the options, without the keys that every sink has.
    ///
    /// # Errors
    ///
    /// An unknown key, a missing key or a wrong type, with its place.
    pub fn read(&self, options: ValueDeserializer<'_>) -> Result<UnconnectedSink, Error> {
        (self.read)(options)
    }
}

/// A function that makes a connector of kind `C`.
type Connect<C> = Box<dyn FnOnce(&ConnectContext<'_>) -> Result<Arc<C>, ConnectorError>>;

/// A source whose options have been read but not used yet.
pub struct UnconnectedSource {
    connect: Connect<dyn SourceConnector>,
}

impl UnconnectedSource {
    /// Makes the connector.
    ///
    /// # Errors
    ///
    /// As [`SourceOptions::connect`].
    pub fn connect(
        self,
        context: &ConnectContext<'_>,
    ) -> Result<Arc<dyn SourceConnector>, ConnectorError> {
        (self.connect)(context)
    }
}

/// A sink whose options have been read but not used yet.
pub struct UnconnectedSink {
    directory: Option<PathBuf>,
    connect: Connect<dyn SinkConnector>,
}

impl UnconnectedSink {
    /// Returns the directory that the sink has for itself, as written in the job file.
    #[must_use]
    pub fn directory(&self) -> Option<&Path> {
        self.directory.as_deref()
    }

    /// Makes the connector.
    ///
    /// # Errors
    ///
    /// As [`SinkOptions::connect`].
    pub fn connect(
        self,
        context: &ConnectContext<'_>,
    ) -> Result<Arc<dyn SinkConnector>, ConnectorError> {
        (self.connect)(context)
    }
}

fn schema_of<O: JsonSchema>() -> Schema {
    schema_for!(O)
}

fn read_source<O: SourceOptions>(
    options: ValueDeserializer<'_>,
) -> Result<UnconnectedSource, Error> {
    let options = O::deserialize(options)?;
    Ok(UnconnectedSource {
        connect: Box::new(|context| options.connect(context)),
    })
}

fn read_sink<O: SinkOptions>(options: ValueDeserializer<'_>) -> Result<UnconnectedSink, Error> {
    let options = O::deserialize(options)?;
    Ok(UnconnectedSink {
        directory: options.directory().map(Path::to_owned),
        connect: Box::new(|context| options.connect(context)),
    })
}
