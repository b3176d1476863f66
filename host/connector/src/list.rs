//! The connectors that job files of one program can name.

use thiserror::Error;

use crate::kind::{ConnectorKind, SinkKind, SourceKind};

/// Two connectors of one role have the same name, so that a job file could use only one of them.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("there are two {role} connectors `{name}`; rename one of them")]
pub struct DuplicateConnector {
    /// The name.
    pub name: &'static str,
    /// "source" or "sink".
    pub role: &'static str,
}

/// Connectors by name, in the order in which messages list them. A source and a sink may have the
/// same name.
#[derive(Clone, Debug, Default)]
pub struct ConnectorList {
    sources: Vec<SourceKind>,
    sinks: Vec<SinkKind>,
}

impl ConnectorList {
    /// Makes a list of these connectors.
    ///
    /// # Errors
    ///
    /// Two sources or two sinks have the same name.
    pub fn new(kinds: &[ConnectorKind]) -> Result<Self, DuplicateConnector> {
        let mut kinds = kinds.iter();
        kinds.try_fold(Self::default(), |list, kind| list.with(*kind))
    }

    /// Returns the list with another connector added.
    ///
    /// # Errors
    ///
    /// The list already has a source or a sink of that name.
    pub fn with(mut self, kind: ConnectorKind) -> Result<Self, DuplicateConnector> {
        let name = kind.name();
        let (role, is_taken) = match kind {
            ConnectorKind::Source(_) => ("source", self.source(name).is_some()),
            ConnectorKind::Sink(_) => ("sink", self.sink(name).is_some()),
        };
        if is_taken {
            return Err(DuplicateConnector { name, role });
        }
        match kind {
            ConnectorKind::Source(kind) => self.sources.push(kind),
            ConnectorKind::Sink(kind) => self.sinks.push(kind),
        }
        Ok(self)
    }

    /// Returns all sources, in order.
    #[must_use]
    pub fn sources(&self) -> &[SourceKind] {
        &self.sources
    }

    /// Returns all sinks, in order.
    #[must_use]
    pub fn sinks(&self) -> &[SinkKind] {
        &self.sinks
    }

    /// Finds the source of that name.
    #[must_use]
    pub fn source(&self, name: &str) -> Option<&SourceKind> {
        self.sources.iter().find(|kind| kind.name() == name)
    }

    /// Finds the sink of that name.
    #[must_use]
    pub fn sink(&self, name: &str) -> Option<&SinkKind> {
        self.sinks.iter().find(|kind| kind.name() == name)
    }
}
