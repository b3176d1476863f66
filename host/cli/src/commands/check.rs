//! `tidegate check`: everything that can be known about a job without running it.

use std::path::PathBuf;

use serde::Serialize;
use tidegate_runtime::check_room;
use tidegate_runtime::graph::JobGraph;

use crate::args::CheckArgs;
use crate::failure::Failure;
use crate::job_file::{
    ComponentSummary, JobFile, JobFileError, LoadedJob, Loading, LocatedProblem,
};
use crate::terminal::{Terminal, table};

/// What `check --json` prints.
#[derive(Serialize)]
struct CheckAnswer<'a> {
    ok: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    checkpoint_directory: Option<PathBuf>,
    #[serde(skip_serializing_if = "Option::is_none")]
    graph: Option<&'a JobGraph>,
    components: &'a [ComponentSummary],
    problems: Vec<LocatedProblem>,
}

/// Checks a job.
pub(crate) fn check(args: &CheckArgs, terminal: &Terminal) -> Result<(), Failure> {
    let file = JobFile::read(&args.job);
    let loaded = file.and_then(|file| file.load(args.parallelism, Loading::default()));
    if let Ok(loaded) = &loaded
        && let Err(error) = check_room(&loaded.job)
    {
        return no_room(error.into(), args.output.json, terminal);
    }
    match (loaded, args.output.json) {
        (Ok(loaded), true) => terminal.json(&CheckAnswer {
            ok: true,
            checkpoint_directory: Some(loaded.checkpoint_directory.clone()),
            graph: Some(&loaded.job.graph),
            components: &loaded.components,
            problems: Vec::new(),
        }),
        (Ok(loaded), false) => terminal.data(&text(&loaded)),
        (Err(error), true) => {
            refused(located(&error), terminal)?;
            Err(error.into())
        }
        (Err(error), false) => Err(error.into()),
    }
}

/// The job file is fine, but this system has too little room for the job.
fn no_room(failure: Failure, json: bool, terminal: &Terminal) -> Result<(), Failure> {
    if json {
        let problem = LocatedProblem {
            line: None,
            column: None,
            message: crate::terminal::chain(&failure),
            help: failure.advice(),
        };
        refused(vec![problem], terminal)?;
    }
    Err(failure)
}

fn refused(problems: Vec<LocatedProblem>, terminal: &Terminal) -> Result<(), Failure> {
    terminal.json(&CheckAnswer {
        ok: false,
        checkpoint_directory: None,
        graph: None,
        components: &[],
        problems,
    })
}

fn located(error: &JobFileError) -> Vec<LocatedProblem> {
    match error {
        JobFileError::Invalid(invalid) => invalid
            .problems
            .iter()
            .map(|problem| problem.locate(&invalid.text))
            .collect(),
        JobFileError::Unreadable { .. }
        | JobFileError::TooLarge { .. }
        | JobFileError::Engine(_) => vec![LocatedProblem {
            line: None,
            column: None,
            message: crate::terminal::chain(error),
            help: None,
        }],
    }
}

fn text(loaded: &LoadedJob) -> String {
    let graph = &loaded.job.graph;
    let (nodes, edges) = (graph.nodes().len(), graph.edges().len());
    let mut text = format!("{}: ok, {nodes} nodes and {edges} edges\n", graph.job());
    if loaded.components.is_empty() {
        return text;
    }
    let rows = loaded.components.iter().map(|component| {
        let imports = match component.imports.as_slice() {
            [] => "none".to_owned(),
            imports => imports.join(", "),
        };
        vec![
            component.operator.clone(),
            component.path.display().to_string(),
            bytesize::ByteSize(component.bytes).to_string(),
            component.digest.chars().take(16).collect(),
            imports,
        ]
    });
    let header = ["OPERATOR", "COMPONENT", "SIZE", "BLAKE3", "IMPORTS"];
    text.push_str(&table(&header, rows));
    text
}
