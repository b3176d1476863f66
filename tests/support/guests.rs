//! The components that tests run: built when they are missing, as by `make guests`.

use std::path::{Path, PathBuf};

use crate::process::tidegate;
use crate::workspace::{lock, workspace_root};

/// The folders that one command builds: each is a crate, or several crates with one lock file.
const GROUPS: [&str; 9] = [
    "examples/polyglot",
    "examples",
    "tests/guests",
    "guest-sdk/c/examples/count",
    "guest-sdk/go/examples/count",
    "guest-sdk/go/testdata",
    "guest-sdk/javascript/examples/count",
    "guest-sdk/javascript/test/guests",
    "guest-sdk/python/examples/count",
];

/// The counter of `word-count` in every language.
pub const COUNTERS: [(&str, &str); 5] = [
    ("rust", "examples/word-count/operators/count"),
    ("c", "guest-sdk/c/examples/count"),
    ("go", "guest-sdk/go/examples/count"),
    ("javascript", "guest-sdk/javascript/examples/count"),
    ("python", "guest-sdk/python/examples/count"),
];

/// Returns a component by the path of its crate, such as `examples/word-count/operators/count`.
/// Builds a missing one first, but does not rebuild one that is older than its sources
/// (`make guests` does).
///
/// # Panics
///
/// If it can't be built.
#[must_use]
pub fn guest(crate_path: &str) -> PathBuf {
    let component = component_of(crate_path);
    if !component.is_file() {
        build(crate_path, &component);
    }
    component
}

fn component_of(crate_path: &str) -> PathBuf {
    let directory = workspace_root().join(crate_path);
    let name = directory.file_name().expect("a crate has a name");
    directory.join(name).with_extension("wasm")
}

/// Returns the group of a crate: the first that matches, since inner ones come first.
fn group_of(crate_path: &str) -> Option<&'static str> {
    let is_in = |group: &&&str| Path::new(crate_path).starts_with(group);
    GROUPS.iter().find(is_in).copied()
}

/// Builds a group. Other tests that miss a component wait meanwhile, and then find it.
fn build(crate_path: &str, component: &Path) {
    let root = workspace_root();
    let _lock = lock("guests");
    if component.is_file() {
        return;
    }
    let group = group_of(crate_path);
    let group = group.unwrap_or_else(|| panic!("`make guests` builds nothing in {crate_path}"));
    let built = tidegate(&root, &["build", group]);
    assert!(
        built.code == Some(0) && component.is_file(),
        "{} is missing and can't be built; `make guests` installs the compilers, or says what to \
         install:\n{}{}",
        component.display(),
        built.stdout,
        built.stderr
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_group_is_built_by_make_guests_too() {
        let makefile = std::fs::read_to_string(workspace_root().join("Makefile"));
        let makefile = makefile.expect("there is a Makefile");
        for group in GROUPS {
            let counter = group.strip_suffix("/examples/count");
            let in_loop = counter.is_some_and(|sdk| {
                let language = sdk.strip_prefix("guest-sdk/").expect("an SDK");
                let counters = makefile.lines().find(|line| line.starts_with("COUNTERS"));
                counters.is_some_and(|line| line.split(' ').any(|word| word == language))
            });
            let command = format!("\t$(DEBUG) build {group}");
            let is_built = |line: &str| {
                let options = line.strip_prefix(&command);
                options.is_some_and(|options| options.is_empty() || options.starts_with(' '))
            };
            assert!(in_loop || makefile.lines().any(is_built), "{group}");
        }
    }

    #[test]
    fn a_component_in_a_group_within_another_is_of_the_inner_one() {
        let polyglot = group_of("examples/polyglot/operators/split");
        assert_eq!(polyglot, Some("examples/polyglot"));
        assert_eq!(
            group_of("examples/parity-sum/operators/sum"),
            Some("examples")
        );
        assert_eq!(group_of("examples-of-others"), None);
        assert_eq!(group_of("tests/guests/leaky"), Some("tests/guests"));
    }
}
