//! `tidegate new`: from a name and a language to a project that builds and passes its tests at
//! once.
//!
//! The kit of each language has templates, compiled into the binary. Two words are replaced in
//! them, so that no template engine is needed: `{{name}}` and `{{sdk}}`.

mod error;
mod name;
mod sdk;

#[cfg(test)]
mod tests;

use std::fs;
use std::path::{Path, PathBuf};

use crate::language::Language;

pub use error::{NewProjectError, SdkError};
pub use sdk::{Sdk, UpdatedSdk, update as update_sdk};

/// A project to write.
#[derive(Debug)]
pub struct NewProject {
    /// Its name, which is also that of its folder.
    pub name: String,
    /// The language that it is written in.
    pub language: Language,
    /// The folder of the SDK, if the user names one. Otherwise the project gets a copy.
    pub sdk: Option<PathBuf>,
}

/// A project that was written.
#[derive(Debug)]
pub struct WrittenProject {
    /// The project's SDK.
    pub sdk: Sdk,
    /// Its files, in the order of the templates, without those of the SDK.
    pub files: Vec<PathBuf>,
}

/// Writes a project into a folder of its name in `directory`.
///
/// # Errors
///
/// A [`NewProjectError`]. Nothing was written, unless a single file could not be.
pub fn write(project: &NewProject, directory: &Path) -> Result<WrittenProject, NewProjectError> {
    name::check(&project.name, project.language)?;
    let folder = directory.join(&project.name);
    check_empty(&folder)?;
    let sdk = Sdk::find(project.sdk.as_deref(), project.language, directory)?;
    let mut files = Vec::new();
    for template in project.language.kit().templates {
        let path = folder.join(template.path);
        let text = template.text.replace("{{name}}", &project.name);
        let text = text.replace("{{sdk}}", &sdk.dependency(project.language));
        write_file(&path, &text)?;
        files.push(path);
    }
    sdk.write(project.language, &folder)?;
    Ok(WrittenProject { sdk, files })
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
