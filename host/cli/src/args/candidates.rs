//! Candidates for completions: the operators, checkpoints and savepoints of the job on the command
//! line.
//!
//! A shell waits for the answer, and shows no errors. So each looks only at names of files and at
//! one manifest, and offers nothing where something is wrong.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use clap_complete::engine::{CompletionCandidate, PathCompleter, ValueCompleter as _};
use tidegate_checkpoint::{CheckpointDirectory, NodeKind};
use tidegate_connector::CheckpointId;
use tidegate_job_file::JobFile;

/// The most directories in which savepoints are looked for, and the most entries of each.
const MOST_SEARCHED: usize = 100;
/// The start of a savepoint's name.
const SAVEPOINT: &str = "savepoint-";

/// Returns the starts of a job: its own checkpoints by number, newest first, savepoints, and paths.
pub(super) fn starts(current: &OsStr) -> Vec<CompletionCandidate> {
    let mut candidates: Vec<_> = own_checkpoints()
        .into_iter()
        .map(|(_, id)| described(id.to_string(), "checkpoint of the job"))
        .filter(|candidate| begins(candidate, current))
        .collect();
    candidates.extend(savepoints(current));
    candidates.extend(PathCompleter::any().complete(current));
    candidates
}

/// Returns checkpoints and savepoints by path, and other paths.
pub(super) fn checkpoints(current: &OsStr) -> Vec<CompletionCandidate> {
    let mut candidates: Vec<_> = own_checkpoints()
        .into_iter()
        .map(|(directory, id)| CheckpointDirectory::manifest_path(&directory, id))
        .map(|path| described(path, "checkpoint of the job"))
        .filter(|candidate| begins(candidate, current))
        .collect();
    candidates.extend(savepoints(current));
    candidates.extend(PathCompleter::any().complete(current));
    candidates
}

/// Returns the operators of the job's newest checkpoint.
pub(super) fn operators(current: &OsStr) -> Vec<CompletionCandidate> {
    let newest = own_checkpoints().into_iter().next();
    let graph = newest.and_then(|(directory, id)| {
        let directory = CheckpointDirectory::open(&directory).ok()?;
        directory.graph(id).ok()
    });
    let Some(graph) = graph else {
        return Vec::new();
    };
    let operators = graph.nodes().iter();
    operators
        .filter(|node| node.kind == NodeKind::Operator)
        .map(|node| described(node.name.clone(), "operator with state"))
        .filter(|candidate| begins(candidate, current))
        .collect()
}

/// Returns the job's own checkpoints, newest first, with their directory.
fn own_checkpoints() -> Vec<(PathBuf, CheckpointId)> {
    let address = JobFile::read(&job_file()).and_then(|file| file.address());
    let Ok((directory, _)) = address else {
        return Vec::new();
    };
    let ids = CheckpointDirectory::open(&directory).and_then(|directory| directory.ids());
    let ids = ids.unwrap_or_default().into_iter().rev();
    let directory = directory.strip_prefix(".").unwrap_or(&directory);
    ids.map(|id| (directory.to_owned(), id)).collect()
}

/// Returns the job file on the command line, or the default one.
fn job_file() -> PathBuf {
    let mut words = std::env::args_os().skip(1).map(PathBuf::from).rev();
    let is_toml = |path: &PathBuf| path.extension() == Some(OsStr::new("toml"));
    let named = words.find(is_toml);
    named.unwrap_or_else(|| PathBuf::from("job.toml"))
}

/// Returns the savepoints in this directory and in those below it.
fn savepoints(current: &OsStr) -> Vec<CompletionCandidate> {
    let is_shown = |path: &PathBuf| !name_of(path).starts_with('.');
    let below = entries(Path::new("")).into_iter().filter(is_shown);
    let directories = below.clone().take(MOST_SEARCHED);
    let found = below.chain(directories.flat_map(|directory| entries(&directory)));
    found
        .filter(|path| name_of(path).starts_with(SAVEPOINT) && path.join("checkpoints").is_dir())
        .map(|path| described(path, "savepoint"))
        .filter(|candidate| begins(candidate, current))
        .collect()
}

fn name_of(path: &Path) -> &str {
    path.file_name().and_then(OsStr::to_str).unwrap_or_default()
}

/// Returns the directories in a directory, by name.
fn entries(directory: &Path) -> Vec<PathBuf> {
    let place = match directory.as_os_str().is_empty() {
        true => Path::new("."),
        false => directory,
    };
    let found = std::fs::read_dir(place).into_iter().flatten().flatten();
    let directories = found.filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()));
    let paths = directories.take(MOST_SEARCHED);
    let mut paths: Vec<_> = paths
        .map(|entry| directory.join(entry.file_name()))
        .collect();
    paths.sort();
    paths
}

fn described(value: impl Into<std::ffi::OsString>, help: &'static str) -> CompletionCandidate {
    CompletionCandidate::new(value).help(Some(help.into()))
}

fn begins(candidate: &CompletionCandidate, current: &OsStr) -> bool {
    let value = candidate.get_value().as_encoded_bytes();
    value.starts_with(current.as_encoded_bytes())
}
