//! Where things are: the project's job files, the binary, and what a run may write.

use std::io;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};

/// Where results are kept under version control.
pub(crate) fn results() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("results")
}

/// The project and the binary that is measured.
#[derive(Clone, Debug)]
pub(crate) struct Workspace {
    root: PathBuf,
    /// The `tidegate` binary.
    pub(crate) binary: PathBuf,
}

impl Workspace {
    /// Without `binary`, the one that lies beside this tool: it was built in the same profile.
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

    /// The project's directory.
    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    /// The job file with this name.
    pub(crate) fn job_file(&self, name: &str) -> PathBuf {
        let jobs = self.root.join("tests/bench/jobs");
        jobs.join(name).with_extension("toml")
    }

    /// What is made once and kept between runs.
    pub(crate) fn data(&self) -> PathBuf {
        self.root.join("target/bench-data")
    }

    /// An empty directory for one run, in place of that of the run before. Each process of this
    /// tool has its own.
    pub(crate) fn run_directory(&self) -> Result<PathBuf> {
        let directory = self.own_directory();
        remove(&directory)?;
        std::fs::create_dir_all(&directory)
            .with_context(|| format!("make {}", directory.display()))?;
        Ok(directory)
    }

    /// Removes what runs have written.
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
