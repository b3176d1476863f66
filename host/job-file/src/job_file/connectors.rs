//! Reads the options of sources and sinks with their connectors, and places the rejections.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use tidegate_checkpoint::NodeKind;
use tidegate_connector::sink::SinkConnector;
use tidegate_connector::source::SourceConnector;
use tidegate_connector::{
    ConnectContext, ConnectorError, ConnectorList, SinkKind, SourceKind, UnconnectedSink,
    UnconnectedSource,
};
use tidegate_operator::shown;
use toml::Spanned;
use toml::de::{DeValue, ValueDeserializer};

use super::directories::SinkDirectory;
use super::document::{ConnectorEntry, NodeEntry, PartEntry};
use crate::config_file::problem::{Problem, Problems, Span};
use crate::config_file::suggest;

/// The sources and sinks of a job, by node name.
#[derive(Default)]
pub(crate) struct Connectors {
    /// The connector of each source.
    pub(crate) sources: BTreeMap<String, Arc<dyn SourceConnector>>,
    /// The connector of each sink.
    pub(crate) sinks: BTreeMap<String, Arc<dyn SinkConnector>>,
    /// The directories of sinks, in the order of the file.
    pub(super) directories: Vec<SinkDirectory>,
}

/// Reports connectors that are not in the list, and options that a connector does not have or can't
/// read.
pub(crate) fn check_known(entries: &[NodeEntry<'_>], list: &ConnectorList, problems: &Problems) {
    for entry in entries {
        match &entry.part {
            PartEntry::Source(connector) => {
                let reader = OptionsReader::new(entry, connector, problems);
                match list.source(reader.connector_name()) {
                    Some(kind) => {
                        reader.check_keys(&kind.schema());
                        drop(reader.source(kind));
                    }
                    None => reader.report_unknown(list.sources().iter().map(SourceKind::name)),
                }
            }
            PartEntry::Sink(connector) => {
                let reader = OptionsReader::new(entry, connector, problems);
                match list.sink(reader.connector_name()) {
                    Some(kind) => {
                        reader.check_keys(&kind.schema());
                        drop(reader.sink(kind));
                    }
                    None => reader.report_unknown(list.sinks().iter().map(SinkKind::name)),
                }
            }
            PartEntry::Operator(_) => {}
        }
    }
}

/// Constructs the connectors of entries that passed [`check_known`]. Paths are relative to `base`.
pub(crate) fn connect(
    entries: &[NodeEntry<'_>],
    list: &ConnectorList,
    base: &Path,
    problems: &Problems,
) -> Connectors {
    let mut connectors = Connectors::default();
    let base = match std::path::absolute(base) {
        Ok(base) => base,
        Err(error) => {
            let message = format!(
                "the path of {} can't be made absolute: {error}",
                shown(base)
            );
            problems.push(Problem::of_file(message));
            return connectors;
        }
    };
    let context = ConnectContext::new(&base);
    for entry in entries {
        let name = || entry.name.get_ref().clone();
        match &entry.part {
            PartEntry::Source(connector) => {
                let reader = OptionsReader::new(entry, connector, problems);
                let kind = list.source(reader.connector_name());
                let options = kind.and_then(|kind| reader.source(kind));
                let source = options.map(|options| options.connect(&context));
                if let Some(source) = reader.placed(source) {
                    reader.check_dead_letters(&*source);
                    connectors.sources.insert(name(), source);
                }
            }
            PartEntry::Sink(connector) => {
                let reader = OptionsReader::new(entry, connector, problems);
                let kind = list.sink(reader.connector_name());
                let Some(options) = kind.and_then(|kind| reader.sink(kind)) else {
                    continue;
                };
                if let Some(directory) = options.directory() {
                    connectors.directories.push(SinkDirectory {
                        sink: name(),
                        span: reader.span_of("directory"),
                        path: context.resolve(directory),
                    });
                }
                if let Some(sink) = reader.placed(Some(options.connect(&context))) {
                    connectors.sinks.insert(name(), sink);
                }
            }
            PartEntry::Operator(_) => {}
        }
    }
    connectors
}

/// Reads the options of one source or sink.
struct OptionsReader<'a, 'i> {
    entry: &'a NodeEntry<'i>,
    connector: &'a ConnectorEntry<'i>,
    problems: &'a Problems,
}

impl<'a, 'i> OptionsReader<'a, 'i> {
    fn new(
        entry: &'a NodeEntry<'i>,
        connector: &'a ConnectorEntry<'i>,
        problems: &'a Problems,
    ) -> Self {
        Self {
            entry,
            connector,
            problems,
        }
    }

    fn connector_name(&self) -> &'a str {
        self.connector.connector.get_ref()
    }

    /// Reports that the connector is not among the `known` ones.
    fn report_unknown(&self, known: impl Iterator<Item = &'static str>) {
        let name = self.connector_name();
        let kind = self.entry.kind();
        let message = format!("{} has the unknown connector `{name}`", self.entry.title());
        let mut problem = Problem::at(self.connector.connector.span(), message);
        let known: Vec<String> = known.map(|name| format!("`{name}`")).collect();
        let list = format!("the {kind} connectors are {}", known.join(", "));
        let near = suggest::nearest(name, known.iter().map(|name| name.trim_matches('`')));
        problem.help = Some(match near {
            Some(near) => format!("did you mean `{near}`? {list}"),
            None => list,
        });
        self.problems.push(problem);
    }

    /// Reports every key that the connector does not have. Reading would stop at the first.
    fn check_keys(&self, schema: &schemars::Schema) {
        let Some(known) = property_names(schema) else {
            return;
        };
        let known = || known.iter().map(String::as_str);
        let common: &[&str] = self.common_keys();
        for (key, _) in self.connector.options.iter() {
            let name: &str = key.get_ref();
            if known().all(|known| known != name) {
                let message = format!("unknown key `{name}` in {}", self.title());
                let mut problem = Problem::at(key.span(), message);
                problem.help = suggest::expected(name, known().chain(common.iter().copied()));
                self.problems.push(problem);
            }
        }
    }

    /// Returns the keys that every node of the kind has.
    fn common_keys(&self) -> &'static [&'static str] {
        match self.entry.kind() {
            NodeKind::Source => &["connector", "parallelism", "on-invalid-record"],
            NodeKind::Operator | NodeKind::Sink => &["connector", "parallelism", "inputs"],
        }
    }

    /// Reports dead letters of a source that has none.
    fn check_dead_letters(&self, source: &dyn SourceConnector) {
        if let Some(span) = &self.entry.dead_letter_span
            && !source.rejects_records()
        {
            let message = format!("{} rejects no input as it is set up", self.title());
            let help = "expected no `on-invalid-record`, or a `format` that not every input has";
            let problem = Problem::at(span.clone(), message);
            self.problems.push(problem.help(help));
        }
    }

    fn source(&self, kind: &SourceKind) -> Option<UnconnectedSource> {
        self.read(kind.read(self.deserializer()))
    }

    fn sink(&self, kind: &SinkKind) -> Option<UnconnectedSink> {
        self.read(kind.read(self.deserializer()))
    }

    fn deserializer(&self) -> ValueDeserializer<'i> {
        let options = DeValue::Table(self.connector.options.clone());
        ValueDeserializer::from(Spanned::new(self.entry.name.span(), options))
    }

    fn read<T>(&self, read: Result<T, toml::de::Error>) -> Option<T> {
        match read {
            Ok(options) => Some(options),
            Err(error) => {
                self.misread(&error);
                None
            }
        }
    }

    /// Reports serde's error in the words of the other messages. Unknown keys were reported before.
    fn misread(&self, error: &toml::de::Error) {
        let message = error.message();
        if message.starts_with("unknown field") {
            return;
        }
        if let Some(field) = message.strip_prefix("missing field ") {
            let message = format!("{} has no {field}", self.title());
            self.problems
                .push(Problem::at(self.entry.name.span(), message));
            return;
        }
        let span = error.span().unwrap_or_else(|| self.entry.name.span());
        let (what, expected) = match message.split_once(", expected ") {
            Some((what, expected)) => (what, Some(format!("expected {expected}"))),
            None => (message, None),
        };
        let mut problem = Problem::at(
            span.clone(),
            match self.key_at(&span) {
                Some(key) => format!("`{key}` of {}: {what}", self.title()),
                None => format!("{}: {what}", self.title()),
            },
        );
        problem.help = expected;
        self.problems.push(problem);
    }

    /// Reports the connector's rejection at the line of the key that it names first.
    fn placed<T>(&self, connected: Option<Result<T, ConnectorError>>) -> Option<T> {
        let error = match connected? {
            Ok(connected) => return Some(connected),
            Err(error) => error,
        };
        let reason = error.to_string();
        let span = self.span_of(named_keys(&reason).next().unwrap_or_default());
        let reason = match std::error::Error::source(&error) {
            Some(source) => format!("{reason}: {source}"),
            None => reason,
        };
        self.problems.push(Problem::at(
            span,
            format!("{}: {reason}", self.entry.title()),
        ));
        None
    }

    /// Returns the place of an option's value, or of the connector's name if it is missing.
    fn span_of(&self, key: &str) -> Span {
        let value = self.connector.options.get(key);
        value.map_or_else(|| self.connector.connector.span(), Spanned::span)
    }

    fn title(&self) -> String {
        let connector = self.connector.connector.get_ref();
        format!("{} (connector `{connector}`)", self.entry.title())
    }

    /// Returns the option whose value contains the span.
    fn key_at(&self, span: &Span) -> Option<&str> {
        let options = self.connector.options.iter();
        let around = |value: &Span| value.start <= span.start && span.end <= value.end;
        options
            .filter(|(_, value)| around(&value.span()))
            .map(|(key, _)| -> &str { key.get_ref() })
            .next()
    }
}

/// Returns the words in backticks in a reason: the options that it names, and others.
pub(crate) fn named_keys(reason: &str) -> impl Iterator<Item = &str> {
    reason.split('`').skip(1).step_by(2)
}

/// Returns the keys of an options struct, or `None` if its schema does not list them.
fn property_names(schema: &schemars::Schema) -> Option<Vec<String>> {
    let properties = match schema.get("properties") {
        Some(properties) => properties.as_object()?,
        // An options struct without fields.
        None if schema.get("oneOf").is_none() && schema.get("anyOf").is_none() => {
            return Some(Vec::new());
        }
        None => return None,
    };
    Some(properties.keys().cloned().collect())
}
