//! The built-in connectors, by their names in the job file.
//!
//! The job file's table of a source or sink is read into the options of the connector that it
//! names, without the keys of the job graph (`connector`, `inputs`, `parallelism`).

use tidegate_connector::{ConnectorKind, ConnectorList};

use crate::{
    DiscardOptions, FileSinkOptions, FileSourceOptions, GeneratorOptions, StdinOptions,
    StdoutOptions,
};

/// All connectors of this crate.
const BUILT_IN: [ConnectorKind; 6] = [
    ConnectorKind::source::<GeneratorOptions>("generator"),
    ConnectorKind::source::<FileSourceOptions>("file"),
    ConnectorKind::source::<StdinOptions>("stdin"),
    ConnectorKind::sink::<FileSinkOptions>("file"),
    ConnectorKind::sink::<StdoutOptions>("stdout"),
    ConnectorKind::sink::<DiscardOptions>("discard"),
];

/// Lists all connectors of this crate. A program adds its own with [`ConnectorList::with`].
#[must_use]
pub fn built_in() -> ConnectorList {
    ConnectorList::new(&BUILT_IN).expect("every built-in connector has a name of its own")
}

#[cfg(test)]
mod tests {
    use toml::de::ValueDeserializer;

    use super::*;

    fn options(text: &str) -> ValueDeserializer<'_> {
        ValueDeserializer::parse(text).expect("it is TOML")
    }

    #[test]
    fn every_listed_connector_has_a_schema_of_a_table() {
        let list = built_in();
        let schemas = list
            .sources()
            .iter()
            .map(|kind| (kind.name(), kind.schema()));
        let schemas = schemas.chain(list.sinks().iter().map(|kind| (kind.name(), kind.schema())));
        let mut seen = 0;
        for (name, schema) in schemas {
            assert_eq!(schema.get("type"), Some(&"object".into()), "{name}");
            seen += 1;
        }
        assert_eq!(seen, BUILT_IN.len());
    }

    #[test]
    fn an_unknown_connector_is_none_and_an_unknown_key_an_error() {
        let list = built_in();
        assert!(list.source("kafka").is_none() && list.sink("kafka").is_none());
        assert!(list.sink("generator").is_none(), "it is no sink");
        let generator = list.source("generator").expect("there is a generator");
        let read = generator.read(options("{ until = 3 }"));
        let error = read.err().expect("no such key");
        assert!(error.message().contains("unknown field `until`"), "{error}");
    }

    #[test]
    fn a_second_sink_of_one_name_is_refused_and_a_source_may_have_that_name() {
        let sink = ConnectorKind::sink::<DiscardOptions>("generator");
        let list = built_in().with(sink).expect("so far it is a source only");
        let refused = list.with(sink).expect_err("now it is a sink, too");
        assert_eq!(
            refused.to_string(),
            "there are two sink connectors `generator`; rename one of them"
        );
    }
}
