//! The hand-written files of the project, and the report on them.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use tidegate_tests::workspace_root;

/// Folders that tools fill.
const MADE_BY_TOOLS: [&str; 5] = [
    "target",
    "demo",
    "demo-polyglot",
    "node_modules",
    "__pycache__",
];

/// The problems of one file, one per line: `path:line: problem, use remedy`.
pub(super) struct Findings<'a> {
    path: &'a str,
    text: String,
}

impl<'a> Findings<'a> {
    pub(super) fn of(path: &'a str) -> Self {
        Self {
            path,
            text: String::new(),
        }
    }

    /// Adds a problem; `line` is counted from 0.
    pub(super) fn report(&mut self, line: usize, problem: &str, remedy: &str) {
        let (path, line) = (self.path, line + 1);
        writeln!(self.text, "{path}:{line}: {problem}, use {remedy}")
            .expect("a string can be written");
    }

    pub(super) fn into_text(self) -> String {
        self.text
    }
}

/// Fails with the findings of all files, if there are any, or if almost no files were found.
#[track_caller]
pub(super) fn assert_tidy(
    files: &[(String, String)],
    least_files: usize,
    check: impl Fn(&str, &str) -> String,
) {
    let count = files.len();
    assert!(count >= least_files, "only {count} files were found");
    let found: String = files.iter().map(|(path, text)| check(path, text)).collect();
    assert!(found.is_empty(), "\n{found}");
}

/// Returns the paths of all files, from the root of the project.
pub(super) fn project_paths() -> Vec<String> {
    let root = workspace_root();
    let mut paths = Vec::new();
    list(&root, &mut paths);
    let relative = |path: &PathBuf| {
        let path = path.strip_prefix(&root).unwrap_or(path);
        path.to_string_lossy().into_owned()
    };
    let mut paths: Vec<String> = paths.iter().map(relative).collect();
    paths.sort();
    paths
}

/// Returns the files with this extension, each with its text.
pub(super) fn project_files(extension: &str) -> Vec<(String, String)> {
    let root = workspace_root();
    let has_extension = |path: &String| Path::new(path).extension().is_some_and(|e| e == extension);
    let read = |path: String| {
        let text = std::fs::read_to_string(root.join(&path)).expect("a source file is UTF-8");
        (path, text)
    };
    let paths = project_paths().into_iter().filter(has_extension);
    paths.map(read).collect()
}

fn list(directory: &Path, files: &mut Vec<PathBuf>) {
    let entries = std::fs::read_dir(directory).expect("the project can be read");
    for entry in entries {
        let path = entry.expect("a directory entry can be read").path();
        let name = path.file_name().map(|n| n.to_string_lossy().into_owned());
        let name = name.unwrap_or_default();
        let is_ours = !name.starts_with('.') && !MADE_BY_TOOLS.contains(&name.as_str());
        if path.is_dir() && is_ours {
            list(&path, files);
        } else if path.is_file() {
            files.push(path);
        }
    }
}
