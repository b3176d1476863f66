//! The paths of the project's job files, the binary, and a run's files.

use std::io;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};

/// Returns the directory of results under version control.
pub(crate) fn results() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("results")
}

/// The project and the measured binary.
#[derive(Clone, Debug)]
pub(crate) struct Workspace {
    root: PathBuf,
    /// The `tidegate` binary.
    pub(crate) binary: PathBuf,
}

impl Workspace {
    /// Finds the project. Without `binary`, uses the one beside this tool, which was built in the
    /// same profile.
    pub(crate) fn new(binary: Option<PathBuf>) -> Result<Self> {
        let package = Path::new(env!("CARGO_MANIFEST_DIR"));
        let root = package.ancestors().nth(2);
        let root = root.context("the package lies in the project")?.to_owned();
        let beside = || -> Result<PathBuf> {
            let tool = std::env::current_exe().context("find out where this tool lies")?;
            Ok(tool.with_file_name("tidegate"))
        };
        let binary = binary.map_or_else(beside, Ok)?;
        let binary = std::path::absolute(&binary)?;
        anyhow::ensure!(
            binary.is_file(),
            "{} is not there: run `make bench`, or name one with --binary",
            binary.display()
        );
        Ok(Self { root, binary })
    }

    /// Returns the project's directory.
    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    /// Returns the path of the job file with this name.
    pub(crate) fn job_file(&self, name: &str) -> PathBuf {
        let jobs = self.root.join("tests/bench/jobs");
        jobs.join(name).with_extension("toml")
    }

    /// Returns the directory of files that are made once and kept between runs.
    pub(crate) fn data(&self) -> PathBuf {
        self.root.join("target/bench-data")
    }

    /// Creates an empty directory for one run, in place of the previous run's. Each process of this
    /// tool has its own.
    pub(crate) fn run_directory(&self) -> Result<PathBuf> {
        let directory = self.own_directory();
        remove(&directory)?;
        std::fs::create_dir_all(&directory)
            .with_context(|| format!("make {}", directory.display()))?;
        Ok(directory)
    }

    /// Removes the files of runs.
    pub(crate) fn clean_up(&self) -> Result<()> {
        remove(&self.own_directory())
    }

    fn own_directory(&self) -> PathBuf {
        self.data().join(format!("run-{}", std::process::id()))
    }
}

fn remove(directory: &Path) -> Result<()> {
    match std::fs::remove_dir_all(directory) {
        Ok(()) => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error).with_context(|| format!("remove {}", directory.display())),
    }
}
