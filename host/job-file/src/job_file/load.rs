//! From a path to a job that can run.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tidegate_checkpoint::JobGraph;
use tidegate_connector::ConnectorList;
use tidegate_operator::{Backtrace, CodeCache, Engine, EngineOptions};
use tidegate_runtime::chain::ComponentOperator;
use tidegate_runtime::config::JobSettings;
use tidegate_runtime::{Job, OperatorPart};

use super::components::{self, ComponentSummary, Components};
use super::connectors::{self, Connectors};
use super::directories;
use super::document::{Document, NodeEntry, PartEntry};
use super::parse;
use super::wiring::{self, FoundParts, Wiring};
use crate::config_file::problem::{Problem, Problems, Span};
use crate::config_file::setting::Placed;
use crate::config_file::{ConfigFileError, FileKind, SourceFile};

/// The connectors and the options with which a job is loaded.
#[derive(Debug)]
pub struct Loading {
    /// Connectors that the job file can name.
    pub connectors: ConnectorList,
    /// The cache of compiled components, if any.
    pub compiled: Option<CodeCache>,
    /// True if debug information is kept.
    pub debug_info: bool,
    /// The frames that the fault of an operator shows.
    pub backtrace: Backtrace,
}

impl Loading {
    /// Returns a loading with these connectors, no cache of components and no debug information.
    #[must_use]
    pub fn new(connectors: ConnectorList) -> Self {
        Self {
            connectors,
            compiled: None,
            debug_info: false,
            backtrace: Backtrace::default(),
        }
    }
}

/// A job file's text and its path.
#[derive(Clone, Debug)]
pub struct JobFile {
    source: SourceFile,
}

/// A component that a job file names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NamedComponent {
    /// The operator's name.
    pub operator: String,
    /// The path: absolute, or relative in the same way as the job file's path.
    pub path: PathBuf,
}

/// A job that passed every check that does not need it to run.
pub struct LoadedJob {
    /// The job.
    pub job: Job,
    /// The directory of its checkpoints. Loading neither creates nor reads it.
    pub checkpoint_directory: PathBuf,
    /// The components of its operators.
    pub components: Vec<ComponentSummary>,
    file: JobFile,
    places: BTreeMap<String, NodePlace>,
}

/// The place of a node in the job file.
struct NodePlace {
    header: Span,
    /// The places of the values of its connector's options, or of the keys of its `config`.
    options: BTreeMap<String, Span>,
}

impl LoadedJob {
    /// Returns the refusal of a node as an error at the option that the reason names first, or else
    /// at the node's header.
    pub fn refusal(&self, node: &str, reason: &str) -> ConfigFileError {
        self.refusals([(node, reason)])
    }

    /// Returns the refusals of nodes, each with its reason, as one error: see [`Self::refusal`].
    pub fn refusals<'r>(
        &self,
        refused: impl IntoIterator<Item = (&'r str, &'r str)>,
    ) -> ConfigFileError {
        let problems = Problems::default();
        for (node, reason) in refused {
            let mut problem = Problem::of_file(format!("`{node}`: {reason}"));
            if let Some(place) = self.places.get(node) {
                let named = connectors::named_keys(reason).find_map(|key| place.option(key));
                problem.span = Some(named.unwrap_or(&place.header).clone());
            }
            problems.push(problem);
        }
        self.file.source.invalid(problems)
    }
}

impl NodePlace {
    /// Returns the place of an option, also for a path into it such as `rates.eu`.
    fn option(&self, path: &str) -> Option<&Span> {
        let key = path.split(['.', '[']).next()?;
        self.options.get(key)
    }

    fn of(node: &NodeEntry<'_>) -> Self {
        let options = match &node.part {
            PartEntry::Source(connector) | PartEntry::Sink(connector) => {
                let options = connector.options.iter();
                options
                    .map(|(key, value)| (key.get_ref().to_string(), value.span()))
                    .collect()
            }
            PartEntry::Operator(operator) => operator.config.keys.clone(),
        };
        Self {
            header: node.name.span(),
            options,
        }
    }
}

impl JobFile {
    /// Reads a job file.
    ///
    /// # Errors
    ///
    /// A [`ConfigFileError`] if the file can't be read, is too large for a job file, or is not
    /// text.
    pub fn read(path: &Path) -> Result<Self, ConfigFileError> {
        let source = SourceFile::read(FileKind::Job, path)?;
        Ok(Self { source })
    }

