//! The interface of operators as this binary knows it, for compilers that need it as text or as
//! part of a module.

use std::fs;
use std::path::Path;

use wit_parser::{Resolve, SourceMap, WorldId};

use super::error::BuildError;

/// The world that an operator implements.
pub(super) const WORLD: &str = "stream-operator";

/// The files of `wit/`, which are one package.
const FILES: [(&str, &str); 4] = [
    ("types.wit", include_str!("../../../../wit/types.wit")),
    ("host.wit", include_str!("../../../../wit/host.wit")),
    ("operator.wit", include_str!("../../../../wit/operator.wit")),
    ("world.wit", include_str!("../../../../wit/world.wit")),
];

/// Writes the interface into a folder, which is created if missing.
pub(super) fn write(folder: &Path) -> Result<(), BuildError> {
    let failed = |source| BuildError::Write {
        path: folder.to_owned(),
        source,
    };
    fs::create_dir_all(folder).map_err(failed)?;
    for (name, text) in FILES {
        fs::write(folder.join(name), text).map_err(failed)?;
    }
    Ok(())
}

/// Returns the interface with its world. More packages may be added to it.
pub(super) fn resolve() -> (Resolve, WorldId) {
    let mut files = SourceMap::new();
    for (name, text) in FILES {
        files.push(Path::new(name), text);
    }
    let group = files.parse().map_err(|(_, error)| error.to_string());
    let mut resolve = Resolve::default();
    let package = group
        .and_then(|group| resolve.push_group(group).map_err(|error| error.to_string()))
        .expect("the interface that this binary was built with is valid");
    let world = resolve
        .select_world(&[package], Some(WORLD))
        .expect("it has the world of operators");
    (resolve, world)
}
