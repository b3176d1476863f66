//! The files of new projects, as they were when this binary was built. Pure.
//!
//! A project is made of folders of `templates/`: `jobs/TEMPLATE` has the files that every language
//! shares, `LANG/project` and `LANG/TEMPLATE` those of the language, `every` those of all projects,
//! and `copied` those of a project with a copy of the SDK. If several folders have a file of the
//! same path, such as `.gitignore`, the project's file has their texts one after the other.
//!
//! Some files have the suffix `.template` in their folder, because tools take a folder with certain
//! files for a separate project, and git applies any `.gitignore`.

use crate::language::Language;

use super::sdk::Sdk;
use super::template::Template;

include!(concat!(env!("OUT_DIR"), "/template_files.rs"));

/// A file of a new project.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct File {
    /// Its path, relative to the project.
    pub(super) path: &'static str,
    /// Its text, with `{{name}}`, `{{operator}}` and `{{sdk}}`.
    pub(super) text: String,
}

/// Returns the files of an operator's project.
pub(super) fn of_operator(language: Language, template: Template, sdk: &Sdk) -> Vec<File> {
    let (language, template) = (language.kit().folder, template.name());
    let folders: [&str; 5] = [
        &format!("jobs/{template}"),
        &format!("{language}/project"),
        &format!("{language}/{template}"),
        "every",
        "copied",
    ];
    match sdk {
        Sdk::Copied => joined(&folders),
        Sdk::Folder(_) => joined(&folders[..folders.len() - 1]),
    }
}

/// Returns the files of a job without an operator.
pub(super) fn of_job() -> Vec<File> {
    joined(&["job-only"])
}

/// Returns the files of these folders, sorted by path; the texts of a path in this order.
fn joined(folders: &[&str]) -> Vec<File> {
    let mut joined: Vec<File> = Vec::new();
    for wanted in folders {
        for (_, path, text) in FILES.iter().filter(|(folder, ..)| folder == wanted) {
            match joined.iter_mut().find(|file| file.path == *path) {
                Some(file) => file.text.push_str(text),
                None => joined.push(File {
                    path,
                    text: (*text).to_owned(),
                }),
            }
        }
    }
    joined.sort_by_key(|file| file.path);
    joined
}

#[cfg(test)]
mod tests;
