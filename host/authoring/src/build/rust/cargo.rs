//! Runs cargo, and reads its output.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use serde::Deserialize;

use super::toolchain::{TARGET, Toolchain};
use crate::build::error::BuildError;
use crate::build::{folder_of, tool};

/// WebAssembly's fixed-width vectors, which every engine has; their results are the same
/// everywhere.
const VECTORS: &str = "-Ctarget-feature=+simd128";

/// The source of cargo.
const REMEDY: &str = "it comes with Rust, from https://rustup.rs";

/// A crate or a workspace, as cargo sees it.
#[derive(Debug)]
pub(super) struct Project {
    manifest: PathBuf,
    /// The project's own target directory.
    pub(super) target_dir: PathBuf,
    /// The members of the workspace.
    members: Vec<Package>,
    /// The folders of the crates' sources on this machine, each with its name in components.
    renamed: Vec<(PathBuf, String)>,
}

/// A core module from cargo, not yet a component.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct CoreModule {
    /// Name of the package.
    pub(super) crate_name: String,
    /// Its `Cargo.toml`.
    pub(super) manifest: PathBuf,
    /// The module.
    pub(super) path: PathBuf,
}

impl Project {
    pub(super) fn read(
        manifest: &Path,
        toolchain: &Toolchain,
        offline: bool,
    ) -> Result<Self, BuildError> {
        let mut cargo = toolchain.cargo(folder_of(manifest));
        cargo.args([
            "metadata",
            "--format-version=1",
            "--filter-platform",
            TARGET,
        ]);
        cargo.arg("--manifest-path").arg(manifest);
        if offline {
            cargo.arg("--offline");
        }
        let output = tool::run(&mut cargo, REMEDY)?;
        let unreadable = |reason| BuildError::Project {
            manifest: manifest.to_owned(),
            reason,
        };
        if !output.status.success() {
            let reason = String::from_utf8_lossy(&output.stderr).trim().to_owned();
            return Err(unreadable(reason));
        }
        let metadata: Metadata = serde_json::from_slice(&output.stdout)
            .map_err(|error| unreadable(error.to_string()))?;
        let mut renamed: Vec<_> = metadata.packages.iter().map(Package::renamed).collect();
        // The longest last, because the last match counts.
        renamed.sort();
        renamed.dedup();
        let mut members = metadata.packages;
        members.retain(|package| metadata.workspace_members.contains(&package.id));
        Ok(Self {
            manifest: manifest.to_owned(),
            target_dir: metadata.target_directory,
            members,
            renamed,
        })
    }

    /// Compiles, and returns the core modules. Cargo's own output goes to stderr.
    pub(super) fn build(
        &self,
        toolchain: &Toolchain,
        target_dir: &Path,
        offline: bool,
    ) -> Result<Vec<CoreModule>, BuildError> {
        let mut cargo = toolchain.cargo(folder_of(&self.manifest));
        cargo.args(["build", "--release", "--target", TARGET]);
        cargo.arg("--message-format=json-render-diagnostics");
        cargo.args(toolchain.build_flags());
        cargo.arg("--config").arg(self.rustc_flags(toolchain));
        cargo.arg("--manifest-path").arg(&self.manifest);
        // Cargo runs in the crate's directory, where a relative path would have another meaning.
        let target_dir = std::path::absolute(target_dir).map_err(|source| BuildError::Write {
            path: target_dir.to_owned(),
            source,
        })?;
        cargo.arg("--target-dir").arg(target_dir);
        if offline {
            cargo.arg("--offline");
        }
        cargo.stderr(Stdio::inherit());
        let output = tool::run(&mut cargo, REMEDY)?;
        if !output.status.success() {
            return Err(BuildError::NotCompiled {
                manifest: self.manifest.clone(),
            });
        }
        Ok(self.modules(&output.stdout))
    }

