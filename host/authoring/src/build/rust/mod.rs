//! Operators in Rust: cargo and nothing else.

mod toolchain;

mod cargo;
mod shared;

use std::fs;
use std::path::Path;

use cargo::{CoreModule, Project};
use shared::ProjectFolder;
use toolchain::Toolchain;

use super::component::Wasm;
use super::error::BuildError;
use super::{BuildRequest, Compiled, folder_of};
use crate::language::Language;
use crate::tools::{ToolReport, cache_folder};

/// Compiles the components of a crate or workspace.
pub(super) fn compile(
    manifest: &Path,
    request: &BuildRequest,
) -> Result<Vec<Compiled>, BuildError> {
    let toolchain = toolchain::find(folder_of(manifest))?;
    let project = Project::read(manifest, &toolchain, request.offline)?;
    let root = match (&request.target_dir, &project.named_target_dir) {
        (Some(explicit), _) => explicit.clone(),
        (None, Some(named)) => named.clone(),
        (None, None) => cache_folder().map_or_else(
            || folder_of(manifest).join("target"),
            |cache| cache.join("rust"),
        ),
    };
    let root = std::path::absolute(&root).map_err(|source| BuildError::Write {
        path: root.clone(),
        source,
    })?;
    let flags = project.rustc_flags(&toolchain);
    let root = root.join(toolchain.directory_name(&flags));
    // Locked until the modules are read.
    let place = ProjectFolder::open(&root, manifest)?;
    let output = project.build(&toolchain, &place.target_dir, request.offline)?;
    if output.has_new_crates {
        place.share(&output.shared_units);
    }
    let modules = output.modules;
    if modules.is_empty() {
        return Err(BuildError::NoComponent {
            manifest: manifest.to_owned(),
            remedy: "add `crate-type = [\"cdylib\"]` under `[lib]`",
        });
    }
    let compiled = modules
        .into_iter()
        .map(|module| compiled(module, &toolchain));
    compiled.collect()
}

/// Reports on the compiler for crates in a folder.
pub(super) fn examine(folder: &Path) -> Vec<ToolReport> {
    vec![toolchain::examine(folder)]
}

fn compiled(module: CoreModule, toolchain: &Toolchain) -> Result<Compiled, BuildError> {
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
        toolchain: toolchain.description.clone(),
        tools: vec![toolchain.used()],
    })
}
