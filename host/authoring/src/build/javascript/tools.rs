//! Finds the SDK and the tools of a package, as node finds modules: in the folders named
//! `node_modules` from the package up.

use std::fmt::{self, Display};
use std::fs;
use std::io;
use std::iter;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde::Deserialize;

use super::package::Package;
use crate::build::error::BuildError;
use crate::build::{folder_of, tool};
use crate::language::Language;
use crate::tools::{COMPONENTIZE_QJS_VERSION, ESBUILD_VERSION, own_folder};
use crate::tools::{Found, Origin, Places, System, ToolReport, UsedTool, Version};

/// The engine and its compiler. Other versions pass values in other forms.
const COMPONENTIZE: &str = "componentize-qjs";

/// The bundler, which also compiles TypeScript.
const ESBUILD: &str = "esbuild";

/// The oldest version of Node.js that the tools run on.
const OLDEST_NODE: Version = Version::new(20, 0, 0);

/// The folder of packages.
const MODULES: &str = "node_modules";

/// The tools of a package.
#[derive(Debug)]
pub(super) struct Tools {
    /// The folder of the SDK, without links.
    pub(super) sdk: PathBuf,
    pub(super) esbuild: Found,
    pub(super) componentize: Found,
    pub(super) versions: Versions,
}

/// The installed versions, for people.
#[derive(Debug)]
pub(super) struct Versions {
    esbuild: Option<String>,
    componentize: Option<String>,
}

impl Tools {
    /// Finds the tools of the package, beside it or beside its SDK, or those of Tidegate or of the
    /// machine. A package without its SDK gets a link to it, or is installed by npm.
    pub(super) fn find(
        manifest: &Path,
        package: &Package,
        offline: bool,
    ) -> Result<Self, BuildError> {
        let places = Places::of_this_process();
        places
            .on_path("node")
            .ok_or_else(|| BuildError::NoToolchain {
                language: Language::JavaScript,
                tool: "node, which runs the JavaScript compiler,".to_owned(),
            })?;
        let folder = folder_of(manifest);
        let sdk = match sdk(folder) {
            Some(sdk) => sdk,
            None => {
                let has_tools = installed(&places, COMPONENTIZE).is_some()
                    && installed(&places, ESBUILD).is_some();
                match package.linked_sdk().filter(|_| has_tools) {
                    Some(sdk) => link(folder, sdk)?,
                    None => install(manifest, offline)?,
                }
                sdk(folder).ok_or_else(|| BuildError::NoSdk {
                    sdk: "@tidegate/sdk".to_owned(),
                    remedy: "name its folder in the `dependencies` of package.json, \
                             `\"@tidegate/sdk\": \"file:./sdk\"`, and run `npm install`; \
                             `tidegate new` writes a copy of the SDK into a project's folder `sdk`",
                })?
            }
        };
        let program = |name: &str| {
            let found = program(&places, name, &[folder, &sdk]);
            found.ok_or_else(|| BuildError::NoToolchain {
                language: Language::JavaScript,
                tool: name.to_owned(),
            })
        };
        let (esbuild, componentize) = (program(ESBUILD)?, program(COMPONENTIZE)?);
        let versions = Versions {
            esbuild: version(&esbuild.path),
            componentize: version(&componentize.path),
        };
        versions.check(componentize.origin)?;
        Ok(Self {
            sdk,
            esbuild,
            componentize,
            versions,
        })
    }

    /// Returns the tools for the report of a build.
    pub(super) fn used(&self) -> Vec<UsedTool> {
        vec![
            self.componentize.used(COMPONENTIZE),
            self.esbuild.used(ESBUILD),
        ]
    }
}

/// Reports on the tools for packages in a folder.
pub(super) fn examine(folder: &Path) -> Vec<ToolReport> {
    let places = Places::of_this_process();
    let sdk = sdk(folder);
    let from: Vec<&Path> = iter::once(folder).chain(sdk.as_deref()).collect();
    let pinned = |name: &str, pin: &str| {
        let fix = "`tidegate doctor javascript --fix`".to_owned();
        let Some(found) = program(&places, name, &from) else {
            return ToolReport::missing(Language::JavaScript, name, pin, fix);
        };
        let (version, origin) = (version(&found.path), found.origin);
        let is_other = name == COMPONENTIZE && version.as_deref().is_some_and(|v| v != pin);
        let report = ToolReport::found(Language::JavaScript, name, pin, found, version);
        match (is_other, origin) {
            (false, _) => report,
            // A build takes the package's own tools first.
            (true, Origin::Project) => report.with_wrong_version(Versions::install()),
            (true, Origin::Environment | Origin::Tidegate | Origin::Checkout | Origin::Machine) => {
                report.with_wrong_version(fix)
            }
        }
    };
    vec![
        node(&places),
        pinned(COMPONENTIZE, &COMPONENTIZE_QJS_VERSION),
        pinned(ESBUILD, &ESBUILD_VERSION),
    ]
}

fn node(places: &Places) -> ToolReport {
    let wanted = format!("{OLDEST_NODE} or newer");
    let remedy = System::of_this_machine().node();
    let language = Language::JavaScript;
    let Some(path) = places.on_path("node") else {
        return ToolReport::missing(language, "node", &wanted, remedy);
    };
    let said = Command::new(&path).arg("--version").output();
    let said = said.map_or_else(|_| Vec::new(), |output| output.stdout);
    let said = String::from_utf8_lossy(&said).trim().to_owned();
    let version = Version::find_in(&said);
    let found = Found::new(path, Origin::Machine);
    let shown = Some(said.trim_start_matches('v').to_owned());
    let report = ToolReport::found(language, "node", &wanted, found, shown);
    match version >= Some(OLDEST_NODE) {
        true => report,
        false => report.with_wrong_version(remedy),
    }
}

