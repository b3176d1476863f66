//! The options of sources and sinks, as their connectors declare them.

use schemars::Schema;
use tidegate_checkpoint::NodeKind;
use tidegate_connectors::{sink_names, sink_schema, source_names, source_schema};

/// The connectors of nodes of this kind by name, each with the JSON Schema of its options.
pub(crate) fn options(kind: NodeKind) -> Vec<(&'static str, Schema)> {
    let names = match kind {
        NodeKind::Source => source_names(),
        NodeKind::Sink => sink_names(),
        NodeKind::Operator => &[],
    };
    let with_schema = |name: &&'static str| {
        let schema = match kind {
            NodeKind::Source => source_schema(name),
            NodeKind::Sink => sink_schema(name),
            NodeKind::Operator => None,
        };
        (*name, schema.expect("every listed connector has a schema"))
    };
    names.iter().map(with_schema).collect()
}
