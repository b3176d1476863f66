//! Finds CMake, a generator and a clang that compiles and links for WebAssembly.

use std::env;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use tidegate_operator::shown;

use super::super::error::BuildError;
use crate::language::Language;
use crate::tools::{Found, Origin, Places, System, ToolReport};

const CMAKE: &str = "cmake";

/// The names of compilers. The first is the one that the project is tested with.
const CLANGS: [&str; 6] = [
    "clang-22", "clang-23", "clang-21", "clang-20", "clang-19", "clang",
];

/// The target of `wasm-toolchain.cmake`.
const TARGET: &str = "--target=wasm32-wasi";

/// A program that needs the compiler, its headers, the C library, and the linker.
const PROBE: &str = "#include <stdlib.h>\nvoid *probe(void) { return malloc(1); }\n";

/// The tools that compile operators in C.
#[derive(Debug)]
pub(super) struct Toolchain {
    pub(super) clang: Found,
    pub(super) cmake: Found,
    /// CMake's name for the tool that it builds with.
    pub(super) generator: &'static str,
    /// The flag that limits the tool's output to errors.
    pub(super) quiet: &'static str,
    /// A description for people.
    pub(super) description: String,
}

pub(super) fn find() -> Result<Toolchain, BuildError> {
    let places = Places::of_this_process();
    let missing = |tool: &str| BuildError::NoToolchain {
        language: Language::C,
        tool: tool.to_owned(),
    };
    let cmake = places
        .on_path(CMAKE)
        .ok_or_else(|| missing("CMake (`cmake`)"))?;
    let (_, generator, quiet) =
        generator(&places).ok_or_else(|| missing("a build tool for CMake (`ninja`)"))?;
    let clang = clang(&places).ok_or_else(|| missing("a C compiler for WebAssembly"))?;
    let description = version(&clang.path);
    Ok(Toolchain {
        clang,
        cmake: Found::new(cmake, Origin::Machine),
        generator,
        quiet,
        description,
    })
}

/// Reports on the tools of all projects.
pub(super) fn examine() -> Vec<ToolReport> {
    let (places, system) = (Places::of_this_process(), System::of_this_machine());
    let report =
        |tool: &str, wanted: &str, found: Option<(Found, Option<String>)>, remedy| match found {
            Some((found, version)) => ToolReport::found(Language::C, tool, wanted, found, version),
            None => ToolReport::missing(Language::C, tool, wanted, remedy),
        };
    let cmake = places.on_path(CMAKE).map(|path| {
        let version = said(&path);
        let version = version
            .lines()
            .next()
            .and_then(|line| line.split(' ').nth(2));
        let version = version.map(str::to_owned);
        (Found::new(path, Origin::Machine), version)
    });
    let builder = generator(&places).map(|(path, _, _)| (Found::new(path, Origin::Machine), None));
    let clang = clang(&places).map(|found| {
        let version = version(&found.path);
        let version = version.strip_prefix("clang ").map(str::to_owned);
        (found, version)
    });
    vec![
        report(CMAKE, "any", cmake, system.cmake()),
        report("ninja or make", "any", builder, system.cmake()),
        report("clang for wasm32-wasi", "any", clang, system.clang()),
    ]
}

/// Returns the first compiler that links for WebAssembly.
fn clang(places: &Places) -> Option<Found> {
    candidates(places).find(|clang| links_for_wasm(&clang.path))
}

/// Returns the build tool, CMake's name for it, and the flag that limits its output to errors.
fn generator(places: &Places) -> Option<(PathBuf, &'static str, &'static str)> {
    let generators = [
        ("ninja", "Ninja", "--quiet"),
        ("make", "Unix Makefiles", "--silent"),
    ];
    let mut found = generators.into_iter();
    found.find_map(|(tool, name, quiet)| Some((places.on_path(tool)?, name, quiet)))
}

/// Returns the compiler that the user names, then the one of a WASI SDK, then those on the path.
fn candidates(places: &Places) -> impl Iterator<Item = Found> {
    let named = env::var_os("TIDEGATE_CLANG").map(PathBuf::from);
    let sdk = env::var_os("WASI_SDK_PATH").map(|sdk| Path::new(&sdk).join("bin/clang"));
    let named = named.into_iter().chain(sdk);
    let named = named.map(|path| Found::new(path, Origin::Environment));
    let installed = CLANGS.into_iter().filter_map(|name| places.on_path(name));
    named.chain(installed.map(|path| Found::new(path, Origin::Machine)))
}

/// Returns true if a compiler links a program that uses the C library. Many clangs can't.
fn links_for_wasm(clang: &Path) -> bool {
    let child = Command::new(clang)
        .args([TARGET, "-mexec-model=reactor", "-x", "c", "-"])
        .args(["-o", "/dev/null"])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn();
    let Ok(mut child) = child else {
        return false;
    };
    // The exit status reports a compiler that ends before it has read everything.
    let written = child
        .stdin
        .take()
        .map(|mut to| to.write_all(PROBE.as_bytes()));
    drop(written);
    child.wait().is_ok_and(|status| status.success())
}

fn version(clang: &Path) -> String {
    let said = said(clang);
    let first = said.lines().next().unwrap_or_default();
    match first.split_once("clang version ") {
        Some((_, version)) => format!("clang {version}"),
        None => shown(clang).to_string(),
    }
}

fn said(program: &Path) -> String {
    let output = Command::new(program).arg("--version").output();
    let said = output.map_or_else(|_| Vec::new(), |output| output.stdout);
    String::from_utf8_lossy(&said).into_owned()
}
