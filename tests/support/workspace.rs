//! Where things are: the project and what was built of it.

use std::path::{Path, PathBuf};

/// The root of the project.
#[must_use]
pub fn workspace_root() -> PathBuf {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    let root = package.parent();
    root.expect("the package lies in the project").to_owned()
}

/// The `tidegate` binary of the profile that the tests are built in.
///
/// # Panics
///
/// If it was not built.
#[must_use]
pub fn binary() -> PathBuf {
    let test = std::env::current_exe().expect("a test knows its own path");
    let profile = test
        .ancestors()
        .nth(2)
        .expect("a test lies in target/<profile>/deps");
    let binary = profile.join("tidegate");
    assert!(
        binary.is_file(),
        "{} is not there: run `make test`, or `cargo build -p tidegate` first",
        binary.display()
    );
    binary
}

/// A component that `make guests` has built, by the path of its crate, such as
/// `examples/word-count/operators/count`.
///
/// # Panics
///
/// If it was not built.
#[must_use]
pub fn guest(crate_path: &str) -> PathBuf {
    let directory = workspace_root().join(crate_path);
    let name = directory
        .file_name()
        .expect("a crate has a name")
        .to_owned();
    let component = directory.join(name).with_extension("wasm");
    assert!(
        component.is_file(),
        "{} is not there: run `make guests` first",
        component.display()
    );
    component
}
