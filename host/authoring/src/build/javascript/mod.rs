//! Operators in JavaScript and TypeScript: esbuild bundles them into one module, componentize-qjs
//! makes a component of it and the engine, and [`around`] adds the interface of operators.
//!
//! The tools are those that npm installs with the SDK, or those of `tidegate doctor --fix`.
//! Invariant: intermediate files go into the target directory.

mod package;
mod source_map;
mod tools;
mod types;

mod around;

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use tidegate_operator::{Sources, shown};

use super::component::Wasm;
use super::error::BuildError;
use super::{BuildRequest, Compiled, folder_of, tool};
use crate::language::Language;
use crate::tools::ToolReport;

use package::Package;
use tools::{Tools, Versions};

/// The interface between the engine and the components around it.
const ENGINE_WIT: &str = include_str!("engine.wit");

/// Compiles the operator of a package.
pub(super) fn compile(
    manifest: &Path,
    request: &BuildRequest,
) -> Result<Vec<Compiled>, BuildError> {
    let package = Package::read(manifest)?;
    let folder = folder_of(manifest);
    let tools = Tools::find(manifest, &package, request.offline)?;
    let language = package.language();
    if language == Language::TypeScript {
        types::check(manifest)?;
    }
    let target = target(&package, folder, request)?;
    let bundle = bundle(&package, manifest, &tools, &target)?;
    let map = source_map::of_bundle(&bundle, folder, &tools.sdk)?;
    let component = componentize(manifest, &tools, &target, &bundle)?;
    let component = around::put_around(&component).map_err(|error| BuildError::NotAComponent {
        name: package.name.clone(),
        reason: format!("{error:#}"),
    })?;
    Ok(vec![Compiled {
        name: package.name,
        language,
        folder: folder.to_owned(),
        wasm: Wasm::Component(component),
        sources: Some(Sources::bundled(map)),
        toolchain: tools.versions.to_string(),
        tools: tools.used(),
    }])
}

/// Reports on the tools for packages in a folder.
pub(super) fn examine(folder: &Path) -> Vec<ToolReport> {
    tools::examine(folder)
}

/// Returns the folder of intermediate files, as an absolute path, because tools run in other
/// folders.
fn target(package: &Package, folder: &Path, request: &BuildRequest) -> Result<PathBuf, BuildError> {
    let target = match &request.target_dir {
        Some(explicit) => explicit.join("javascript").join(&package.name),
        None => folder.join("target").join("tidegate"),
    };
    let failed = |source| BuildError::Write {
        path: target.clone(),
        source,
    };
    let absolute = std::path::absolute(&target).map_err(failed)?;
    fs::create_dir_all(&absolute).map_err(failed)?;
    Ok(absolute)
}

/// Bundles the operator, the SDK and their imports into one module.
fn bundle(
    package: &Package,
    manifest: &Path,
    tools: &Tools,
    target: &Path,
) -> Result<PathBuf, BuildError> {
    // The stack of an uncaught error shows this name.
    let bundle = target.join(format!("{}.js", package.name));
    let mut esbuild = Command::new(&tools.esbuild.path);
    esbuild.current_dir(folder_of(manifest));
    esbuild.args(["--bundle", "--format=esm", "--platform=neutral"]);
    esbuild.args(["--main-fields=module,main", "--external:tidegate:*"]);
    esbuild.args([
        "--target=es2023",
        "--legal-comments=none",
        "--log-level=warning",
        "--sourcemap=external",
        "--sources-content=false",
    ]);
    let mut out = std::ffi::OsString::from("--outfile=");
    out.push(&bundle);
    esbuild.arg(out);
    esbuild.stdin(Stdio::piped());
    let entry = entry(&package.entry);
    let mut child = esbuild.spawn().map_err(|source| BuildError::NotStarted {
        program: shown(&tools.esbuild.path).to_string(),
        remedy: Versions::install(),
        source,
    })?;
    let written = child
        .stdin
        .take()
        .map(|mut stdin| stdin.write_all(entry.as_bytes()));
    let status = child.wait();
    // A tool that ends before it has read everything has reported the reason.
    let is_whole = written.is_some_and(|written| written.is_ok());
    if !is_whole || !status.is_ok_and(|status| status.success()) {
        return Err(BuildError::NotCompiled {
            manifest: manifest.to_owned(),
        });
    }
    Ok(bundle)
}

/// Returns the entry module. Its imports are resolved in the package's folder.
fn entry(operator: &str) -> String {
    let operator = serde_json::Value::from(format!("./{operator}"));
    format!(
        "import \"@tidegate/sdk/sandbox\";\n\
         import {{ exportOperator }} from \"@tidegate/sdk/component\";\n\
         import * as host from \"tidegate:javascript/host@0.1.0\";\n\
         import module from {operator};\n\
         export const operator = exportOperator(module, host);\n"
    )
}

/// Puts the module into the engine, and runs it up to the first call.
fn componentize(
    manifest: &Path,
    tools: &Tools,
    target: &Path,
    bundle: &Path,
) -> Result<Vec<u8>, BuildError> {
    let wit = target.join("engine.wit");
    let component = target.join("engine.wasm");
    fs::write(&wit, ENGINE_WIT).map_err(|source| BuildError::Write {
        path: wit.clone(),
        source,
    })?;
    let mut componentize = Command::new(&tools.componentize.path);
    componentize.args(["--sync", "--stub-wasi", "--world", "engine", "--wit"]);
    componentize.arg(&wit).arg("--js").arg(bundle);
    componentize.arg("--module-root").arg(target);
    componentize.arg("--output").arg(&component);
    componentize.stdout(Stdio::null()).stderr(Stdio::inherit());
    let output = tool::run(&mut componentize, &Versions::install())?;
    if !output.status.success() {
        return Err(BuildError::NotCompiled {
            manifest: manifest.to_owned(),
        });
    }
    fs::read(&component).map_err(|source| BuildError::Read {
        path: component.clone(),
        source,
    })
}
