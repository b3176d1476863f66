//! `tidegate check`: everything that can be known about a job without running it.

use serde::Serialize;
use tidegate_operator::shown;
use tidegate_runtime::graph::JobGraph;

use crate::args::CheckArgs;
use crate::failure::Failure;
use crate::job_file::{ComponentSummary, JobFile, JobFileError, LoadedJob, LocatedProblem};
use crate::json::JsonPath;
use crate::terminal::{Lines, Terminal, table};

/// What `check --json` prints.
#[derive(Serialize)]
struct CheckAnswer<'a> {
    ok: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    checkpoint_directory: Option<JsonPath>,
    #[serde(skip_serializing_if = "Option::is_none")]
    graph: Option<&'a JobGraph>,
    components: &'a [ComponentSummary],
    problems: Vec<LocatedProblem>,
}

/// Checks a job.
pub(crate) fn check(args: &CheckArgs, terminal: &Terminal) -> Result<(), Failure> {
    let loaded = JobFile::read(&args.job).and_then(|file| file.load(args.parallelism, None));
    match (loaded, args.output.json) {
        (Ok(loaded), true) => terminal.json(&CheckAnswer {
            ok: true,
            checkpoint_directory: Some(loaded.checkpoint_directory.clone().into()),
            graph: Some(&loaded.job.graph),
            components: &loaded.components,
            problems: Vec::new(),
        }),
        (Ok(loaded), false) => terminal.data(&text(&loaded)),
        (Err(error), true) => {
            terminal.json(&CheckAnswer {
                ok: false,
                checkpoint_directory: None,
                graph: None,
                components: &[],
                problems: located(&error),
            })?;
            Err(error.into())
        }
        (Err(error), false) => Err(error.into()),
    }
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

fn text(loaded: &LoadedJob) -> Lines {
    let graph = &loaded.job.graph;
    let (nodes, edges) = (graph.nodes().len(), graph.edges().len());
    let job = graph.job();
    let mut lines = Lines::one(format_args!("{job}: ok, {nodes} nodes and {edges} edges"));
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
