//! Packages of `PyPI`, of the versions and with the hashes of a file of requirements, in a virtual
//! environment of their own.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::{FixError, run, write_error};
use crate::tools::places::Places;
use crate::tools::{system::System, version::Version};

/// The need of a language for an interpreter of Python.
#[derive(Clone, Copy, Debug)]
pub(super) struct Need {
    oldest: Version,
    purpose: &'static str,
    /// The other way to get the tools, where there is one.
    otherwise: fn(System) -> String,
}

pub(super) const FOR_PYTHON: Need = Need {
    oldest: Version::new(3, 11, 0),
    purpose: "for componentize-py",
    otherwise: System::python,
};

pub(super) const FOR_GO: Need = Need {
    oldest: Version::new(3, 9, 0),
    purpose: "with whose pip this command installs Go",
    otherwise: System::go,
};

/// Names of interpreters. A distribution's newer ones have a version in the name.
const NAMES: [&str; 6] = [
    "python3",
    "python3.14",
    "python3.13",
    "python3.12",
    "python3.11",
    "python",
];

/// Prints the version and the modules that can make an environment.
const QUESTION: &str = "import importlib.util as u, sys
print('.'.join(map(str, sys.version_info[:3])))
print(*(name for name in ('venv', 'ensurepip', 'pip') if u.find_spec(name)))";

/// Settings with which a user redirects pip or the interpreter, and which have another meaning in
/// an environment.
const REDIRECTIONS: [&str; 7] = [
    "PIP_PREFIX",
    "PIP_ROOT",
    "PIP_TARGET",
    "PIP_USER",
    "PYTHONHOME",
    "PYTHONPATH",
    "__PYVENV_LAUNCHER__",
];

/// The ways to make an environment with packages, the best one first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Way {
    /// An environment with its own pip.
    OwnPip,
    /// An environment without pip, in which the interpreter's pip installs: Debian's Python has
    /// no `ensurepip` without the package `python3-venv`.
    OutsidePip,
    /// Both by uv.
    Uv,
}

/// Installs the requirements into a new folder.
pub(super) fn install(requirements: &str, folder: &Path, need: Need) -> Result<(), FixError> {
    let places = Places::of_this_process();
    let (python, way) = interpreter(&places, need.oldest).ok_or_else(|| FixError::Impossible {
        needed: format!(
            "there is no Python {} or newer with venv and pip, {}",
            need.oldest, need.purpose
        ),
        remedy: (need.otherwise)(System::of_this_machine()),
    })?;
    let inside = folder.join("bin/python");
    match way {
        Way::OwnPip => run(command(&python).args(["-m", "venv"]).arg(folder))?,
        Way::OutsidePip => {
            run(command(&python)
                .args(["-m", "venv", "--without-pip"])
                .arg(folder))?;
        }
        Way::Uv => run(uv(&places, "venv").arg("--python").arg(&python).arg(folder))?,
    }
    let list = folder.join("requirements.txt");
    fs::write(&list, requirements).map_err(write_error(&list))?;
    let mut installer = match way {
        Way::OwnPip => pip(&inside),
        Way::OutsidePip => {
            let mut pip = pip(&python);
            pip.arg("--python").arg(&inside);
            pip
        }
        Way::Uv => uv(&places, "pip"),
    };
    installer.args(["install", "--quiet", "--require-hashes", "--no-deps"]);
    if way == Way::Uv {
        installer.arg("--python").arg(&inside);
    }
    // A package from source would run its own code, and needs compilers.
    installer
        .arg("--only-binary=:all:")
        .arg("--requirement")
        .arg(&list);
    run(&mut installer)
}

/// Returns the interpreter with the best way to make an environment.
fn interpreter(places: &Places, oldest: Version) -> Option<(PathBuf, Way)> {
    let has_uv = places.on_path("uv").is_some();
    let programs = NAMES.iter().flat_map(|name| {
        let folders = places.search_path.iter();
        folders.map(move |folder| folder.join(name))
    });
    let usable = programs.filter(|program| program.is_file());
    let usable = usable.filter_map(|program| {
        let (version, modules) = ask(&program)?;
        let way = way(&modules, has_uv)?;
        (version >= oldest).then_some((program, way))
    });
    // Of equal ones the first, as the shell would choose.
    usable.min_by_key(|(_, way)| *way)
}

fn way(modules: &[String], has_uv: bool) -> Option<Way> {
    let has = |name: &str| modules.iter().any(|module| module == name);
    match (has("venv"), has("ensurepip"), has("pip")) {
        (true, true, _) => Some(Way::OwnPip),
        (true, false, true) => Some(Way::OutsidePip),
        (true, false, false) | (false, _, _) => has_uv.then_some(Way::Uv),
    }
}

/// Returns the version of an interpreter, and the modules of [`QUESTION`] that it has.
fn ask(python: &Path) -> Option<(Version, Vec<String>)> {
    let mut question = command(python);
    question.args(["-c", QUESTION]);
    question.stdin(Stdio::null()).stderr(Stdio::null());
    let output = question
        .output()
        .ok()
        .filter(|output| output.status.success())?;
    let text = String::from_utf8_lossy(&output.stdout);
    let (version, modules) = text.split_once('\n')?;
    let modules = modules.split_whitespace().map(str::to_owned).collect();
    Some((Version::find_in(version)?, modules))
}

fn command(program: &Path) -> Command {
    let mut command = Command::new(program);
    for variable in REDIRECTIONS {
        command.env_remove(variable);
    }
    command
}

fn pip(python: &Path) -> Command {
    let mut pip = command(python);
    pip.args(["-m", "pip", "--disable-pip-version-check"]);
    pip
}

fn uv(places: &Places, subcommand: &str) -> Command {
    let program = places.on_path("uv").unwrap_or_else(|| PathBuf::from("uv"));
    let mut uv = command(&program);
    uv.args([subcommand, "--quiet"]);
    uv
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_python_without_its_own_pip_is_used_by_another_ways() {
        let chosen = |modules: &str, has_uv| {
            let modules: Vec<_> = modules.split_whitespace().map(str::to_owned).collect();
            way(&modules, has_uv)
        };
        assert_eq!(chosen("venv ensurepip pip", true), Some(Way::OwnPip));
        assert_eq!(chosen("venv pip", true), Some(Way::OutsidePip));
        assert_eq!(chosen("venv", true), Some(Way::Uv));
        assert_eq!(chosen("", true), Some(Way::Uv));
        assert_eq!(chosen("venv", false), None);
        assert_eq!(chosen("ensurepip pip", false), None);
    }
}