    /// Uses `bytes` as the content of the file at `path`.
    ///
    /// # Errors
    ///
    /// [`ConfigFileError::Invalid`] if they are not text.
    pub fn from_bytes(path: &Path, bytes: Vec<u8>) -> Result<Self, ConfigFileError> {
        let source = SourceFile::from_bytes(FileKind::Job, path, bytes)?;
        Ok(Self { source })
    }

    /// Returns the text of the file.
    #[must_use]
    pub fn text(&self) -> &str {
        self.source.text()
    }

    /// Returns the job graph, without looking at inputs, outputs and components. `parallelism`
    /// overrides the job's default; the file can name the `connectors`.
    ///
    /// # Errors
    ///
    /// [`ConfigFileError::Invalid`] with every problem of the file.
    pub fn graph(
        &self,
        parallelism: Option<u32>,
        connectors: &ConnectorList,
    ) -> Result<JobGraph, ConfigFileError> {
        let problems = Problems::default();
        let outline = self.outline(parallelism, connectors, &problems);
        match outline {
            Some(outline) if problems.is_empty() => Ok(outline.graph),
            Some(_) | None => Err(self.source.invalid(problems)),
        }
    }

    /// Loads the job, ready to run. `parallelism` overrides the job's default.
    ///
    /// # Errors
    ///
    /// A [`ConfigFileError`] with every problem of the file and its components, or with the refusal
    /// of the system.
    pub fn load(
        &self,
        parallelism: Option<u32>,
        loading: Loading,
    ) -> Result<LoadedJob, ConfigFileError> {
        let problems = Problems::default();
        let outline = self.outline(parallelism, &loading.connectors, &problems);
        let Some(outline) = outline.filter(|_| problems.is_empty()) else {
            return Err(self.source.invalid(problems));
        };
        let engine = Engine::with_options(EngineOptions {
            keeps_debug_info: loading.debug_info,
            backtrace: loading.backtrace,
            ..EngineOptions::default()
        })?;
        let mut components = Components::new(engine, loading.compiled);
        let loaded = self.load_parts(&outline, &loading.connectors, &mut components, &problems);
        if let Some(error) = components.take_not_loaded() {
            return Err(error);
        }
        match loaded {
            Some(loaded) if problems.is_empty() => Ok(loaded),
            Some(_) | None => Err(self.source.invalid(problems)),
        }
    }

    /// Returns the checkpoint directory of the job, and its name if the file has one, even if the
    /// rest of the file is wrong.
    ///
    /// # Errors
    ///
    /// [`ConfigFileError::Invalid`] if the file is not TOML.
    pub fn address(&self) -> Result<(PathBuf, Option<String>), ConfigFileError> {
        let problems = Problems::default();
        let address = parse::address(self.source.text(), &problems);
        address
            .map(|address| (self.source.base().join(address.directory), address.name))
            .ok_or_else(|| self.source.invalid(problems))
    }

    /// Returns the operators in the order of the file, each with the path of its component, without
    /// looking at any component.
    ///
    /// # Errors
    ///
    /// [`ConfigFileError::Invalid`] with the keys that are wrong.
    pub fn components(&self) -> Result<Vec<NamedComponent>, ConfigFileError> {
        let problems = Problems::default();
        let document = parse::parse(self.source.text(), &problems);
        let Some(document) = document.filter(|_| problems.is_empty()) else {
            return Err(self.source.invalid(problems));
        };
        let base = self.source.base();
        let named = document
            .nodes
            .usable
            .iter()
            .filter_map(|node| match &node.part {
                PartEntry::Operator(operator) => Some(NamedComponent {
                    operator: node.name.get_ref().clone(),
                    path: base.join(operator.component.get_ref()),
                }),
                PartEntry::Source(_) | PartEntry::Sink(_) => None,
            });
        Ok(named.collect())
    }

