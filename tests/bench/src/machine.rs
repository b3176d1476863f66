//! The machine and the versions behind the figures.

use std::path::Path;
use std::process::Command;
use std::time::SystemTime;

use anyhow::{Context as _, Result, ensure};
use serde::{Deserialize, Serialize};

use crate::process_figures::kibibytes;
use crate::workspace::Workspace;

/// The machine.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Machine {
    pub(crate) cpu: String,
    pub(crate) cores: usize,
    pub(crate) memory_bytes: u64,
    pub(crate) kernel: String,
}

/// The measured version, and the tools that built it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Versions {
    pub(crate) tidegate: String,
    /// The commit, with `+` if files differ from it.
    pub(crate) commit: String,
    pub(crate) wasmtime: String,
    pub(crate) rustc: String,
}

impl Machine {
    /// Returns this machine. Facts that the kernel does not report are `unknown`.
    pub(crate) fn this() -> Result<Self> {
        let unknown = || "unknown".to_owned();
        let cpus = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
        let memory = std::fs::read_to_string("/proc/meminfo").unwrap_or_default();
        let kernel = std::fs::read_to_string("/proc/sys/kernel/osrelease");
        Ok(Self {
            cpu: cpu_model(&cpus).unwrap_or_else(unknown),
            cores: std::thread::available_parallelism()?.get(),
            memory_bytes: kibibytes(&memory, "MemTotal:").unwrap_or(0),
            kernel: kernel.map_or_else(|_| unknown(), |text| text.trim().to_owned()),
        })
    }
}

impl Versions {
    /// Returns the versions of the project and the binary.
    pub(crate) fn of(workspace: &Workspace) -> Result<Self> {
        let root = workspace.root();
        let lock = std::fs::read_to_string(root.join("Cargo.lock")).context("read Cargo.lock")?;
        let unknown = || "unknown".to_owned();
        let version = said(Command::new(&workspace.binary).arg("--version"))?;
        Ok(Self {
            tidegate: version.trim_start_matches("tidegate ").to_owned(),
            commit: commit(root).unwrap_or_else(|_| unknown()),
            wasmtime: locked_version(&lock, "wasmtime").unwrap_or_else(unknown),
            rustc: said(Command::new("rustc").arg("--version")).unwrap_or_else(|_| unknown()),
        })
    }
}

/// Returns the current time, in UTC.
pub(crate) fn now() -> String {
    humantime::format_rfc3339_seconds(SystemTime::now()).to_string()
}

fn commit(root: &Path) -> Result<String> {
    let git = |arguments: &[&str]| said(Command::new("git").current_dir(root).args(arguments));
    let commit = git(&["rev-parse", "--short=10", "HEAD"])?;
    let changes = git(&["status", "--porcelain", "--untracked-files=no"])?;
    let mark = if changes.is_empty() { "" } else { "+" };
    Ok(format!("{commit}{mark}"))
}

fn said(command: &mut Command) -> Result<String> {
    let output = command
        .output()
        .with_context(|| format!("run {command:?}"))?;
    ensure!(output.status.success(), "{command:?}: {}", output.status);
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

fn cpu_model(cpus: &str) -> Option<String> {
    let line = cpus.lines().find(|line| line.starts_with("model name"))?;
    Some(line.split_once(':')?.1.trim().to_owned())
}

fn locked_version(lock: &str, package: &str) -> Option<String> {
    let name = format!("name = \"{package}\"");
    let mut lines = lock.lines().skip_while(|line| *line != name);
    let version = lines.nth(1)?.strip_prefix("version = ")?;
    Some(version.trim_matches('"').to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_locked_version_is_that_of_the_package_with_the_whole_name() {
        let lock = "name = \"wasmtime-x\"\nversion = \"1.0.0\"\n\
                    name = \"wasmtime\"\nversion = \"48.0.8\"\n";
        assert_eq!(locked_version(lock, "wasmtime").as_deref(), Some("48.0.8"));
        assert_eq!(locked_version(lock, "wasm"), None);
    }

    #[test]
    fn the_model_is_that_of_the_first_core() {
        let cpus = "processor\t: 0\nmodel name\t: A CPU @ 2 GHz\nprocessor\t: 1\n";
        assert_eq!(cpu_model(cpus).as_deref(), Some("A CPU @ 2 GHz"));
    }
}
