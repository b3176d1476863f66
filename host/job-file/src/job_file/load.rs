//! From a path to a job that can run.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tidegate_checkpoint::JobGraph;
use tidegate_operator::{CodeCache, Engine, EngineOptions};
use tidegate_runtime::chain::ComponentOperator;
use tidegate_runtime::config::JobSettings;
use tidegate_runtime::{Job, OperatorPart};

use super::components::{self, ComponentSummary, Components};
use super::connectors::{self, Connectors};
use super::directories;
use super::document::{Document, NodeEntry, PartEntry};
use super::parse;
use super::wiring::{self, Wiring};
use crate::config_file::problem::{Problem, Problems, Span};
use crate::config_file::setting::Placed;
use crate::config_file::{ConfigFileError, FileKind, SourceFile};

/// How the components of a job are loaded.
#[derive(Debug, Default)]
pub struct Loading {
    /// Components that need not be compiled again.
    pub compiled: Option<CodeCache>,
    /// Whether debug information is kept.
    pub debug_info: bool,
}

/// A job file's text and where it came from.
#[derive(Clone, Debug)]
pub struct JobFile {
    source: SourceFile,
}

/// A job that passed every check that does not need it to run.
pub struct LoadedJob {
    /// The job.
    pub job: Job,
    /// Where its checkpoints go. Not created, not even looked at.
    pub checkpoint_directory: PathBuf,
    /// The components of its operators.
    pub components: Vec<ComponentSummary>,
    file: JobFile,
    places: BTreeMap<String, NodePlace>,
}

/// Where a node stands in the job file.
struct NodePlace {
    header: Span,
    /// The values of its connector's options.
    options: BTreeMap<String, Span>,
}

impl LoadedJob {
    /// What a source or sink refuses, placed at the option that the reason names first, or else
    /// at the node's header.
    pub fn refusal(&self, node: &str, reason: &str) -> ConfigFileError {
        let mut problem = Problem::of_file(format!("`{node}`: {reason}"));
        if let Some(place) = self.places.get(node) {
            let named = connectors::named_key(reason).and_then(|key| place.options.get(key));
            problem.span = Some(named.unwrap_or(&place.header).clone());
        }
        self.file.source.invalid(Problems::of(problem))
    }
}

impl NodePlace {
    fn of(node: &NodeEntry<'_>) -> Self {
        let options = match &node.part {
            PartEntry::Source(connector) | PartEntry::Sink(connector) => {
                let options = connector.options.iter();
                options
                    .map(|(key, value)| (key.get_ref().to_string(), value.span()))
                    .collect()
            }
            PartEntry::Operator(_) => BTreeMap::new(),
        };
        Self {
            header: node.name.span(),
            options,
        }
    }
}

impl JobFile {
    /// Reads a file's text.
    ///
    /// # Errors
    ///
    /// A [`ConfigFileError`] if it can't be read, is larger than a job file is, or is not text.
    pub fn read(path: &Path) -> Result<Self, ConfigFileError> {
        let source = SourceFile::read(FileKind::Job, path)?;
        Ok(Self { source })
    }

    /// Takes `bytes` for the text of the file at `path`.
    ///
    /// # Errors
    ///
    /// [`ConfigFileError::Invalid`] if they are not text.
    pub fn from_bytes(path: &Path, bytes: Vec<u8>) -> Result<Self, ConfigFileError> {
        let source = SourceFile::from_bytes(FileKind::Job, path, bytes)?;
        Ok(Self { source })
    }

    /// The job graph, without looking at connectors and components. `parallelism` overrides the
    /// job's default.
    ///
    /// # Errors
    ///
    /// [`ConfigFileError::Invalid`] with everything that is wrong.
    pub fn graph(&self, parallelism: Option<u32>) -> Result<JobGraph, ConfigFileError> {
        let problems = Problems::default();
        let outline = self.outline(parallelism, &problems);
        match outline {
            Some(outline) if problems.is_empty() => Ok(outline.graph),
            Some(_) | None => Err(self.source.invalid(problems)),
        }
    }

    /// The job, ready to run. `parallelism` overrides the job's default.
    ///
    /// # Errors
    ///
    /// A [`ConfigFileError`] with everything that is wrong with the file and its components, or
    /// what the system refuses.
    pub fn load(
        &self,
        parallelism: Option<u32>,
        loading: Loading,
    ) -> Result<LoadedJob, ConfigFileError> {
        let problems = Problems::default();
        let outline = self.outline(parallelism, &problems);
        let Some(outline) = outline.filter(|_| problems.is_empty()) else {
            return Err(self.source.invalid(problems));
        };
        let engine = Engine::with_options(EngineOptions {
            keeps_debug_info: loading.debug_info,
            ..EngineOptions::default()
        })?;
        let mut components = Components::new(engine, loading.compiled);
        let loaded = self.load_parts(&outline, &mut components, &problems);
        if let Some(error) = components.take_not_loaded() {
            return Err(error);
        }
        match loaded {
            Some(loaded) if problems.is_empty() => Ok(loaded),
            Some(_) | None => Err(self.source.invalid(problems)),
        }
    }

    /// Where the job's checkpoints are, whatever else is wrong with the file.
    ///
    /// # Errors
    ///
    /// [`ConfigFileError::Invalid`] if the file does not say.
    pub fn checkpoint_directory(&self) -> Result<PathBuf, ConfigFileError> {
        let problems = Problems::default();
        let directory = parse::checkpoint_directory(self.source.text(), &problems);
        directory
            .map(|directory| self.source.base().join(directory))
            .ok_or_else(|| self.source.invalid(problems))
    }

    /// Everything that can be known without opening another file. Problems may have been found
    /// even if there is an outline.
    fn outline(&self, parallelism: Option<u32>, problems: &Problems) -> Option<Outline<'_>> {
        let document = parse::parse(self.source.text(), problems)?;
        let parallelism = match parallelism {
            Some(value) => Placed::from(value),
            None => document.defaults.parallelism.clone(),
        };
        let wiring = wiring::wire(&document, parallelism.value, problems);
        connectors::check_known(&document.nodes.usable, problems);
        if !problems.is_empty() {
            components::report_missing(&self.source.base(), &document.nodes.usable, problems);
            return None;
        }
        match wiring.graph(&document, &BTreeMap::new()) {
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
        components: &mut Components,
        problems: &Problems,
    ) -> Option<LoadedJob> {
        let document = &outline.document;
        let connectors = connectors::connect(&document.nodes.usable, &self.source.base(), problems);
        let checkpoint_directory = self.source.base().join(&document.checkpoint.directory);
        directories::check_paths(&connectors.directories, &checkpoint_directory, problems);
        // Where there is no absolute path, the connectors have said so of theirs.
        if let Ok(path) = std::path::absolute(&checkpoint_directory) {
            directories::check(&connectors.directories, &path, problems);
        }
        let (parts, summaries) = self.operators(document, components, problems)?;
        if !problems.is_empty() {
            return None;
        }
        let digest =
            |summary: &ComponentSummary| (summary.operator.clone(), summary.digest.clone());
        let digests = summaries.iter().map(digest).collect();
        let graph = outline.wiring.graph(document, &digests);
        let graph = graph.expect("the same graph without digests was accepted");
        let Connectors { sources, sinks, .. } = connectors;
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

    /// Every operator whose component could be loaded. A system that refuses one is not asked for
    /// the next; there is nothing then.
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
                config: operator.config.clone(),
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