impl Versions {
    /// Returns the command that installs both tools into a package.
    pub(super) fn install() -> String {
        format!(
            "run `npm install --save-dev --save-exact {COMPONENTIZE}@{} {ESBUILD}@{}` in the \
             package",
            *COMPONENTIZE_QJS_VERSION, *ESBUILD_VERSION
        )
    }

    /// Rejects another version of the engine. `origin` is the place of the engine.
    fn check(&self, origin: Origin) -> Result<(), BuildError> {
        let wanted = &*COMPONENTIZE_QJS_VERSION;
        match (&self.componentize, origin) {
            (Some(found), Origin::Project) if found != wanted => Err(BuildError::OtherTool {
                tool: COMPONENTIZE.to_owned(),
                wanted: wanted.clone(),
                found: found.clone(),
                remedy: Self::install(),
            }),
            (Some(found), _) if found != wanted => Err(BuildError::NoToolchain {
                language: Language::JavaScript,
                tool: format!("{COMPONENTIZE} {wanted} (found {found})"),
            }),
            (Some(_) | None, _) => Ok(()),
        }
    }
}

impl Display for Versions {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = |version: &Option<String>| version.clone().unwrap_or_default();
        let (componentize, esbuild) = (shown(&self.componentize), shown(&self.esbuild));
        write!(
            formatter,
            "{COMPONENTIZE} {componentize}, {ESBUILD} {esbuild}"
        )
    }
}

/// Returns the SDK that the package imports, without links: its own tools are beside it.
fn sdk(folder: &Path) -> Option<PathBuf> {
    let found = up(folder, "@tidegate/sdk").find(|path| path.join("package.json").is_file())?;
    fs::canonicalize(found).ok()
}

/// Runs npm: installs exactly the lock file, if there is one.
fn install(manifest: &Path, offline: bool) -> Result<(), BuildError> {
    let folder = folder_of(manifest);
    let is_locked = folder.join("package-lock.json").is_file();
    let mut npm = Command::new("npm");
    npm.current_dir(folder);
    npm.arg(if is_locked { "ci" } else { "install" });
    npm.args(["--ignore-scripts", "--no-audit", "--no-fund"]);
    npm.args(["--loglevel=error", "--prefer-offline"]);
    if offline {
        npm.arg("--offline");
    }
    npm.stdout(Stdio::null()).stderr(Stdio::inherit());
    let output = tool::run(
        &mut npm,
        "npm comes with Node.js; `tidegate doctor javascript` names the command that installs it",
    )?;
    if output.status.success() {
        return Ok(());
    }
    let reason = match offline {
        true => {
            "its packages are not installed, and npm's cache lacks some of them; run `npm install`"
        }
        false => "npm could not install its packages: see the errors above",
    };
    Err(BuildError::Project {
        manifest: manifest.to_owned(),
        reason: reason.to_owned(),
    })
}

/// Makes the link to the SDK that npm would make for a dependency on a folder.
fn link(folder: &Path, sdk: &str) -> Result<(), BuildError> {
    let scope = folder.join(MODULES).join("@tidegate");
    let link = scope.join("sdk");
    let linked = fs::create_dir_all(&scope).and_then(|()| {
        // The link is relative: the project can be moved.
        let from_scope = Path::new("../..").join(sdk);
        match std::os::unix::fs::symlink(from_scope, &link) {
            // Left by a copy of the SDK that is gone; the caller reports the missing SDK.
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
            linked => linked,
        }
    });
    linked.map_err(|source| BuildError::Write { path: link, source })
}

/// Returns a program of the package, of its SDK, of Tidegate, or of the machine.
fn program(places: &Places, name: &str, from: &[&Path]) -> Option<Found> {
    let bin = format!(".bin/{name}");
    let mut local = from.iter().flat_map(|folder| up(folder, &bin));
    match local.find(|path| path.is_file()) {
        Some(path) => Some(Found::new(path, Origin::Project)),
        None => installed(places, name),
    }
}

/// Returns a program outside of packages: in Tidegate's own folder, in that of a checkout, or on
/// the `PATH`.
fn installed(places: &Places, name: &str) -> Option<Found> {
    let own = own_folder(places, Language::JavaScript).map(|folder| (folder, Origin::Tidegate));
    let checkout = places
        .checkout
        .as_ref()
        .map(|tools| tools.join("javascript"));
    let folders = own
        .into_iter()
        .chain(checkout.map(|folder| (folder, Origin::Checkout)));
    let mut programs = folders.map(|(folder, origin)| {
        let program = folder.join(MODULES).join(".bin").join(name);
        Found::new(program, origin)
    });
    let found = programs.find(|found| found.path.is_file());
    found.or_else(|| Some(Found::new(places.on_path(name)?, Origin::Machine)))
}

/// Returns the places where node looks for something, from a folder up.
pub(super) fn up(folder: &Path, name: &str) -> impl Iterator<Item = PathBuf> {
    folder
        .ancestors()
        .map(move |at| at.join(MODULES).join(name))
}

/// Returns the version of the package that a program is part of.
fn version(program: &Path) -> Option<String> {
    #[derive(Deserialize)]
    struct Manifest {
        version: String,
    }
    let program = fs::canonicalize(program).ok()?;
    let manifest = program.parent()?.parent()?.join("package.json");
    let text = fs::read_to_string(manifest).ok()?;
    let manifest: Manifest = serde_json::from_str(&text).ok()?;
    Some(manifest.version)
}
