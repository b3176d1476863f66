//! `tidegate new`: from a name and a language to a project that builds and passes its tests at
//! once, or to a job without an operator.
//!
//! The files of each language and template are compiled into the binary. Three words are replaced
//! in them, so that no template engine is needed: `{{name}}`, `{{operator}}` and `{{sdk}}`.

mod template;

mod error;
mod files;
mod name;
mod sdk;

#[cfg(test)]
mod tests;

use std::fs;
use std::path::{Path, PathBuf};

use crate::language::Language;

pub use error::{NewProjectError, SdkError};
pub use sdk::{Sdk, UpdatedSdk, update as update_sdk};
pub use template::Template;

use files::File;

/// A project to write.
#[derive(Debug)]
pub struct NewProject {
    /// Its name, which is also that of its folder.
    pub name: String,
    /// Its operator; `None` for a job without one.
    pub operator: Option<NewOperator>,
}

/// The operator of a project to write.
#[derive(Debug)]
pub struct NewOperator {
    /// The language that it is written in.
    pub language: Language,
    /// The kind of operator.
    pub template: Template,
    /// The folder of the SDK, if the user names one. Otherwise the project gets a copy.
    pub sdk: Option<PathBuf>,
}

/// A project that was written.
#[derive(Debug)]
pub struct WrittenProject {
    /// The SDK of its operator; `None` for a job without one.
    pub sdk: Option<Sdk>,
    /// Its files, sorted, without those of the SDK.
    pub files: Vec<PathBuf>,
}

/// Writes a project into a folder of its name in `directory`.
///
/// # Errors
///
/// A [`NewProjectError`]. Nothing was written, unless a single file could not be.
pub fn write(project: &NewProject, directory: &Path) -> Result<WrittenProject, NewProjectError> {
    let language = project.operator.as_ref().map(|operator| operator.language);
    name::check(&project.name, language)?;
    let folder = directory.join(&project.name);
    check_empty(&folder)?;
    match &project.operator {
        Some(operator) => write_operator(&project.name, operator, &folder, directory),
        None => {
            let files = write_files(files::of_job(), &folder, &[("{{name}}", &project.name)])?;
            Ok(WrittenProject { sdk: None, files })
        }
    }
}

fn write_operator(
    name: &str,
    operator: &NewOperator,
    folder: &Path,
    directory: &Path,
) -> Result<WrittenProject, NewProjectError> {
    let language = operator.language;
    let sdk = Sdk::find(operator.sdk.as_deref(), language, directory)?;
    let words = [
        ("{{name}}", name),
        ("{{operator}}", operator.template.operator()),
        ("{{sdk}}", &sdk.dependency(language)),
    ];
    let files = files::of_operator(language, operator.template, &sdk);
    let files = write_files(files, folder, &words)?;
    sdk.write(language, folder)?;
    let sdk = Some(sdk);
    Ok(WrittenProject { sdk, files })
}

/// Writes files with their words replaced, and returns their paths.
fn write_files(
    files: Vec<File>,
    folder: &Path,
    words: &[(&str, &str)],
) -> Result<Vec<PathBuf>, NewProjectError> {
    let write = |file: File| {
        let path = folder.join(file.path);
        let replaced = words
            .iter()
            .fold(file.text, |text, (from, to)| text.replace(from, to));
        write_file(&path, &replaced)?;
        Ok(path)
    };
    files.into_iter().map(write).collect()
}

/// Writes a file, and makes the folders above it.
fn write_file(path: &Path, text: &str) -> Result<(), NewProjectError> {
    let folder = path.parent().unwrap_or(path);
    let written = fs::create_dir_all(folder).and_then(|()| fs::write(path, text));
    written.map_err(|source| NewProjectError::Write {
        path: path.to_owned(),
        source,
    })
}

/// Checks that the folder is missing or empty: existing files are never overwritten.
fn check_empty(folder: &Path) -> Result<(), NewProjectError> {
    if fs::symlink_metadata(folder).is_err() {
        return Ok(());
    }
    let is_empty = fs::read_dir(folder).is_ok_and(|mut entries| entries.next().is_none());
    if is_empty {
        return Ok(());
    }
    Err(NewProjectError::NotEmpty {
        path: folder.to_owned(),
    })
}
