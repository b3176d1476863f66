//! The published output of a file sink: every file whose name starts with neither a dot nor an
//! underscore.

use std::path::{Path, PathBuf};

/// Returns the published files of a sink's directory, sorted; no files if there is no directory
/// yet.
///
/// # Panics
///
/// If it can't be read.
#[must_use]
pub fn published_parts(directory: &Path) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(directory) else {
        return Vec::new();
    };
    let paths = entries.map(|entry| entry.expect("a directory entry can be read").path());
    let is_visible = |path: &PathBuf| {
        let name = path
            .file_name()
            .map(|name| name.to_string_lossy().into_owned());
        name.is_some_and(|name| !name.starts_with(['.', '_']))
    };
    let mut paths: Vec<PathBuf> = paths.filter(is_visible).collect();
    paths.sort();
    paths
}

/// Returns all published lines, in no particular order across files.
///
/// # Panics
///
/// If a file can't be read or is not UTF-8.
#[must_use]
pub fn published_lines(directory: &Path) -> Vec<String> {
    let mut lines = Vec::new();
    for part in published_parts(directory) {
        let text = std::fs::read_to_string(&part).expect("a published file can be read");
        lines.extend(text.lines().map(str::to_owned));
    }
    lines
}

/// Returns the number of published lines.
///
/// # Panics
///
/// If a file can't be read.
#[must_use]
pub fn published_line_count(directory: &Path) -> u64 {
    let parts = published_parts(directory).into_iter();
    let lines = |part: PathBuf| {
        let bytes = std::fs::read(part).expect("a published file can be read");
        bytes.iter().filter(|byte| **byte == b'\n').count() as u64
    };
    parts.map(lines).sum()
}
