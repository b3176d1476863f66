//! The installed parts that a build needs: componentize-py, the SDK, and the project's packages.

use std::env;
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use tidegate_operator::shown;

use crate::build::error::BuildError;
use crate::build::tool;

/// The version that this SDK is tested with.
const VERSION: &str = "0.25.1";

/// The instruction for a user without a working componentize-py.
pub(super) const REMEDY: &str = "install it with `pip install componentize-py==0.25.1`";

/// The installed parts.
#[derive(Debug)]
pub(super) struct Installed {
    /// The program componentize-py.
    pub(super) componentize: PathBuf,
    /// The package `tidegate` of the SDK.
    pub(super) sdk: PathBuf,
    /// Folders of packages that the author's modules may import.
    pub(super) packages: Vec<PathBuf>,
    /// The compiler and its version, for people.
    pub(super) description: String,
}

impl Installed {
    /// Looks in the project's virtual environment, then in that of the shell, then on `PATH`.
    pub(super) fn find(project: &Path, named_sdk: Option<&Path>) -> Result<Self, BuildError> {
        let environments = environments(project);
        let componentize = find_componentize(&environments)?;
        let packages: Vec<_> = environments.iter().filter_map(|e| packages_of(e)).collect();
        let sdk = find_sdk(named_sdk, &packages)?;
        let description = describe(&componentize)?;
        Ok(Self {
            componentize,
            sdk,
            packages,
            description,
        })
    }
}

/// Returns the project's virtual environment: from its folder or one above, else the shell's.
fn environments(project: &Path) -> Vec<PathBuf> {
    let places = project.ancestors();
    let own = places.flat_map(|place| [place.join(".venv"), place.join("venv")]);
    let shell = env::var_os("VIRTUAL_ENV").map(PathBuf::from);
    let mut all = own.chain(shell);
    all.find(|place| place.join("pyvenv.cfg").is_file())
        .into_iter()
        .collect()
}

/// Returns an environment's folder of packages: `lib/python3.x/site-packages`.
fn packages_of(environment: &Path) -> Option<PathBuf> {
    let versions = fs::read_dir(environment.join("lib")).ok()?;
    let versions = versions.filter_map(|entry| Some(entry.ok()?.path()));
    let mut packages: Vec<_> = versions
        .map(|version| version.join("site-packages"))
        .filter(|packages| packages.is_dir())
        .collect();
    packages.sort();
    packages.pop()
}

fn find_componentize(environments: &[PathBuf]) -> Result<PathBuf, BuildError> {
    let name = format!("componentize-py{}", env::consts::EXE_SUFFIX);
    let programs = |environment: &Path| ["bin", "Scripts"].map(|folder| environment.join(folder));
    let path = env::var_os("PATH").unwrap_or_default();
    let checkout = checkout_tools();
    let places = environments
        .iter()
        .flat_map(|environment| programs(environment))
        .chain(env::split_paths(&path))
        .chain(checkout.iter().flat_map(|tools| programs(tools)));
    let mut programs = places.map(|place| place.join(&name));
    programs
        .find(|program| program.is_file())
        .ok_or_else(|| BuildError::NoToolchain {
            tool: "componentize-py, which compiles Python into components,".to_owned(),
            install: format!(
                "install it with `pip install componentize-py=={VERSION}`, preferably into the \
                 project's `.venv`"
            ),
        })
}

/// Returns the folder where `make setup` of a checkout puts the tools, beside the running binary's.
fn checkout_tools() -> Option<PathBuf> {
    let binary = env::current_exe().ok()?;
    Some(binary.parent()?.parent()?.join("tools").join("python"))
}

/// Returns the package `tidegate`: from the folder that the project names, else an installed one.
fn find_sdk(named: Option<&Path>, packages: &[PathBuf]) -> Result<PathBuf, BuildError> {
    let is_sdk = |package: &PathBuf| package.join("_guest.py").is_file();
    let places: Vec<_> = match named {
        Some(named) => vec![named.join("src/tidegate"), named.join("tidegate")],
        None => packages
            .iter()
            .map(|place| place.join("tidegate"))
            .collect(),
    };
    let found = places.into_iter().find(is_sdk);
    found.ok_or_else(|| BuildError::NoToolchain {
        tool: match named {
            Some(named) => format!("the SDK in `{}`", shown(named)),
            None => "the SDK (package `tidegate`)".to_owned(),
        },
        install: "name its folder in pyproject.toml: `sdk = \"sdk\"` under `[tool.tidegate]`; \
                  `tidegate new` writes a copy of the SDK into a project's folder `sdk`"
            .to_owned(),
    })
}

/// Returns the program's own description: `componentize-py 0.25.1`.
fn describe(componentize: &Path) -> Result<String, BuildError> {
    let output = tool::run(Command::new(componentize).arg("--version"), REMEDY)?;
    let said = String::from_utf8_lossy(&output.stdout);
    let first = said.lines().next().map(str::trim).unwrap_or_default();
    let name = componentize.file_stem().and_then(OsStr::to_str);
    Ok(match first {
        "" => name.unwrap_or("componentize-py").to_owned(),
        said => said.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_projects_environment_comes_first_and_its_packages_are_found() {
        let folder = tempfile::tempdir().expect("a temporary directory can be made");
        let environment = folder.path().join(".venv");
        let packages = environment.join("lib/python3.13/site-packages");
        fs::create_dir_all(packages.join("tidegate")).expect("it can be made");
        fs::write(environment.join("pyvenv.cfg"), "").expect("it can be written");
        fs::write(packages.join("tidegate/_guest.py"), "").expect("it can be written");
        let project = folder.path().join("operators/count");
        assert_eq!(environments(&project), std::slice::from_ref(&environment));
        assert_eq!(packages_of(&environment), Some(packages.clone()));
        let sdk = find_sdk(None, std::slice::from_ref(&packages));
        assert_eq!(sdk.expect("it is there"), packages.join("tidegate"));
    }

    #[test]
    fn a_missing_sdk_is_named_with_what_to_do() {
        let error = find_sdk(None, &[]).expect_err("there is none").to_string();
        assert!(error.contains("the SDK (package `tidegate`)"), "{error}");
        // The name of a package that someone else could register.
        assert!(!error.contains("tidegate-sdk"), "{error}");
        assert!(error.contains("`sdk = "), "{error}");
        let error = find_sdk(Some(Path::new("/nothing")), &[]).expect_err("there is none");
        assert!(error.to_string().contains("`/nothing`"), "{error}");
    }
}
