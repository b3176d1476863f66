//! The choice of the Rust compiler that builds guests.
//!
//! First choice is the project's own compiler, if it has the standard library of the guest target.
//! Otherwise the distribution's, with the target's library or with the library's sources. Otherwise
//! an error that says what to install. `scripts/guest-toolchain.sh` looks in the same order.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::build::error::BuildError;
use crate::language::Language;
use crate::tools::{Found, Origin, Places, System, ToolReport, UsedTool};

/// The target of guests: no WASI, so that a component imports nothing but what it is granted.
pub(super) const TARGET: &str = "wasm32-unknown-unknown";

/// The folder of a distribution's compiler.
const DISTRIBUTION: &str = "/usr/bin";

/// Variables that are meant for the host's build, or for the toolchain that started us, and that
/// disturb a guest's build: `cargo run` sets several of these.
const HOST_ONLY: [&str; 11] = [
    "CARGO",
    "CARGO_BUILD_RUSTFLAGS",
    "CARGO_BUILD_TARGET",
    "CARGO_ENCODED_RUSTFLAGS",
    "RUSTC",
    "RUSTC_BOOTSTRAP",
    "RUSTC_WORKSPACE_WRAPPER",
    "RUSTDOC",
    "RUSTFLAGS",
    "RUSTUP_TOOLCHAIN",
    "__CARGO_DEFAULT_LIB_METADATA",
];

/// A compiler that can build guests.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Toolchain {
    /// A description for people, such as `rustc 1.95.0`.
    pub(super) description: String,
    /// The compiler's version.
    version: String,
    /// The compiler's full description of itself.
    identity: String,
    /// The compiler's `lib/rustlib`.
    libraries: PathBuf,
    source: Source,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Source {
    /// `cargo` and `rustc` as found from the project's directory.
    Project,
    /// The distribution's compiler, which has the target's standard library.
    Distribution,
    /// The distribution's compiler, which builds the standard library from its sources.
    DistributionWithSources,
}

impl Toolchain {
    /// Returns cargo, with an environment without the host's settings.
    pub(super) fn cargo(&self, directory: &Path) -> Command {
        match self.source {
            Source::Project => clean("cargo", directory),
            Source::Distribution | Source::DistributionWithSources => {
                let mut cargo = clean(&format!("{DISTRIBUTION}/cargo"), directory);
                cargo.env("RUSTC", format!("{DISTRIBUTION}/rustc"));
                if self.source == Source::DistributionWithSources {
                    // The sources are those of this very compiler, so the unstable flag is safe.
                    cargo.env("RUSTC_BOOTSTRAP", "1");
                }
                cargo
            }
        }
    }

    /// Returns the path of the compiler.
    fn rustc(&self, places: &Places) -> PathBuf {
        match self.source {
            Source::Project => places.on_path("rustc").unwrap_or_else(|| "rustc".into()),
            Source::Distribution | Source::DistributionWithSources => {
                Path::new(DISTRIBUTION).join("rustc")
            }
        }
    }

    /// Returns the compiler, for the report of a build.
    pub(super) fn used(&self) -> UsedTool {
        let path = self.rustc(&Places::of_this_process());
        Found::new(path, Origin::Machine).used("rustc")
    }

    /// Returns additional flags for `cargo build`.
    pub(super) fn build_flags(&self) -> &'static [&'static str] {
        match self.source {
            Source::Project | Source::Distribution => &[],
            Source::DistributionWithSources => &["-Zbuild-std=std,panic_abort"],
        }
    }

    /// Returns the folder of the standard library's sources, which may not exist.
    pub(super) fn library(&self) -> PathBuf {
        self.libraries.join("src/rust")
    }

    /// Returns the name of a folder that only this toolchain with these flags uses.
    pub(super) fn directory_name(&self, flags: &str) -> String {
        let mut hasher = blake3::Hasher::new();
        for text in [&*self.identity, flags, &self.build_flags().concat()] {
            hasher.update(text.as_bytes()).update(b"\0");
        }
        format!("{}-{}", self.version, &hasher.finalize().to_hex()[..16])
    }
}

/// Finds the toolchain for a project in `directory`.
pub(super) fn find(directory: &Path) -> Result<Toolchain, BuildError> {
    if let Some(compiler) = Compiler::ask("rustc", directory)
        && compiler.has_target()
    {
        return Ok(compiler.into_toolchain(Source::Project));
    }
    let distribution = PathBuf::from(DISTRIBUTION);
    let rustc = distribution.join("rustc");
    let cargo_is_there = distribution.join("cargo").is_file();
    if cargo_is_there && let Some(compiler) = Compiler::ask(&rustc.to_string_lossy(), directory) {
        if compiler.has_target() {
            return Ok(compiler.into_toolchain(Source::Distribution));
        }
        if compiler.has_sources() {
            return match missing_linker(&compiler) {
                None => Ok(compiler.into_toolchain(Source::DistributionWithSources)),
                Some(package) => Err(no_compiler(Some(&package))),
            };
        }
    }
    Err(no_compiler(None))
}

