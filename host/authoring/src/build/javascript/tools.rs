//! Finds the SDK and the tools of a package, as node finds modules: in the folders named
//! `node_modules` from the package up.

use std::env;
use std::fmt::{self, Display};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde::Deserialize;

use crate::build::error::BuildError;
use crate::build::{folder_of, tool};

/// The engine and its compiler. Other versions pass values in other forms.
const COMPONENTIZE: &str = "componentize-qjs";
const COMPONENTIZE_VERSION: &str = "0.4.5";

/// The bundler, which also compiles TypeScript.
const ESBUILD: &str = "esbuild";
const ESBUILD_VERSION: &str = "0.28.2";

/// The folder of packages.
const MODULES: &str = "node_modules";

/// The tools of a package.
#[derive(Debug)]
pub(super) struct Tools {
    /// The folder of the SDK, without links.
    pub(super) sdk: PathBuf,
    pub(super) esbuild: PathBuf,
    pub(super) componentize: PathBuf,
    pub(super) versions: Versions,
}

/// The installed versions, for people.
#[derive(Debug)]
pub(super) struct Versions {
    esbuild: Option<String>,
    componentize: Option<String>,
}

impl Tools {
    /// Finds the tools of the package, beside it or beside its SDK, or those of the machine.
    /// Installs a package without its SDK first.
    pub(super) fn find(manifest: &Path, offline: bool) -> Result<Self, BuildError> {
        on_path("node").ok_or_else(|| BuildError::NoToolchain {
            tool: "node, which runs the JavaScript compiler,".to_owned(),
            install: "install Node.js 20 or newer: https://nodejs.org, or on Debian 13 \
                      `apt-get install nodejs npm`"
                .to_owned(),
        })?;
        let folder = folder_of(manifest);
        let sdk = match sdk(folder) {
            Some(sdk) => sdk,
            None => {
                install(manifest, offline)?;
                sdk(folder).ok_or_else(|| BuildError::NoToolchain {
                    tool: "@tidegate/sdk".to_owned(),
                    install: "name its folder in the `dependencies` of package.json, \
                              `\"@tidegate/sdk\": \"file:./sdk\"`, and run `npm install`; \
                              `tidegate new` writes a copy of the SDK into a project's folder `sdk`"
                        .to_owned(),
                })?
            }
        };
        let esbuild = program(ESBUILD, folder, &sdk)?;
        let componentize = program(COMPONENTIZE, folder, &sdk)?;
        let versions = Versions {
            esbuild: version(&esbuild),
            componentize: version(&componentize),
        };
        versions.check()?;
        Ok(Self {
            sdk,
            esbuild,
            componentize,
            versions,
        })
    }
}

impl Versions {
    /// Returns the command that installs both tools.
    pub(super) fn install() -> String {
        format!(
            "run `npm install --save-dev --save-exact {COMPONENTIZE}@{COMPONENTIZE_VERSION} \
             {ESBUILD}@{ESBUILD_VERSION}` in the package"
        )
    }

    fn check(&self) -> Result<(), BuildError> {
        match self.componentize.as_deref() {
            None | Some(COMPONENTIZE_VERSION) => Ok(()),
            Some(other) => Err(BuildError::NoToolchain {
                tool: format!("{COMPONENTIZE} {COMPONENTIZE_VERSION} (found {other})"),
                install: Self::install(),
            }),
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
    npm.arg("--loglevel=error");
    if offline {
        npm.arg("--offline");
    }
    npm.stdout(Stdio::null()).stderr(Stdio::inherit());
    let output = tool::run(
        &mut npm,
        "npm comes with Node.js; on Debian, `apt-get install npm` installs it",
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

/// Returns the path of a program of the package, of its SDK, or of the machine.
fn program(name: &str, folder: &Path, sdk: &Path) -> Result<PathBuf, BuildError> {
    let bin = format!(".bin/{name}");
    let mut local = up(folder, &bin).chain(up(sdk, &bin));
    let found = local.find(|path| path.is_file()).or_else(|| on_path(name));
    found.ok_or_else(|| BuildError::NoToolchain {
        tool: name.to_owned(),
        install: Versions::install(),
    })
}

/// Returns the places where node looks for something, from a folder up.
pub(super) fn up(folder: &Path, name: &str) -> impl Iterator<Item = PathBuf> {
    folder
        .ancestors()
        .map(move |at| at.join(MODULES).join(name))
}

fn on_path(name: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH")?;
    let mut places = env::split_paths(&path).map(|place| place.join(name));
    places.find(|place| place.is_file())
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
