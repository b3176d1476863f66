//! `tidegate new`: writes a project into a new folder.

use std::path::Path;

use clap::ValueEnum;
use tidegate_authoring::Language;
use tidegate_authoring::project::{self, NewOperator, NewProject, Sdk, Template, WrittenProject};
use tidegate_operator::shown;

use crate::args::NewArgs;
use crate::failure::Failure;
use crate::terminal::{Lines, Terminal};

/// Writes a project, and prints the next steps.
pub(crate) fn new(args: &NewArgs, terminal: &Terminal) -> Result<(), Failure> {
    let project = NewProject {
        name: args.name.clone(),
        operator: operator(args)?,
    };
    let written = project::write(&project, Path::new("."))?;
    for file in &written.files {
        let file = file.strip_prefix(".").unwrap_or(file);
        terminal.data(&Lines::one(shown(file)))?;
    }
    terminal.say(format_args!("{}", next_steps(&project.name, &written)));
    Ok(())
}

/// Returns the operator that the arguments ask for, or `None` for a job without one.
fn operator(args: &NewArgs) -> Result<Option<NewOperator>, Failure> {
    let usage = |message| Err(Failure::Usage { message });
    match (args.job_only, args.lang) {
        (true, _) if args.lang.is_some() || args.template.is_some() || args.sdk.is_some() => usage(
            "--job-only writes no operator, so it goes with none of --lang, --template and --sdk, \
             nor with TIDEGATE_LANG, TIDEGATE_TEMPLATE and TIDEGATE_SDK"
                .to_owned(),
        ),
        (true, _) => Ok(None),
        (false, Some(language)) => Ok(Some(NewOperator {
            language,
            template: args.template.unwrap_or_default(),
            sdk: args.sdk.clone(),
        })),
        (false, None) => usage(format!(
            "no language is given: pass --lang with one of {}; --template with one of {} chooses \
             another operator than {}; --job-only writes a job without an operator",
            names::<Language>(),
            names::<Template>(),
            Template::default().name()
        )),
    }
}

/// Returns the names that a flag takes, for people.
fn names<T: ValueEnum>() -> String {
    let values = T::value_variants().iter();
    let names = values.filter_map(|value| Some(value.to_possible_value()?.get_name().to_owned()));
    names.collect::<Vec<_>>().join(", ")
}

fn next_steps(name: &str, written: &WrittenProject) -> String {
    match &written.sdk {
        Some(Sdk::Copied) => format!(
            "the project has a copy of the SDK in {name}/sdk; \
             next: cd {name} && tidegate test && tidegate run"
        ),
        Some(Sdk::Folder(path)) => format!(
            "the project uses the SDK in {}; next: cd {name} && tidegate test && tidegate run",
            shown(path)
        ),
        None => format!("the job is ready; next: cd {name} && tidegate run"),
    }
}
