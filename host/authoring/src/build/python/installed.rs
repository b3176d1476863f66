//! The installed parts that a build needs: componentize-py, the SDK, and the project's packages.

use std::env;
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use tidegate_operator::shown;

use crate::build::error::BuildError;
use crate::build::tool;
use crate::language::Language;
use crate::tools::{COMPONENTIZE_PY_VERSION, Version, is_program, own_folder};
use crate::tools::{Found, Origin, Places, ToolReport};

/// The name of the compiler.
const COMPONENTIZE: &str = "componentize-py";

/// The instruction for a user whose componentize-py does not start.
pub(super) const REMEDY: &str = "`tidegate doctor python` reports the reason";

/// The installed parts.
#[derive(Debug)]
pub(super) struct Installed {
    /// The program componentize-py.
    pub(super) componentize: Found,
    /// The package `tidegate` of the SDK.
    pub(super) sdk: PathBuf,
    /// Folders of packages that the author's modules may import.
    pub(super) packages: Vec<PathBuf>,
    /// The compiler and its version, for people.
    pub(super) description: String,
}

impl Installed {
    /// Finds the parts for a project.
    pub(super) fn find(project: &Path, named_sdk: Option<&Path>) -> Result<Self, BuildError> {
        let environments = environments(project);
        let componentize = find_componentize(&environments, &Places::of_this_process());
        let componentize = componentize.ok_or_else(|| BuildError::NoToolchain {
            language: Language::Python,
            tool: format!("{COMPONENTIZE}, which compiles Python into components,"),
        })?;
        let packages = environments.iter().filter_map(|(e, _)| packages_of(e));
        let packages: Vec<_> = packages.collect();
        let sdk = find_sdk(named_sdk, &packages)?;
        let description = describe(&componentize.path)?;
        Ok(Self {
            componentize,
            sdk,
            packages,
            description,
        })
    }
}

/// Returns the project's virtual environment: from its folder or one above, else the shell's.
fn environments(project: &Path) -> Vec<(PathBuf, Origin)> {
    let places = project.ancestors();
    let own = places.flat_map(|place| [place.join(".venv"), place.join("venv")]);
    let own = own.map(|place| (place, Origin::Project));
    let shell = env::var_os("VIRTUAL_ENV").map(PathBuf::from);
    let mut all = own.chain(shell.map(|place| (place, Origin::Environment)));
    all.find(|(place, _)| place.join("pyvenv.cfg").is_file())
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

/// Looks in the environment of the project or the shell, in Tidegate's own folder, in that of a
/// checkout, and on the `PATH`.
fn find_componentize(environments: &[(PathBuf, Origin)], places: &Places) -> Option<Found> {
    let own = own_folder(places, Language::Python).map(|folder| (folder, Origin::Tidegate));
    let checkout = places.checkout.as_ref().map(|tools| tools.join("python"));
    let checkout = checkout.map(|folder| (folder, Origin::Checkout));
    let all = environments.iter().cloned().chain(own).chain(checkout);
    let mut programs = all.map(|(folder, origin)| {
        let program = folder.join("bin").join(COMPONENTIZE);
        Found::new(program, origin)
    });
    let found = programs.find(|found| is_program(&found.path));
    found.or_else(|| Some(Found::new(places.on_path(COMPONENTIZE)?, Origin::Machine)))
}

/// Reports on the compiler for projects in a folder.
pub(super) fn examine(folder: &Path) -> Vec<ToolReport> {
    let wanted = format!("{} or newer", *COMPONENTIZE_PY_VERSION);
    let (places, language) = (Places::of_this_process(), Language::Python);
    let Some(found) = find_componentize(&environments(folder), &places) else {
        let remedy = "`tidegate doctor python --fix`".to_owned();
        return vec![ToolReport::missing(language, COMPONENTIZE, &wanted, remedy)];
    };
    let said = describe(&found.path).unwrap_or_default();
    let version = Version::find_in(&said);
    let origin = found.origin;
    let number = said.split(' ').next_back().map(str::to_owned);
    let report = ToolReport::found(language, COMPONENTIZE, &wanted, found, number);
    let is_new_enough = version >= Version::find_in(&COMPONENTIZE_PY_VERSION);
    vec![match (is_new_enough, origin) {
        (true, _) => report,
        // A build takes the project's own tools first.
        (false, Origin::Project | Origin::Environment) => report.with_wrong_version(format!(
            "`pip install {COMPONENTIZE}=={}` in that environment",
            *COMPONENTIZE_PY_VERSION
        )),
        (false, Origin::Tidegate | Origin::Checkout | Origin::Machine) => {
            report.with_wrong_version("`tidegate doctor python --fix`".to_owned())
        }
    }]
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
    found.ok_or_else(|| BuildError::NoSdk {
        sdk: match named {
            Some(named) => format!("the SDK in `{}`", shown(named)),
            None => "the SDK (package `tidegate`)".to_owned(),
        },
        remedy: "name its folder in pyproject.toml: `sdk = \"sdk\"` under `[tool.tidegate]`; \
                  `tidegate new` writes a copy of the SDK into a project's folder `sdk`",
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
    use std::fs::Permissions;
    use std::os::unix::fs::PermissionsExt as _;

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
        let found = [(environment.clone(), Origin::Project)];
        assert_eq!(environments(&project), found);
        assert_eq!(packages_of(&environment), Some(packages.clone()));
        let sdk = find_sdk(None, std::slice::from_ref(&packages));
        assert_eq!(sdk.expect("it is there"), packages.join("tidegate"));
    }

    /// Makes an executable file, and its folder.
    fn program(path: PathBuf) -> PathBuf {
        fs::create_dir_all(path.parent().expect("it has one")).expect("it can be made");
        fs::write(&path, "").expect("it can be written");
        fs::set_permissions(&path, Permissions::from_mode(0o755)).expect("it is ours");
        path
    }

    #[test]
    fn the_compiler_of_the_project_wins_then_the_ones_of_tidegate_a_checkout_and_the_machine() {
        let folder = tempfile::tempdir().expect("a temporary directory can be made");
        let at = |path: &str| folder.path().join(path);
        let environments = [(at("venv"), Origin::Project)];
        let places = Places {
            own: Some(at("own")),
            checkout: Some(at("checkout")),
            search_path: vec![at("machine")],
        };
        let origin = || Some(find_componentize(&environments, &places)?.origin);
        assert_eq!(origin(), None);
        program(at("machine/componentize-py"));
        assert_eq!(origin(), Some(Origin::Machine));
        program(at("checkout/python/bin/componentize-py"));
        assert_eq!(origin(), Some(Origin::Checkout));
        let own = format!("own/python-{}", *COMPONENTIZE_PY_VERSION);
        program(at(&own).join("bin/componentize-py"));
        assert_eq!(
            origin(),
            Some(Origin::Checkout),
            "the installation is incomplete"
        );
        let pins = include_str!("../../../tools/python.txt");
        fs::write(at(&own).join("installed.txt"), pins).expect("it can be written");
        assert_eq!(origin(), Some(Origin::Tidegate));
        program(at("venv/bin/componentize-py"));
        assert_eq!(origin(), Some(Origin::Project));
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
