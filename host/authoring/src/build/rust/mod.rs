//! Operators in Rust: cargo and nothing else.

mod toolchain;

mod cargo;

use std::fs;
use std::path::Path;

use cargo::{CoreModule, Project};

use super::component::Wasm;
use super::error::BuildError;
use super::{BuildRequest, Compiled, folder_of};
use crate::language::Language;

/// Compiles the components of a crate or workspace.
pub(super) fn compile(
    manifest: &Path,
    request: &BuildRequest,
) -> Result<Vec<Compiled>, BuildError> {
    let toolchain = toolchain::find(folder_of(manifest))?;
    let project = Project::read(manifest, &toolchain, request.offline)?;
    let target_dir = match &request.target_dir {
        Some(explicit) => explicit.clone(),
        None => project.target_dir.join(toolchain.directory_name()),
    };
    let modules = project.build(&toolchain, &target_dir, request.offline)?;
    if modules.is_empty() {
        return Err(BuildError::NoComponent {
            manifest: manifest.to_owned(),
            remedy: "add `crate-type = [\"cdylib\"]` under `[lib]`",
        });
    }
    let compiled = modules
        .into_iter()
        .map(|module| compiled(module, &toolchain.description));
    compiled.collect()
}

fn compiled(module: CoreModule, toolchain: &str) -> Result<Compiled, BuildError> {
    let core = fs::read(&module.path).map_err(|source| BuildError::Read {
        path: module.path.clone(),
        source,
    })?;
    Ok(Compiled {
        folder: folder_of(&module.manifest).to_owned(),
        name: module.crate_name,
        language: Language::Rust,
        wasm: Wasm::Module(core),
        sources: None,
        toolchain: toolchain.to_owned(),
    })
}
