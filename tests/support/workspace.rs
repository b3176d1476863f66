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
/// If it was not built: `cargo test -p` of one crate builds that crate only.
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
        "{} is missing: run `cargo test` in the root of the project, which builds it",
        binary.display()
    );
    binary
}
