//! The projects that a path refers to.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::error::BuildError;
use crate::language::Language;

/// Folders for the output of tools, which never contain a project of the author's.
const MADE_BY_TOOLS: [&str; 5] = ["target", "node_modules", "build", "dist", "__pycache__"];

/// The greatest depth of projects below a folder.
const DEPTH: usize = 4;

/// A project that can be built.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Place {
    /// Its manifest, as an absolute path.
    pub(super) manifest: PathBuf,
    /// The language that it is written in.
    pub(super) language: Language,
}

/// Returns the project whose folder or manifest `path` is. In a folder without a manifest, returns
/// all projects below it, sorted. At least one.
pub(super) fn find(path: &Path) -> Result<Vec<Place>, BuildError> {
    let unreadable = |source| BuildError::Read {
        path: path.to_owned(),
        source,
    };
    if !path.is_dir() {
        let manifest = path.is_file().then(|| place(path)).transpose();
        return match manifest.map_err(unreadable)?.flatten() {
            Some(place) => Ok(vec![place]),
            None => Err(BuildError::NoManifest { path: path.into() }),
        };
    }
    let mut places = Vec::new();
    look_into(path, DEPTH, &mut places).map_err(unreadable)?;
    places.sort();
    if places.is_empty() {
        return Err(BuildError::NoManifest { path: path.into() });
    }
    Ok(places)
}

/// Returns the languages of the project in a folder, or else of the projects in the folders
/// directly below. Folders that can't be read count as empty.
pub(super) fn languages(folder: &Path) -> Vec<Language> {
    let here = |folder: &Path| {
        let mut all = Language::ALL.into_iter();
        all.find(|language| folder.join(language.manifest()).is_file())
    };
    if let Some(language) = here(folder) {
        return vec![language];
    }
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let mut languages: Vec<_> = entries.filter_map(|entry| here(&entry.path())).collect();
    languages.sort();
    languages.dedup();
    languages
}

/// Returns the project that builds a component in this folder: the one whose manifest is there. In
/// a subfolder of a CMake project, returns that project, which alone can be built.
pub(super) fn in_folder(folder: &Path) -> Option<Place> {
    let manifest = manifest_in(folder)?;
    let place = place(&manifest).ok()??;
    match place.language {
        Language::C | Language::Cpp => cmake_project(&place.manifest),
        Language::Rust
        | Language::Python
        | Language::Go
        | Language::JavaScript
        | Language::TypeScript => Some(place),
    }
}

/// Returns the CMake project that a `CMakeLists.txt` belongs to: the nearest one, here or above,
/// that declares a project.
fn cmake_project(manifest: &Path) -> Option<Place> {
    let mut folders = super::folder_of(manifest).ancestors();
    let manifest = folders
        .by_ref()
        .map(|folder| folder.join(Language::C.manifest()))
        .take_while(|manifest| manifest.is_file())
        .find(|manifest| declares_project(manifest))?;
    Some(Place {
        manifest,
        language: Language::C,
    })
}

fn declares_project(manifest: &Path) -> bool {
    let text = fs::read_to_string(manifest).unwrap_or_default();
    text.lines().any(|line| {
        let line = line.trim_start().to_ascii_lowercase();
        let rest = line.strip_prefix("project");
        rest.is_some_and(|rest| rest.trim_start().starts_with('('))
    })
}

/// Returns every project of the folder and below it, also those within another one: the members of
/// a workspace.
pub(super) fn all_below(folder: &Path) -> Vec<Place> {
    let mut places = Vec::new();
    add_all_below(folder, DEPTH, &mut places);
    places
}

fn add_all_below(folder: &Path, depth: usize, places: &mut Vec<Place>) {
    places.extend(in_folder(folder));
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    for entry in entries.filter(|_| depth > 0) {
        let is_folder = entry.file_type().is_ok_and(|kind| kind.is_dir());
        if is_folder && !is_of_tools(&entry.file_name().to_string_lossy()) {
            add_all_below(&entry.path(), depth - 1, places);
        }
    }
}

