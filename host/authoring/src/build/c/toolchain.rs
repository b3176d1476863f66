//! Finds CMake, a generator and a clang that compiles and links for WebAssembly.

use std::env;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use tidegate_operator::shown;

use super::super::error::BuildError;

/// The names of compilers. The first is the one that the project is tested with.
const CLANGS: [&str; 6] = [
    "clang-22", "clang-23", "clang-21", "clang-20", "clang-19", "clang",
];

/// The target of `wasm-toolchain.cmake`.
const TARGET: &str = "--target=wasm32-wasi";

/// A program that needs the compiler, its headers, the C library, and the linker.
const PROBE: &str = "#include <stdlib.h>\nvoid *probe(void) { return malloc(1); }\n";

const CLANG_INSTALL: &str = "on Debian, `apt-get install -y --no-install-recommends clang-22 \
     lld-22 libclang-rt-22-dev-wasm32 wasi-libc` installs it, with libc++-22-dev-wasm32 and \
     libc++abi-22-dev-wasm32 for C++; elsewhere, set WASI_SDK_PATH to a WASI SDK";
const CMAKE_INSTALL: &str = "`apt-get install -y cmake` installs it";
const GENERATOR_INSTALL: &str = "`apt-get install -y ninja-build` installs ninja";

/// The tools that compile operators in C.
#[derive(Debug)]
pub(super) struct Toolchain {
    pub(super) clang: PathBuf,
    /// CMake's name for the tool that it builds with.
    pub(super) generator: &'static str,
    /// The flag that limits the tool's output to errors.
    pub(super) quiet: &'static str,
    /// A description for people.
    pub(super) description: String,
}

pub(super) fn find() -> Result<Toolchain, BuildError> {
    let missing = |tool: &str, install: &str| BuildError::NoToolchain {
        tool: tool.to_owned(),
        install: install.to_owned(),
    };
    if on_path("cmake").is_none() {
        return Err(missing("CMake (`cmake`)", CMAKE_INSTALL));
    }
    let (generator, quiet) = generator()
        .ok_or_else(|| missing("a build tool for CMake (`ninja`)", GENERATOR_INSTALL))?;
    let clang = candidates()
        .find(|clang| links_for_wasm(clang))
        .ok_or_else(|| missing("a C compiler for WebAssembly", CLANG_INSTALL))?;
    let description = version(&clang);
    Ok(Toolchain {
        clang,
        generator,
        quiet,
        description,
    })
}

fn generator() -> Option<(&'static str, &'static str)> {
    let generators = [
        ("ninja", "Ninja", "--quiet"),
        ("make", "Unix Makefiles", "--silent"),
    ];
    let mut found = generators.into_iter();
    let (_, name, quiet) = found.find(|(tool, _, _)| on_path(tool).is_some())?;
    Some((name, quiet))
}

/// Returns the compiler that the user names, then the one of a WASI SDK, then those on the path.
fn candidates() -> impl Iterator<Item = PathBuf> {
    let named = env::var_os("TIDEGATE_CLANG").map(PathBuf::from);
    let sdk = env::var_os("WASI_SDK_PATH").map(|sdk| Path::new(&sdk).join("bin/clang"));
    let installed = CLANGS.into_iter().filter_map(on_path);
    named.into_iter().chain(sdk).chain(installed)
}

fn on_path(program: &str) -> Option<PathBuf> {
    let folders = env::var_os("PATH").unwrap_or_default();
    let mut found = env::split_paths(&folders).map(|folder| folder.join(program));
    found.find(|path| path.is_file())
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
    let output = Command::new(clang).arg("--version").output();
    let said = output.map_or_else(|_| Vec::new(), |output| output.stdout);
    let said = String::from_utf8_lossy(&said);
    let first = said.lines().next().unwrap_or_default();
    match first.split_once("clang version ") {
        Some((_, version)) => format!("clang {version}"),
        None => shown(clang).to_string(),
    }
}