    /// Returns the setting that enables vectors and keeps this machine's paths out of panic
    /// messages, so that the same sources compile to the same component everywhere.
    fn rustc_flags(&self, toolchain: &Toolchain) -> String {
        let library = (toolchain.library(), "rust".to_owned());
        let renamed = self.renamed.iter().chain([&library]);
        let flags = renamed.map(|(path, name)| {
            // JSON and TOML write such a string the same way.
            let flag = format!("--remap-path-prefix={}={name}", path.to_string_lossy());
            serde_json::Value::from(flag).to_string()
        });
        let vectors = serde_json::Value::from(VECTORS).to_string();
        let flags: Vec<_> = flags.chain([vectors]).collect();
        format!("target.{TARGET}.rustflags=[{}]", flags.join(","))
    }

    /// Returns the core modules among the artifacts that cargo reports, one JSON message a line.
    fn modules(&self, messages: &[u8]) -> Vec<CoreModule> {
        let lines = messages.split(|byte| *byte == b'\n');
        lines
            .filter_map(|line| serde_json::from_slice::<Message>(line).ok())
            .filter_map(|message| self.module(message))
            .collect()
    }

    fn module(&self, message: Message) -> Option<CoreModule> {
        let target = message.target?;
        if message.reason != "compiler-artifact"
            || !target.crate_types.iter().any(|kind| kind == "cdylib")
        {
            return None;
        }
        let manifest = message.manifest_path?;
        let member = self.members.iter().find(|m| m.manifest_path == manifest)?;
        let is_module = |path: &PathBuf| path.extension().is_some_and(|e| e == "wasm");
        Some(CoreModule {
            crate_name: member.name.clone(),
            manifest,
            path: message.filenames.into_iter().find(is_module)?,
        })
    }
}

/// The relevant part of `cargo metadata`.
#[derive(Debug, Deserialize)]
struct Metadata {
    packages: Vec<Package>,
    workspace_members: Vec<String>,
    target_directory: PathBuf,
}

#[derive(Debug, Deserialize)]
struct Package {
    id: String,
    name: String,
    version: String,
    manifest_path: PathBuf,
    /// `None` for a crate in a directory of this machine.
    source: Option<String>,
}

impl Package {
    /// Returns the folder to rename and its new name. A registry has all crates side by side, in
    /// folders named with name and version.
    fn renamed(&self) -> (PathBuf, String) {
        let directory = folder_of(&self.manifest_path);
        match (&self.source, directory.parent()) {
            (Some(_), Some(registry)) => (registry.to_owned(), "crates".to_owned()),
            _ => {
                let name = format!("crates/{}-{}", self.name, self.version);
                (directory.to_owned(), name)
            }
        }
    }
}

/// The relevant part of cargo's build messages.
#[derive(Debug, Deserialize)]
struct Message {
    reason: String,
    manifest_path: Option<PathBuf>,
    target: Option<Target>,
    #[serde(default)]
    filenames: Vec<PathBuf>,
}

#[derive(Debug, Deserialize)]
struct Target {
    #[serde(default)]
    crate_types: Vec<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_modules_of_the_workspaces_members_count() {
        let project = Project {
            manifest: "/w/Cargo.toml".into(),
            target_dir: "/w/target".into(),
            members: vec![Package {
                id: "path+file:///w/count".to_owned(),
                name: "count-v2".to_owned(),
                version: "0.1.0".to_owned(),
                manifest_path: "/w/count/Cargo.toml".into(),
                source: None,
            }],
            renamed: vec![],
        };
        let artifact = |manifest: &str, kind: &str, file: &str| {
            let target = format!(r#"{{"crate_types":["{kind}"]}}"#);
            let head = r#"{"reason":"compiler-artifact","manifest_path":"#;
            format!(r#"{head}"{manifest}","target":{target},"filenames":["{file}"]}}"#)
        };
        let messages = [
            artifact("/elsewhere/Cargo.toml", "cdylib", "/t/other.wasm"),
            artifact("/w/count/Cargo.toml", "rlib", "/t/libcount.rlib"),
            artifact("/w/count/Cargo.toml", "cdylib", "/t/count_v2.wasm"),
            r#"{"reason":"build-finished","success":true}"#.to_owned(),
            "not a message".to_owned(),
        ];
        let expected = CoreModule {
            crate_name: "count-v2".to_owned(),
            manifest: "/w/count/Cargo.toml".into(),
            path: "/t/count_v2.wasm".into(),
        };
        assert_eq!(project.modules(messages.join("\n").as_bytes()), [expected]);
    }
}