/// Returns true if a folder of this name holds the output of tools, or is hidden.
pub(super) fn is_of_tools(name: &str) -> bool {
    name.starts_with('.') || MADE_BY_TOOLS.contains(&name)
}

fn manifest_in(folder: &Path) -> Option<PathBuf> {
    let mut manifests = Language::ALL
        .map(|language| folder.join(language.manifest()))
        .into_iter();
    manifests.find(|manifest| manifest.is_file())
}

/// Returns the project of a manifest, if the file is one. Its path becomes absolute, because
/// compilers run in the project's folder.
fn place(manifest: &Path) -> io::Result<Option<Place>> {
    let Some(language) = Language::of_manifest(manifest) else {
        return Ok(None);
    };
    let manifest = fs::canonicalize(manifest)?;
    Ok(Some(Place { manifest, language }))
}

fn look_into(folder: &Path, depth: usize, places: &mut Vec<Place>) -> io::Result<()> {
    if let Some(manifest) = manifest_in(folder) {
        places.extend(place(&manifest)?);
        return Ok(());
    }
    if depth == 0 {
        return Ok(());
    }
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name();
        let name = name.to_string_lossy();
        // A link could lead to a cycle.
        if entry.file_type()?.is_dir() && !is_of_tools(&name) {
            look_into(&entry.path(), depth - 1, places)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder_with(files: &[&str]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().expect("a temporary directory can be made");
        for file in files {
            let path = folder.path().join(file);
            fs::create_dir_all(path.parent().expect("it has one")).expect("it can be made");
            fs::write(path, "").expect("it can be written");
        }
        folder
    }

    fn found(folder: &Path, below: &str) -> Vec<String> {
        let places = find(&folder.join(below)).expect("there is a project");
        let root = fs::canonicalize(folder).expect("it is there");
        let relative = |place: &Place| {
            let path = place.manifest.strip_prefix(&root);
            path.expect("it is below").display().to_string()
        };
        places.iter().map(relative).collect()
    }

    #[test]
    fn a_project_is_its_folder_or_its_manifest() {
        let folder = folder_with(&["a/Cargo.toml", "a/inner/Cargo.toml"]);
        assert_eq!(found(folder.path(), "a"), ["a/Cargo.toml"]);
        assert_eq!(found(folder.path(), "a/Cargo.toml"), ["a/Cargo.toml"]);
    }

    #[test]
    fn a_folder_without_a_manifest_means_all_projects_below_it() {
        let folder = folder_with(&[
            "z/Cargo.toml",
            "deep/er/a/Cargo.toml",
            "target/t/Cargo.toml",
            ".hidden/Cargo.toml",
            "node_modules/n/Cargo.toml",
        ]);
        assert_eq!(
            found(folder.path(), ""),
            ["deep/er/a/Cargo.toml", "z/Cargo.toml"]
        );
    }

    #[test]
    fn the_languages_of_a_folder_are_those_of_its_project_or_of_the_ones_directly_below() {
        let folder = folder_with(&[
            "count/pyproject.toml",
            "split/Cargo.toml",
            "sum/Cargo.toml",
            "split/deeper/go.mod",
        ]);
        let found = |below: &str| languages(&folder.path().join(below));
        assert_eq!(found(""), [Language::Rust, Language::Python]);
        assert_eq!(found("split"), [Language::Rust]);
        assert_eq!(found("split/deeper"), [Language::Go]);
        assert_eq!(found("nothing"), []);
    }

    #[test]
    fn a_path_without_a_project_is_named() {
        let folder = folder_with(&["notes.txt"]);
        for path in ["", "notes.txt", "nothing"] {
            let path = folder.path().join(path);
            let error = find(&path).expect_err("there is no project");
            let said = error.to_string();
            assert!(said.contains(&*path.to_string_lossy()), "{said}");
            assert!(said.contains("Cargo.toml"), "{said}");
        }
    }
}
