//! `tidegate build`: builds the components of projects or of a job, and prints a line for each.

use std::path::Path;

use bytesize::ByteSize;
use tidegate_authoring::Language;
use tidegate_authoring::build::{BuildRequest, BuiltComponent, build as build_components};
use tidegate_job_file::{JobFile, NamedComponent};
use tidegate_operator::shown;

use super::job_projects::JobProjects;

use crate::args::BuildArgs;
use crate::failure::Failure;
use crate::terminal::{Lines, Terminal};

/// Builds the components of a job, or those of the projects at a path.
pub(crate) fn build(args: &BuildArgs, terminal: &Terminal) -> Result<(), Failure> {
    let built = if is_job_file(&args.path) {
        build_job(args, terminal)?
    } else {
        build_components(&BuildRequest {
            path: args.path.clone(),
            out: args.out.clone(),
            target_dir: args.compiler.target_dir.clone(),
            offline: args.compiler.offline,
        })?
    };
    if args.output.json {
        return terminal.json(&built);
    }
    for component in &built {
        terminal.say(line(component));
        for used in component.tools.iter().filter(|_| args.verbose) {
            terminal.say(format_args!(
                "  {} is {}, from {}",
                used.tool,
                shown(&used.path),
                used.found_in.description()
            ));
        }
        terminal.data(&Lines::one(shown(&component.path)))?;
    }
    Ok(())
}

/// Returns true for a TOML file that is no manifest, also for one that does not exist.
fn is_job_file(path: &Path) -> bool {
    let is_toml = path
        .extension()
        .is_some_and(|extension| extension == "toml");
    is_toml && !path.is_dir() && Language::of_manifest(path).is_none()
}

/// Builds the project of every component that a job file names.
fn build_job(args: &BuildArgs, terminal: &Terminal) -> Result<Vec<BuiltComponent>, Failure> {
    if args.out.is_some() {
        return Err(Failure::Usage {
            message: "--out and a job file exclude each other: the components go where the job \
                      file names them"
                .to_owned(),
        });
    }
    let jobs = JobProjects::of(&JobFile::read(&args.path)?)?;
    for NamedComponent { operator, path } in &jobs.ready_made {
        let path = shown(path);
        terminal.say(format_args!(
            "operator `{operator}`: {path} has no project beside it and stays as it is"
        ));
    }
    let mut built = Vec::new();
    for project in &jobs.projects {
        built.extend(project.build(&args.compiler)?.0);
    }
    Ok(built)
}

fn line(component: &BuiltComponent) -> String {
    let list = |names: &[String]| match names {
        [] => "nothing".to_owned(),
        names => names.join(", "),
    };
    format!(
        "{}: {}, exports {}, imports {}, compiled by {}",
        component.name,
        ByteSize(component.bytes),
        list(&component.exports),
        list(&component.imports),
        component.toolchain
    )
}