    /// Checks everything that needs no other file. There may be problems even if this returns an
    /// outline.
    fn outline(
        &self,
        parallelism: Option<u32>,
        list: &ConnectorList,
        problems: &Problems,
    ) -> Option<Outline<'_>> {
        let document = parse::parse(self.source.text(), problems)?;
        let parallelism = match parallelism {
            Some(value) => Placed::from(value),
            None => document.defaults.parallelism.clone(),
        };
        let wiring = wiring::wire(&document, parallelism.value, problems);
        connectors::check_known(&document.nodes.usable, list, problems);
        if !problems.is_empty() {
            components::report_missing(&self.source.base(), &document.nodes.usable, problems);
            return None;
        }
        match wiring.graph(&document, &FoundParts::default()) {
            Ok(graph) => Some(Outline {
                document,
                wiring,
                graph,
            }),
            Err(error) => {
                problems.push(wiring::place(&error, &document, &parallelism));
                None
            }
        }
    }

    fn load_parts(
        &self,
        outline: &Outline<'_>,
        list: &ConnectorList,
        components: &mut Components,
        problems: &Problems,
    ) -> Option<LoadedJob> {
        let document = &outline.document;
        let (nodes, base) = (&document.nodes.usable, self.source.base());
        let connectors = connectors::connect(nodes, list, &base, problems);
        let checkpoint_directory = self.source.base().join(&document.checkpoint.directory);
        directories::check_paths(&connectors.directories, &checkpoint_directory, problems);
        // Without an absolute path, the connectors have already reported theirs.
        if let Ok(path) = std::path::absolute(&checkpoint_directory) {
            directories::check(&connectors.directories, &path, problems);
        }
        directories::check_not_read(
            &connectors.directories,
            &connectors.sinks,
            &connectors.sources,
            problems,
        );
        let (parts, summaries) = self.operators(document, components, problems)?;
        if !problems.is_empty() {
            return None;
        }
        let digest =
            |summary: &ComponentSummary| (summary.operator.clone(), summary.digest.clone());
        let Connectors { sources, sinks, .. } = connectors;
        let options = sources.iter();
        let options = options.map(|(name, source)| (name.clone(), source.fixed_options()));
        let found = FoundParts {
            digests: summaries.iter().map(digest).collect(),
            options: options.collect(),
        };
        let graph = outline.wiring.graph(document, &found);
        let graph = graph.expect("the same graph without these parts was accepted");
        let place = |node: &NodeEntry<'_>| (node.name.get_ref().clone(), NodePlace::of(node));
        Some(LoadedJob {
            job: Job {
                graph,
                sources,
                operators: parts,
                sinks,
                settings: JobSettings {
                    checkpoint: document.checkpoint.settings.clone(),
                    restart: document.restart.clone(),
                    isolation: document.isolation.clone(),
                    ..JobSettings::default()
                },
            },
            checkpoint_directory,
            components: summaries,
            file: self.clone(),
            places: document.nodes.usable.iter().map(place).collect(),
        })
    }

    /// Loads the component of every operator. Stops and returns `None` when the system refuses to
    /// load one.
    fn operators(
        &self,
        document: &Document<'_>,
        components: &mut Components,
        problems: &Problems,
    ) -> Option<(BTreeMap<String, OperatorPart>, Vec<ComponentSummary>)> {
        let (mut parts, mut summaries) = (BTreeMap::new(), Vec::new());
        for entry in &document.nodes.usable {
            let PartEntry::Operator(operator) = &entry.part else {
                continue;
            };
            let Some(component) =
                components.load(&self.source.base(), &operator.component, problems)
            else {
                if components.is_refused() {
                    return None;
                }
                continue;
            };
            if let Some(problem) = components::too_many_memories(&component, operator) {
                problems.push(problem);
                continue;
            }
            let name = entry.name.get_ref().clone();
            let path = self.source.base().join(operator.component.get_ref());
            summaries.push(components::summary(&name, path, &component));
            let factory = ComponentOperator::new(component, operator.limits.clone());
            let part = OperatorPart {
                factory: Arc::new(factory),
                config: operator.config.json.clone(),
                policies: operator.policies,
                recycle_at: operator.recycle_at.unwrap_or(document.defaults.recycle_at),
            };
            parts.insert(name, part);
        }
        Some((parts, summaries))
    }
}

/// A document with its graph.
struct Outline<'i> {
    document: Document<'i>,
    wiring: Wiring,
    graph: JobGraph,
}
