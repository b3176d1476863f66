//! `tidegate new`: writes a project into a new folder.

use std::path::Path;

use tidegate_authoring::project::{self, NewProject, Sdk};
use tidegate_operator::shown;

use crate::args::NewArgs;
use crate::failure::Failure;
use crate::terminal::{Lines, Terminal};

/// Writes a project, and prints the next steps.
pub(crate) fn new(args: &NewArgs, terminal: &Terminal) -> Result<(), Failure> {
    let project = NewProject {
        name: args.name.clone(),
        language: args.lang,
        sdk: args.sdk.clone(),
    };
    let written = project::write(&project, Path::new("."))?;
    for file in &written.files {
        let file = file.strip_prefix(".").unwrap_or(file);
        terminal.data(&Lines::one(shown(file)))?;
    }
    let sdk = match &written.sdk {
        Sdk::Copied => format!("has a copy of the SDK in {}/sdk", project.name),
        Sdk::Folder(path) => format!("uses the SDK in {}", shown(path)),
    };
    let name = &project.name;
    terminal.say(format_args!(
        "the project {sdk}; next: cd {name} && tidegate test && tidegate run"
    ));
    Ok(())
}
