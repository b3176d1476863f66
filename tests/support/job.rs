//! A job in a directory of its own.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use crate::process::{Finished, Running, tidegate};

/// A temporary directory with a job file, removed with everything in it at the end.
#[derive(Debug)]
pub struct JobDirectory {
    directory: TempDir,
}

impl JobDirectory {
    /// Creates a directory with `job.toml`. Placeholders such as `{sum}` in the text are not
    /// replaced: use [`crate::guest`] to name components.
    ///
    /// # Panics
    ///
    /// If the disk can't be written.
    #[must_use]
    pub fn new(job: &str) -> Self {
        let directory = tempfile::tempdir().expect("a temporary directory can be made");
        let this = Self { directory };
        this.write("job.toml", job);
        this
    }

    /// Copies the directory with everything in it.
    ///
    /// # Panics
    ///
    /// If it can't be read, or the disk can't be written.
    #[must_use]
    pub fn copy(&self) -> Self {
        let directory = tempfile::tempdir().expect("a temporary directory can be made");
        copy_into(self.path(), directory.path());
        Self { directory }
    }

    /// Returns the directory's path.
    #[must_use]
    pub fn path(&self) -> &Path {
        self.directory.path()
    }

    /// Writes a file into it.
    ///
    /// # Panics
    ///
    /// If the disk can't be written.
    pub fn write(&self, name: &str, contents: impl AsRef<[u8]>) {
        let path = self.path().join(name);
        std::fs::write(path, contents).expect("a temporary file can be written");
    }

    /// Runs `tidegate` in it.
    #[must_use]
    pub fn tidegate(&self, arguments: &[&str]) -> Finished {
        tidegate(self.path(), arguments)
    }

    /// Runs the job again, which must report that it has already finished and do nothing.
    ///
    /// # Panics
    ///
    /// If not.
    #[track_caller]
    pub fn assert_has_finished(&self) {
        let again = self.tidegate(&["run", "job.toml"]);
        let said = &again.assert_succeeds().stderr;
        assert!(said.contains("already finished"), "{again:#?}");
    }

    /// Returns the numbers of the checkpoints in `state`, in order.
    ///
    /// # Panics
    ///
    /// If they can't be listed.
    #[must_use]
    pub fn checkpoints(&self) -> Vec<u64> {
        let entries = std::fs::read_dir(self.path().join("state/checkpoints"));
        let entries = entries.expect("there is a checkpoint directory");
        let names = entries.map(|entry| entry.expect("an entry can be read").file_name());
        let mut numbers: Vec<u64> = names
            .filter_map(|name| name.to_string_lossy().parse().ok())
            .collect();
        numbers.sort_unstable();
        numbers
    }

    /// Starts `tidegate` in it.
    #[must_use]
    pub fn start(&self, arguments: &[&str]) -> Running {
        Running::start(self.path(), arguments)
    }

    /// Lists every file and directory in it, with its length, sorted: to show that nothing was
    /// written.
    ///
    /// # Panics
    ///
    /// If it can't be read.
    #[must_use]
    pub fn listing(&self) -> String {
        let mut paths = Vec::new();
        walk(self.path(), &mut paths);
        paths.sort();
        paths.iter().fold(String::new(), |mut text, path| {
            let length = path
                .metadata()
                .map_or(0, |m| if m.is_dir() { 0 } else { m.len() });
            let name = path.strip_prefix(self.path()).unwrap_or(path);
            writeln!(text, "{} {length}", name.display()).expect("a string can be written");
            text
        })
    }
}

fn copy_into(from: &Path, to: &Path) {
    for entry in std::fs::read_dir(from).expect("a temporary directory can be read") {
        let from = entry.expect("a directory entry can be read").path();
        let name = from.file_name().expect("an entry has a name");
        let to = to.join(name);
        if from.is_dir() {
            std::fs::create_dir(&to).expect("a directory can be made");
            copy_into(&from, &to);
        } else if from.is_file() {
            std::fs::copy(&from, &to).expect("a file can be copied");
        }
    }
}

fn walk(directory: &Path, paths: &mut Vec<PathBuf>) {
    let entries = std::fs::read_dir(directory).expect("a temporary directory can be read");
    for entry in entries {
        let path = entry.expect("a directory entry can be read").path();
        if path.is_dir() {
            walk(&path, paths);
        }
        paths.push(path);
    }
}
