//! `tidegate build`: builds the components of projects, and prints a line for each.

use bytesize::ByteSize;
use tidegate_authoring::build::{BuildRequest, BuiltComponent, build as build_components};
use tidegate_operator::shown;

use crate::args::BuildArgs;
use crate::failure::Failure;
use crate::terminal::{Lines, Terminal};

/// Builds the components of the projects at a path.
pub(crate) fn build(args: &BuildArgs, terminal: &Terminal) -> Result<(), Failure> {
    let built = build_components(&BuildRequest {
        path: args.path.clone(),
        out: args.out.clone(),
        target_dir: args.compiler.target_dir.clone(),
        offline: args.compiler.offline,
    })?;
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
