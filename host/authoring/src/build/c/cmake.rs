//! Runs CMake, and reads its output.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::super::error::BuildError;
use super::super::{folder_of, tool};
use super::toolchain::Toolchain;
use crate::language::Language;

/// The SDK's own toolchain file, so that an author's clone of the SDK and this binary agree.
const TOOLCHAIN_FILE: &str = include_str!("../../../../../guest-sdk/c/cmake/wasm-toolchain.cmake");

/// The list of operators that `tidegate_operator` writes into the build folder.
const OPERATORS: &str = "tidegate-operators.txt";

const REMEDY: &str = "`tidegate doctor c` names the command that installs it";

/// An operator of a project, as a core module.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Operator {
    pub(super) name: String,
    /// The folder of its `CMakeLists.txt`.
    pub(super) folder: PathBuf,
    pub(super) module: PathBuf,
    /// C or C++.
    pub(super) language: Language,
}

/// Configures and builds a project in `target_dir`. The tools' own output goes to stderr.
pub(super) fn build(
    manifest: &Path,
    target_dir: &Path,
    toolchain: &Toolchain,
) -> Result<Vec<Operator>, BuildError> {
    let failed = |source| BuildError::Write {
        path: target_dir.to_owned(),
        source,
    };
    let target_dir = std::path::absolute(target_dir).map_err(failed)?;
    fs::create_dir_all(&target_dir).map_err(failed)?;
    forget_if_moved(folder_of(manifest), &target_dir).map_err(failed)?;
    let toolchain_file = target_dir.join("wasm-toolchain.cmake");
    write_if_changed(&toolchain_file, TOOLCHAIN_FILE).map_err(failed)?;
    let mut configure = cmake(folder_of(manifest));
    configure.args(["--log-level=WARNING", "-G", toolchain.generator]);
    configure
        .arg("-S")
        .arg(folder_of(manifest))
        .arg("-B")
        .arg(&target_dir);
    configure.arg(definition("CMAKE_TOOLCHAIN_FILE", &toolchain_file));
    configure.arg(definition("TIDEGATE_CLANG", &toolchain.clang.path));
    // The results are not needed; errors go to stderr.
    configure.stdout(Stdio::null());
    run(configure, manifest)?;
    let mut build = cmake(folder_of(manifest));
    build.arg("--build").arg(&target_dir);
    build.args(["--parallel", "--", toolchain.quiet]);
    // The output of tools on stdout goes to stderr, where the user reads it.
    build.stdout(io::stderr());
    run(build, manifest)?;
    let list = target_dir.join(OPERATORS);
    if !list.exists() {
        return Ok(Vec::new());
    }
    let text =
        fs::read_to_string(&list).map_err(|source| BuildError::Read { path: list, source })?;
    Ok(operators(&text))
}

fn cmake(folder: &Path) -> Command {
    let mut command = Command::new("cmake");
    command.current_dir(folder);
    // Flags for this machine's compiler have another meaning for the guest's.
    for variable in ["CFLAGS", "CXXFLAGS", "CPPFLAGS", "LDFLAGS"] {
        command.env_remove(variable);
    }
    command
}

fn definition(name: &str, path: &Path) -> String {
    format!("-D{name}={}", path.to_string_lossy())
}

/// Runs a step; its errors go to stderr.
fn run(mut command: Command, manifest: &Path) -> Result<(), BuildError> {
    command.stdin(Stdio::null()).stderr(Stdio::inherit());
    let output = tool::run(&mut command, REMEDY)?;
    if !output.status.success() {
        return Err(BuildError::NotCompiled {
            manifest: manifest.to_owned(),
        });
    }
    Ok(())
}

/// Removes CMake's cache if the project was moved or copied: CMake rejects a cache from elsewhere.
fn forget_if_moved(folder: &Path, target_dir: &Path) -> io::Result<()> {
    let cache = target_dir.join("CMakeCache.txt");
    let Ok(text) = fs::read_to_string(&cache) else {
        return Ok(());
    };
    let home = format!("CMAKE_HOME_DIRECTORY:INTERNAL={}", folder.to_string_lossy());
    let place = format!(
        "CMAKE_CACHEFILE_DIR:INTERNAL={}",
        target_dir.to_string_lossy()
    );
    let is_there = |wanted: &str| text.lines().any(|line| line == wanted);
    if is_there(&home) && is_there(&place) {
        return Ok(());
    }
    fs::remove_file(cache)
}

/// Writes a file if its text differs: CMake reconfigures when the file is newer than its output.
fn write_if_changed(path: &Path, text: &str) -> io::Result<()> {
    if fs::read_to_string(path).is_ok_and(|there| there == text) {
        return Ok(());
    }
    fs::write(path, text)
}

fn operators(list: &str) -> Vec<Operator> {
    let operator = |line: &str| {
        let mut parts = line.split('\t');
        Some(Operator {
            name: parts.next()?.to_owned(),
            folder: parts.next()?.into(),
            module: parts.next()?.into(),
            language: match parts.next()? {
                "c" => Language::C,
                "cpp" => Language::Cpp,
                _ => return None,
            },
        })
    };
    list.lines().filter_map(operator).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_operator_is_a_line_of_the_list() {
        let list = "count\t/p/count\t/t/count.wasm\tc\n\nsum\t/p/a b\t/t/sum.wasm\tcpp\n";
        let operator = |name: &str, folder: &str, language| Operator {
            name: name.to_owned(),
            folder: folder.into(),
            module: format!("/t/{name}.wasm").into(),
            language,
        };
        assert_eq!(
            operators(list),
            [
                operator("count", "/p/count", Language::C),
                operator("sum", "/p/a b", Language::Cpp),
            ]
        );
    }
}
