//! `tidegate build`: from Rust to components, and a line for each.

use bytesize::ByteSize;

use crate::args::BuildArgs;
use crate::build::{BuildRequest, BuiltComponent, build as build_components};
use crate::failure::Failure;
use crate::terminal::Terminal;

/// Builds the components of a crate or workspace.
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
        terminal.say(&line(component));
        terminal.data(&component.path.display().to_string())?;
    }
    Ok(())
}

fn line(component: &BuiltComponent) -> String {
    let imports = match component.imports.as_slice() {
        [] => "nothing".to_owned(),
        imports => imports.join(", "),
    };
    let (name, bytes) = (&component.crate_name, ByteSize(component.bytes));
    format!(
        "{name}: {bytes}, imports {imports}, compiled by {}",
        component.toolchain
    )
}
