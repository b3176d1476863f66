//! `tidegate check`: every check of a job that does not need to run it.

use std::sync::Arc;

use serde::Serialize;
use tidegate_checkpoint::JobGraph;
use tidegate_connector::ConnectorError;
use tidegate_connector::source::SourceConnector;
use tidegate_connectors::built_in;
use tidegate_job_file::config_file::{ConfigFileError, LocatedProblem};
use tidegate_job_file::json::JsonPath;
use tidegate_job_file::{ComponentSummary, JobFile, LoadedJob, Loading};
use tidegate_operator::{FaultCause, GuestCall, GuestFault, shown, with_causes};
use tidegate_runtime::{JobCost, JobError, check_room};

use super::job_projects::stale;
use crate::args::CheckArgs;
use crate::code_cache;
use crate::failure::Failure;
use crate::terminal::{Lines, Terminal, table};

/// The output of `check --json`.
#[derive(Serialize)]
struct CheckAnswer<'a> {
    ok: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    checkpoint_directory: Option<JsonPath>,
    #[serde(skip_serializing_if = "Option::is_none")]
    graph: Option<&'a JobGraph>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cost: Option<CostAnswer>,
    components: &'a [ComponentSummary],
    problems: Vec<LocatedProblem>,
    /// The number of problems not listed.
    more_problems: usize,
    /// Components that are older than their sources, and reasons why a run that starts now would be
    /// refused, though the job is right.
    warnings: Vec<String>,
}

/// The resources that the job uses while it runs.
#[derive(Serialize)]
struct CostAnswer {
    subtasks: u64,
    /// The number of chains, each with its own thread.
    chains: u64,
    /// The number of component instances.
    instances: u64,
    /// The sum of their memory limits.
    instance_bytes: u64,
    channels: u64,
    /// The bytes of records that the channels may hold.
    channel_bytes: u64,
}

impl CostAnswer {
    fn of(cost: &JobCost) -> Self {
        Self {
            subtasks: cost.graph.subtasks,
            chains: cost.graph.chains,
            instances: cost.graph.instances,
            instance_bytes: cost.instance_bytes,
            channels: cost.graph.channels,
            channel_bytes: cost.channel_bytes,
        }
    }

    fn text(&self) -> String {
        let (instances, channels) = (
            bytesize::ByteSize(self.instance_bytes),
            bytesize::ByteSize(self.channel_bytes),
        );
        format!(
            "costs: {} subtask(s) in {} chain(s), a thread each; {} instance(s) of components, up \
             to {instances}; {} channel(s), up to {channels}",
            self.subtasks, self.chains, self.instances, self.channels
        )
    }
}

/// Checks a job.
pub(crate) fn check(args: &CheckArgs, terminal: &Terminal) -> Result<(), Failure> {
    let file = JobFile::read(&args.job.file);
    let loading = Loading {
        // As `run` does: compiling uses memory, which the check for room must see.
        compiled: code_cache::of_this_user(),
        backtrace: args.faults.backtrace.into(),
        ..Loading::new(built_in())
    };
    let loaded = file.and_then(|file| file.load(args.defaults.parallelism, loading));
    let loaded = loaded.and_then(|loaded| check_inputs(&loaded).map(|()| loaded));
    let loaded = match loaded {
        Ok(loaded) => match check_runs(&loaded) {
            Ok(refused) => none_refused(&loaded, &refused).map(|()| loaded),
            Err(error) => return cannot_run(error.into(), args.output.json, terminal),
        },
        Err(error) => Err(error),
    };
    match (loaded, args.output.json) {
        (Ok(loaded), true) => terminal.json(&CheckAnswer {
            ok: true,
            checkpoint_directory: Some(loaded.checkpoint_directory.clone().into()),
            graph: Some(&loaded.job.graph),
            cost: Some(CostAnswer::of(&loaded.job.cost())),
            components: &loaded.components,
            problems: Vec::new(),
            more_problems: 0,
            warnings: warnings(args, &loaded),
        }),
        (Ok(loaded), false) => {
            for warning in warnings(args, &loaded) {
                terminal.say(format_args!("warning: {warning}"));
            }
            terminal.data(&text(&loaded))
        }
        (Err(error), true) => {
            refused(located(&error), terminal)?;
            Err(error.into())
        }
        (Err(error), false) => Err(error.into()),
    }
}

/// Returns the warnings about a job that is right.
fn warnings(args: &CheckArgs, loaded: &LoadedJob) -> Vec<String> {
    let stale = stale(loaded).into_iter();
    let stale = stale.map(|stale| stale.warning(&args.job.file));
    stale.chain(missing_inputs(loaded)).collect()
}

/// Checks a loaded job as `check` does, without warnings.
pub(super) fn check_loaded(loaded: &LoadedJob) -> Result<(), Failure> {
    check_inputs(loaded)?;
    Ok(none_refused(loaded, &check_runs(loaded)?)?)
}

