//! What `tidegate build` does: from a Rust crate to a component, with no tool but cargo.
//!
//! find the crate → find a guest toolchain → cargo → core modules → components → files. Every step
//! but cargo's is in this process. Nothing here prints: cargo talks on stderr by itself, and the
//! report is the return value.

mod error;
mod toolchain;

mod cargo;
mod component;

use std::fs;
use std::path::{Path, PathBuf};

use serde::Serialize;

pub use error::BuildError;

use cargo::{CoreModule, Project};

/// What to build, and where to put it.
#[derive(Clone, Debug)]
pub struct BuildRequest {
    /// A crate, a workspace, or a `Cargo.toml`.
    pub path: PathBuf,
    /// A file if it ends in `.wasm` and there is one component, else a directory, which is made if
    /// it is missing. Without it, each component goes beside its crate's `Cargo.toml`.
    pub out: Option<PathBuf>,
    /// Where cargo keeps its artifacts. Without it, a directory of the guest toolchain's own below
    /// the project's target directory, so that it never mixes with the host's artifacts.
    pub target_dir: Option<PathBuf>,
    /// Use nothing from the network.
    pub offline: bool,
}

/// One component that was built.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct BuiltComponent {
    /// Name of the package.
    pub crate_name: String,
    /// Where the component is.
    pub path: PathBuf,
    /// Its size.
    pub bytes: u64,
    /// What it imports, by interface name.
    pub imports: Vec<String>,
    /// What it exports, by interface name.
    pub exports: Vec<String>,
    /// What compiled it.
    pub toolchain: String,
}

/// Builds every component of the crate or workspace at the request's path.
///
/// # Errors
///
/// [`BuildError`] says what is missing, and the command that installs it. Components that were
/// written before the failure stay, each of them whole.
pub fn build(request: &BuildRequest) -> Result<Vec<BuiltComponent>, BuildError> {
    let manifest = find_manifest(&request.path)?;
    let toolchain = toolchain::find(directory_of(&manifest))?;
    let project = Project::read(&manifest, &toolchain, request.offline)?;
    let target_dir = match &request.target_dir {
        Some(explicit) => explicit.clone(),
        None => project.target_dir.join(toolchain.directory_name()),
    };
    let modules = project.build(&toolchain, &target_dir, request.offline)?;
    if modules.is_empty() {
        return Err(BuildError::NoComponent { manifest });
    }
    let paths = output_paths(request.out.as_deref(), &modules)?;
    modules
        .iter()
        .zip(paths)
        .map(|(module, path)| make_component(module, path, &toolchain.description))
        .collect()
}

fn make_component(
    module: &CoreModule,
    path: PathBuf,
    toolchain: &str,
) -> Result<BuiltComponent, BuildError> {
    let core = fs::read(&module.path).map_err(|source| BuildError::Read {
        path: module.path.clone(),
        source,
    })?;
    let component = component::encode(&module.crate_name, &core)?;
    write_whole(&path, &component.bytes)?;
    Ok(BuiltComponent {
        crate_name: module.crate_name.clone(),
        path,
        bytes: component.bytes.len() as u64,
        imports: component.imports,
        exports: component.exports,
        toolchain: toolchain.to_owned(),
    })
}

/// The `Cargo.toml` that `path` names or holds.
fn find_manifest(path: &Path) -> Result<PathBuf, BuildError> {
    let manifest = if path.is_dir() {
        path.join("Cargo.toml")
    } else {
        path.to_owned()
    };
    let is_manifest = manifest
        .file_name()
        .is_some_and(|name| name == "Cargo.toml");
    if !is_manifest || !manifest.is_file() {
        return Err(BuildError::NoManifest { path: path.into() });
    }
    // Cargo and rustup run in the crate's directory, where a relative path means something else.
    fs::canonicalize(&manifest).map_err(|source| BuildError::Read {
        path: manifest,
        source,
    })
}

fn directory_of(manifest: &Path) -> &Path {
    manifest.parent().unwrap_or(Path::new("."))
}

/// Where each component goes.
fn output_paths(out: Option<&Path>, modules: &[CoreModule]) -> Result<Vec<PathBuf>, BuildError> {
    let file_name = |module: &CoreModule| format!("{}.wasm", module.crate_name);
    let Some(out) = out else {
        let beside = |module: &CoreModule| directory_of(&module.manifest).join(file_name(module));
        return Ok(modules.iter().map(beside).collect());
    };
    let is_file = out.extension().is_some_and(|extension| extension == "wasm") && !out.is_dir();
    match (is_file, modules.len()) {
        (true, 1) => Ok(vec![out.to_owned()]),
        (true, components) => Err(BuildError::OneFileForMany {
            out: out.to_owned(),
            components,
        }),
        (false, _) => {
            fs::create_dir_all(out).map_err(|source| BuildError::Write {
                path: out.to_owned(),
                source,
            })?;
            Ok(modules.iter().map(|m| out.join(file_name(m))).collect())
        }
    }
}

/// Writes beside the file and renames, so that a job that starts meanwhile reads a whole component.
fn write_whole(path: &Path, bytes: &[u8]) -> Result<(), BuildError> {
    let partial = path.with_extension("wasm.partial");
    fs::write(&partial, bytes)
        .and_then(|()| fs::rename(&partial, path))
        .map_err(|source| BuildError::Write {
            path: path.to_owned(),
            source,
        })
}

#[cfg(test)]
mod tests;
