//! The options of sources and sinks, as their connectors declare them.

use schemars::Schema;
use tidegate_checkpoint::NodeKind;
use tidegate_connector::ConnectorList;

/// Returns the connectors of nodes of this kind by name, each with the JSON Schema of its options.
pub(crate) fn options(list: &ConnectorList, kind: NodeKind) -> Vec<(&'static str, Schema)> {
    let sources = list.sources().iter();
    let sinks = list.sinks().iter();
    match kind {
        NodeKind::Source => sources.map(|kind| (kind.name(), kind.schema())).collect(),
        NodeKind::Sink => sinks.map(|kind| (kind.name(), kind.schema())).collect(),
        NodeKind::Operator => Vec::new(),
    }
}
