//! Checks the types of a package in TypeScript. The bundler only removes them.
//!
//! The project's own compiler checks them, with the project's settings. A project without
//! TypeScript is built unchecked, so that an operator needs no other package than the SDK.

use std::io;
use std::path::Path;
use std::process::{Command, Stdio};

use super::super::error::BuildError;
use super::super::{folder_of, tool};
use super::tools::up;

/// The settings of a project in TypeScript.
const SETTINGS: &str = "tsconfig.json";

/// Checks the types, if the package has settings and the compiler. Its errors go to stderr.
pub(super) fn check(manifest: &Path) -> Result<(), BuildError> {
    let folder = folder_of(manifest);
    let compiler = up(folder, ".bin/tsc").find(|path| path.is_file());
    let (Some(compiler), true) = (compiler, folder.join(SETTINGS).is_file()) else {
        return Ok(());
    };
    let mut command = Command::new(compiler);
    command
        .current_dir(folder)
        .args(["--noEmit", "--pretty", "false", "--project", SETTINGS])
        .stdin(Stdio::null())
        // The compiler writes its errors to stdout.
        .stdout(io::stderr())
        .stderr(Stdio::inherit());
    let remedy = "`npm install` in the package installs it again";
    let output = tool::run(&mut command, remedy)?;
    if !output.status.success() {
        return Err(BuildError::NotCompiled {
            manifest: manifest.to_owned(),
        });
    }
    Ok(())
}
