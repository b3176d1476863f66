//! `tidegate build`: from projects to components.
//!
//! find the projects → each by its language's compiler → core modules or components → checked
//! components → files. Everything except the language compilers and their tools runs in this
//! process. Nothing here prints: compilers write to stderr themselves, and the report is the return
//! value.

mod error;
mod freshness;
mod place;
mod sources;
mod stamp;
mod tool;
mod wit;

mod c;
mod component;
mod go;
mod javascript;
mod python;
mod rust;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde::Serialize;

pub use error::BuildError;
pub use freshness::{ComponentProject, Freshness, code_digest};
pub use sources::ProjectSources;

use crate::language::Language;
use crate::tools::{ToolReport, UsedTool};
use component::Wasm;
use place::Place;
use tidegate_job_file::json;
use tidegate_operator::Sources;

/// A request to build the projects at a path.
#[derive(Clone, Debug)]
pub struct BuildRequest {
    /// A project, its manifest, or a folder with projects somewhere below it.
    pub path: PathBuf,
    /// A file if it ends in `.wasm` and there is one component, else a directory, which is created
    /// if missing. By default, each component is written beside its project's manifest.
    pub out: Option<PathBuf>,
    /// The directory for compilers' artifacts. The default is a separate directory below the
    /// project, so that the artifacts never mix with those of the host.
    pub target_dir: Option<PathBuf>,
    /// True if nothing may be downloaded.
    pub offline: bool,
}

/// One component that was built.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct BuiltComponent {
    /// Name of the package.
    pub name: String,
    /// The language that it is written in.
    pub language: Language,
    /// The path of the component.
    #[serde(serialize_with = "json::path")]
    pub path: PathBuf,
    /// The size.
    pub bytes: u64,
    /// The imports by interface name.
    pub imports: Vec<String>,
    /// The exports by interface name.
    pub exports: Vec<String>,
    /// The compiler and its version.
    pub toolchain: String,
    /// The programs that compiled it.
    pub tools: Vec<UsedTool>,
}

/// The result of compiling a package.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Compiled {
    /// Name of the package, and of the component's file.
    name: String,
    language: Language,
    /// The package's folder.
    folder: PathBuf,
    wasm: Wasm,
    /// The author's sources, if a stack names them otherwise.
    sources: Option<Sources>,
    /// The compiler and its version, for people.
    toolchain: String,
    tools: Vec<UsedTool>,
}

/// Builds every component of the projects at the request's path.
///
/// # Errors
///
/// A [`BuildError`] with the missing part and the command that installs it. Components written
/// before the failure stay, each of them whole.
pub fn build(request: &BuildRequest) -> Result<Vec<BuiltComponent>, BuildError> {
    let mut compiled = Vec::new();
    let mut before = BTreeMap::new();
    for place in place::find(&request.path)? {
        let projects = place::all_below(folder_of(&place.manifest));
        before.extend(projects.into_iter().map(with_sources));
        compiled.extend(compile(&place, request)?);
    }
    let paths = output_paths(request.out.as_deref(), &compiled)?;
    let made = compiled.into_iter().zip(paths);
    made.map(|(compiled, path)| make_component(compiled, path, &before))
        .collect()
}

/// The sources of projects before anything was compiled.
type SourcesBefore = BTreeMap<Place, Option<ProjectSources>>;

fn with_sources(place: Place) -> (Place, Option<ProjectSources>) {
    let sources = ProjectSources::of(folder_of(&place.manifest), place.language);
    (place, sources)
}

/// Returns the digest of the sources that a component was compiled from; `None` if they changed
/// meanwhile.
fn compiled_from(compiled: &Compiled, before: &SourcesBefore) -> Option<[u8; 32]> {
    let (place, after) = with_sources(place::in_folder(&compiled.folder)?);
    let (before, after) = (before.get(&place)?.as_ref()?, after?);
    (before.digest == after.digest).then_some(after.digest)
}

fn compile(place: &Place, request: &BuildRequest) -> Result<Vec<Compiled>, BuildError> {
    match place.language {
        Language::Python => python::compile(&place.manifest, request),
        Language::Go => go::compile(&place.manifest, request),
        Language::JavaScript | Language::TypeScript => {
            javascript::compile(&place.manifest, request)
        }
        Language::Rust => rust::compile(&place.manifest, request),
        Language::C | Language::Cpp => c::compile(&place.manifest, request),
    }
}

/// Returns the languages of the project in a folder, or else of the projects in the folders
/// directly below.
#[must_use]
pub fn languages_in(folder: &Path) -> Vec<Language> {
    place::languages(folder)
}

/// Reports on the tools of a language, as a build of a project in this folder would find them.
#[must_use]
pub fn examine(language: Language, folder: &Path) -> Vec<ToolReport> {
    match language {
        Language::Python => python::examine(folder),
        Language::Go => go::examine(folder),
        Language::JavaScript | Language::TypeScript => javascript::examine(folder),
        Language::Rust => rust::examine(folder),
        Language::C | Language::Cpp => c::examine(),
    }
}

fn make_component(
    compiled: Compiled,
    path: PathBuf,
    before: &SourcesBefore,
) -> Result<BuiltComponent, BuildError> {
    let component = component::encode(&compiled)?;
    let bytes = match compiled_from(&compiled, before) {
        Some(sources) => stamp::stamped(component.bytes, &sources),
        None => component.bytes,
    };
    write_whole(&path, &bytes)?;
    Ok(BuiltComponent {
        name: compiled.name,
        language: compiled.language,
        path,
        bytes: bytes.len() as u64,
        imports: component.imports,
        exports: component.exports,
        toolchain: compiled.toolchain,
        tools: compiled.tools,
    })
}

fn folder_of(manifest: &Path) -> &Path {
    manifest.parent().unwrap_or(Path::new("."))
}

/// Returns the path of each component.
fn output_paths(out: Option<&Path>, compiled: &[Compiled]) -> Result<Vec<PathBuf>, BuildError> {
    let file_name = |compiled: &Compiled| format!("{}.wasm", compiled.name);
    let Some(out) = out else {
        let beside = |compiled: &Compiled| compiled.folder.join(file_name(compiled));
        return Ok(compiled.iter().map(beside).collect());
    };
    let is_file = out.extension().is_some_and(|extension| extension == "wasm") && !out.is_dir();
    match (is_file, compiled.len()) {
        (true, 1) => Ok(vec![out.to_owned()]),
        (true, components) => Err(BuildError::OneFileForMany {
            out: out.to_owned(),
            components,
        }),
        (false, _) => {
            let mut names: Vec<_> = compiled.iter().map(|compiled| &compiled.name).collect();
            names.sort();
            if let Some(twice) = names.windows(2).find(|pair| pair[0] == pair[1]) {
                return Err(BuildError::SameName {
                    name: twice[0].clone(),
                    out: out.to_owned(),
                });
            }
            fs::create_dir_all(out).map_err(|source| BuildError::Write {
                path: out.to_owned(),
                source,
            })?;
            Ok(compiled
                .iter()
                .map(|one| out.join(file_name(one)))
                .collect())
        }
    }
}

/// Writes a temporary file and renames it, so that a job that starts meanwhile reads a whole
/// component.
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
