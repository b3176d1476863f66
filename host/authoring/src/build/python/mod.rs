//! Operators in Python: componentize-py puts the interpreter, the SDK and the author's modules into
//! a component, with all modules that are imported at top level.
//!
//! The interpreter writes its caches beside the sources that it reads. So it reads copies: only the
//! component is written outside of the target directory.

mod installed;
mod project;
mod sources;

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use tidegate_operator::{SourceRoot, Sources};

use installed::Installed;
use project::Project;

use super::component::Wasm;
use super::error::BuildError;
use super::{BuildRequest, Compiled, folder_of, tool, wit};
use crate::language::Language;
use crate::tools::ToolReport;

/// The module that componentize-py starts with. No author's module has such a name.
const START: &str = "tidegate_component_start";

/// Compiles the component of a project.
pub(super) fn compile(
    manifest: &Path,
    request: &BuildRequest,
) -> Result<Vec<Compiled>, BuildError> {
    let project = Project::read(manifest)?;
    let installed = Installed::find(folder_of(manifest), project.sdk.as_deref())?;
    let target = match &request.target_dir {
        Some(explicit) => explicit.join(&project.name),
        None => folder_of(manifest).join("target").join("python"),
    };
    let component = run(&project, &installed, manifest, &target)?;
    let sources = sources_of(&project, folder_of(manifest));
    Ok(vec![Compiled {
        name: project.name,
        language: Language::Python,
        folder: folder_of(manifest).to_owned(),
        wasm: Wasm::Component(component),
        tools: vec![installed.componentize.used("componentize-py")],
        sources: Some(sources),
        toolchain: installed.description,
    }])
}

/// Reports on the tools for projects in a folder.
pub(super) fn examine(folder: &Path) -> Vec<ToolReport> {
    installed::examine(folder)
}

/// Returns the place of the author's modules. A stack names the folder of each search path by its
/// number, from 0; the author's is the second.
fn sources_of(project: &Project, folder: &Path) -> Sources {
    let source = project.source.strip_prefix(folder);
    let source = source.unwrap_or(&project.source).to_string_lossy();
    let is_outside = source.starts_with('/');
    Sources::at(SourceRoot {
        prefix: "/1/".to_owned(),
        folder: match source.trim_end_matches('/') {
            // No path of this machine goes into a component.
            _ if is_outside => String::new(),
            "" | "." => String::new(),
            source => format!("{source}/"),
        },
    })
}

/// Collects the sources in `target`, and compiles them.
fn run(
    project: &Project,
    installed: &Installed,
    manifest: &Path,
    target: &Path,
) -> Result<Vec<u8>, BuildError> {
    let failed = |source| BuildError::Write {
        path: target.to_owned(),
        source,
    };
    // componentize-py runs in another folder, where a relative path would have another meaning.
    fs::create_dir_all(target).map_err(failed)?;
    let target = fs::canonicalize(target).map_err(failed)?;
    let [interface, start, app, sdk] = ["wit", "start", "app", "sdk"].map(|name| target.join(name));
    wit::write(&interface)?;
    fs::create_dir_all(&start)
        .and_then(|()| {
            fs::write(
                start.join(START).with_extension("py"),
                start_module(project),
            )
        })
        .map_err(failed)?;
    sources::copy(&project.source, &app, &target)?;
    sources::copy(&installed.sdk, &sdk.join("tidegate"), &target)?;
    // Otherwise componentize-py would search the packages of the whole machine.
    let nothing = target.join("no-environment");
    fs::create_dir_all(nothing.join("lib/python3/site-packages")).map_err(failed)?;

    let component = target.join("component.wasm");
    let mut command = Command::new(&installed.componentize.path);
    command
        .current_dir(&target)
        .env("VIRTUAL_ENV", &nothing)
        .args(["--quiet", "--wit-path"])
        .arg(&interface)
        .args(["--world", wit::WORLD, "componentize", START, "--stub-wasi"]);
    for path in [&start, &app, &sdk].into_iter().chain(&installed.packages) {
        command.arg("--python-path").arg(path);
    }
    command
        .arg("--output")
        .arg(&component)
        .stdin(Stdio::null())
        // Standard output is for the output of `tidegate build` itself.
        .stdout(Stdio::null())
        .stderr(Stdio::inherit());
    let output = tool::run(&mut command, installed::REMEDY)?;
    if !output.status.success() {
        return Err(BuildError::NotCompiled {
            manifest: manifest.to_owned(),
        });
    }
    fs::read(&component).map_err(|source| BuildError::Read {
        path: component,
        source,
    })
}

/// Returns the module that passes the operator to the SDK.
fn start_module(project: &Project) -> String {
    let (module, name) = &project.operator;
    format!(
        "import tidegate._guest\n\
         from {module} import {name}\n\n\
         Operator = tidegate._guest.export({name})\n"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stack_names_the_modules_by_their_folder_in_the_project() {
        let folder_for = |source: &str| {
            let project = Project {
                name: "count".to_owned(),
                operator: ("count".to_owned(), "Count".to_owned()),
                source: source.into(),
                sdk: None,
            };
            sources_of(&project, Path::new("/p"))
                .root
                .map(|root| root.folder)
        };
        let folders = ["/p", "/p/", "/p/src", "/p/../lib/", "/elsewhere"].map(folder_for);
        let expected = ["", "", "src/", "../lib/", ""];
        assert_eq!(folders, expected.map(|folder| Some(folder.to_owned())));
    }

    #[test]
    fn the_operator_is_imported_from_its_module() {
        let project = Project {
            name: "count".to_owned(),
            operator: ("words.count".to_owned(), "Count".to_owned()),
            source: "src".into(),
            sdk: None,
        };
        assert_eq!(
            start_module(&project),
            "import tidegate._guest\nfrom words.count import Count\n\n\
             Operator = tidegate._guest.export(Count)\n"
        );
    }
}
