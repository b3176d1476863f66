//! `tidegate check`: every check of a job that does not need to run it.

use serde::Serialize;
use tidegate_checkpoint::JobGraph;
use tidegate_connector::ConnectorError;
use tidegate_connectors::built_in;
use tidegate_job_file::config_file::{ConfigFileError, LocatedProblem};
use tidegate_job_file::json::JsonPath;
use tidegate_job_file::{ComponentSummary, JobFile, LoadedJob, Loading};
use tidegate_operator::shown;
use tidegate_runtime::{JobCost, JobError, check_room};

use super::job_projects::{StaleComponent, stale};
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
    /// The components that were built from other sources than those of their projects.
    stale: Vec<StaleAnswer>,
    problems: Vec<LocatedProblem>,
    /// The number of problems not listed.
    more_problems: usize,
}

/// A component that was built from other sources.
#[derive(Serialize)]
struct StaleAnswer {
    operator: String,
    component: JsonPath,
    /// The source that was modified last.
    newest_source: JsonPath,
}

impl From<StaleComponent> for StaleAnswer {
    fn from(stale: StaleComponent) -> Self {
        Self {
            operator: stale.component.operator,
            component: stale.component.path.into(),
            newest_source: stale.newest.into(),
        }
    }
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
        ..Loading::new(built_in())
    };
    let loaded = file.and_then(|file| file.load(args.defaults.parallelism, loading));
    let loaded = loaded.and_then(|loaded| check_inputs(&loaded).map(|()| loaded));
    if let Ok(loaded) = &loaded
        && let Err(error) = check_room(&loaded.job)
    {
        return no_room(JobError::from(error).into(), args.output.json, terminal);
    }
    match (loaded, args.output.json) {
        (Ok(loaded), true) => terminal.json(&CheckAnswer {
            ok: true,
            checkpoint_directory: Some(loaded.checkpoint_directory.clone().into()),
            graph: Some(&loaded.job.graph),
            cost: Some(CostAnswer::of(&loaded.job.cost())),
            components: &loaded.components,
            stale: stale(&loaded).into_iter().map(StaleAnswer::from).collect(),
            problems: Vec::new(),
            more_problems: 0,
        }),
        (Ok(loaded), false) => {
            for stale in stale(&loaded) {
                terminal.say(stale.warning(&args.job.file));
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

/// Checks the inputs that exist. An unreadable input may be readable when the job runs.
pub(super) fn check_inputs(loaded: &LoadedJob) -> Result<(), ConfigFileError> {
    for (name, source) in &loaded.job.sources {
        if let Err(ConnectorError::JobRefused { reason }) = source.check_input() {
            return Err(loaded.refusal(name, &reason));
        }
    }
    Ok(())
}

/// Reports a job file that is fine, but whose job has too little room on this system.
fn no_room(failure: Failure, json: bool, terminal: &Terminal) -> Result<(), Failure> {
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
        stale: Vec::new(),
        problems,
        more_problems,
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
