//! Operators in C and C++: CMake with the SDK's toolchain file, and clang behind it.
//!
//! The project lists its own operators: the SDK's `tidegate_operator` writes name, folder, module
//! and language of each into a file, which is read here.

mod toolchain;

mod cmake;

use std::fs;
use std::path::{Path, PathBuf};

use cmake::Operator;
use toolchain::Toolchain;

use super::component::Wasm;
use super::error::BuildError;
use super::{BuildRequest, Compiled, folder_of};
use crate::tools::ToolReport;

/// The folder of artifacts, below the project.
const TARGET: &str = "target/wasm32-wasi";

/// Compiles the operators of a CMake project.
pub(super) fn compile(
    manifest: &Path,
    request: &BuildRequest,
) -> Result<Vec<Compiled>, BuildError> {
    let toolchain = toolchain::find()?;
    let folder = folder_of(manifest);
    let target_dir = match &request.target_dir {
        // A separate folder for each project, since several may share a target directory.
        Some(explicit) => explicit.join(format!("c-{}", short_digest(folder))),
        None => folder.join(TARGET),
    };
    let operators = cmake::build(manifest, &target_dir, &toolchain)?;
    if operators.is_empty() {
        return Err(BuildError::NoComponent {
            manifest: manifest.to_owned(),
            remedy: "add an operator with `tidegate_operator(NAME SOURCE...)`",
        });
    }
    let compiled = operators
        .into_iter()
        .map(|operator| compiled(operator, &toolchain));
    compiled.collect()
}

/// Reports on the tools of all projects.
pub(super) fn examine() -> Vec<ToolReport> {
    toolchain::examine()
}

fn compiled(operator: Operator, toolchain: &Toolchain) -> Result<Compiled, BuildError> {
    let core = fs::read(&operator.module).map_err(|source| BuildError::Read {
        path: operator.module.clone(),
        source,
    })?;
    Ok(Compiled {
        name: operator.name,
        language: operator.language,
        folder: operator.folder,
        wasm: Wasm::BareModule(core),
        sources: None,
        toolchain: toolchain.description.clone(),
        tools: vec![toolchain.clang.used("clang"), toolchain.cmake.used("cmake")],
    })
}

/// Returns a name that is unique to a folder.
fn short_digest(folder: &Path) -> String {
    let absolute = std::path::absolute(folder).unwrap_or_else(|_| PathBuf::from(folder));
    let digest = blake3::hash(absolute.as_os_str().as_encoded_bytes());
    digest.to_hex().chars().take(16).collect()
}
