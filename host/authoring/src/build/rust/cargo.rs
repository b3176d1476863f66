//! Runs cargo, and reads its output.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Stdio;

use serde::Deserialize;

use super::shared::hash_in;
use super::toolchain::{TARGET, Toolchain};
use crate::build::error::BuildError;
use crate::build::{folder_of, tool};
use crate::kit::rust::KIT;

/// WebAssembly's fixed-width vectors, which every engine has; their results are the same
/// everywhere.
const VECTORS: &str = "-Ctarget-feature=+simd128";

/// The source of cargo.
const REMEDY: &str = "it comes with Rust, from https://rustup.rs";

/// A crate or a workspace, as cargo sees it.
#[derive(Debug)]
pub(super) struct Project {
    manifest: PathBuf,
    /// The target directory that the user's settings name, if they name one.
    pub(super) named_target_dir: Option<PathBuf>,
    /// The members of the workspace.
    members: Vec<Package>,
    /// The ids of the packages of registries that the SDK needs.
    of_sdk: BTreeSet<String>,
    /// The ids of all packages. Cargo lists those that the standard library needs nowhere.
    known: BTreeSet<String>,
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
        // Cargo compiles the crates of the workspace by relative paths. Without their folders, the
        // flags are the same for all projects, which can then share compiled crates.
        let outside = metadata.packages.iter().filter(|package| {
            package.source.is_some() || !package.manifest_path.starts_with(&metadata.workspace_root)
        });
        let mut renamed: Vec<_> = outside.map(Package::renamed).collect();
        // The longest last, because the last match counts.
        renamed.sort();
        renamed.dedup();
        let of_sdk = metadata.needed_by_sdk();
        let known = metadata.packages.iter().map(|package| package.id.clone());
        let known = known.collect();
        let usual = metadata.workspace_root.join("target");
        let target_dir = metadata.target_directory;
        let mut members = metadata.packages;
        members.retain(|package| metadata.workspace_members.contains(&package.id));
        Ok(Self {
            manifest: manifest.to_owned(),
            named_target_dir: (target_dir != usual).then_some(target_dir),
            members,
            of_sdk,
            known,
            renamed,
        })
    }

    /// Compiles, and returns cargo's output. Cargo's messages for people go to stderr.
    pub(super) fn build(
        &self,
        toolchain: &Toolchain,
        target_dir: &Path,
        offline: bool,
    ) -> Result<BuildOutput, BuildError> {
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
        Ok(self.read_output(&output.stdout, &toolchain.library()))
    }

    /// Returns the setting that enables vectors and keeps this machine's paths out of panic
    /// messages, so that the same sources compile to the same component everywhere.
    pub(super) fn rustc_flags(&self, toolchain: &Toolchain) -> String {
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

    /// Reads the artifacts that cargo reports, one JSON message a line. `library` is the folder of
    /// the standard library's sources.
    fn read_output(&self, messages: &[u8], library: &Path) -> BuildOutput {
        let lines = messages.split(|byte| *byte == b'\n');
        let messages = lines.filter_map(|line| serde_json::from_slice::<Message>(line).ok());
        let mut output = BuildOutput::default();
        for message in messages {
            if self.is_shared(&message, library) {
                output.has_new_crates |= message.fresh == Some(false);
                output.shared_units.extend(message.unit_hashes());
            }
            output.modules.extend(self.module(message));
        }
        output
    }

    /// Returns true for a crate that any project needs: of the SDK, or of the standard library.
    fn is_shared(&self, message: &Message, library: &Path) -> bool {
        // Messages on build scripts name no manifest.
        let is_of_library = |id: &str| {
            let folder = id.strip_prefix("path+file://");
            folder.is_some_and(|folder| Path::new(folder).starts_with(library))
        };
        message.package_id.as_ref().is_some_and(|id| {
            let is_unknown = id.starts_with("registry+") && !self.known.contains(id);
            is_of_library(id) || is_unknown || self.of_sdk.contains(id)
        })
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

/// The output of cargo, as far as it matters.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct BuildOutput {
    pub(super) modules: Vec<CoreModule>,
    /// The hashes of the compiled crates that other projects need, too.
    pub(super) shared_units: BTreeSet<String>,
    /// True if some of these crates were compiled now.
    pub(super) has_new_crates: bool,
}

/// The relevant part of `cargo metadata`.
#[derive(Debug, Deserialize)]
struct Metadata {
    packages: Vec<Package>,
    workspace_members: Vec<String>,
    workspace_root: PathBuf,
    target_directory: PathBuf,
    resolve: Option<Graph>,
}

/// The dependencies of all packages, by their ids.
#[derive(Debug, Deserialize)]
struct Graph {
    nodes: Vec<Node>,
}

#[derive(Debug, Deserialize)]
struct Node {
    id: String,
    dependencies: Vec<String>,
}

impl Metadata {
    /// Returns the packages of registries among the SDK and all that it needs.
    fn needed_by_sdk(&self) -> BTreeSet<String> {
        let nodes = self.resolve.iter().flat_map(|graph| &graph.nodes);
        let edges: BTreeMap<_, _> = nodes.map(|node| (&node.id, &node.dependencies)).collect();
        let is_sdk = |package: &&Package| package.name == KIT.sdk.package;
        let mut open: Vec<_> = self
            .packages
            .iter()
            .filter(is_sdk)
            .map(|sdk| &sdk.id)
            .collect();
        let mut needed = BTreeSet::new();
        while let Some(id) = open.pop() {
            if needed.insert(id.clone()) {
                open.extend(edges.get(id).into_iter().copied().flatten());
            }
        }
        let of_registries = self
            .packages
            .iter()
            .filter(|package| package.source.is_some());
        let of_registries: BTreeSet<_> = of_registries.map(|package| package.id.clone()).collect();
        needed.intersection(&of_registries).cloned().collect()
    }
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
    package_id: Option<String>,
    /// False if cargo compiled it now.
    fresh: Option<bool>,
    /// The folder of a build script's output.
    out_dir: Option<PathBuf>,
    manifest_path: Option<PathBuf>,
    target: Option<Target>,
    #[serde(default)]
    filenames: Vec<PathBuf>,
}

impl Message {
    /// Returns the hashes in the names of the files, or of the folders of a build script.
    fn unit_hashes(&self) -> Vec<String> {
        let paths = self.filenames.iter().chain(&self.out_dir);
        let names = paths.flat_map(|path| {
            let parent = path.parent().and_then(Path::file_name);
            path.file_name().into_iter().chain(parent)
        });
        names.filter_map(hash_in).map(str::to_owned).collect()
    }
}

#[derive(Debug, Deserialize)]
struct Target {
    #[serde(default)]
    crate_types: Vec<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn package(id: &str, name: &str, source: Option<&str>) -> Package {
        Package {
            id: id.to_owned(),
            name: name.to_owned(),
            version: "0.1.0".to_owned(),
            manifest_path: "/w/count/Cargo.toml".into(),
            source: source.map(str::to_owned),
        }
    }

    fn project() -> Project {
        Project {
            manifest: "/w/Cargo.toml".into(),
            named_target_dir: None,
            members: vec![package("path+file:///w/count", "count-v2", None)],
            of_sdk: ["registry+serde".to_owned()].into(),
            known: ["registry+serde", "registry+other", "path+count"]
                .map(str::to_owned)
                .into(),
            renamed: vec![],
        }
    }

    #[test]
    fn only_modules_of_the_workspaces_members_count() {
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
        let output = project().read_output(messages.join("\n").as_bytes(), Path::new("/std"));
        assert_eq!(output.modules, [expected]);
        assert!(!output.has_new_crates && output.shared_units.is_empty());
    }

    #[test]
    fn crates_of_the_sdk_and_of_the_toolchain_are_shared_and_those_of_the_project_are_not() {
        let unit = |id: &str, manifest: &str, files: &str| {
            format!(r#"{{"reason":"compiler-artifact","package_id":"{id}","fresh":false,"#)
                + &format!(r#""manifest_path":"{manifest}","filenames":["{files}"]}}"#)
        };
        let messages = [
            unit(
                "registry+serde",
                "/r/serde/Cargo.toml",
                "/t/deps/libserde-00000000000000a1.rlib",
            ),
            unit(
                "path+file:///std/core#0.0.0",
                "/std/core/Cargo.toml",
                "/t/deps/libcore-00000000000000b2.rlib",
            ),
            unit(
                "registry+of-std",
                "/r/s/Cargo.toml",
                "/t/deps/libs-00000000000000ab.rlib",
            ),
            unit(
                "registry+other",
                "/r/o/Cargo.toml",
                "/t/deps/libo-00000000000000c3.rlib",
            ),
            unit(
                "path+count",
                "/w/count/Cargo.toml",
                "/t/deps/libc-00000000000000d4.rlib",
            ),
            unit(
                "registry+serde",
                "/r/serde/Cargo.toml",
                "/t/build/serde-00000000000000e5/run",
            ),
            r#"{"reason":"build-script-executed","package_id":"registry+serde",
                "out_dir":"/t/build/serde-00000000000000f6/out"}"#
                .replace('\n', ""),
            r#"{"reason":"build-script-executed","package_id":"path+file:///std/core#0.0.0",
                "out_dir":"/t/build/core-00000000000000a7/out"}"#
                .replace('\n', ""),
        ];
        let output = project().read_output(messages.join("\n").as_bytes(), Path::new("/std"));
        let shared: Vec<_> = output.shared_units.iter().map(|hash| &hash[14..]).collect();
        assert_eq!(shared, ["a1", "a7", "ab", "b2", "e5", "f6"]);
        assert!(output.has_new_crates);
    }

    #[test]
    fn the_sdk_needs_its_dependencies_and_theirs() {
        let registry = Some("registry");
        let node = |id: &str, dependencies: &[&str]| Node {
            id: id.to_owned(),
            dependencies: dependencies.iter().copied().map(str::to_owned).collect(),
        };
        let metadata = Metadata {
            packages: vec![
                package("total", "total", None),
                package("sdk", "tidegate-sdk", None),
                package("serde", "serde", registry),
                package("core", "serde_core", registry),
                package("ms", "ms", registry),
            ],
            workspace_members: vec![],
            workspace_root: "/w".into(),
            target_directory: "/w/target".into(),
            resolve: Some(Graph {
                nodes: vec![
                    node("total", &["sdk", "ms"]),
                    node("sdk", &["serde"]),
                    node("serde", &["core"]),
                    node("core", &["serde"]),
                ],
            }),
        };
        let needed: Vec<_> = metadata.needed_by_sdk().into_iter().collect();
        assert_eq!(needed, ["core", "serde"]);
    }
}