/// Returns the report for `tidegate doctor`: on the compiler that [`find`] finds, or on the reason
/// why it finds none.
pub(super) fn examine(directory: &Path) -> ToolReport {
    let tool = format!("rustc for {TARGET}");
    let wanted = "one with the target or its sources";
    let (places, language) = (Places::of_this_process(), Language::Rust);
    if let Ok(toolchain) = find(directory) {
        let found = Found::new(toolchain.rustc(&places), Origin::Machine);
        let version = Some(
            toolchain
                .description
                .trim_start_matches("rustc ")
                .to_owned(),
        );
        return ToolReport::found(language, &tool, wanted, found, version);
    }
    let has_rustup = places.on_path("rustup").is_some();
    let system = System::of_this_machine().rust();
    let remedy = match has_rustup {
        true => format!("`tidegate doctor rust --fix`, or {system}"),
        false => system,
    };
    ToolReport::missing(language, &tool, wanted, remedy)
}

fn no_compiler(linker: Option<&str>) -> BuildError {
    let what = "a Rust compiler for WebAssembly";
    BuildError::NoToolchain {
        language: Language::Rust,
        tool: match linker {
            None => what.to_owned(),
            // The compiler is there, in part.
            Some(package) => format!("{what} with its linker (Debian's package {package})"),
        },
    }
}

/// A compiler that answered.
#[derive(Debug)]
struct Compiler {
    program: String,
    version: String,
    identity: String,
    libraries: PathBuf,
}

impl Compiler {
    /// Queries a compiler. Returns `None` if it is missing or does not work.
    fn ask(program: &str, directory: &Path) -> Option<Self> {
        let answer = |flags: &[&str]| {
            let output = clean(program, directory).args(flags).output().ok()?;
            let text = String::from_utf8(output.stdout).ok()?;
            output.status.success().then(|| text.trim().to_owned())
        };
        let identity = answer(&["--version", "--verbose"])?;
        let version = identity.split_whitespace().nth(1)?.to_owned();
        let sysroot = answer(&["--print", "sysroot"])?;
        Some(Self {
            program: program.to_owned(),
            version,
            identity,
            libraries: Path::new(&sysroot).join("lib/rustlib"),
        })
    }

    fn has_target(&self) -> bool {
        let files = fs::read_dir(self.libraries.join(TARGET).join("lib"));
        files.into_iter().flatten().flatten().any(|file| {
            let name = file.file_name();
            let name = name.to_string_lossy();
            name.starts_with("libstd-") && name.ends_with(".rlib")
        })
    }

    fn has_sources(&self) -> bool {
        self.libraries
            .join("src/rust/library/std/Cargo.toml")
            .is_file()
    }

    fn into_toolchain(self, source: Source) -> Toolchain {
        let Self {
            program,
            version,
            identity,
            libraries,
        } = self;
        let description = match source {
            Source::Project => format!("rustc {version}"),
            Source::Distribution => format!("rustc {version} ({program})"),
            Source::DistributionWithSources => {
                format!("rustc {version} ({program}, standard library built from source)")
            }
        };
        Toolchain {
            description,
            version,
            identity,
            libraries,
            source,
        }
    }
}

/// Returns the package with the linker if it is missing: Debian's `rust-lld` is a link into a
/// package that no other package requires.
fn missing_linker(compiler: &Compiler) -> Option<String> {
    let link = Path::new(DISTRIBUTION).join("rust-lld");
    if link.exists() || link_in(&compiler.libraries).is_some() {
        return None;
    }
    let target = fs::read_link(&link).ok();
    let package = target.as_deref().and_then(Path::file_name);
    Some(package.map_or("rust-web-llvm".into(), |name| {
        name.to_string_lossy().into_owned()
    }))
}

/// Returns the linker among the compiler's own tools.
fn link_in(libraries: &Path) -> Option<PathBuf> {
    let targets = fs::read_dir(libraries).ok()?;
    targets
        .flatten()
        .map(|target| target.path().join("bin/rust-lld"))
        .find(|linker| linker.is_file())
}

/// Returns a command without the variables that are meant for the host's build.
fn clean(program: &str, directory: &Path) -> Command {
    let mut command = Command::new(program);
    command.current_dir(directory);
    for variable in HOST_ONLY {
        command.env_remove(variable);
    }
    command
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hosts_settings_do_not_reach_a_guests_build() {
        let command = clean("rustc", Path::new("."));
        let removed: Vec<_> = command
            .get_envs()
            .filter(|(_, value)| value.is_none())
            .map(|(name, _)| name.to_string_lossy().into_owned())
            .collect();
        assert!(removed.contains(&"RUSTUP_TOOLCHAIN".to_owned()));
        assert!(removed.contains(&"RUSTFLAGS".to_owned()));
    }

    #[test]
    fn toolchains_and_flags_never_share_a_target_directory() {
        let name = |identity: &str, source, flags| {
            let toolchain = Toolchain {
                description: String::new(),
                version: "1.96.0".to_owned(),
                identity: identity.to_owned(),
                libraries: PathBuf::new(),
                source,
            };
            toolchain.directory_name(flags)
        };
        let names = [
            name("a", Source::Project, "-C a"),
            name("b", Source::Project, "-C a"),
            name("a", Source::DistributionWithSources, "-C a"),
            name("a", Source::Project, "-C b"),
        ];
        assert!(names.iter().all(|name| name.starts_with("1.96.0-")));
        let different: std::collections::BTreeSet<_> = names.iter().collect();
        assert_eq!(different.len(), names.len());
        assert_eq!(names[0], name("a", Source::Project, "-C a"));
    }
}
