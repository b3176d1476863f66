//! Finds the project and its binary, which is built if it is missing.

use std::env;
use std::ffi::OsString;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;

/// Returns the root of the project.
#[must_use]
pub fn workspace_root() -> PathBuf {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    let root = package.parent();
    root.expect("the package lies in the project").to_owned()
}

/// Returns the path of the `tidegate` binary of the profile that the tests are built in.
/// `cargo test` of the whole workspace builds it; a test that misses it builds it with the same
/// features.
///
/// # Panics
///
/// If it can't be built.
#[must_use]
pub fn binary() -> PathBuf {
    let test = env::current_exe().expect("a test knows its own path");
    let profile = test.ancestors().nth(2);
    let profile = profile.expect("a test lies in target/<profile>/deps");
    let binary = profile.join("tidegate");
    if !binary.is_file() {
        build(&binary, profile);
    }
    binary
}

/// Builds the binary. Other tests that miss it wait meanwhile, and then find it.
fn build(binary: &Path, profile: &Path) {
    let _lock = lock("binary");
    if binary.is_file() {
        return;
    }
    let name = profile.file_name().unwrap_or_default().to_string_lossy();
    let name = if name == "debug" { "dev" } else { &*name };
    let target = profile.parent().unwrap_or(profile);
    let cargo = env::var_os("CARGO").unwrap_or_else(|| OsString::from("cargo"));
    let built = Command::new(cargo)
        .current_dir(workspace_root())
        // With the features of the tests; otherwise cargo would compile wasmtime again.
        .args(["build", "--workspace", "--bin", "tidegate", "--test", "cli"])
        .args(["--profile", name])
        .arg("--target-dir")
        .arg(target)
        .status();
    assert!(
        built.is_ok_and(|status| status.success()) && binary.is_file(),
        "{} is missing and can't be built: run `cargo test` in the root of the project",
        binary.display()
    );
}

/// Locks a file of this name until it is dropped, so that one test builds a missing artefact, and
/// tests that share a place take turns.
///
/// # Panics
///
/// If the file can't be made or locked.
#[must_use]
pub fn lock(name: &str) -> File {
    let target = workspace_root().join("target");
    fs::create_dir_all(&target).expect("the target directory can be made");
    let file = File::create(target.join(format!("{name}.lock")));
    let file = file.expect("a lock file can be made");
    file.lock().expect("a lock file can be locked");
    file
}