/// Checks the inputs that exist. An unreadable input may be readable when the job runs.
fn check_inputs(loaded: &LoadedJob) -> Result<(), ConfigFileError> {
    let mut refused = Vec::new();
    for (name, source) in &loaded.job.sources {
        if let Err(ConnectorError::JobRefused { reason }) = source.check_input() {
            refused.push((name.as_str(), reason));
        }
    }
    none_refused(loaded, &refused)
}

/// Returns why sources have no input yet. A job that has run keeps the files that it reads in its
/// checkpoints.
fn missing_inputs(loaded: &LoadedJob) -> Vec<String> {
    if loaded.checkpoint_directory.exists() {
        return Vec::new();
    }
    let missing = |(name, source): (&String, &Arc<dyn SourceConnector>)| {
        let parallelism = loaded.job.graph.node(name)?.parallelism;
        let error = source.enumerator().plan(parallelism).err()?;
        Some(format!("source `{name}`: {}", with_causes(&error)))
    };
    loaded.job.sources.iter().filter_map(missing).collect()
}

/// Checks that the system has room, and opens an instance of every operator in the sandbox and
/// within its limits: a guest checks its own `config`. Returns the reasons of guests that reject
/// it, by operator.
fn check_runs(loaded: &LoadedJob) -> Result<Vec<(String, String)>, JobError> {
    check_room(&loaded.job)?;
    let mut refused = Vec::new();
    for fault in loaded.job.open_operators() {
        match rejected_config(&fault) {
            Some(reason) => refused.push((fault.operator.clone(), reason.to_owned())),
            None => return Err(Box::new(fault).into()),
        }
    }
    Ok(refused)
}

/// Returns the reason of a guest that rejects its `config`: its `open` returns a failure.
pub(crate) fn rejected_config(fault: &GuestFault) -> Option<&str> {
    match (fault.call, &fault.cause) {
        (GuestCall::Open, FaultCause::Failed(reason)) => Some(reason),
        _ => None,
    }
}

fn none_refused<N: AsRef<str>>(
    loaded: &LoadedJob,
    refused: &[(N, String)],
) -> Result<(), ConfigFileError> {
    if refused.is_empty() {
        return Ok(());
    }
    let refused = refused.iter();
    Err(loaded.refusals(refused.map(|(node, reason)| (node.as_ref(), reason.as_str()))))
}

/// Reports a job that can't run though its file is right, as `run` does.
fn cannot_run(failure: Failure, json: bool, terminal: &Terminal) -> Result<(), Failure> {
    if json {
        let problem = LocatedProblem {
            line: None,
            column: None,
            message: crate::terminal::chain(&failure),
            help: failure.advice(),
        };
        refused((vec![problem], 0), terminal)?;
    }
    Err(failure)
}

/// Prints the answer for a rejected job. `told` has the problems and the number of the others.
fn refused(told: (Vec<LocatedProblem>, usize), terminal: &Terminal) -> Result<(), Failure> {
    let (problems, more_problems) = told;
    terminal.json(&CheckAnswer {
        ok: false,
        checkpoint_directory: None,
        graph: None,
        cost: None,
        components: &[],
        problems,
        more_problems,
        warnings: Vec::new(),
    })
}

fn located(error: &ConfigFileError) -> (Vec<LocatedProblem>, usize) {
    match error {
        ConfigFileError::Invalid(invalid) => {
            let told = invalid.problems.iter();
            let located = told.map(|problem| problem.locate(&invalid.text));
            (located.collect(), invalid.more)
        }
        ConfigFileError::Unreadable { .. }
        | ConfigFileError::TooLarge { .. }
        | ConfigFileError::ComponentNotLoaded { .. }
        | ConfigFileError::Engine(_) => {
            let problem = LocatedProblem {
                line: None,
                column: None,
                message: crate::terminal::chain(error),
                help: None,
            };
            (vec![problem], 0)
        }
    }
}

fn text(loaded: &LoadedJob) -> Lines {
    let graph = &loaded.job.graph;
    let (nodes, edges) = (graph.nodes().len(), graph.edges().len());
    let job = graph.job();
    let mut lines = Lines::one(format_args!("{job}: ok, {nodes} nodes and {edges} edges"));
    lines.line(CostAnswer::of(&loaded.job.cost()).text());
    if loaded.components.is_empty() {
        return lines;
    }
    let rows = loaded.components.iter().map(|component| {
        let imports = match component.imports.as_slice() {
            [] => "none".to_owned(),
            imports => imports.join(", "),
        };
        vec![
            component.operator.clone(),
            shown(&component.path).to_string(),
            bytesize::ByteSize(component.bytes).to_string(),
            component.digest.chars().take(16).collect(),
            imports,
        ]
    });
    let header = ["OPERATOR", "COMPONENT", "SIZE", "BLAKE3", "IMPORTS"];
    lines.append(&table(&header, rows));
    lines
}
