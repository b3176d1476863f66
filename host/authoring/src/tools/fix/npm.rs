//! Packages of npm, of the versions and with the hashes of a lock file.

use std::fs;
use std::path::Path;
use std::process::Command;

use super::{FixError, run, write_error};
use crate::tools::places::Places;
use crate::tools::{pins, system::System};

/// Installs the tools of JavaScript into a new folder. No script of a package runs.
pub(super) fn install(folder: &Path) -> Result<(), FixError> {
    let places = Places::of_this_process();
    let npm = places.on_path("npm").ok_or_else(|| FixError::Impossible {
        needed: "there is no npm, which installs the tools of JavaScript".to_owned(),
        remedy: System::of_this_machine().node(),
    })?;
    fs::create_dir(folder).map_err(write_error(folder))?;
    for (name, text) in [
        ("package.json", pins::JAVASCRIPT),
        ("package-lock.json", pins::JAVASCRIPT_LOCK),
    ] {
        let path = folder.join(name);
        fs::write(&path, text).map_err(write_error(&path))?;
    }
    let mut command = Command::new(npm);
    command.current_dir(folder).arg("ci");
    command.args([
        "--ignore-scripts",
        "--no-audit",
        "--no-fund",
        "--loglevel=error",
    ]);
    // The settings of a user who installs packages globally, or without optional packages: the
    // programs of esbuild and componentize-qjs for this machine are optional packages.
    command.args(["--location=project", "--include=optional"]);
    run(&mut command)
}
